package translate_test

import (
	"debug/dwarf"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

const attrOrigin, attrSpec = dwarf.AttrAbstractOrigin, dwarf.AttrSpecification

func origin(of *synth.DIE) synth.Attr { return synth.Ref(attrOrigin, synth.FormRef4, of) }

// Rule 01/6.8: functions and their parameters.
func TestSubprograms(t *testing.T) {
	check(t, []fixture{
		{name: "kinds", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Func("f", text.At(16), 16, i, synth.Param{Name: "a", Type: i}, synth.Param{Name: "p", Type: cu.Pointer(nil)}, synth.Rest)
			// A parameter in a block belongs to the block, and an ellipsis there to no function.
			block := f.DIE(dwarf.TagLexDwarfBlock)
			block.DIE(dwarf.TagFormalParameter, synth.Name("hidden"), synth.Type(i))
			cu.Func("g", synth.Nowhere, 0, nil).Declaration()
			cu.Func("h", text.At(32), 16, nil).DIE(dwarf.TagLexDwarfBlock).DIE(dwarf.TagUnspecifiedParameters)
			cu.Func("in", synth.Nowhere, 0, nil).Add(synth.Num(dwarf.AttrInline, synth.FormData1, 1))
			for n, name := range []string{"f", "g", "h", "in"} {
				b.Symbol(name, text.At(16*uint64(n+1)), 16, 2)
			}
		}, want: `
			1 INT int 4 signed
			2 PTR 0
			func f 1(a:1 p:2) variadic at 0x1010
			func g 0() declared
			func h 0() at 0x1020
			func in 0() inline`},
		{name: "addresses", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			cu.DIE(dwarf.TagSubprogram, synth.Name("indexed"), synth.Addr(dwarf.AttrLowpc, synth.FormAddrx, text.At(16)))
			// Described by ranges only: no address.
			cu.DIE(dwarf.TagSubprogram, synth.Name("ranged"), synth.Ranges(synth.FormRnglistx, [2]synth.Place{text.At(32), text.At(40)}))
			b.Symbol("indexed", text.At(16), 16, 2)
			b.Symbol("ranged", text.At(32), 16, 2)
		}, want: `
			func indexed 0() at 0x1010
			func ranged 0()`},
	})
}

