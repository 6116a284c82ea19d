package funcs_test

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

const unexpected = `f: unexpected register usage for parameter`

// TestConventions is rule 01/9.1: for every machine, parameters in the right registers, and the second one in the register of the
// third.
func TestConventions(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	rows := []struct {
		machine elf.Machine
		class   elf.Class
		order   binary.ByteOrder
		regs    []int // where the first parameters are
		known   bool  // pahole knows the registers
	}{
		{elf.EM_X86_64, elf.ELFCLASS64, le, []int{5, 4, 1, 2, 8, 9}, true},
		{elf.EM_AARCH64, elf.ELFCLASS64, le, []int{0, 1, 2, 3, 4, 5, 6, 7}, true},
		{elf.EM_ARM, elf.ELFCLASS32, le, []int{0, 1, 2, 3}, true},
		{elf.EM_S390, elf.ELFCLASS64, be, []int{2, 3, 4, 5, 6}, true},
		{elf.EM_MIPS, elf.ELFCLASS64, be, []int{4, 5, 6, 7, 8, 9, 10, 11}, false},
		{elf.EM_PPC64, elf.ELFCLASS64, be, []int{3, 4, 5, 6, 7, 8, 9, 10}, false},
		{elf.EM_PPC, elf.ELFCLASS32, be, []int{3, 4, 5, 6, 7, 8, 9, 10}, false},
		{elf.EM_RISCV, elf.ELFCLASS64, le, []int{10, 11, 12, 13, 14, 15, 16, 17}, false},
		{elf.EM_386, elf.ELFCLASS32, le, []int{0, 2, 1}, false},
	}
	var fixtures []fixture
	for _, r := range rows {
		target := synth.Target{Class: r.class, Machine: r.machine, Order: r.order}
		build := func(regs []int, opts ...synth.CUOption) func(m *image) {
			return func(m *image) {
				m.unit("b.c", opts...)
				var ps []synth.Param
				for n, reg := range regs {
					ps = append(ps, m.at(fmt.Sprintf("p%d", n), m.Pointer(nil), synth.OpReg(reg)))
				}
				m.fn("f", 16, nil, ps...)
			}
		}
		swapped := append([]int(nil), r.regs...)
		swapped[1], swapped[2] = swapped[2], swapped[1]
		kept := "f("
		for n := range r.regs {
			kept += fmt.Sprintf("%sp%d *void", []string{"", ", "}[min(n, 1)], n)
		}
		kept += ") void"
		wrong, wrongRight := kept, unexpected
		if r.known {
			wrong = unexpected
		}
		if r.machine == elf.EM_386 { // no register parameters
			wrongRight = kept
		}
		name := r.machine.String()
		clang := kept
		if !r.known && r.machine != elf.EM_386 {
			clang = unexpected // pahole treats every known register as unexpected if it does not know the right ones
		}
		fixtures = append(fixtures,
			fixture{name: name + " in order", target: target, build: build(r.regs), want: kept, right: kept},
			fixture{name: name + " swapped", target: target, build: build(swapped), want: wrong, right: wrongRight},
			fixture{name: name + " in order, clang", target: target, build: build(r.regs, synth.Producer("clang version 19")), want: clang, right: kept})
	}
	check(t, fixtures)
}

