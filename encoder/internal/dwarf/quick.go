package dwarf

import (
	"encoding/binary"
	"math/bits"
)

// The problem: half of all DIEs are members, parameters and enumerators. Three values of each become words, and most of the time goes into bounds,
// masks and the change from one abbreviation to the next.
//
// The idea: these values are nearly always within the first 16 bytes of the DIE. A processor that can put 16 bytes into any order gets all three
// with one instruction, of either byte order and any size, and what it must know of an abbreviation fits two registers. So the loop that reads the
// DIEs of a run also goes from one abbreviation to the next.

// quickSpan is the number of bytes from the abbreviation code on that quick reads at once.
const quickSpan = 16

// quickWords is the number of words for which quick needs room. It stops when more than quickLast of them are used, since it stores four at once.
const (
	quickWords = 192
	quickLast  = quickWords - quickSpan/4
)

// Marks of a kind in layout.quick.
const (
	quickLead RunKind = 8  // DIEs with a leading name
	quickBits RunKind = 16 // bit fields
)

// absent in an order stands for a byte that is zero.
const absent = 0x80

// orderOf returns the order in which the bytes of a DIE become three words and zeros: the name, without the one that is added, the reference, and the
// number, without what is added. The size of a bit field becomes the highest byte of the number. The kind is RunNone if quick cannot read such DIEs.
func (l *layout) orderOf(lead, swap bool) (kind RunKind, order [quickSpan]uint8) {
	if kind = l.kind; kind != RunMembers && kind != RunParams && kind != RunEnumerators {
		return RunNone, order
	}
	for i := range order {
		order[i] = absent
	}
	put := func(word int, from, width uint8) {
		for i := range width {
			if order[4*word+int(i)] = from + i; swap {
				order[4*word+int(i)] = from + width - 1 - i
			}
		}
	}
	if l.nameMask != 0 {
		put(0, l.name, 4)
	}
	put(1, l.typ, 4)
	put(2, l.num, l.width)
	if lead {
		kind |= quickLead
	}
	if l.bitMask != 0 {
		if lead || l.width == 4 || l.add != 0 || l.scale != 1 {
			return RunNone, order
		}
		kind |= quickBits
		order[11] = l.bits
	}
	for _, from := range order {
		if from != absent && from >= quickSpan {
			return RunNone, order
		}
	}
	return kind, order
}

// quickly is quick for all processors.
func quickly(low *[lowCodes]Abbrev, data []byte, pos, end int, kind RunKind, words *[quickWords]uint32, limits *bounds) (n, next int) {
	to := uint(0)
	for to <= quickLast {
		code := data[pos]
		if code >= lowCodes || low[code].layout.quick != kind {
			break
		}
		a := &low[code]
		if n, left := a.run(words, to, data[pos:end+spanSize-int(a.fixed)-1], limits); n != to {
			to, pos = n, end+spanSize-int(a.fixed)-1-left
			continue
		}
		break
	}
	return int(to), pos
}

// run reads the DIEs at the start of data into words, from to on, as long as they have this abbreviation and no error, and a span of bytes is left. n
// is the number of words then, and left the number of bytes after those DIEs. It is a separate function so that it can use all registers.
//
//go:noinline
func (a *Abbrev) run(words *[quickWords]uint32, to uint, data []byte, limits *bounds) (n uint, left int) {
	if len(data) == 0 {
		return to, 0
	}
	l, code, size := &a.layout, data[0], uint8(a.fixed+1)
	nameAt, typAt, numAt := l.name, l.typ, l.word
	_ = words[0] // the only nil check
	for to <= quickLast && len(data) >= spanSize {
		d := span(data)
		if d[0] != code {
			break
		}
		name, typ, num := binary.LittleEndian.Uint32(d[nameAt:]), binary.LittleEndian.Uint32(d[typAt:]), binary.LittleEndian.Uint32(d[numAt:])
		if limits.swap {
			name, typ, num = bits.ReverseBytes32(name), bits.ReverseBytes32(typ), bits.ReverseBytes32(num)
		}
		if name = (name + 1) & l.nameMask; name > limits.names {
			break
		}
		if typ-1 >= limits.refs {
			break
		}
		words[to], words[to+1], words[to+2] = name, typ, (num&l.mask+l.add)*l.scale
		to += limits.each
		data = data[size:]
	}
	return to, len(data)
}
