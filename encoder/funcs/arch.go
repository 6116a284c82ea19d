package funcs

import "debug/elf"

// A convention is what an architecture's calling convention says of integer arguments (specification 01, section 9.1).
type convention struct {
	registers int     // how many arguments go to registers
	dwarf     []uint8 // their DWARF numbers, in order; nil where they are not known
	oneOnly   bool    // an aggregate is never passed in two registers
}

var conventions = map[elf.Machine]convention{
	elf.EM_X86_64:  {6, []uint8{5, 4, 1, 2, 8, 9}, false},
	elf.EM_AARCH64: {8, []uint8{0, 1, 2, 3, 4, 5, 6, 7}, false},
	elf.EM_ARM:     {8, []uint8{0, 1, 2, 3, 4, 5, 6, 7}, false},
	elf.EM_S390:    {5, []uint8{2, 3, 4, 5, 6}, true},
	elf.EM_MIPS:    {8, nil, false},
	elf.EM_PPC:     {8, nil, false},
	elf.EM_PPC64:   {8, nil, false},
	elf.EM_RISCV:   {8, nil, false},
	elf.EM_ARC:     {8, nil, false},
	elf.EM_SPARC:   {6, nil, false},
	elf.EM_SPARCV9: {6, nil, false},
}

// expected is the DWARF number of argument register i; ok is false when there is none or it is not known.
func (c *convention) expected(i int) (reg int16, ok bool) {
	if i >= len(c.dwarf) {
		return 0, false
	}
	return int16(c.dwarf[i]), true
}
