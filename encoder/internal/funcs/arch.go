package funcs

import (
	"debug/elf"

	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A convention is the part of an architecture's calling convention for integer arguments that the rules need.
type convention struct {
	registers int     // number of argument registers
	dwarf     []uint8 // their DWARF numbers, in order; nil if they are not known
	window    uint8   // number of registers by which a register window shifts the DWARF numbers inside the function
	oneOnly   bool    // an aggregate is never passed in two registers
	even      bool    // an argument that is aligned to two registers starts at an even one
	address   bool    // an aggregate in memory is passed by its address, which takes an argument register
	spread    bool    // a large aggregate takes as many registers as it fills, instead of memory
	maxAlign  uint8   // largest alignment of a scalar; 0 if it is the size of the scalar
}

// Runs of register numbers.
var (
	from0  = []uint8{0, 1, 2, 3, 4, 5, 6, 7}
	from3  = []uint8{3, 4, 5, 6, 7, 8, 9, 10}
	from4  = []uint8{4, 5, 6, 7, 8, 9, 10, 11}
	from8  = []uint8{8, 9, 10, 11, 12, 13}
	from10 = []uint8{10, 11, 12, 13, 14, 15, 16, 17}

	x86Registers  = []uint8{5, 4, 1, 2, 8, 9} // rdi, rsi, rdx, rcx, r8, r9
	s390Registers = []uint8{2, 3, 4, 5, 6}
)

// conventions follows each architecture's psABI. Functions for machines that are not listed are not judged. For example, an i386
// kernel passes three arguments in registers, except in variadic and assembler functions, and DWARF does not say which functions
// these are.
var conventions = map[elf.Machine]convention{
	elf.EM_X86_64:       {registers: 6, dwarf: x86Registers},
	elf.EM_386:          {maxAlign: 4},
	elf.EM_AARCH64:      {registers: 8, dwarf: from0, even: true, address: true},
	elf.EM_ARM:          {registers: 4, dwarf: from0[:4], even: true, spread: true},
	elf.EM_S390:         {registers: 5, dwarf: s390Registers, oneOnly: true, address: true},
	elf.EM_MIPS:         {registers: 8, dwarf: from4, even: true, spread: true},
	elf.EM_PPC:          {registers: 8, dwarf: from3, even: true, address: true},
	elf.EM_PPC64:        {registers: 8, dwarf: from3, spread: true},
	elf.EM_RISCV:        {registers: 8, dwarf: from10, address: true},
	elf.EM_LOONGARCH:    {registers: 8, dwarf: from4, address: true},
	elf.EM_SPARC:        {registers: 6, dwarf: from8, window: 16, address: true},
	elf.EM_SPARCV9:      {registers: 6, dwarf: from8, window: 16, address: true},
	elf.EM_ARC:          {registers: 8, dwarf: from0, spread: true},
	elf.EM_ARC_COMPACT:  {registers: 8, dwarf: from0, spread: true},
	elf.EM_ARC_COMPACT2: {registers: 8, dwarf: from0, spread: true},
}

// conventionOf returns the convention of an image.
func conventionOf(f *image.File, peer rules.Set) convention {
	if peer.Has(rules.PeerConventions) {
		return peerConventions[f.Machine]
	}
	c := conventions[f.Machine]
	if f.Machine == elf.EM_MIPS && !f.Is64 { // o32
		c.registers, c.dwarf = 4, from4[:4]
	}
	return c
}

// holds reports whether reg is argument register i.
func (c *convention) holds(i int, reg int16) bool {
	return i < len(c.dwarf) && (reg == int16(c.dwarf[i]) || c.window != 0 && reg == int16(c.dwarf[i]+c.window))
}

// elsewhere reports whether argument register i is known and different from reg.
func (c *convention) elsewhere(i int, reg int16) bool { return i < len(c.dwarf) && !c.holds(i, reg) }
