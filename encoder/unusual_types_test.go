package encoder_test

import (
	"debug/dwarf"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// unusualObject encodes an image of corpus/unusual in the profile default, with all variables.
func unusualObject(t *testing.T, name string) *btf.Object {
	t.Helper()
	opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default().With(feature.GlobalVar)}, VerifyDedup: true}
	res, err := encodeBytes(read(t, filepath.Join(unusualFolder, name+".elf")), opt)
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

// memberType returns the type of a member of a struct.
func memberType(t *testing.T, o *btf.Object, of, member string) uint32 {
	t.Helper()
	r := typeNamed(t, o, btf.KindStruct, of)
	for i := range r.Vlen() {
		if e := r.Elem(i); o.Name(e[0]) == member {
			return e[1]
		}
	}
	t.Fatalf("struct %s has no member %s", of, member)
	return 0
}

// TestSignedPointers: signed pointers become plain pointers, without a warning.
func TestSignedPointers(t *testing.T) {
	o := unusualObject(t, "ptrauth")
	if open, signed := memberType(t, o, "ops", "open"), memberType(t, o, "ops", "close"); open != signed {
		t.Errorf("got type %d for the signed pointer, want that of the other, %d", signed, open)
	}
	if r := follow(t, o, memberType(t, o, "ops", "data"), btf.KindPtr); r.Type() != 0 {
		t.Errorf("got a pointer to type %d, want one to void", r.Type())
	}
	if got := unusualWarnings(t, "ptrauth"); len(got) != 0 {
		t.Errorf("got warnings %v, want none", got)
	}
}

// TestNullPointers: the type of nullptr becomes a pointer to void, for gcc and clang.
func TestNullPointers(t *testing.T) {
	for _, image := range []string{"nullptr", "nullptr-clang"} {
		o := unusualObject(t, image)
		if r := follow(t, o, memberType(t, o, "holder", "nothing"), btf.KindTypedef, btf.KindPtr); r.Type() != 0 {
			t.Errorf("%s: got a pointer to type %d, want one to void", image, r.Type())
		}
	}
}

// TestWideIntegers: an integer that is too wide for BTF becomes a struct with its size and name, with a warning.
func TestWideIntegers(t *testing.T) {
	o := unusualObject(t, "bitint")
	for _, x := range []struct {
		member, name string
		kind         btf.Kind
		size         uint32
	}{
		{"big", "_BitInt_256_", btf.KindStruct, 32},
		{"odd", "unsigned__BitInt_200_", btf.KindStruct, 32},
		{"fits", "_BitInt(128)", btf.KindInt, 16},
	} {
		r := o.At(btf.ID(memberType(t, o, "wide", x.member)))
		if r.Kind() != x.kind || r.Size() != x.size || r.Vlen() != 0 || o.Name(r.Name()) != x.name {
			t.Errorf("%s: got %v %q of %d bytes, want %v %q of %d", x.member, r.Kind(), o.Name(r.Name()), r.Size(), x.kind, x.name, x.size)
		}
	}
	got := unusualWarnings(t, "bitint")
	if w := got["odd-integer"]; len(got) != 1 || w.Count != 2 || !strings.Contains(w.Examples[0], `CU 0 (src/bitint.c): .debug_info+0x`) ||
		!strings.HasSuffix(w.Examples[0], `"_BitInt(256)": BTF cannot express an integer of 32 bytes: replaced by a struct without members`) {
		t.Errorf("got warnings %v, want two integers", got)
	}
}

