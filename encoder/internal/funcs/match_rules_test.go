package funcs_test

import (
	"debug/dwarf"
	"debug/elf"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestComparison is the table of rule 02/5.4: two instances of a function in two units, with different types of the parameter.
func TestComparison(t *testing.T) {
	type maker func(m *image) *synth.DIE
	i := func(m *image) *synth.DIE { return m.i }
	structOf := func(name string, size uint64) maker {
		return func(m *image) *synth.DIE { return m.Struct(name, size) }
	}
	ptr := func(to maker) maker { return func(m *image) *synth.DIE { return m.Pointer(to(m)) } }
	constant := func(of maker) maker { return func(m *image) *synth.DIE { return m.Const(of(m)) } }
	void := func(m *image) *synth.DIE { return nil }
	rows := []struct {
		name string
		a, b maker
		same bool
	}{
		{"the same", i, i, true},
		{"int and long", i, func(m *image) *synth.DIE { return m.l }, false},
		{"int of another name", i, func(m *image) *synth.DIE { return m.Base("signed int", 4, synth.Signed) }, false},
		{"int of another sign", i, func(m *image) *synth.DIE { return m.Base("int", 4, synth.Unsigned) }, false},
		{"typedef and target", i, func(m *image) *synth.DIE { return m.Typedef("t", m.i) }, false},
		{"typedefs of different targets", func(m *image) *synth.DIE { return m.Typedef("t", m.i) }, func(m *image) *synth.DIE { return m.Typedef("t", m.l) }, true},
		{"const is peeled", i, constant(i), true},
		{"const behind a pointer is peeled", ptr(i), ptr(constant(i)), true},
		{"const on the other side", ptr(constant(i)), ptr(i), true},
		{"const void is not void", ptr(void), ptr(constant(void)), false},
		{"void pointer and int pointer", ptr(void), ptr(i), false},
		{"volatile is not peeled", ptr(i), ptr(func(m *image) *synth.DIE { return m.Volatile(m.i) }), false},
		{"volatile on both", ptr(func(m *image) *synth.DIE { return m.Volatile(m.i) }), ptr(func(m *image) *synth.DIE { return m.Volatile(m.i) }), true},
		{"restrict on both", func(m *image) *synth.DIE { return m.Restrict(m.Pointer(nil)) }, func(m *image) *synth.DIE { return m.Restrict(m.Pointer(nil)) }, true},
		{"restrict on one", func(m *image) *synth.DIE { return m.Pointer(nil) }, func(m *image) *synth.DIE { return m.Restrict(m.Pointer(nil)) }, false},
		{"structs of one name and different contents", ptr(structOf("s", 4)), ptr(structOf("s", 8)), true},
		{"structs of different names", ptr(structOf("s", 4)), ptr(structOf("r", 4)), false},
		{"nameless structs", ptr(structOf("", 4)), ptr(structOf("", 8)), true},
		{"forward and struct", ptr(structOf("s", 4)), ptr(func(m *image) *synth.DIE { return m.Forward(dwarf.TagStructType, "s") }), true},
		{"forward of a union and struct", ptr(structOf("s", 4)), ptr(func(m *image) *synth.DIE { return m.Forward(dwarf.TagUnionType, "s") }), false},
		{"struct and union", ptr(structOf("s", 4)), ptr(func(m *image) *synth.DIE { return m.Union("s", 4) }), false},
		{"enums of one name", func(m *image) *synth.DIE { return m.Enum("e", 4, nil) },
			func(m *image) *synth.DIE { return m.Enum("e", 4, nil, synth.Value{Name: "A", Value: 1}) }, true},
		{"enum and enum64", func(m *image) *synth.DIE { return m.Enum("e", 4, nil) }, func(m *image) *synth.DIE { return m.Enum("e", 8, nil) }, false},
		{"enum and int", func(m *image) *synth.DIE { return m.Enum("e", 4, nil) }, i, false},
		{"arrays of one length", ptr(func(m *image) *synth.DIE { return m.Array(m.i, m.i, 3) }), ptr(func(m *image) *synth.DIE { return m.Array(m.i, m.i, 3) }), true},
		{"arrays of two lengths", ptr(func(m *image) *synth.DIE { return m.Array(m.i, m.i, 3) }), ptr(func(m *image) *synth.DIE { return m.Array(m.i, m.i, 4) }), false},
		{"arrays of other elements", ptr(func(m *image) *synth.DIE { return m.Array(m.i, m.i, 3) }), ptr(func(m *image) *synth.DIE { return m.Array(m.l, m.i, 3) }), false},
		{"function types", ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.i}) }),
			ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.i}) }), true},
		{"function types with other parameters", ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.i}) }),
			ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.l}) }), false},
		{"function types with more parameters", ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.i}) }),
			ptr(func(m *image) *synth.DIE { return m.FuncType(m.i, synth.Param{Type: m.i}, synth.Param{Type: m.i}) }), false},
		{"function types with another result", ptr(func(m *image) *synth.DIE { return m.FuncType(m.i) }),
			ptr(func(m *image) *synth.DIE { return m.FuncType(nil) }), false},
		{"floats of two sizes", func(m *image) *synth.DIE { return m.Base("f", 4, synth.Float) }, func(m *image) *synth.DIE { return m.Base("f", 8, synth.Float) }, false},
		{"type tags of two names", ptr(i), func(m *image) *synth.DIE {
			return m.Pointer(m.i).Add(synth.NewDIE(synth.TagLLVMAnnotation, synth.Name("btf_type_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "user")))
		}, false},
	}
	var fixtures []fixture
	for _, r := range rows {
		want := "f: inconsistent prototype"
		if r.same {
			want = ""
		}
		fixtures = append(fixtures, fixture{name: r.name, build: func(m *image) {
			m.Func("f", m.text.At(16), 16, nil, m.at("x", r.a(m), synth.OpReg(5)))
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, nil, m.at("y", r.b(m), synth.OpReg(5)))
			m.symbol("f", 16)
		}, want: want})
	}
	for i := range fixtures {
		if fixtures[i].want == "" {
			fixtures[i].want = anything
		}
	}
	check(t, fixtures)
}

