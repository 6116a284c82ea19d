package elf

import "debug/elf"

var (
	none  = relKind{relNone, 0}
	set8  = relKind{relSet, 1}
	set16 = relKind{relSet, 2}
	set32 = relKind{relSet, 4}
	set64 = relKind{relSet, 8}
)

// emCSKY is the machine number of C-SKY, which debug/elf lacks.
const emCSKY elf.Machine = 252

// relocationKinds returns, for a machine, the relocations that occur in debug sections (rule 01/1.2; the processor supplements of the
// System V ABI): absolute ones of 8 to 64 bits, aligned or not, and differences. Offsets in thread-local storage are not applied, because
// no rule needs the address of a thread variable. Hints for linkers are not applied either.
func relocationKinds(m elf.Machine) map[uint32]relKind {
	switch m {
	case elf.EM_X86_64:
		return map[uint32]relKind{0: none, 1: set64, 10: set32, 11: set32, 12: set16, 14: set8, 17: none, 21: none}
	case elf.EM_386:
		return map[uint32]relKind{0: none, 1: set32, 20: set16, 22: set8, 32: none, 36: none}
	case elf.EM_ARM:
		return map[uint32]relKind{0: none, 2: set32, 5: set16, 8: set8, 17: none, 18: none, 104: none, 106: none}
	case elf.EM_AARCH64:
		return map[uint32]relKind{0: none, 256: none, 257: set64, 258: set32, 259: set16, 1029: none}
	case elf.EM_S390:
		return map[uint32]relKind{0: none, 1: set8, 3: set16, 4: set32, 22: set64, 52: none, 53: none}
	case elf.EM_PPC64:
		return map[uint32]relKind{0: none, 1: set32, 3: set16, 24: set32, 25: set16, 38: set64, 43: set64, 78: none}
	case elf.EM_PPC:
		return map[uint32]relKind{0: none, 1: set32, 3: set16, 24: set32, 25: set16, 78: none}
	case elf.EM_MIPS:
		return map[uint32]relKind{0: none, 1: set16, 2: set32, 18: set64, 38: none, 39: none, 40: none, 41: none}
	case elf.EM_RISCV:
		return map[uint32]relKind{0: none, 1: set32, 2: set64, 8: none, 9: none,
			33: {relAdd, 1}, 34: {relAdd, 2}, 35: {relAdd, 4}, 36: {relAdd, 8}, 37: {relSub, 1}, 38: {relSub, 2}, 39: {relSub, 4}, 40: {relSub, 8},
			51: none, 52: {relSub6, 1}, 53: {relSet6, 1}, 54: set8, 55: set16, 56: set32, 60: {relSetULEB, 0}, 61: {relSubULEB, 0}}
	case elf.EM_LOONGARCH:
		return map[uint32]relKind{0: none, 1: set32, 2: set64, 8: none, 9: none, 100: none, 102: none,
			47: {relAdd, 1}, 48: {relAdd, 2}, 49: {relAdd, 3}, 50: {relAdd, 4}, 51: {relAdd, 8},
			52: {relSub, 1}, 53: {relSub, 2}, 54: {relSub, 3}, 55: {relSub, 4}, 56: {relSub, 8},
			105: {relAdd6, 1}, 106: {relSub6, 1}, 107: {relAddULEB, 0}, 108: {relSubULEB, 0}}

	case elf.EM_68K:
		return map[uint32]relKind{0: none, 1: set32, 2: set16, 3: set8, 31: none, 32: none, 33: none, 41: none}
	case elf.EM_ALPHA:
		return map[uint32]relKind{0: none, 1: set32, 2: set64, 33: none, 36: none}
	case elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9:
		// Types of 16, 32 and 64 bits exist for aligned and for unaligned places.
		return map[uint32]relKind{0: none, 1: set8, 2: set16, 3: set32, 23: set32, 32: set64, 54: set64, 55: set16, 76: none, 77: none}
	case elf.EM_PARISC:
		return map[uint32]relKind{0: none, 1: set32, 41: set32, 49: set32, 80: set64, 104: set64, 112: set64, 244: none, 245: none}
	case elf.EM_ARC_COMPACT, elf.EM_ARC_COMPACT2:
		return map[uint32]relKind{0: none, 1: set8, 2: set16, 4: set32, 0x43: none}
	case elf.EM_MICROBLAZE:
		return map[uint32]relKind{0: none, 1: set32, 26: none, 27: none}
	case elf.EM_ALTERA_NIOS2:
		return map[uint32]relKind{0: none, 12: set32, 13: set16, 14: set8, 34: none}
	case elf.EM_OPENRISC:
		return map[uint32]relKind{0: none, 1: set32, 2: set16, 3: set8, 33: none}
	case elf.EM_XTENSA:
		return map[uint32]relKind{0: none, 1: {relAdd, 4}, 17: none, 18: none, 19: none, 52: none, 57: none, 58: none, 59: none, 60: none, 61: none, 62: none}
	case elf.EM_QDSP6:
		return map[uint32]relKind{0: none, 6: set32, 7: set16, 8: set8, 47: none, 48: none}
	case emCSKY:
		return map[uint32]relKind{0: none, 1: set32}
	case elf.EM_IA_64:
		return map[uint32]relKind{0: none, 0x25: set32, 0x27: set64, 0x65: set32, 0x67: set64, 0xb5: none, 0xb7: none}
	case elf.EM_SH:
		// The addend is in the bytes that are patched although the entry has a field for it, which is zero. For type 33 it is the other way
		// round. Relocatable files of Xtensa also have the addend in the patched bytes.
		return map[uint32]relKind{0: none, 1: {relAdd, 4}, 33: {relAdd, 2}, 34: {relAdd, 1}, 146: none, 150: none}
	}
	return nil
}

// kindsOf returns the table of a machine as a list, by relocation type.
func kindsOf(m elf.Machine) []relKind {
	var list []relKind
	for typ, k := range relocationKinds(m) {
		if int(typ) >= len(list) {
			list = append(list, make([]relKind, int(typ)+1-len(list))...)
		}
		list[typ] = k
	}
	return list
}
