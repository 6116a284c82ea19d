package translate_test

import (
	"debug/dwarf"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// llvm is an annotation as clang writes it: a child of what it tags.
func llvm(name, value string) *synth.DIE {
	return synth.NewDIE(synth.TagLLVMAnnotation, synth.Name(name), synth.Str(dwarf.AttrConstValue, synth.FormStrp, value))
}

// gnu is a chain of annotations as gcc writes it, and the attribute that starts it. The DIEs go into the unit.
func gnu(cu *synth.CU, name string, values ...string) synth.Attr {
	var next *synth.DIE
	for i := len(values) - 1; i >= 0; i-- {
		d := cu.DIE(synth.TagGNUAnnotation, synth.Name(name), synth.Str(dwarf.AttrConstValue, synth.FormStrp, values[i]))
		if next != nil {
			d.Add(synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, next))
		}
		next = d
	}
	return synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, next)
}

// Rule 01/7.1: type tags.
func TestTypeTags(t *testing.T) {
	check(t, []fixture{
		{name: "clang: the pointer leads to the last", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Pointer(i).Add(llvm("btf_type_tag", "outer"), llvm("btf_type_tag", "inner"))
			cu.Typedef("after", i)
		}), want: `
			1 INT int 4 signed
			2 TYPE_TAG outer 1
			3 TYPE_TAG inner 2
			4 PTR 3
			5 TYPEDEF after 1`},
		{name: "gcc: the pointer leads to the first", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Pointer(i).Add(gnu(cu, "btf_type_tag", "first", "second"))
		}), want: `
			1 INT int 4 signed
			2 TYPE_TAG first 3
			3 TYPE_TAG second 1
			4 PTR 2`},
		{name: "a shared chain gives each pointer its own", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			chain := gnu(cu, "btf_type_tag", "shared")
			cu.Pointer(i).Add(chain)
			cu.Pointer(cu.Const(i)).Add(chain)
		}), want: `
			1 INT int 4 signed
			2 TYPE_TAG shared 1
			3 PTR 2
			4 CONST 1
			5 TYPE_TAG shared 4
			6 PTR 5`},
		{name: "void pointee", build: one(func(cu *synth.CU) {
			cu.Pointer(nil).Add(llvm("btf_type_tag", "a"))
			cu.Pointer(nil).Add(gnu(cu, "btf_type_tag", "b"))
		}), want: `
			1 TYPE_TAG a 0
			2 PTR 1
			3 TYPE_TAG b 0
			4 PTR 3`},
		{name: "other names and places", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			i.Add(llvm("btf_type_tag", "on a base type"))
			cu.Pointer(i).Add(llvm("btf:type_tag", "newer placement"), llvm("btf_decl_tag", "declaration"))
			cu.Typedef("t", i).Add(llvm("btf_type_tag", "on a typedef"))
			cu.Const(i).Add(llvm("btf_type_tag", "on a qualifier"))
		}), want: `
			1 INT int 4 signed
			2 PTR 1
			3 TYPEDEF t 1
			4 CONST 1`},
		{name: "a gcc chain ends at another name", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			decl := cu.DIE(synth.TagGNUAnnotation, synth.Name("btf_decl_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "stop"))
			typ := cu.DIE(synth.TagGNUAnnotation, synth.Name("btf_type_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "first"),
				synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, decl))
			cu.Pointer(i).Add(synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, typ))
		}), want: `
			1 INT int 4 signed
			2 TYPE_TAG first 1
			3 PTR 2`},
		{name: "without the feature", without: []feature.Feature{feature.TypeTag}, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Pointer(i).Add(llvm("btf_type_tag", "a"))
			cu.Pointer(i).Add(gnu(cu, "btf_type_tag", "b"))
		}), want: `
			1 INT int 4 signed
			2 PTR 1
			3 PTR 1`},
		{name: "many pointers share a long chain", build: one(func(cu *synth.CU) {
			chain := gnu(cu, "btf_type_tag", slices.Repeat([]string{"tag"}, 4000)...)
			for range 100 {
				cu.Pointer(nil).Add(chain)
			}
		}), fails: "too many annotations", deviates: "the peer has no such bound"},
		{name: "no text", shows: rules.EmptyTag, build: one(func(cu *synth.CU) {
			cu.Pointer(nil).Add(llvm("btf_type_tag", ""))
		}), fails: "type tag has no text"},
		{name: "indexed strings", build: one(func(cu *synth.CU) {
			cu.Pointer(cu.Base("int", 4, synth.Signed)).Add(synth.NewDIE(synth.TagLLVMAnnotation,
				synth.Str(dwarf.AttrName, synth.FormStrx1, "btf_type_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrx1, "rcu")))
		}), want: `
			1 INT int 4 signed
			2 TYPE_TAG rcu 1
			3 PTR 2`},
	})
}