// Rules 01/8.3 and 01/8.4: what functions take from specifications and abstract origins.
func TestOrigins(t *testing.T) {
	check(t, []fixture{
		{name: "name, parameters and return type of the abstract instance", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			a := synth.NewDIE(dwarf.TagSubprogram, synth.Name("f"), synth.Type(i), synth.Num(dwarf.AttrInline, synth.FormData1, 1))
			x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(i))
			y := a.DIE(dwarf.TagFormalParameter, synth.Name("y"), synth.Type(cu.Pointer(i)))
			// The instance may come first.
			cu.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)),
				synth.NewDIE(dwarf.TagFormalParameter, origin(x), cu.Loc(synth.OpReg(5))),
				synth.NewDIE(dwarf.TagFormalParameter, origin(y), cu.Loc(synth.OpReg(4))))
			cu.Add(a)
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			2 PTR 1
			func f 1(x:1 y:2) at 0x1010
			func f 1(x:1 y:2) inline`},
		{name: "own type beats the origin's", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i, l := cu.Base("int", 4, synth.Signed), cu.Base("long", 8, synth.Signed)
			a := cu.DIE(dwarf.TagSubprogram, synth.Name("f"), synth.Type(i))
			x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(i))
			cu.DIE(dwarf.TagSubprogram, synth.Name("g"), synth.Type(l), origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)),
				synth.NewDIE(dwarf.TagFormalParameter, synth.Name("own"), synth.Type(l), origin(x), cu.Loc(synth.OpReg(5))))
			b.Symbol("g", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			2 INT long 8 signed
			func f 1(x:1)
			func g 2(own:2) at 0x1010`},
		{name: "a specification gives the name, not the type", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			decl := cu.Func("f", synth.Nowhere, 0, i).Declaration()
			cu.DIE(dwarf.TagSubprogram, synth.Ref(attrSpec, synth.FormRef4, decl), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 1() declared
			func f 0() at 0x1010`},
		{name: "an origin inside a block", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			a := cu.DIE(dwarf.TagSubprogram, synth.Name("f"))
			x := a.DIE(dwarf.TagLexDwarfBlock).DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(i))
			cu.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)),
				synth.NewDIE(dwarf.TagFormalParameter, origin(x), cu.Loc(synth.OpReg(5))))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 0()
			func f 0(x:1) at 0x1010`},
		{name: "parameter whose origin is not there", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			cu.Func("f", text.At(16), 16, i).DIE(dwarf.TagFormalParameter, synth.Name("lost"), origin(i), cu.Loc(synth.OpReg(5)))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 1(lost:0) at 0x1010`},
		{name: "the origin's name beats the parameter's own", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			a := cu.DIE(dwarf.TagSubprogram, synth.Name("f"))
			x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(i))
			cu.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)),
				synth.NewDIE(dwarf.TagFormalParameter, synth.Name("own"), origin(x), cu.Loc(synth.OpReg(5))))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 0(x:1)
			func f 0(x:1) at 0x1010`},
		{name: "function whose origin is not there", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			cu.DIE(dwarf.TagSubprogram, synth.Name("f"), origin(i), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)))
			b.Symbol("f", text.At(16), 16, 2)
		}, fails: "abstract origin of the function is not in its unit"},
		{name: "the same with a type of its own", build: func(b *synth.Builder) {
			text := b.Text(".text", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			cu.DIE(dwarf.TagSubprogram, synth.Name("f"), synth.Type(i), origin(i), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(16)))
			b.Symbol("f", text.At(16), 16, 2)
		}, want: `
			1 INT int 4 signed
			func f 1() at 0x1010`},
	})
}

