package translate_test

import (
	"debug/dwarf"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestUnencodable: input that ends pahole's run is an error in the profile pahole. In the profile default, BTF expresses it in
// another way (peer.go).
func TestUnencodable(t *testing.T) {
	for _, x := range []struct {
		name  string
		build func(cu *synth.CU, i *synth.DIE)
		fails string
		want  string    // after the int
		shows rules.Set // the rule that makes the difference
	}{
		{"atomic", func(cu *synth.CU, i *synth.DIE) {
			a := cu.DIE(dwarf.TagAtomicType, synth.Ref(dwarf.AttrType, synth.FormRef4, i))
			again := cu.DIE(dwarf.TagAtomicType, synth.Ref(dwarf.AttrType, synth.FormRef4, a))
			cu.Struct("s", 16, synth.Member{Name: "a", Type: a}, synth.Member{Name: "p", Type: cu.Pointer(again), Off: 8})
		}, "BTF cannot express tag 0x47", `
			2 PTR 1
			3 STRUCT s 16: a:1@0 p:2@64`, rules.Foreign},
		{"atomic void", func(cu *synth.CU, i *synth.DIE) {
			cu.Typedef("t", cu.DIE(dwarf.TagAtomicType))
		}, "BTF cannot express tag 0x47", "2 TYPEDEF t 0", rules.Foreign},
		{"references", func(cu *synth.CU, i *synth.DIE) {
			r := cu.DIE(dwarf.TagReferenceType, synth.Ref(dwarf.AttrType, synth.FormRef4, i))
			cu.Typedef("t", cu.DIE(dwarf.TagRvalueReferenceType, synth.Ref(dwarf.AttrType, synth.FormRef4, r)))
		}, "BTF cannot express tag 0x10", `
			2 PTR 1
			3 PTR 2
			4 TYPEDEF t 3`, rules.Foreign},
		{"pointer to member", func(cu *synth.CU, i *synth.DIE) {
			cu.Typedef("t", cu.DIE(dwarf.TagPtrToMemberType, synth.Ref(dwarf.AttrType, synth.FormRef4, i)))
		}, "BTF cannot express tag 0x1f", `
			2 STRUCT 8:
			3 TYPEDEF t 2`, rules.Foreign},
		{"typedef without a name", func(cu *synth.CU, i *synth.DIE) {
			cu.Pointer(cu.DIE(dwarf.TagTypedef, synth.Ref(dwarf.AttrType, synth.FormRef4, i)))
		}, "typedef has no name", "2 PTR 1", rules.NamelessTypedef},
		{"declaration without a name", func(cu *synth.CU, i *synth.DIE) {
			cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
		}, "declaration of a struct or union has no name", `
			2 STRUCT 0:
			3 PTR 2`, rules.NamelessDecl},
		{"enumerator without a name", func(cu *synth.CU, i *synth.DIE) {
			cu.Enum("e", 4, nil, synth.Value{Name: "A", Value: 1}).Add(synth.NewDIE(dwarf.TagEnumerator, synth.Num(dwarf.AttrConstValue, synth.FormData1, 2)))
		}, "enumerator has no name", "2 ENUM e 4: A=1", rules.NamelessEnumerator},
		{"type tag without a text", func(cu *synth.CU, i *synth.DIE) {
			cu.Pointer(i).Add(llvm("btf_type_tag", ""), llvm("btf_type_tag", "user"))
		}, "type tag has no text", `
			2 TYPE_TAG user 1
			3 PTR 2`, rules.EmptyTag},
		{"base type without a name", func(cu *synth.CU, i *synth.DIE) {
			cu.DIE(dwarf.TagBaseType, synth.Num(dwarf.AttrByteSize, synth.FormData1, 2))
		}, "base type has no name", "2 INT __SANITIZED_FAKE_INT__ 2", rules.NamelessBase},
		{"complex float", func(cu *synth.CU, i *synth.DIE) {
			cu.Base("complex double", 16, 3)
		}, "BTF cannot express complex and imaginary floats", "2 INT complex double 16", rules.OddFloat},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := synth.New(synth.Target{})
			cu := b.CU("a.c", synth.C11)
			x.build(cu, cu.Base("int", 4, synth.Signed))
			image := b.Bytes()
			if _, err := translated(image, feature.Default()); err == nil || !strings.Contains(err.Error(), x.fails) {
				t.Errorf("error: got %v, want %q", err, x.fails)
			}
			for _, peer := range []rules.Set{rules.Default, rules.Pahole &^ x.shows} {
				got, err := translatedBy(peer, image, feature.Default())
				if err != nil {
					t.Fatal(err)
				}
				if want := "1 INT int 4 signed\n" + trim(x.want); got != want {
					t.Errorf("by rules %#x got\n%s\nwant\n%s", peer, got, want)
				}
			}
		})
	}
}