// Rules 02/5.4 and 02/5.6: one FUNC per base name, and which instance it is.
func TestInstances(t *testing.T) {
	check(t, []fixture{
		{name: "number of parameters", build: func(m *image) {
			m.symbol("f", 16)
			m.Func("f", m.text.At(16), 16, nil)
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, nil, m.at("x", m.i, synth.OpReg(5)))
		}, want: `f: inconsistent prototype`},
		{name: "without consistent_func", without: []feature.Feature{feature.ConsistentFunc}, build: func(m *image) {
			m.symbol("f", 16)
			m.Func("f", m.text.At(16), 16, nil)
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, nil, m.at("x", m.i, synth.OpReg(5)))
		}, want: `f() void`},
		{name: "results differ", build: func(m *image) {
			m.symbol("f", 16)
			m.Func("f", m.text.At(16), 16, m.i)
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, m.l)
		}, want: `f: inconsistent prototype`},
		{name: "names of parameters do not matter; the first instance counts", build: func(m *image) {
			m.symbol("f", 16)
			m.Func("f", m.text.At(16), 16, nil, m.at("first", m.i, synth.OpReg(5)))
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, nil, m.at("second", m.i, synth.OpReg(5)))
		}, want: `f(first int) void`},
		{name: "the strong definition beats the weak one", build: func(m *image) {
			m.symbol("f", 64)
			m.Func("f", m.text.At(16), 16, nil, m.at("weak", m.i, synth.OpReg(5)))
			m.unit("b.c")
			m.Func("f", m.text.At(64), 16, nil, m.at("strong", m.i, synth.OpReg(5)))
		}, want: `f(strong int) void`},
		{name: "an instance with an address beats the abstract one", build: func(m *image) {
			m.symbol("f", 64)
			m.Func("f", synth.Nowhere, 0, nil, synth.Param{Name: "abstract", Type: m.i})
			m.unit("b.c")
			m.Func("f", m.text.At(16), 16, nil, m.at("elsewhere", m.i, synth.OpReg(5)))
		}, want: `f(elsewhere int) void`},
		{name: "abstract and concrete instance in one unit", build: func(m *image) {
			m.symbol("f", 16)
			a := m.Func("f", synth.Nowhere, 0, m.i).Add(synth.Num(dwarf.AttrInline, synth.FormData1, 1))
			x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(m.i))
			m.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, m.text.At(16)),
				synth.NewDIE(dwarf.TagFormalParameter, origin(x), m.Loc(synth.OpReg(5))))
		}, want: `f(x int) int`},
		{name: "linkage is static, always", build: func(m *image) { m.fn("f", 16, nil).External() }, want: `f() void`},
		{name: "in a module the first instance counts", target: synth.Target{Type: elf.ET_REL}, build: func(m *image) {
			m.symbol("f", 64)
			m.Func("f", m.text.At(16), 16, nil, m.at("first", m.i, synth.OpReg(5)))
			m.unit("b.c")
			m.Func("f", m.text.At(64), 16, nil, m.at("second", m.i, synth.OpReg(5)))
		}, want: `f(first int) void`},
	})
}