// Rule 01/9.2: what counts as the register of a parameter. Register 5 is right, 3 is wrong, on x86-64.
func TestLocations(t *testing.T) {
	const kept = `f(a *void) void`
	expr := func(ops ...synth.Op) func(m *image) {
		return func(m *image) { m.fn("f", 16, nil, m.at("a", m.Pointer(nil), ops...)) }
	}
	list := func(entries ...synth.LocEntry) func(m *image) {
		return func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.Pointer(nil), Extra: []synth.Part{
				synth.LocList(dwarf.AttrLocation, synth.FormLoclistx, entries...)}})
		}
	}
	reg := synth.OpReg
	check(t, []fixture{
		{name: "register", build: expr(reg(3)), want: unexpected},
		{name: "base register with value", build: expr(synth.OpBreg(3, 8), synth.OpStackValue()), want: unexpected},
		{name: "base register alone", build: expr(synth.OpBreg(3, 8)), want: kept},
		{name: "longer with value", build: expr(synth.OpBreg(3, 8), synth.OpLit(1), synth.OpRaw(0x22), synth.OpStackValue()), want: unexpected},
		{name: "longer without value", build: expr(synth.OpBreg(3, 8), synth.OpLit(1), synth.OpRaw(0x22)), want: kept},
		{name: "longer from a register", build: expr(reg(3), synth.OpPiece(8)), want: unexpected},
		{name: "entry value", build: expr(synth.OpEntryValue(reg(3)), synth.OpStackValue()), want: unexpected},
		{name: "GNU entry value", build: expr(synth.OpGNUEntryValue(reg(3)), synth.OpStackValue()), want: unexpected},
		{name: "entry value of more than a register", build: expr(synth.OpEntryValue(synth.OpBreg(3, 0)), synth.OpStackValue()), want: kept},
		{name: "entry value and more", build: expr(synth.OpEntryValue(reg(3)), synth.OpLit(1), synth.OpStackValue()), want: kept},
		{name: "frame", build: expr(synth.OpFbreg(-8)), want: kept},
		{name: "regx", build: expr(synth.OpU(0x90, 3)), want: kept},
		{name: "constant", build: expr(synth.OpLit(0), synth.OpStackValue()), want: kept},
		{name: "constu", build: expr(synth.OpConstu(7), synth.OpStackValue()), want: kept},
		{name: "piece alone", build: expr(synth.OpPiece(4)), want: kept},
		{name: "empty", build: expr(), want: kept},
		{name: "unknown opcode", build: expr(synth.OpRaw(0x02)), want: kept},
		{name: "unknown opcode behind a register", build: expr(reg(3), synth.OpRaw(0x02)), want: kept},
		{name: "address", build: expr(synth.OpAddr(synth.Abs(0x1000))), want: kept},

		{name: "list: first entry", build: list(synth.LocRange(0, 4, reg(3)), synth.LocRange(4, 8, reg(5))), want: unexpected},
		{name: "list: later entries do not count", build: list(synth.LocRange(0, 4, reg(5)), synth.LocRange(4, 8, reg(3))), want: kept},
		{name: "list: an empty range counts", build: list(synth.LocRange(4, 4, reg(5)), synth.LocRange(4, 8, reg(3))), want: kept},
		{name: "list: so does an empty expression", build: list(synth.LocRange(0, 4), synth.LocRange(4, 8, reg(3))), want: kept},
		{name: "list: a base address does not", build: list(synth.LocBase(synth.Abs(0x10000)), synth.LocRange(0, 4, reg(3))), want: unexpected},
		{name: "list: entry value at any place", build: list(synth.LocRange(0, 4, synth.OpFbreg(0)), synth.LocRange(4, 8, synth.OpEntryValue(reg(3)), synth.OpStackValue())), want: unexpected},
		{name: "list: the first register counts", build: list(synth.LocRange(0, 4, reg(5)), synth.LocRange(4, 8, synth.OpEntryValue(reg(3)), synth.OpStackValue())), want: kept},
		{name: "list: ends at what cannot be decoded", build: list(synth.LocRange(0, 4, synth.OpFbreg(0)), synth.LocRange(4, 8, synth.OpRaw(0x02)),
			synth.LocRange(8, 9, synth.OpEntryValue(reg(3)), synth.OpStackValue())), want: kept},
		{name: "list: every kind of entry", build: list(synth.LocBasex(synth.Abs(0x10000)), synth.LocStartxEndx(synth.Abs(0x10000), synth.Abs(0x10004)),
			synth.LocStartxLength(synth.Abs(0x10004), 4), synth.LocStartEnd(synth.Abs(0x10000), synth.Abs(0x10004)), synth.LocStartLength(synth.Abs(0x10000), 4),
			synth.LocDefault(synth.OpEntryValue(reg(3)), synth.OpStackValue())), want: unexpected},
		{name: "list: unknown kind of entry", build: list(synth.LocRaw(0x0a), synth.LocRange(0, 4, reg(3))), want: kept},
		{name: "list of DWARF 4", target: synth.Target{DWARF: 4}, build: func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.Pointer(nil), Extra: []synth.Part{synth.LocList(dwarf.AttrLocation, synth.FormSecOffset,
				synth.LocBase(m.text.At(0)), synth.LocRange(4, 4, synth.OpFbreg(0)), synth.LocRange(4, 8, synth.OpGNUEntryValue(reg(3)), synth.OpStackValue()))}})
		}, want: unexpected},
		{name: "list of DWARF 3", target: synth.Target{DWARF: 3}, build: func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.Pointer(nil), Extra: []synth.Part{synth.LocList(dwarf.AttrLocation, synth.FormData4,
				synth.LocRange(0, 8, reg(3)))}})
		}, want: unexpected},
	})
}

