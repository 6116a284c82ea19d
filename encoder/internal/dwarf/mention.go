package dwarf

import "bytes"

// A Mention finds the units that mention a name, from their bytes alone. A unit that mentions it has the name itself or its offset in a
// section of strings. Other units may have the same bytes by chance, so the answer may be yes for units that do not mention it.
type Mention struct {
	needles []needle
}

// A needle is a sequence of bytes to search for, and the one of them by which the search is fast.
type needle struct {
	bytes []byte
	rare  int // index of the byte
}

// Mentions returns a Mention of a name. ok is false if units can mention a name in other ways: by an index, in a supplementary file, or
// because another unit has the DIE.
func (d *Data) Mentions(name string) (m *Mention, ok bool) {
	if name == "" || len(d.strOff) != 0 || d.sup != nil || d.split || d.types.size != 0 {
		return nil, false
	}
	text := append([]byte(name), 0)
	m = &Mention{needles: []needle{{text, len(text) / 2}}}
	for _, section := range [][]byte{d.Strings.str, d.Strings.line} {
		// The name may also be the end of a longer string.
		for at := 0; ; at++ {
			i := bytes.Index(section[at:], text)
			if i < 0 {
				break
			}
			at += i
			offset := make([]byte, 4) // in 64-bit DWARF, half of the offset
			d.order.PutUint32(offset, uint32(at))
			m.needles = append(m.needles, needle{offset, rarest(offset)})
		}
	}
	return m, true
}

// rarest returns the index of the byte that is probably the rarest one in DWARF, where small numbers are frequent.
func rarest(b []byte) (at int) {
	for i, c := range b {
		if c > b[at] {
			at = i
		}
	}
	return at
}

// In reports whether a unit may mention the name. The unit must have been loaded.
func (m *Mention) In(u *Unit) bool {
	for _, n := range m.needles {
		if n.in(u.data[u.at:u.end]) {
			return true
		}
	}
	return false
}

func (n *needle) in(data []byte) bool {
	first, rest := n.rare, len(n.bytes)-n.rare
	for at := first; at+rest <= len(data); at++ {
		i := bytes.IndexByte(data[at:len(data)-rest+1], n.bytes[n.rare])
		if i < 0 {
			return false
		}
		if at += i; bytes.Equal(data[at-first:at+rest], n.bytes) {
			return true
		}
	}
	return false
}