// Rule 02/5.5: one row per reason, and which reason is named when several apply.
func TestReasons(t *testing.T) {
	// Each of these gives f one more reason to be left out.
	unexpected := func(m *image) { m.Func("f", m.text.At(16), 16, nil, m.at("a", m.i, synth.OpReg(3))) }
	inconsistent := func(m *image) {
		m.unit("b.c")
		m.Func("f", m.text.At(16), 16, m.l, m.at("a", m.i, synth.OpReg(5)))
	}
	plain := func(m *image) { m.Func("f", m.text.At(16), 16, nil, m.at("a", m.i, synth.OpReg(5))) }
	reordered := func(m *image) {
		a := m.DIE(dwarf.TagSubprogram, synth.Name("f"))
		x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(m.i))
		y := a.DIE(dwarf.TagFormalParameter, synth.Name("y"), synth.Type(m.i))
		m.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, m.text.At(16)),
			synth.NewDIE(dwarf.TagFormalParameter, origin(y), m.Loc(synth.OpReg(5))),
			synth.NewDIE(dwarf.TagFormalParameter, origin(x), m.Loc(synth.OpReg(4))))
	}
	unlocated := func(m *image) { m.Func("f", m.text.At(16), 16, nil, synth.Param{Name: "a", Type: m.i}) }
	isra := func(m *image) { m.symbol("f.isra.0", 16) }
	name := func(m *image) { m.symbol("f", 16) }
	ambiguous := func(m *image) {
		m.symbol("f", 64)
		m.symbol("z", 128)
	}
	all := func(steps ...func(*image)) func(*image) {
		return func(m *image) {
			for _, s := range steps {
				s(m)
			}
		}
	}
	check(t, []fixture{
		{name: "unexpected register", build: all(name, unexpected), want: `f: unexpected register usage for parameter`},
		{name: "inconsistent prototype", build: all(name, plain, inconsistent), want: `f: inconsistent prototype`},
		{name: "reordered parameters", build: all(name, reordered), want: `f: reordered parameters`},
		{name: "optimized parameters", build: all(isra, unlocated), want: `f: optimized parameters`},
		{name: "ambiguous address", build: all(name, plain, ambiguous), want: `f: ambiguous address`},
		{name: "a parameter without location alone is no reason", build: all(name, unlocated), want: `f(a int) void`},
		{name: "nor is the symbol alone", build: all(isra, plain), want: `f(a int) void`},
		{name: "a constprop symbol", build: all(func(m *image) { m.symbol("f.constprop.3", 16) }, unlocated), want: `f: optimized parameters`},
		{name: "an isra symbol at another address", build: all(name, func(m *image) { m.symbol("f.isra.0", 0x900) }, unlocated), want: `f(a int) void`,
			right: `f: ambiguous address`},
		{name: "optimized parameters in a module", shows: rules.Address, target: synth.Target{Type: elf.ET_REL}, build: all(isra, unlocated), want: `f(a int) void`,
			right: `f: optimized parameters`},
		{name: "ambiguity after all others", build: all(isra, ambiguous, unlocated), want: `f: ambiguous address`},
		{name: "optimized after unexpected", build: all(isra, func(m *image) {
			m.Func("f", m.text.At(16), 16, nil, m.at("a", m.i, synth.OpReg(3)), synth.Param{Name: "b", Type: m.i})
		}), want: `f: optimized parameters`},
		{name: "reordered after unexpected", build: all(name, reordered, func(m *image) {
			m.unit("b.c")
			unexpected(m)
		}), want: `f: reordered parameters`},
		{name: "any instance's flag counts", build: all(name, plain, func(m *image) {
			m.unit("b.c")
			unexpected(m)
		}), want: `f: unexpected register usage for parameter`},
	})
}

