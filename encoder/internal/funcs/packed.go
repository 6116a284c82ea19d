package funcs

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// DWARF does not say whether a struct is packed, so this file infers it from the layout (rule 01/10.4). A struct is packed if it
// has neither byte holes nor padding, and one of its members is not at its natural alignment, or its size is not a multiple of
// the largest alignment.

// A packer answers this for the structs of one unit. It remembers its answers: a type can be contained in another many times, on
// each of many levels.
type packer struct {
	t        *translate.Unit
	maxAlign uint8                        // convention.maxAlign
	aligns   map[translate.LocalID]uint64 // of structs and unions; 1 while one is being computed, since a struct cannot contain itself
	decided  map[translate.LocalID]bool   // packed or not
}

// start prepares for the next unit.
func (p *packer) start(t *translate.Unit, maxAlign uint8) {
	p.t, p.maxAlign = t, maxAlign
	clear(p.aligns)
	clear(p.decided)
}

// strip removes typedefs and qualifiers.
func (p *packer) strip(id translate.LocalID) translate.LocalID {
	for range maxTypes {
		if id == 0 {
			return 0
		}
		r := p.t.Types.At(btf.ID(id))
		if !btf.Modifiers.Has(r.Kind()) {
			return id
		}
		id = translate.LocalID(r[2])
	}
	return 0
}

// maxNesting bounds the recursion into members.
const maxNesting = 1 << 12

// alignment returns the natural alignment of a type: that of its largest scalar, up to the limit of the ABI.
func (p *packer) alignment(id translate.LocalID, depth int) uint64 {
	id = p.strip(id)
	if id == 0 || depth > maxNesting {
		return 1
	}
	r := p.t.Types.At(btf.ID(id))
	switch r.Kind() {
	case btf.KindPtr:
		return uint64(p.t.AddrSize)
	case btf.KindInt, btf.KindFloat, btf.KindEnum, btf.KindEnum64:
		align := max(1, p.t.SizeOf(id))
		if p.maxAlign != 0 {
			align = min(align, uint64(p.maxAlign))
		}
		return align
	case btf.KindArray:
		return p.alignment(translate.LocalID(r[3]), depth+1)
	case btf.KindStruct, btf.KindUnion:
		return p.aggregate(id, r, depth)
	}
	return 1
}

// aggregate is alignment for a struct or union.
func (p *packer) aggregate(id translate.LocalID, r btf.Record, depth int) uint64 {
	if align, known := p.aligns[id]; known {
		return align
	}
	if p.aligns == nil {
		p.aligns = make(map[translate.LocalID]uint64)
	}
	align := uint64(1)
	p.aligns[id] = align
	for i := range r.Vlen() {
		align = max(align, p.alignment(p.memberType(r.Elem(i)), depth+1))
	}
	p.aligns[id] = align
	return align
}

// packed reports whether a struct is packed.
func (p *packer) packed(id translate.LocalID) bool {
	packed, known := p.decided[id]
	if !known {
		if p.decided == nil {
			p.decided = make(map[translate.LocalID]bool)
		}
		packed = p.decide(id)
		p.decided[id] = packed
	}
	return packed
}

// decide computes the result of packed.
func (p *packer) decide(id translate.LocalID) bool {
	r := p.t.Types.At(btf.ID(id))
	if r.Kind() != btf.KindStruct || r.Vlen() == 0 || p.holes(r) {
		return false
	}
	largest := uint64(1)
	for i := range r.Vlen() {
		e := r.Elem(i)
		offset, bits := memberBits(r, e)
		typ := p.memberType(e)
		align := p.alignment(typ, 0)
		largest = max(largest, align)
		at := offset / 8
		if bits != 0 {
			at = storageUnit(offset, p.t.SizeOf(typ)) / 8
		}
		if align > 1 && at%align != 0 {
			return true
		}
	}
	return uint64(r.Size())%largest != 0
}

// memberType is the type of a member.
func (p *packer) memberType(e []uint32) translate.LocalID { return p.t.Resolved(e[1]) }

// memberBits is btf.MemberOffset with 64-bit results.
func memberBits(r btf.Record, e []uint32) (offset, bits uint64) {
	off, n := btf.MemberOffset(e[2], r.Kflag())
	return uint64(off), uint64(n)
}

// storageUnit returns the start of the storage unit of a bit field, in bits.
func storageUnit(offset, size uint64) uint64 {
	if size == 0 {
		return offset
	}
	return offset - offset%(8*size)
}

// holes reports whether the struct has a byte hole or padding.
func (p *packer) holes(r btf.Record) bool {
	var end, wend, wsize uint64
	wend = 8 * uint64(r.Size())
	count := uint8(0)
	wasBits := false
	for i := range r.Vlen() {
		e := r.Elem(i)
		start, bits := memberBits(r, e)
		size := p.t.SizeOf(p.memberType(e))
		stop := start + bits
		if bits == 0 {
			stop = start + 8*size
		}
		if wasBits {
			end = min(start, wend)
		}
		if bits != 0 {
			unit := storageUnit(start, size)
			if end < unit && unit <= start {
				count++
			}
			if stop > wend || 8*size > wsize {
				wsize = 8 * size
				if wend = unit + wsize; stop > wend {
					wend += wsize
				}
			}
		} else {
			if start/8 > end/8 {
				count++
			}
			wsize, wend = 0, stop
		}
		end, wasBits = stop, bits != 0
	}
	if wasBits {
		end = min(8*uint64(r.Size()), wend)
	}
	padding := uint16(uint64(r.Size()) - end/8)
	return count != 0 || padding != 0
}