// TestLowerBounds: an array has as many elements as its bounds say. The default of the lower bound depends on the language.
func TestLowerBounds(t *testing.T) {
	lower := func(v uint64) synth.Part { return synth.Num(dwarf.AttrLowerBound, synth.FormData1, v) }
	for _, x := range []struct {
		name  string
		lang  synth.Lang
		lower []synth.Part
		want  string
	}{
		{"lower bounds: C", synth.C11, nil, "2 ARRAY 1[11]"},
		{"lower bounds: C that states 0", synth.C11, []synth.Part{lower(0)}, "2 ARRAY 1[11]"},
		{"lower bounds: Fortran 90", 0x08, nil, "2 ARRAY 1[10]"},
		{"lower bounds: Fortran 90 that states 0", 0x08, []synth.Part{lower(0)}, "2 ARRAY 1[11]"},
		{"lower bounds: Ada that states 5", 0x0d, []synth.Part{lower(5)}, "2 ARRAY 1[6]"},
		{"lower bounds: negative", 0x08, []synth.Part{synth.Num(dwarf.AttrLowerBound, synth.FormSdata, 1<<64-5)}, "2 ARRAY 1[16]"},
	} {
		b := synth.New(synth.Target{})
		cu := b.CU("a", x.lang)
		i := cu.Base("int", 4, synth.Signed)
		cu.DIE(dwarf.TagArrayType, synth.Ref(dwarf.AttrType, synth.FormRef4, i)).Add(
			synth.NewDIE(dwarf.TagSubrangeType, append(x.lower, synth.Num(dwarf.AttrUpperBound, synth.FormData1, 10))...))
		image := b.Bytes()
		for _, peer := range []rules.Set{rules.Default, rules.Pahole &^ rules.LowerBound} {
			got, err := translatedBy(peer, image, feature.Default())
			if _, array, _ := strings.Cut(got, "\n"); err != nil || array != x.want {
				t.Errorf("%s: by rules %#x got %q, %v, want %q", x.name, peer, array, err, x.want)
			}
		}
		if peer, err := translated(image, feature.Default()); err != nil || !strings.Contains(peer, "[11]") {
			t.Errorf("%s: in the profile of the peer got %q, %v, want 11 elements", x.name, peer, err)
		}
		t.Run(x.name, func(t *testing.T) { samePeer(t, image, feature.Default()) })
	}
}

// TestEmptyTags: a declaration tag without text is left out, wherever it is.
func TestEmptyTags(t *testing.T) {
	const name = "declaration tag without a text"
	b := synth.New(synth.Target{})
	cu := b.CU("a.c", synth.C11)
	i := cu.Base("int", 4, synth.Signed)
	s := cu.Struct("s", 4, synth.Member{Name: "m", Type: i, Extra: []synth.Part{llvm("btf_decl_tag", "")}})
	s.Add(llvm("btf_decl_tag", ""), llvm("btf_decl_tag", "kept"))
	cu.Typedef("t", i).Add(gnu(cu, "btf_decl_tag", "", "gcc"))
	image := b.Bytes()
	for _, row := range []struct {
		peer rules.Set
		want string // values of tags
	}{
		{rules.Default, "kept, gcc"},
		{rules.Pahole &^ rules.UnseenChain, ", , kept, , gcc"},
		{rules.Pahole &^ rules.UnseenChain &^ rules.EmptyDeclTag, "kept, gcc"},
	} {
		got, err := translatedBy(row.peer, image, feature.Default())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var values []string
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "tag ") {
				values = append(values, strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
			}
		}
		if tags := strings.Join(values, ", "); tags != row.want {
			t.Errorf("%s: by rules %#x got %q, want %q", name, row.peer, tags, row.want)
		}
	}
}

// TestIdentifiers: names in languages unlike C become identifiers.
func TestIdentifiers(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, x := range []struct {
		lang synth.Lang
		want string
	}{
		{0x21, "1 INT a b 4\n2 STRUCT box_int_ 4: _0:1@0\n3 TYPEDEF _t 2\n4 TYPEDEF " + long[:127] + " 3"}, // C++14
		{0x1d, "1 INT a b 4\n2 STRUCT box<int> 4: 00:1@0\n3 TYPEDEF &t 2\n4 TYPEDEF " + long + " 3"},       // C11
	} {
		b := synth.New(synth.Target{})
		cu := b.CU("a.cc", x.lang)
		s := cu.Struct("box<int>", 4, synth.Member{Name: "00", Type: cu.Base("a b", 4, synth.Unsigned)})
		cu.Typedef(long, cu.Typedef("&t", s))
		got, err := translatedBy(rules.Default, b.Bytes(), feature.Default())
		if err != nil {
			t.Fatal(err)
		}
		if got != x.want {
			t.Errorf("language %#x: got\n%s\nwant\n%s", x.lang, got, x.want)
		}
	}
}