// TestAnnotations: annotations of gcc become tags, in the order of their chains. Without the feature there are no tags.
func TestAnnotations(t *testing.T) {
	o := unusualObject(t, "annot")
	var got []string
	for _, r := range o.All() {
		if r.Kind() == btf.KindDeclTag {
			on := o.At(r.Type())
			got = append(got, on.Kind().String()+" "+o.Name(on.Name())+": "+o.Name(r.Name()))
		}
	}
	want := []string{
		"STRUCT tagged: member again", "STRUCT tagged: member", "STRUCT tagged: bits", "UNION either: of union",
		"VAR declared: declaration", "VAR variable: variable again", "VAR variable: variable",
		"FUNC function: parameter", "FUNC function: function",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got tags\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNames: every name that kernels refuse is replaced by an identifier, wherever it is used, with one warning per name.
func TestNames(t *testing.T) {
	o := unusualObject(t, "dollar")
	for _, x := range []struct {
		kind btf.Kind
		name string
	}{
		{btf.KindStruct, "with_dollar"}, {btf.KindEnum, "e_num"}, {btf.KindTypedef, "t_def"}, {btf.KindFwd, "u_nion"}, {btf.KindFunc, "fn_x"},
		{btf.KindStruct, strings.Repeat("a", 127)},
	} {
		typeNamed(t, o, x.kind, x.name)
	}
	memberType(t, o, "with_dollar", "a_b")
	memberType(t, o, "with_dollar", "caf__")
	if e := typeNamed(t, o, btf.KindEnum, "e_num").Elem(0); o.Name(e[0]) != "ONE_" {
		t.Errorf("got enumerator %q, want ONE_", o.Name(e[0]))
	}
	if p := o.At(typeNamed(t, o, btf.KindFunc, "fn_x").Type()).Elem(0); o.Name(p[0]) != "p_" {
		t.Errorf("got parameter %q, want p_", o.Name(p[0]))
	}
	got := unusualWarnings(t, "dollar")["odd-name"]
	if got.Count != 10 {
		t.Errorf("got %d names, want 10: %v", got.Count, got.Examples)
	}
	for _, part := range []string{
		`CU 0 (src/dollar.c): .debug_info+0x2e: "with$dollar": kernels refuse this name`, `"a$b"`, "\"café\"", `"ONE$"`, `"p$"`, `function "fn$x": `,
	} {
		if !strings.Contains(strings.Join(got.Examples, "\n"), part) {
			t.Errorf("got names %v, want %s among them", got.Examples, part)
		}
	}
}

// TestNamesThatClash: if two names become the same identifier, the exact engine deduplicates all types. Texts that are not names stay unchanged.
func TestNamesThatClash(t *testing.T) {
	for _, order := range [][]string{{"a$b", "a_b"}, {"a_b", "a$b"}, {"a$b", "a@b"}} {
		b := synth.New(synth.Target{})
		for i := range 4 {
			cu := b.CU("a.c", synth.C11)
			n := cu.Base("long unsigned int", 8, 7)
			name := order[i%2]
			s := cu.Struct(name, 8, synth.Member{Name: "m", Type: n})
			tag := synth.NewDIE(synth.TagLLVMAnnotation, synth.Name("btf_decl_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "a$b"))
			cu.Typedef("t", cu.Pointer(s)).Add(tag)
			cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Name(order[(i+1)%2]), synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
		}
		image := b.Bytes()
		asPeer(t, image)
		for _, opt := range []encoder.Encoder{{VerifyDedup: true}, {VerifyDedup: true, Paranoid: true, Workers: 1}} {
			opt.Features = feature.Default()
			res, err := encodeBytes(image, opt)
			if err != nil {
				t.Fatalf("%v: %v", order, err)
			}
			typeNamed(t, res.Object, btf.KindStruct, "a_b")
			typeNamed(t, res.Object, btf.KindInt, "long unsigned int")
			typeNamed(t, res.Object, btf.KindDeclTag, "a$b")
		}
	}
}

// TestUnknownTags: a reference to a DIE with an unknown tag is handled by the DIE's attributes. A DIE with a type and no size is skipped, a DIE with
// a size becomes a struct, and others become void. Each gives a warning with tag and place. In the profile pahole all become void.
func TestUnknownTags(t *testing.T) {
	build := func(cus int) []byte {
		b := synth.New(synth.Target{})
		for range cus {
			cu := b.CU("a.c", synth.C11)
			n := cu.Base("int", 4, synth.Signed)
			ref := func(to *synth.DIE) synth.Attr { return synth.Ref(dwarf.AttrType, synth.FormRef4, to) }
			size := func(v uint64) synth.Attr { return synth.Num(dwarf.AttrByteSize, synth.FormData1, v) }
			outer := cu.DIE(dwarf.Tag(0x4ff1), ref(cu.DIE(dwarf.Tag(0x4ff0), ref(n))))
			coarray := cu.DIE(dwarf.Tag(0x44), ref(n))
			set := cu.DIE(dwarf.Tag(0x20), synth.Name("set"), size(12), ref(n))
			same := cu.DIE(dwarf.Tag(0x4ff2), size(4), ref(n))
			none := cu.DIE(dwarf.Tag(0x4ff3))
			cu.DIE(dwarf.Tag(0x4ff4), ref(n)) // nothing refers to it
			cu.Struct("s", 24, synth.Member{Name: "outer", Type: outer}, synth.Member{Name: "coarray", Type: coarray, Off: 4},
				synth.Member{Name: "set", Type: set, Off: 8}, synth.Member{Name: "same", Type: same, Off: 20})
			cu.Typedef("t", cu.Pointer(none))
		}
		return b.Bytes()
	}
	for _, cus := range []int{1, 3} {
		image := build(cus)
		asPeer(t, image)
		res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, VerifyDedup: true})
		if err != nil {
			t.Fatal(err)
		}
		o := res.Object
		for _, name := range []string{"outer", "coarray", "same"} {
			if r := o.At(btf.ID(memberType(t, o, "s", name))); r.Kind() != btf.KindInt {
				t.Errorf("%s: got %v, want INT", name, r.Kind())
			}
		}
		if r := o.At(btf.ID(memberType(t, o, "s", "set"))); r.Kind() != btf.KindStruct || r.Size() != 12 || o.Name(r.Name()) != "set" {
			t.Errorf("set: got %v of %d bytes, want STRUCT of 12", r.Kind(), r.Size())
		}
		if r := follow(t, o, uint32(typeNamed(t, o, btf.KindTypedef, "t").Type()), btf.KindPtr); r.Type() != 0 {
			t.Errorf("got a pointer to type %d, want one to void", r.Type())
		}
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			got := warningsOf(t, image, profile)
			if len(got) != 1 || got[0].Rule != "unknown-tag" {
				t.Fatalf("profile %d: got warnings %v, want unknown tags alone", profile, got)
			}
			text := strings.Join(got[0].Examples, "\n")
			for _, tag := range []string{"0x4ff1", "0x44", "0x20", "0x4ff2", "0x4ff3"} {
				if !strings.Contains(text, "CU 0 (a.c): .debug_info+0x") || !strings.Contains(text, "tag "+tag+" ") {
					t.Errorf("profile %d: tag %s: got\n%s", profile, tag, text)
				}
			}
			if strings.Contains(text, "0x4ff4") {
				t.Errorf("profile %d: nothing refers to tag 0x4ff4, and yet got\n%s", profile, text)
			}
		}
	}
}

// TestUnusualTypesMerged: units that are translated together give the same types and warnings, except that a warning about a replaced name lacks the
// number of the CU.
func TestUnusualTypesMerged(t *testing.T) {
	for _, image := range []string{"ptrauth", "nullptr", "bitint", "dollar", "annot", "empty", "reduced"} {
		var types [2][]string
		var found [2][]string
		for i, features := range []feature.Set{feature.Default(), feature.Default().With(feature.ForceCUMerging)} {
			res, err := encodeBytes(read(t, filepath.Join(unusualFolder, image+".elf")), encoder.Encoder{Options: encoder.Options{Features: features}})
			if err != nil {
				t.Fatalf("%s: %v", image, err)
			}
			for _, r := range res.Object.All() {
				types[i] = append(types[i], r.Kind().String()+" "+res.Object.Name(r.Name()))
			}
			for _, w := range res.Warnings {
				for _, text := range w.Examples {
					found[i] = append(found[i], w.Rule+": "+text[strings.Index(text, ".debug_info")+1:])
				}
			}
			slices.Sort(types[i])
			slices.Sort(found[i])
		}
		if !slices.Equal(types[0], types[1]) {
			t.Errorf("%s: merged, got types %v, want %v", image, types[1], types[0])
		}
		if image != "dollar" && !slices.Equal(found[0], found[1]) || len(found[0]) != len(found[1]) {
			t.Errorf("%s: merged, got warnings\n%s\nwant\n%s", image, strings.Join(found[1], "\n"), strings.Join(found[0], "\n"))
		}
	}
}
