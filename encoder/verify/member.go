package verify

import (
	"math"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// member checks that the place of a member in its struct suits its type (the table of rule 05/7). The type has been resolved as far as the
// mode allows.
func (v *resolver) member(r *record, ch child) *Refusal {
	typ, size, ok := v.sized(ch.b)
	if !ok {
		return v.inside(r, ch, "Invalid member")
	}
	m := memberOf(r, ch)
	var phrase string
	switch typ.kind {
	case btf.KindInt:
		phrase = intMember(m, v.integer(&typ), r)
	case btf.KindEnum, btf.KindEnum64:
		phrase = enumMember(m, size, r)
	default:
		phrase = plainMember(m, size, r.third)
		if typ.kind == btf.KindFloat {
			phrase = floatMember(m, size, r.third, v.ptrSize)
		}
	}
	if phrase != "" {
		ch.b = typ.id // the kernel prints the type without modifiers
		return v.inside(r, ch, phrase)
	}
	return nil
}

// intMember: without kind flag, the INT itself may be a bit field, by its own offset and width.
func intMember(m member, i integer, r *record) string {
	off, width := m.off, i.bits
	if r.kflag {
		switch {
		case !i.regular():
			return "Invalid member base type"
		case m.bits == 0 && m.off%8 != 0:
			return "Invalid member offset"
		case m.bits > i.bits:
			return "Invalid member bitfield_size"
		case m.bits != 0:
			width = m.bits
		}
	} else {
		if off > math.MaxUint32-i.off {
			return "bits_offset exceeds U32_MAX"
		}
		off += i.off
	}
	copied := off%8 + width
	if copied > maxBits {
		return "nr_copy_bits exceeds 128"
	}
	return fits(off/8, bytesOf(copied), r.third)
}

// enumMember: with kind flag, every enum counts as 32 bits, whatever its size.
func enumMember(m member, size uint32, r *record) string {
	width := m.bits
	if width == 0 {
		if m.off%8 != 0 {
			return "Member is not byte aligned"
		}
		if !r.kflag {
			return fits(m.off/8, size, r.third)
		}
		width = 32
	}
	if width > 32 {
		return "Invalid member bitfield_size"
	}
	return fits(0, bytesOf(m.off+width), r.third)
}

func plainMember(m member, size, whole uint32) string {
	switch {
	case m.bits != 0:
		return "Invalid member bitfield_size"
	case m.off%8 != 0:
		return "Member is not byte aligned"
	}
	return fits(m.off/8, size, whole)
}

func floatMember(m member, size, whole, ptrSize uint32) string {
	switch {
	case m.bits != 0:
		return "Invalid member bitfield_size"
	case m.off%(8*min(ptrSize, size)) != 0:
		return "Member is not properly aligned"
	}
	return fits(m.off/8, size, whole)
}

func fits(at, size, whole uint32) string {
	if uint64(at)+uint64(size) > uint64(whole) {
		return "Member exceeds struct_size"
	}
	return ""
}
