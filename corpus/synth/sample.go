package synth

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
)

// Targets returns both word sizes in both byte orders, each with DWARF 2 to 5, as linked files.
func Targets() (all []Target) {
	for _, t := range []Target{
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64},
		{Class: elf.ELFCLASS32, Order: binary.LittleEndian, Machine: elf.EM_386},
		{Class: elf.ELFCLASS64, Order: binary.BigEndian, Machine: elf.EM_S390},
		{Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC},
	} {
		t.Type = elf.ET_EXEC
		for v := 2; v <= 5; v++ {
			t.DWARF = v
			all = append(all, t)
		}
	}
	return all
}

// Seeds returns the bytes of a Sample for every target, for fuzzing.
func Seeds() (all [][]byte) {
	for _, t := range Targets() {
		all = append(all, Sample(t).Bytes())
	}
	return all
}

// Sample returns a small image that looks like a kernel: two C units with types of every kind, functions and per-CPU variables,
// and one unit like those of an assembler.
func Sample(t Target) *Builder {
	b := New(t)
	text := b.Text(".text", 0x10000, 0x200)
	percpu := b.Data(".data..percpu", 0x20000, 0x40)
	bss := b.NoBits(".bss", elf.SHF_WRITE, 0x30000, 0x100)
	relocatable := b.target.Type == elf.ET_REL
	if relocatable {
		text.Addr, percpu.Addr, bss.Addr = 0, 0, 0
	}

	a := b.CU("kernel/a.c", C11, Producer("GNU C11 12.2.0"))
	i := a.Base("int", 4, Signed)
	u := a.Base("unsigned int", 4, Unsigned)
	c := a.Base("char", 1, SignedChar)
	ptr := a.Pointer(a.Const(c))
	list := NewDIE(dwarf.TagStructType, Name("list_head"), Num(dwarf.AttrByteSize, FormData1, uint64(2*a.addrSize)))
	next := a.Pointer(list) // refers forward
	a.Add(list)
	list.Member(Member{Name: "next", Type: next})
	list.Member(Member{Name: "prev", Type: next, Off: uint64(a.addrSize)})
	un := a.Union("", 4, Member{Name: "i", Type: i}, Member{Name: "u", Type: u})
	task := a.Struct("task", 32,
		Member{Name: "pid", Type: a.Typedef("pid_t", i)},
		Member{Name: "low", Type: u, Off: 4, Bits: 3, BitOff: 32, Unit: unitIf(b.target.DWARF < 4, 4)},
		Member{Name: "high", Type: u, Off: 4, Bits: 29, BitOff: 35, Unit: unitIf(b.target.DWARF < 4, 4)},
		Member{Type: un, Off: 8},
		Member{Name: "grid", Type: a.Array(i, u, 2, 2), Off: 12},
		Member{Name: "tail", Type: a.Array(c, u, Flexible), Off: 32})
	a.Enum("state", 4, u, Value{"RUNNING", 0}, Value{"DEAD", 64}, Value{"NONE", -1})
	a.FuncType(nil, Param{Type: a.Pointer(task)}, Rest)
	start := a.Func("start", text.At(0x10), 0x20, i,
		Param{Name: "t", Type: a.Pointer(task), Extra: []Part{a.Loc(OpReg(5))}},
		Param{Name: "name", Type: ptr, Extra: []Part{a.locList(text.At(0))}})
	start.External()
	start.DIE(dwarf.TagLexDwarfBlock).Struct("local", 4, Member{Name: "x", Type: i})
	a.Var("current_task", a.Pointer(task), percpu.At(8)).External()
	a.Var("counters", a.Array(u, u, 4), percpu.At(16))
	a.Var("jiffies", a.Volatile(u), bss.At(0)).External()

	z := b.CU("kernel/z.c", C11, Producer("GNU C11 12.2.0"))
	zi := z.Base("int", 4, Signed)
	z.Forward(dwarf.TagStructType, "task")
	z.Func("stop", text.At(0x40), 0x10, zi)
	z.Func("stop_all", Nowhere, 0, nil, Param{Name: "n", Type: z.Restrict(z.Pointer(zi))}).Declaration()

	s := b.CU("kernel/entry.S", Asm)
	s.DIE(dwarf.TagSubprogram, Name("entry"), Addr(dwarf.AttrLowpc, FormAddr, text.At(0x100)),
		Ref(dwarf.AttrType, FormRefUdata, s.DIE(dwarf.TagUnspecifiedType)))

	word := uint64(b.target.addrSize())
	b.Symbol("start", text.At(0x10), 0x20, elf.STT_FUNC)
	b.Local("stop", text.At(0x40), 0x10, elf.STT_FUNC)
	b.Symbol("entry", text.At(0x100), 8, elf.STT_FUNC)
	b.Symbol("current_task", percpu.At(8), word, elf.STT_OBJECT)
	b.Local("counters", percpu.At(16), 16, elf.STT_OBJECT)
	b.Symbol("jiffies", bss.At(0), 4, elf.STT_OBJECT)
	return b
}

func unitIf(old bool, n uint64) uint64 {
	if old {
		return n
	}
	return 0
}

// locList is DW_AT_location with a list of two entries, in the form of the unit's DWARF version.
func (u *CU) locList(base Place) Attr {
	form := FormSecOffset
	if u.version < 4 {
		form = FormData4
	}
	entry := OpEntryValue(OpReg(4))
	if u.version < 5 {
		entry = OpGNUEntryValue(OpReg(4))
	}
	return LocList(dwarf.AttrLocation, form, LocBase(base),
		LocRange(0x10, 0x18, OpReg(4)), LocRange(0x18, 0x30, entry, OpStackValue()))
}
