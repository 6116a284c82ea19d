package translate_test

import (
	"debug/dwarf"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// misreferences are DIEs with a reference, each with the form that the value needs.
var misreferences = []struct {
	name  string
	build func(cu *synth.CU, i *synth.DIE, bad func(at dwarf.Attr, form synth.Form) synth.Attr)
}{
	{"pointer", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagPointerType, bad(dwarf.AttrType, synth.FormRef4))
	}},
	{"pointer by ref8", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagPointerType, bad(dwarf.AttrType, synth.FormRef8))
	}},
	{"typedef by ref_udata", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagTypedef, synth.Name("t"), bad(dwarf.AttrType, synth.FormRefUdata))
	}},
	{"member", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.Struct("s", 8, synth.Member{Name: "a", Type: i}).DIE(dwarf.TagMember, synth.Name("b"), bad(dwarf.AttrType, synth.FormRef4),
			synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 4))
	}},
	{"parameter of a type", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.FuncType(i).DIE(dwarf.TagFormalParameter, bad(dwarf.AttrType, synth.FormRef4))
	}},
	{"element", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagArrayType, bad(dwarf.AttrType, synth.FormRef4)).DIE(dwarf.TagSubrangeType, synth.Num(dwarf.AttrUpperBound, synth.FormData1, 3))
	}},
	{"specification of a struct", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagStructType, bad(dwarf.AttrSpecification, synth.FormRef4))
	}},
	{"return type", func(cu *synth.CU, _ *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagSubprogram, synth.Name("f"), bad(dwarf.AttrType, synth.FormRef4))
	}},
	{"origin of a function", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagSubprogram, synth.Type(i), bad(dwarf.AttrAbstractOrigin, synth.FormRef4))
	}},
	{"specification of a function", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagSubprogram, synth.Type(i), bad(dwarf.AttrSpecification, synth.FormRef4))
	}},
	{"origin of a parameter", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.Func("f", synth.Nowhere, 4, i).DIE(dwarf.TagFormalParameter, bad(dwarf.AttrAbstractOrigin, synth.FormRef4))
	}},
	{"annotation", func(cu *synth.CU, i *synth.DIE, bad func(dwarf.Attr, synth.Form) synth.Attr) {
		cu.DIE(dwarf.TagPointerType, synth.Type(i), bad(0x2139, synth.FormRef4))
	}},
}

// TestNoEntry: a reference that leads to no DIE is an error, which names the places of the reference and of its target.
func TestNoEntry(t *testing.T) {
	for _, x := range misreferences {
		build := func(to uint64) (image []byte, inside uint64) {
			b := synth.New(synth.Target{})
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			x.build(cu, i, func(at dwarf.Attr, form synth.Form) synth.Attr { return synth.Num(at, form, to) })
			image = b.Bytes()
			return image, i.Offset()
		}
		_, i := build(1)
		for _, to := range []struct {
			what string
			at   uint64
		}{{"0", 0}, {"header", 3}, {"middle of a DIE", i + 1}, {"middle of the root", i - 1}, {"far out", 0x7fffffff}, {"end", 0x4000}} {
			image, _ := build(to.at)
			_, err := translated(image, feature.Default())
			if want := fmt.Sprintf("reference to %#x, where no DIE starts", to.at); err == nil || !strings.Contains(err.Error(), want) ||
				!strings.HasPrefix(err.Error(), "CU 0: .debug_info+0x") {
				t.Errorf("%s, %s: got error %v, want %q", x.name, to.what, err, want)
			}
		}
	}
}

// TestReferencesOfNoUse: references of a DIE that no rule reads do not matter, and references to a DIE that becomes no type are
// allowed.
func TestReferencesOfNoUse(t *testing.T) {
	b := synth.New(synth.Target{})
	cu := b.CU("a.c", synth.C11)
	nowhere := synth.Num(dwarf.AttrType, synth.FormRef4, 0x7fffffff)
	cu.DIE(dwarf.TagModule, nowhere).DIE(dwarf.TagPointerType, nowhere)
	cu.DIE(dwarf.TagNamelist, nowhere)
	cu.DIE(dwarf.TagVariable, synth.Name("v"), nowhere)
	for range 100 { // more than are checked one by one
		cu.Pointer(cu.DIE(dwarf.TagUnspecifiedType, synth.Name("decltype(nullptr)")))
	}
	if got, err := translated(b.Bytes(), feature.Default()); err != nil || strings.Count(got, "PTR 0") != 100 {
		t.Errorf("got %v and\n%s", err, got)
	}
}