// Rules 01/9.2 and 01/9.4: how far a parameter moves the next one.
func TestSizes(t *testing.T) {
	// The second parameter is in register want, by its number among the argument registers.
	follow := func(typ func(m *image) *synth.DIE, first []synth.Op, regs ...int) func(m *image) {
		return func(m *image) {
			ps := []synth.Param{m.at("a", typ(m), first...)}
			for _, r := range regs {
				ps = append(ps, m.at("b", m.Pointer(nil), synth.OpReg(r)))
			}
			m.fn("f", 16, nil, ps...)
		}
	}
	pair := []synth.Op{synth.OpReg(5), synth.OpPiece(8), synth.OpReg(4), synth.OpPiece(8)}
	sized := func(n uint64) func(m *image) *synth.DIE {
		return func(m *image) *synth.DIE { return m.Union("u", n) }
	}
	s390 := synth.Target{Machine: elf.EM_S390, Order: binary.BigEndian}
	check(t, []fixture{
		{name: "two registers", build: follow(sized(16), pair, 1), want: `f(a union u, b *void) void`},
		{name: "two registers, the next one wrong", build: follow(sized(16), pair, 4), want: unexpected},
		{name: "through a typedef", build: follow(func(m *image) *synth.DIE { return m.Typedef("t", m.Const(m.Union("u", 16))) }, pair, 1), want: `f(a t, b *void) void`},
		{name: "in memory it counts as one", shows: rules.MemoryUse, build: follow(sized(17), []synth.Op{synth.OpFbreg(8)}, 4), want: `f(a union u, b *void) void`},
		{name: "in memory it counts as optimized away", shows: rules.LostInMemory, build: func(m *image) {
			m.symbol("f.isra.0", 16)
			m.Func("f", m.text.At(16), 16, nil, m.at("a", m.Union("u", 24), synth.OpFbreg(8)))
		}, want: `f: optimized parameters`, right: `f(a union u) void`},
		{name: "s390: never two registers", target: s390, build: follow(sized(16), []synth.Op{synth.OpBreg(2, 0)}, 3), want: `f(a union u, b *void) void`},
		{name: "a struct excuses wrong registers", build: follow(func(m *image) *synth.DIE { return m.Struct("s", 16) }, pair, 3), want: `f(a struct s, b *void) void`},
		{name: "so does one behind const and typedef", build: follow(func(m *image) *synth.DIE { return m.Typedef("t", m.Const(m.Struct("s", 16))) }, pair, 3), want: `f(a t, b *void) void`},
		{name: "but not behind volatile", build: follow(func(m *image) *synth.DIE { return m.Volatile(m.Struct("s", 16)) }, pair, 3), want: unexpected},
		{name: "nor a pointer to one", build: follow(func(m *image) *synth.DIE { return m.Pointer(m.Struct("s", 16)) }, []synth.Op{synth.OpReg(5)}, 3), want: unexpected},
		{name: "64 bits on ARM start at an even register", target: synth.Target{Class: elf.ELFCLASS32, Machine: elf.EM_ARM}, build: func(m *image) {
			m.fn("f", 16, nil, m.at("file", m.Pointer(nil), synth.OpReg(0)),
				m.at("off", m.l, synth.OpReg(2), synth.OpPiece(4), synth.OpReg(3), synth.OpPiece(4)))
		}, want: unexpected, right: `f(file *void, off long) void`},
		{name: "const_value without location", build: func(m *image) {
			m.symbol("f.isra.0", 16)
			m.Func("f", m.text.At(16), 16, nil, synth.Param{Name: "a", Type: m.i, Extra: []synth.Part{synth.Num(dwarf.AttrConstValue, synth.FormData1, 3)}},
				m.at("b", m.Pointer(nil), synth.OpReg(4)))
		}, want: `f: optimized parameters`},
	})
}