// Rules 01/6.9 and 02/6.1: which variables are kept.
func TestVariables(t *testing.T) {
	check(t, []fixture{
		{name: "locations", build: func(b *synth.Builder) {
			data := b.Data(".data..percpu", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			at := func(name string, attrs ...synth.Attr) {
				cu.Var(name, i, synth.Nowhere).Set(attrs...)
			}
			at("addr", cu.Loc(synth.OpAddr(data.At(4))))
			at("addrx", cu.Loc(synth.OpAddrx(data.At(8))))
			at("added", cu.Loc(synth.OpAddr(data.At(4)), synth.OpPlusUconst(8)))
			at("three", cu.Loc(synth.OpAddr(data.At(16)), synth.OpPlusUconst(4), synth.OpPlusUconst(8)))
			at("other", cu.Loc(synth.OpAddr(data.At(20)), synth.OpStackValue()))
			at("none")
			at("empty", cu.Loc())
			at("register", cu.Loc(synth.OpReg(3)))
			at("frame", cu.Loc(synth.OpFbreg(-4)))
			at("tls", cu.Loc(synth.OpU(0x0e, 0), synth.OpRaw(0, 0, 0, 0, 0, 0, 0, 0x9b)))
			at("list", synth.LocList(dwarf.AttrLocation, synth.FormLoclistx, synth.LocDefault(synth.OpAddr(data.At(24)))))
			at("broken", cu.Loc(synth.OpAddr(data.At(28)), synth.OpRaw(0x02)))
		}, want: `
			1 INT int 4 signed
			var addr 1 at 0x1004 size 4
			var addrx 1 at 0x1008 size 4
			var added 1 at 0x100c size 4
			var three 1 at 0x1010 size 4
			var other 1 at 0x1014 size 4`},
		{name: "definition and declaration", shows: rules.Completed, build: func(b *synth.Builder) {
			data := b.Data(".data..percpu", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i, l := cu.Base("int", 4, synth.Signed), cu.Base("long", 8, synth.Signed)
			decl := cu.Var("v", i, synth.Nowhere).Declaration().External().Add(llvm("btf_decl_tag", "declared"))
			cu.DIE(dwarf.TagVariable, synth.Ref(attrSpec, synth.FormRef4, decl), synth.Type(l), cu.Loc(synth.OpAddr(data.At(8)))).
				Add(llvm("btf_decl_tag", "defined"))
			cu.Var("only_declared", i, data.At(16)).Declaration()
		}, want: `
			1 INT int 4 signed
			2 INT long 8 signed
			var v 1 at 0x1008 size 4 external
			  tag -1 declared`},
		{name: "a specification that leads nowhere", build: func(b *synth.Builder) {
			data := b.Data(".data..percpu", 0x1000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			cu.Var("v", i, data.At(8)).Add(synth.Ref(attrSpec, synth.FormRef4, i))
		}, want: `
			1 INT int 4 signed
			var v 1 at 0x1008 size 4`},
		{name: "not at top level, or made by the compiler", build: func(b *synth.Builder) {
			data, text := b.Data(".data..percpu", 0x1000, 64), b.Text(".text", 0x2000, 64)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Func("f", text.At(16), 16, nil)
			f.DIE(dwarf.TagVariable, synth.Name("static_in_f"), synth.Type(i), cu.Loc(synth.OpAddr(data.At(4))))
			cu.Var("__func__", i, data.At(8)).Add(synth.Flag(dwarf.AttrArtificial))
		}, want: `
			1 INT int 4 signed
			func f 0() at 0x2010
			var static_in_f 1 at 0x1004 size 4 inner
			var __func__ 1 at 0x1008 size 4 artificial`},
		{name: "sizes", build: func(b *synth.Builder) {
			data := b.Data(".data..percpu", 0x1000, 512)
			cu := b.CU("a.c", synth.C11)
			i := cu.Base("int", 4, synth.Signed)
			off := uint64(0)
			v := func(name string, typ *synth.DIE) {
				off += 8
				cu.Var(name, typ, data.At(off))
			}
			v("pointer", cu.Pointer(nil))
			v("grid", cu.Typedef("grid_t", cu.Const(cu.Array(i, i, 2, 3))))
			v("enum", cu.Enum("e", 1, nil))
			v("union", cu.Union("u", 12, synth.Member{Name: "a", Type: i}))
			v("function", cu.FuncType(nil))
			v("empty", cu.Struct("nothing", 1)) // one byte and no member counts as nothing
			v("tail", cu.Array(i, i, synth.Flexible))
			v("void", nil)
			v("odd", cu.Base("x87", 10, synth.Unsigned))
		}, want: `
			1 INT int 4 signed
			2 PTR 0
			3 ARRAY 1[3]
			4 ARRAY 3[2]
			5 CONST 4
			6 TYPEDEF grid_t 5
			7 ENUM e 1:
			8 UNION u 12: a:1@0
			9 FUNC_PROTO 0()
			10 STRUCT nothing 1:
			11 ARRAY 1[0]
			12 INT __SANITIZED_FAKE_INT__ 4
			var pointer 2 at 0x1008 size 8
			var grid 6 at 0x1010 size 24
			var enum 7 at 0x1018 size 1
			var union 8 at 0x1020 size 12
			var function 9 at 0x1028 size 8
			var empty 10 at 0x1030 size 0
			var tail 11 at 0x1038 size 0
			var void 0 at 0x1040 size 0
			var odd 12 at 0x1048 size 10`},
	})
}

// TestNotWanted: a variable outside the wanted sections is not kept.
func TestNotWanted(t *testing.T) {
	b := synth.New(synth.Target{})
	data := b.Data(".data..percpu", 0x1000, 64)
	cu := b.CU("a.c", synth.C11)
	i := cu.Base("int", 4, synth.Signed)
	cu.Var("in", i, data.At(0))
	cu.Var("out", i, synth.Abs(0x5000))
	image := b.Bytes()
	if got := len(unitOf(t, image).Vars); got != 2 {
		t.Errorf("all wanted: got %d variables, want 2", got)
	}
	samePeer(t, image, feature.Default())
}
