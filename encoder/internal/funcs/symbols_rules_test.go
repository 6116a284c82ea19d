package funcs_test

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// Rule 02/5.1: which symbols are functions, and under which name.
func TestSymbolTable(t *testing.T) {
	check(t, []fixture{
		{name: "base names", build: func(m *image) {
			// zz is last in the table, where nothing is ambiguous.
			for off, name := range []string{"plain", "isra", "constprop", "llvm", "lto", "cold", "part", "coldstart", "zz"} {
				m.Func(name, m.text.At(16*uint64(off)), 16, nil)
			}
			m.symbol("plain", 0)
			m.symbol("isra.isra.0", 16)
			m.symbol("constprop.constprop.0.isra.1", 32)
			m.symbol("llvm.llvm.123", 48)
			m.symbol("lto.lto_priv.0", 64)
			m.symbol("cold.cold", 80)
			m.symbol("part.part.0", 96)
			m.symbol("coldstart", 112)
			m.symbol("zz.something.cold.1", 128)
			m.symbol(".dot", 144)
		}, want: `
			coldstart() void
			constprop() void
			isra() void
			llvm() void
			lto() void
			plain() void`},
		{name: "kinds of symbols", shows: rules.UndefinedCounts, build: func(m *image) {
			for off, name := range []string{"object", "notype", "ifunc", "local", "weak", "hidden", "undefined", "absolute", "zero_size"} {
				m.Func(name, m.text.At(16*uint64(off)), 16, nil)
			}
			m.Symbol("object", m.text.At(0), 16, elf.STT_OBJECT)
			m.Symbol("notype", m.text.At(16), 16, elf.STT_NOTYPE)
			m.Symbol("ifunc", m.text.At(32), 16, elf.STT_GNU_IFUNC)
			m.Local("local", m.text.At(48), 16, elf.STT_FUNC)
			m.Symbol("weak", m.text.At(64), 16, elf.STT_FUNC).Bind = elf.STB_WEAK
			m.Symbol("hidden", m.text.At(80), 16, elf.STT_FUNC).Vis = elf.STV_HIDDEN
			m.Symbol("undefined", synth.Nowhere, 0, elf.STT_FUNC)
			m.Symbol("absolute", synth.Abs(0x10070), 0, elf.STT_FUNC)
			m.Symbol("zero_size", m.text.At(128), 0, elf.STT_FUNC)
		}, want: `
			absolute() void
			hidden() void
			local() void
			undefined() void
			weak() void
			zero_size() void`},
		{name: "a DWARF name with a dot is compared as it is", build: func(m *image) {
			m.fn("f.isra.0", 0, nil)
			m.fn("g", 16, nil)
		}, want: `g() void`},
		{name: "no functions in the symbol table", build: func(m *image) {
			m.Func("f", m.text.At(0), 16, nil)
			m.Symbol("data", m.text.At(0), 4, elf.STT_OBJECT)
		}, want: ``},
		{name: "sorted by base name, bytewise", build: func(m *image) {
			for off, name := range []string{"b", "_c", "a", "Z", "a_b", "a1"} {
				m.fn(name, 16*uint64(off), nil)
			}
		}, want: `
			Z() void
			_c() void
			a() void
			a1() void
			a_b() void
			b() void`},
	})
}

// Rule 02/5.1: ambiguity, and its holes.
func TestAmbiguity(t *testing.T) {
	two := func(first, second uint64, last bool) func(m *image) {
		return func(m *image) {
			m.fn("f", first, nil)
			m.unit("b.c")
			m.fn("f", second, nil)
			if !last {
				m.symbol("z", 0x800)
			}
		}
	}
	at0 := func(zeroFirst bool) func(m *image) {
		return func(m *image) {
			m.text.Addr = 0
			m.symbol("z", 0x800)
			if zeroFirst {
				m.fn("f", 0, nil)
				m.fn("f", 16, nil)
				return
			}
			m.fn("f", 16, nil)
			m.fn("f", 0, nil)
		}
	}
	check(t, []fixture{
		{name: "two addresses", build: two(16, 32, false), want: `f: ambiguous address`},
		{name: "one address", build: two(16, 16, false), want: `f() void`},
		{name: "the last name is never ambiguous", shows: rules.LastNeverAmbiguous, build: two(16, 32, true), want: `f() void`, right: `f: ambiguous address`},
		{name: "a first address of 0 counts as unset", shows: rules.PeerAmbiguous, build: at0(true), want: `f() void`, right: `f: ambiguous address`},
		{name: "a second address of 0 does not", build: at0(false), want: `f: ambiguous address`},
		{name: "a suffixed symbol elsewhere", build: func(m *image) {
			m.fn("f", 16, nil)
			m.symbol("f.constprop.0", 64)
			m.symbol("z", 0x800)
		}, want: `f: ambiguous address`},
		{name: "a split part is none", build: func(m *image) {
			m.fn("f", 16, nil)
			m.symbol("f.cold", 64)
			m.symbol("f.part.0", 80)
			m.symbol("z", 0x800)
		}, want: `f() void`},
	})
}

// Rule 02/5.2: which subprograms count.
func TestSaved(t *testing.T) {
	check(t, []fixture{
		{name: "declaration", build: func(m *image) { m.fn("f", 16, nil).Declaration() }, want: ``},
		{name: "parameter without a name", build: func(m *image) { m.fn("f", 16, nil, synth.Param{Type: m.i}) }, want: ``},
		{name: "no symbol", build: func(m *image) { m.Func("f", m.text.At(16), 16, nil) }, want: ``},
		{name: "variadic", build: func(m *image) { m.fn("f", 16, m.i, m.at("a", m.i, synth.OpReg(5)), synth.Rest) }, want: `f(a int, ...) int`},
		{name: "nested", build: func(m *image) {
			m.symbol("inner", 32)
			m.fn("outer", 16, nil).DIE(0x0b).Func("inner", m.text.At(32), 16, m.i)
		}, want: `
			inner() int
			outer() void`},
		{name: "long names of parameters", build: func(m *image) {
			m.fn("f", 16, nil, m.at(strings.Repeat("p", 126), m.i, synth.OpReg(5)))
		}, want: "f(" + strings.Repeat("p", 126) + " int) void"},
		{name: "longer ones are cut", shows: rules.MaxName, build: func(m *image) {
			m.fn("f", 16, nil, m.at(strings.Repeat("q", 127), m.i, synth.OpReg(5)), m.at(strings.Repeat("r", 128), m.i, synth.OpReg(4)))
		}, want: "f(" + strings.Repeat("q", 127) + " int, " + strings.Repeat("r", 127) + " int) void",
			deviates: "what the peer makes of such names depends on memory that it did not initialise"},
	})
}