// TestConstValues: a parameter whose location is a constant counts as optimized away, for all forms of constants.
func TestConstValues(t *testing.T) {
	const at = dwarf.AttrConstValue
	var fixtures []fixture
	for name, attr := range map[string]synth.Attr{
		"data1": synth.Num(at, synth.FormData1, 3), "data8": synth.Num(at, synth.FormData8, 1<<40), "sdata": synth.Int(at, synth.FormSdata, -3),
		"udata": synth.Num(at, synth.FormUdata, 300), "implicit_const": synth.Int(at, synth.FormImplicitConst, 7),
		"block1": synth.Block(at, synth.FormBlock1, 1, 2), "string": synth.Str(at, synth.FormString, "text"),
		"strp": synth.Str(at, synth.FormStrp, "text"), "line_strp": synth.Str(at, synth.FormLineStrp, "text"),
		"strx": synth.Str(at, synth.FormStrx, "text"), "strx1": synth.Str(at, synth.FormStrx1, "text"), "strx4": synth.Str(at, synth.FormStrx4, "text"),
		"addrx": synth.Addr(at, synth.FormAddrx, synth.Abs(0x10010)),
	} {
		fixtures = append(fixtures, fixture{name: name, build: func(m *image) {
			m.symbol("f.isra.0", 16)
			m.Func("f", m.text.At(16), 16, nil, m.at("a", m.Pointer(nil), synth.OpReg(5)), synth.Param{Name: "b", Type: m.i, Extra: []synth.Part{attr}})
		}, want: `f: optimized parameters`})
	}
	check(t, append(fixtures, fixture{name: "none", build: func(m *image) {
		m.symbol("f", 16)
		m.Func("f", m.text.At(16), 16, nil, m.at("a", m.Pointer(nil), synth.OpReg(5)), synth.Param{Name: "b", Type: m.i})
	}, want: `f(a *void, b int) void`}))
}

// Rules 01/8.4 and 01/9.3: facts flow from the copy to the abstract instance.
func TestSharing(t *testing.T) {
	abstract := func(m *image, names ...string) (f *synth.DIE, ps []*synth.DIE) {
		f = m.DIE(dwarf.TagSubprogram, synth.Name("f"), synth.Num(dwarf.AttrInline, synth.FormData1, 1))
		for _, n := range names {
			ps = append(ps, f.DIE(dwarf.TagFormalParameter, synth.Name(n), synth.Type(m.Pointer(nil))))
		}
		return f, ps
	}
	low := func(m *image) synth.Attr { return synth.Addr(dwarf.AttrLowpc, synth.FormAddr, m.text.At(16)) }
	check(t, []fixture{
		{name: "a wrong register marks both", build: func(m *image) {
			f, ps := abstract(m, "a")
			m.symbol("f", 16)
			m.DIE(dwarf.TagSubprogram, origin(f), low(m), synth.NewDIE(dwarf.TagFormalParameter, origin(ps[0]), m.Loc(synth.OpReg(3))))
		}, want: unexpected},
		{name: "an unused parameter of a copy that is not isra", build: func(m *image) {
			f, ps := abstract(m, "a", "b")
			m.symbol("f", 16)
			m.DIE(dwarf.TagSubprogram, origin(f), low(m), synth.NewDIE(dwarf.TagFormalParameter, origin(ps[0])),
				synth.NewDIE(dwarf.TagFormalParameter, origin(ps[1]), m.Loc(synth.OpReg(4))))
		}, want: `f(a *void, b *void) void`},
		{name: "that a parameter is in memory", build: func(m *image) {
			g := m.DIE(dwarf.TagSubprogram, synth.Name("g"), synth.Num(dwarf.AttrInline, synth.FormData1, 1))
			narrow := g.DIE(dwarf.TagFormalParameter, synth.Name("a"), synth.Type(m.Pointer(nil)))
			f := m.DIE(dwarf.TagSubprogram, synth.Name("f"), synth.Num(dwarf.AttrInline, synth.FormData1, 1))
			wide := f.DIE(dwarf.TagFormalParameter, synth.Name("a"), synth.Type(m.Union("u", 24)), origin(narrow))
			next := f.DIE(dwarf.TagFormalParameter, synth.Name("b"), synth.Type(m.Pointer(nil)))
			m.symbol("f", 16)
			m.DIE(dwarf.TagSubprogram, origin(f), low(m), synth.NewDIE(dwarf.TagFormalParameter, origin(wide), m.Loc(synth.OpFbreg(8))),
				synth.NewDIE(dwarf.TagFormalParameter, origin(next), m.Loc(synth.OpReg(4))))
		}, want: `f(a union u, b *void) void`},
		{name: "a copy that lost its first parameter", build: func(m *image) {
			f, ps := abstract(m, "a", "b")
			m.symbol("f.isra.0", 16)
			m.DIE(dwarf.TagSubprogram, origin(f), low(m), synth.NewDIE(dwarf.TagFormalParameter, origin(ps[1]), m.Loc(synth.OpReg(5))),
				synth.NewDIE(dwarf.TagFormalParameter, origin(ps[0])))
		}, want: `f: optimized parameters`},
	})
}