// Rule 01/7.2: declaration tags.
func TestDeclTags(t *testing.T) {
	const tag = "btf_decl_tag"
	check(t, []fixture{
		{name: "clang: members' tags come before those of the aggregate", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			s := cu.Struct("s", 8)
			s.DIE(dwarf.TagInheritance, synth.Type(cu.Struct("base", 0)), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0))
			s.Member(synth.Member{Name: "a", Type: i, Extra: []synth.Part{llvm(tag, "one"), llvm(tag, "two")}})
			s.Member(synth.Member{Name: "b", Type: i, Off: 4, Extra: []synth.Part{llvm(tag, "three"), llvm("other", "no")}})
			s.Add(llvm(tag, "whole"))
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 8: a:1@0 b:1@32
			3 STRUCT base 0:
			tag 2 1 one
			tag 2 1 two
			tag 2 2 three
			tag 2 -1 whole`},
		{name: "gcc: members' chains, then that of a struct, none of a union", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 4, synth.Member{Name: "a", Type: i, Extra: []synth.Part{gnu(cu, tag, "one", "two")}}).Add(gnu(cu, tag, "whole"))
			cu.Union("u", 4, synth.Member{Name: "a", Type: i, Extra: []synth.Part{gnu(cu, tag, "member")}}).Add(gnu(cu, tag, "lost"))
			cu.Typedef("t", i).Add(gnu(cu, tag, "lost"))
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0
			3 UNION u 4: a:1@0
			4 TYPEDEF t 1
			tag 2 0 one
			tag 2 0 two
			tag 2 -1 whole
			tag 3 0 member`},
		{name: "typedefs and unions; by ascending owner", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			outer := cu.DIE(dwarf.TagStructType, synth.Name("outer"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4))
			outer.Member(synth.Member{Name: "x", Type: i, Extra: []synth.Part{llvm(tag, "outer member")}})
			outer.Union("inner", 4, synth.Member{Name: "y", Type: i}).Add(llvm(tag, "inner"))
			cu.Typedef("t", i).Add(llvm(tag, "typedef"))
		}), want: `
			1 INT int 4 signed
			2 UNION inner 4: y:1@0
			3 STRUCT outer 4: x:1@0
			4 TYPEDEF t 1
			tag 2 -1 inner
			tag 3 0 outer member
			tag 4 -1 typedef`},
		{name: "enums and classes lose them", build: func(b *synth.Builder) {
			cu := b.CU("a.cc", synth.CPP)
			i := cu.Base("int", 4, synth.Signed)
			cu.Enum("e", 4, nil, synth.Value{Name: "A", Value: 1}).Add(llvm(tag, "lost"))
			cu.DIE(dwarf.TagClassType, synth.Name("c"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4)).
				Member(synth.Member{Name: "m", Type: i, Extra: []synth.Part{llvm(tag, "lost too")}})
		}, want: `
			1 INT int 4 signed
			2 ENUM e 4: A=1
			3 STRUCT c 4: m:1@0`},
		{name: "functions and parameters", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11, synth.Producer("clang version 19"))
			i := cu.Base("int", 4, synth.Signed)
			cu.Func("f", text.At(16), 16, i, synth.Param{Name: "a", Type: i, Extra: []synth.Part{llvm(tag, "first"), cu.Loc(synth.OpReg(5))}},
				synth.Param{Name: "b", Type: i, Extra: []synth.Part{gnu(cu, tag, "second"), cu.Loc(synth.OpReg(4))}}).
				Add(llvm(tag, "whole"), gnu(cu, tag, "chained"))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 1(a:1 b:1) at 0x1010
			  tag 0 first
			  tag 1 second
			  tag -1 whole
			  tag -1 chained`},
		{name: "variables", shows: rules.UnseenChain, build: func(b *synth.Builder) {
			data := b.Data(".data..percpu", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			cu.Var("v", i, data.At(8)).Add(llvm(tag, "one"), llvm(tag, "two"))
			cu.Var("g", i, data.At(12)).Add(gnu(cu, tag, "lost"))
		}, want: `
			1 INT int 4 signed
			var v 1 at 0x1008 size 4
			  tag -1 one
			  tag -1 two
			var g 1 at 0x100c size 4`},
		{name: "without the feature", without: []feature.Feature{feature.DeclTag}, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 4, synth.Member{Name: "a", Type: i, Extra: []synth.Part{llvm(tag, "one")}}).Add(llvm(tag, "whole"))
			cu.Typedef("t", i).Add(llvm(tag, "typedef"))
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0
			3 TYPEDEF t 1`},
	})
}

// TestAnnotationRing: a circular chain of annotations is an error.
func TestAnnotationRing(t *testing.T) {
	for _, name := range []string{"btf_type_tag", "btf_decl_tag"} {
		b := synth.New(synth.Target{})
		cu := b.CU("a.c", synth.C11)
		i := cu.Base("int", 4, synth.Signed)
		ring := cu.DIE(synth.TagGNUAnnotation, synth.Name(name), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "round"))
		ring.Add(synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, ring))
		start := synth.Ref(synth.AttrGNUAnnotation, synth.FormRef4, ring)
		cu.Pointer(i).Add(start)
		cu.Struct("s", 0).Add(start)
		if _, err := translated(b.Bytes(), feature.Default()); err == nil || !strings.Contains(err.Error(), "circular") {
			t.Errorf("%s: got error %v, want one about a ring", name, err)
		}
	}
}