// Rule 01/10.4: a packed struct by value past the argument registers.
func TestUncertain(t *testing.T) {
	i386 := synth.Target{Class: elf.ELFCLASS32, Machine: elf.EM_386}
	byValue := func(typ func(m *image) *synth.DIE) func(m *image) {
		return func(m *image) { m.fn("f", 16, nil, m.at("s", typ(m), synth.OpFbreg(4))) }
	}
	packed := func(m *image) *synth.DIE {
		return m.Struct("s", 5, synth.Member{Name: "c", Type: m.Base("char", 1, synth.SignedChar)}, synth.Member{Name: "i", Type: m.i, Off: 1})
	}
	const uncertain = `f: uncertain parameter location`
	check(t, []fixture{
		{name: "member off its alignment", target: i386, build: byValue(packed), want: uncertain},
		{name: "size no multiple of the alignment", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("timespec64", 12, synth.Member{Name: "sec", Type: m.l}, synth.Member{Name: "nsec", Type: m.i, Off: 8})
		}), want: uncertain, right: `f(s struct timespec64) void`},
		{name: "a hole", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("s", 9, synth.Member{Name: "a", Type: m.i}, synth.Member{Name: "b", Type: m.i, Off: 5})
		}), want: `f(s struct s) void`},
		{name: "padding", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("s", 7, synth.Member{Name: "a", Type: m.i})
		}), want: `f(s struct s) void`},
		{name: "behind a typedef", target: i386, build: byValue(func(m *image) *synth.DIE { return m.Typedef("t", packed(m)) }), want: `f(s t) void`},
		{name: "without a name", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("", 5, synth.Member{Name: "c", Type: m.Base("char", 1, synth.SignedChar)}, synth.Member{Name: "i", Type: m.i, Off: 1})
		}), want: `f(s struct) void`},
		{name: "in registers", build: byValue(packed), want: `f(s struct s) void`},
		{name: "past the registers", build: func(m *image) {
			var ps []synth.Param
			for n, reg := range []int{5, 4, 1, 2, 8, 9} {
				ps = append(ps, m.at("abcdef"[n:n+1], m.i, synth.OpReg(reg)))
			}
			m.fn("f", 16, nil, append(ps, m.at("s", packed(m), synth.OpFbreg(4)))...)
		}, want: uncertain},
		{name: "with bit fields", target: i386, build: byValue(func(m *image) *synth.DIE {
			c := m.Base("char", 1, synth.SignedChar)
			return m.Struct("s", 6, synth.Member{Name: "a", Type: c, Bits: 3}, synth.Member{Name: "b", Type: c, Bits: 5, BitOff: 3}, synth.Member{Name: "c", Type: c, Off: 1},
				synth.Member{Name: "d", Type: m.i, Off: 2})
		}), want: uncertain},
		{name: "a bit field in an aligned unit", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("s", 8, synth.Member{Name: "a", Type: m.i, Bits: 8}, synth.Member{Name: "b", Type: m.i, Bits: 24, BitOff: 8},
				synth.Member{Name: "c", Type: m.i, Off: 4})
		}), want: `f(s struct s) void`},
		{name: "a bit field behind a member of its unit", target: i386, build: byValue(func(m *image) *synth.DIE {
			return m.Struct("s", 4, synth.Member{Name: "a", Type: m.Base("char", 1, synth.SignedChar)}, synth.Member{Name: "b", Type: m.i, Bits: 24, BitOff: 8})
		}), want: `f(s struct s) void`},
	})
}
