package elf

// relOp is the operation of a relocation on the bytes at its offset.
type relOp uint8

const (
	relUnknown relOp = iota // not in the table
	relNone                 // left alone
	relSet                  // value = symbol + addend
	relAdd                  // value += symbol + addend
	relSub                  // value -= symbol + addend
	relSet6                 // the low six bits are set
	relSub6                 // subtracted from the low six bits
	relSetULEB              // a ULEB128 is set, its length stays
	relSubULEB              // subtracted from a ULEB128, its length stays
	relAdd6                 // added to the low six bits
	relAddULEB              // added to a ULEB128, its length stays
)

// A relKind is an operation and the width of its operand in bytes.
type relKind struct {
	op   relOp
	size uint8
}

func (k relKind) width() int { return max(1, int(k.size)) }

// patch applies one relocation. For REL, the addend is in the bytes that are patched.
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
	v := sym + uint64(addend)
	switch {
	case k.op == relSub:
		v = old - v
	case k.op == relAdd, !rela:
		v = old + v
	}
	f.store(b, k.size, v)
}

func (f *File) load(b []byte, size uint8) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(f.Order.Uint16(b))
	case 3: // only in little-endian LoongArch files
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

// patchULEB sets the ULEB128 at the start of b, or adds to it or subtracts from it. The number of its bytes stays.
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