// Rules 01/9.5, and 01/9.4 for a changed signature without true_signature.
func TestClang(t *testing.T) {
	clang := func(build func(m *image)) func(m *image) {
		return func(m *image) {
			m.unit("c.c", synth.Producer("Debian clang version 19.1.7"))
			build(m)
		}
	}
	nocall := synth.Num(dwarf.AttrCalling, synth.FormData1, 3)
	check(t, []fixture{
		{name: "any of the registers that it spans", build: clang(func(m *image) {
			m.fn("f", 16, nil, m.at("a", m.Union("u", 16), synth.OpReg(4), synth.OpPiece(8)), m.at("b", m.Pointer(nil), synth.OpReg(1)))
		}), want: `f(a union u, b *void) void`},
		{name: "none of them", build: clang(func(m *image) {
			m.fn("f", 16, nil, m.at("a", m.Union("u", 16), synth.OpReg(1), synth.OpPiece(8)))
		}), want: unexpected},
		{name: "in memory it takes no register", build: clang(func(m *image) {
			m.fn("f", 16, nil, m.at("a", m.Union("u", 32), synth.OpFbreg(8)), m.at("b", m.Pointer(nil), synth.OpReg(5)))
		}), want: `f(a union u, b *void) void`},
		{name: "past the registers nothing is judged", build: clang(func(m *image) {
			var ps []synth.Param
			for n, reg := range []int{5, 4, 1, 2, 8, 9, 3} {
				ps = append(ps, m.at(fmt.Sprintf("p%d", n), m.i, synth.OpReg(reg)))
			}
			m.fn("f", 16, nil, ps...)
		}), want: `f(p0 int, p1 int, p2 int, p3 int, p4 int, p5 int, p6 int) void`},
		{name: "a changed signature with a lost parameter", build: clang(func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.i}, m.at("b", m.Pointer(nil), synth.OpReg(5))).Add(nocall)
		}), want: `f: optimized parameters`},
		{name: "an unlocated parameter with an unchanged one", build: clang(func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.i}, m.at("b", m.Pointer(nil), synth.OpReg(4)))
		}), want: `f(a int, b *void) void`},
		{name: "inline keeps the signature", build: clang(func(m *image) {
			m.fn("f", 16, nil, synth.Param{Name: "a", Type: m.i}, m.at("b", m.Pointer(nil), synth.OpReg(4))).
				Add(nocall, synth.Num(dwarf.AttrInline, synth.FormData1, 1))
		}), want: `f(a int, b *void) void`},
		{name: "nocall of the origin", build: clang(func(m *image) {
			m.symbol("f", 16)
			a := m.DIE(dwarf.TagSubprogram, synth.Name("f"), nocall)
			x := a.DIE(dwarf.TagFormalParameter, synth.Name("x"), synth.Type(m.i))
			m.DIE(dwarf.TagSubprogram, origin(a), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, m.text.At(16)), synth.NewDIE(dwarf.TagFormalParameter, origin(x)))
		}), want: `f: optimized parameters`},
	})
}
