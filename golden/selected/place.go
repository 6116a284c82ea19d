package selected

import (
	"errors"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Where does a member start?
//
// A golden gives the place of a member or variable only if it does not follow from the one before. So a member that is inserted, or a type
// that grows, changes few lines, and changes of two branches at different places of one struct can be merged. A member starts at the end of
// the one before, rounded up to the alignment of its type, as C does it. If that is not its place, an alignment that gives it is written, and
// if there is none, the offset. Writer and reader compute alignments from the same facts: the members of selected types, and the size and
// alignment that `size` lines give for the others.

// A name that stands for several types would be measured differently by writer and reader. Where it counts, the writer gives offsets.

// A measure is the size and the alignment of a type, in bytes.
type measure struct {
	size, align uint64
	doubt       bool // it depends on a name that stands for several types
}

// maxHeld is the largest number of types that hold each other by value.
const maxHeld = 1000

// maxAlign is the largest alignment, in bytes.
const maxAlign = 1 << 16

var (
	errHeld   = errors.New("more than 1000 types hold each other by value")
	errItself = errors.New("a type holds itself by value")
)

// A measurer computes measures. Those that are set in advance are final.
type measurer struct {
	record func(id uint32) (btf.Record, bool)
	long   uint64    // the size of a pointer
	known  []measure // by id; the alignment is 0 if it is not known, and open while it is being computed
	depth  int
	err    error
	// several reports whether the name of a type stands for several. The reader has none.
	several func(r btf.Record) bool
}

const open = 3 // not an alignment

// of returns the measure of a type. A type without a size has size 0 and alignment 1.
func (m *measurer) of(id uint32) measure {
	none := measure{align: 1}
	if id == 0 || int(id) >= len(m.known) || m.err != nil {
		return none
	}
	switch m.known[id].align {
	case 0:
	case open:
		m.err = errItself
		return none
	default:
		return m.known[id]
	}
	r, ok := m.record(id)
	if !ok {
		return none
	}
	if m.depth++; m.depth > maxHeld {
		m.err = errHeld
		return none
	}
	m.known[id].align = open
	x := none
	switch k := r.Kind(); {
	case btf.Modifiers.Has(k), k == btf.KindVar:
		x = m.of(r[2])
	case k == btf.KindPtr:
		x = measure{size: m.long, align: natural(m.long)}
	case k == btf.KindArray:
		x = m.of(r[3])
		x.size *= uint64(r[5])
		if x.size > 1<<32 {
			x.size = 0
		}
	case btf.Composites.Has(k):
		x.size = uint64(r[2])
		for i := range r.Vlen() {
			e := r.Elem(i)
			if _, width := btf.MemberOffset(e[2], r.Kflag()); width == 0 {
				y := m.of(e[1])
				x.align, x.doubt = max(x.align, y.align), x.doubt || y.doubt
			}
		}
	case btf.Sized.Has(k) && k != btf.KindDatasec:
		x = measure{size: uint64(r[2]), align: natural(uint64(r[2]))}
	}
	x.doubt = x.doubt || m.several != nil && m.several(r)
	m.depth--
	m.known[id] = x
	return x
}

// natural returns the alignment that C gives to a number of a size: the largest power of two that divides it, at most 8.
func natural(size uint64) uint64 {
	for a := uint64(8); a > 1; a /= 2 {
		if size > 0 && size%a == 0 {
			return a
		}
	}
	return 1
}

// up rounds bits up to an alignment in bytes.
func up(bit, align uint64) uint64 {
	if align == 0 {
		align = 1
	}
	return (bit + align*8 - 1) / (align * 8) * (align * 8)
}

// next returns the bit at which a member starts that follows one that ends at a bit. width is that of a bit field, or 0.
func next(end uint64, x measure, width uint32) uint64 {
	if width == 0 {
		return up(end, x.align)
	}
	if unit := x.size * 8; unit != 0 && end/unit != (end+uint64(width)-1)/unit {
		return (end + unit - 1) / unit * unit // it does not fit into what is left of the number
	}
	return end
}

// after returns the bit at which a member ends.
func after(bit uint64, x measure, width uint32) uint64 {
	if width != 0 {
		return bit + uint64(width)
	}
	return bit + x.size*8
}

// aligned returns the smallest alignment that gives the place of a member, or 0.
func aligned(end, bit uint64) uint64 {
	for a := uint64(1); a <= maxAlign; a *= 2 {
		if up(end, a) == bit {
			return a
		}
	}
	return 0
}
