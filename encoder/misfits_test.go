package encoder_test

import (
	"bytes"
	"debug/dwarf"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// TestMisfits: types that BTF cannot express give one warning each, and kernels load the BTF of the profile default.
func TestMisfits(t *testing.T) {
	of := func(to *synth.DIE) synth.Attr { return synth.Ref(dwarf.AttrType, synth.FormRef4, to) }
	size := func(n uint64) synth.Attr { return synth.Num(dwarf.AttrByteSize, synth.FormData1, n) }
	member := func(name string, to *synth.DIE) synth.Member { return synth.Member{Name: name, Type: to} }
	for _, x := range []struct {
		name  string
		rule  string
		text  string // part of the only example
		build func(cu *synth.CU, i *synth.DIE) *synth.DIE
		kind  btf.Kind // of the first member of the type, if that is a struct
		size  uint32
	}{
		{"decimal float", "odd-encoding", "encoding 0xf", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Base("_Decimal64", 8, 0xf)))
		}, btf.KindInt, 8},
		{"fixed point", "odd-encoding", "encoding 0xd", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Base("_Accum", 4, 0xd)))
		}, btf.KindInt, 4},
		{"integer of 3 bytes", "odd-integer", `"_BitInt(24)": BTF cannot express an integer of 3 bytes`, func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Base("_BitInt(24)", 3, synth.Signed)))
		}, btf.KindStruct, 3},
		{"integer of 12 bytes", "odd-integer", "12 bytes", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Base("wide", 12, synth.Unsigned)))
		}, btf.KindStruct, 12},
		{"complex float of 32 bytes", "odd-integer", "32 bytes", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 32, member("m", cu.Base("complex long double", 32, 3)))
		}, btf.KindStruct, 32},
		{"enumeration of 16 bytes", "opaque-type", `"big": BTF cannot express this type: replaced by a struct of 16 bytes`, func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Enum("big", 16, nil, synth.Value{Name: "A", Value: 1})))
		}, btf.KindStruct, 16},
		{"string type", "opaque-type", "struct of 7 bytes", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagStringType, size(7))))
		}, btf.KindStruct, 7},
		{"pointer to a member function", "opaque-type", "struct of 16 bytes", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagPtrToMemberType, of(i), size(16))))
		}, btf.KindStruct, 16},
		{"pointer to a member function that states no size", "opaque-type", "struct of 16 bytes", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagPtrToMemberType, of(cu.FuncType(i)))))
		}, btf.KindStruct, 16},
		{"file type", "unknown-tag", "tag 0x29", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagFileType, of(i), size(16))))
		}, btf.KindStruct, 16},
		{"subrange as a type", "unknown-tag", "tag 0x21", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagSubrangeType, synth.Name("small"), of(i))))
		}, btf.KindInt, 4},
		{"subrange of a size of its own", "unknown-tag", `"small"`, func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.TagSubrangeType, synth.Name("small"), of(i), size(1))))
		}, btf.KindStruct, 1},
		{"dynamic type", "unknown-tag", "tag 0x46", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.DIE(dwarf.Tag(0x46), of(i))))
		}, btf.KindInt, 4},
		{"unspecified type", "unsized-type", `"m": its type has no size`, func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", cu.Typedef("t", cu.Typedef("u", nil))))
		}, btf.KindStruct, 0},
		{"member without a type", "unsized-type", `"m": its type has no size`, func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 16, member("m", nil), member("n", i))
		}, btf.KindStruct, 0},
		{"element of void", "unsized-type", "its type has no size", func(cu *synth.CU, _ *synth.DIE) *synth.DIE {
			return cu.Array(nil, nil, 4)
		}, 0, 0},
		{"parameter of void", "unsized-type", `"p"`, func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.FuncType(i, synth.Param{Name: "p", Type: cu.Typedef("t", nil)}, synth.Param{Name: "q", Type: i})
		}, 0, 0},
		{"base class", "lost-member", "tag 0x1c", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			base := cu.Struct("base", 4, member("m", i))
			return cu.Struct("s", 8).Add(synth.NewDIE(dwarf.TagInheritance, of(base)))
		}, 0, 0},
		{"variant part", "lost-member", "tag 0x33", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Struct("s", 8).Add(synth.NewDIE(dwarf.Tag(0x33)))
		}, 0, 0},
		{"dimension by an enumeration", "odd-array", "tag 0x4", func(cu *synth.CU, i *synth.DIE) *synth.DIE {
			return cu.Array(i, nil).Add(synth.NewDIE(dwarf.TagEnumerationType, size(4)))
		}, 0, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := synth.New(synth.Target{})
			cu := b.CU("odd.c", synth.C11)
			built := x.build(cu, cu.Base("int", 4, synth.Signed))
			cu.Typedef("top", cu.Pointer(built))
			image := b.Bytes()
			got := warningsOf(t, image, encoder.Default)
			if len(got) != 1 || got[0].Rule != x.rule || got[0].Count != 1 {
				t.Fatalf("got warnings %v, want one of rule %s", got, x.rule)
			}
			if text := got[0].Examples[0]; !strings.HasPrefix(text, "CU 0 (odd.c): .debug_info+0x") || !strings.Contains(text, x.text) {
				t.Errorf("got %q, want %q in it", text, x.text)
			}
			res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}})
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []verify.Path{verify.Vmlinux, verify.Load} {
				if err := verify.Check(res.Object.AppendWire(nil), verify.Options{Kernel: verify.Newest, Path: path}); err != nil {
					t.Errorf("path %v: %v", path, err)
				}
			}
			asPeer(t, image)
			if x.kind == 0 {
				return
			}
			if r := res.Object.At(btf.ID(memberType(t, res.Object, "s", "m"))); r.Kind() != x.kind || r.Size() != x.size {
				t.Errorf("got a member of %v of %d bytes, want %v of %d", r.Kind(), r.Size(), x.kind, x.size)
			}
		})
	}
}

// asPeer compares the BTF in the profile pahole with that of pahole, if pahole writes any.
func asPeer(t *testing.T, image []byte) {
	t.Run("peer", func(t *testing.T) {
		want := reference.Encode(t, image, feature.Default().Names())
		peer, err := encodeBytes(image, likePeer())
		switch {
		case want == nil:
		case err != nil:
			t.Errorf("got %v, want the peer's %d bytes", err, len(want))
		case !bytes.Equal(peer.Object.AppendWire(nil), want):
			t.Errorf("got %d bytes, want the peer's %d, which differ", len(peer.Object.AppendWire(nil)), len(want))
		}
	})
}

// TestStaticMembers: static members of a C++ class are not members of the struct.
func TestStaticMembers(t *testing.T) {
	b := synth.New(synth.Target{})
	cu := b.CU("a.cc", synth.Lang(0x21))
	i := cu.Base("int", 4, synth.Signed)
	cu.Struct("s", 8, synth.Member{Name: "a", Type: i}, synth.Member{Name: "b", Type: i, Off: 4}).Add(
		synth.NewDIE(dwarf.TagMember, synth.Name("shared"), synth.Ref(dwarf.AttrType, synth.FormRef4, i), synth.Num(dwarf.AttrExternal, synth.FormFlagPresent, 1),
			synth.Num(dwarf.AttrDeclaration, synth.FormFlagPresent, 1)))
	image := b.Bytes()
	asPeer(t, image)
	res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, VerifyDedup: true})
	if err != nil {
		t.Fatal(err)
	}
	if r := typeNamed(t, res.Object, btf.KindStruct, "s"); r.Vlen() != 2 {
		t.Errorf("got %d members, want 2", r.Vlen())
	}
}
