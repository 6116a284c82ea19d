package elf

import "debug/elf"

// relOp is what a relocation does with the bytes at its place.
type relOp uint8

const (
	relNone    relOp = iota // left alone
	relSet                  // value = symbol + addend
	relAdd                  // value += symbol + addend
	relSub                  // value -= symbol + addend
	relSet6                 // the low six bits are set
	relSub6                 // the low six bits are lessened
	relSetULEB              // a ULEB128 is set, keeping its length
	relSubULEB              // a ULEB128 is lessened, keeping its length
	relAdd6                 // the low six bits are raised
	relAddULEB              // a ULEB128 is raised, keeping its length
)

// A relKind is an operation and the width in bytes of what it works on.
type relKind struct {
	op   relOp
	size uint8
}

func (k relKind) width() int { return max(1, int(k.size)) }

// relocationKinds says, for every machine, which relocations occur in debug sections (specification 01, section 1.2; the
// processor supplements of the System V ABI). TLS offsets are left alone: no rule asks where a thread variable lives.
var relocationKinds = map[elf.Machine]map[uint32]relKind{
	elf.EM_X86_64: {0: {relNone, 0}, 1: {relSet, 8}, 10: {relSet, 4}, 11: {relSet, 4}, 17: {relNone, 0}, 21: {relNone, 0},
		14: {relSet, 1}, 12: {relSet, 2}},
	elf.EM_386:     {0: {relNone, 0}, 1: {relSet, 4}, 32: {relNone, 0}, 36: {relNone, 0}},
	elf.EM_ARM:     {0: {relNone, 0}, 2: {relSet, 4}, 17: {relNone, 0}, 104: {relNone, 0}, 106: {relNone, 0}},
	elf.EM_AARCH64: {0: {relNone, 0}, 256: {relNone, 0}, 257: {relSet, 8}, 258: {relSet, 4}, 259: {relSet, 2}, 1029: {relNone, 0}},
	elf.EM_S390:    {0: {relNone, 0}, 1: {relSet, 1}, 3: {relSet, 2}, 4: {relSet, 4}, 22: {relSet, 8}, 52: {relNone, 0}, 53: {relNone, 0}},
	elf.EM_PPC64:   {0: {relNone, 0}, 1: {relSet, 4}, 38: {relSet, 8}, 78: {relNone, 0}},
	elf.EM_PPC:     {0: {relNone, 0}, 1: {relSet, 4}, 78: {relNone, 0}},
	elf.EM_MIPS:    {0: {relNone, 0}, 2: {relSet, 4}, 18: {relSet, 8}, 40: {relNone, 0}, 41: {relNone, 0}},
	elf.EM_RISCV: {0: {relNone, 0}, 1: {relSet, 4}, 2: {relSet, 8}, 8: {relNone, 0}, 9: {relNone, 0},
		33: {relAdd, 1}, 34: {relAdd, 2}, 35: {relAdd, 4}, 36: {relAdd, 8}, 37: {relSub, 1}, 38: {relSub, 2}, 39: {relSub, 4}, 40: {relSub, 8},
		51: {relNone, 0}, 52: {relSub6, 1}, 53: {relSet6, 1}, 54: {relSet, 1}, 55: {relSet, 2}, 56: {relSet, 4}, 60: {relSetULEB, 0}, 61: {relSubULEB, 0}},
	elf.EM_LOONGARCH: {0: {relNone, 0}, 1: {relSet, 4}, 2: {relSet, 8}, 8: {relNone, 0}, 9: {relNone, 0}, 100: {relNone, 0}, 102: {relNone, 0},
		47: {relAdd, 1}, 48: {relAdd, 2}, 49: {relAdd, 3}, 50: {relAdd, 4}, 51: {relAdd, 8},
		52: {relSub, 1}, 53: {relSub, 2}, 54: {relSub, 3}, 55: {relSub, 4}, 56: {relSub, 8},
		105: {relAdd6, 1}, 106: {relSub6, 1}, 107: {relAddULEB, 0}, 108: {relSubULEB, 0}},
}

// patch carries one relocation out. With REL the addend lies in place.
func (f *File) patch(b []byte, k relKind, sym uint64, addend int64, rela bool) {
	six := func(v byte) { b[0] = b[0]&0xc0 | v&0x3f }
	switch v := sym + uint64(addend); k.op {
	case relSet6:
		six(byte(v))
		return
	case relAdd6:
		six(b[0] + byte(v))
		return
	case relSub6:
		six(b[0] - byte(v))
		return
	case relSetULEB, relAddULEB, relSubULEB:
		patchULEB(b, v, k.op)
		return
	}
	old := f.load(b, k.size)
	if !rela {
		addend = int64(old)
	}
	v := sym + uint64(addend)
	switch k.op {
	case relAdd:
		v = old + v
	case relSub:
		v = old - v
	}
	f.store(b, k.size, v)
}

func (f *File) load(b []byte, size uint8) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(f.Order.Uint16(b))
	case 3: // little-endian LoongArch only
		return uint64(f.Order.Uint16(b)) | uint64(b[2])<<16
	case 4:
		return uint64(f.Order.Uint32(b))
	default:
		return f.Order.Uint64(b)
	}
}

func (f *File) store(b []byte, size uint8, v uint64) {
	switch size {
	case 1:
		b[0] = byte(v)
	case 2:
		f.Order.PutUint16(b, uint16(v))
	case 3:
		f.Order.PutUint16(b, uint16(v))
		b[2] = byte(v >> 16)
	case 4:
		f.Order.PutUint32(b, uint32(v))
	default:
		f.Order.PutUint64(b, v)
	}
}

// patchULEB sets, raises or lessens the ULEB128 at the start of b, keeping the number of its bytes.
func patchULEB(b []byte, v uint64, op relOp) {
	n, old := 0, uint64(0)
	for n < len(b) && n < 10 {
		c := b[n]
		old |= uint64(c&0x7f) << (7 * n)
		n++
		if c&0x80 == 0 {
			break
		}
	}
	switch op {
	case relAddULEB:
		v = old + v
	case relSubULEB:
		v = old - v
	}
	for i := range n {
		b[i] = b[i]&0x80 | byte(v)&0x7f
		v >>= 7
	}
}
