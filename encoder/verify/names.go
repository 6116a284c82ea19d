package verify

import "math/bits"

// A class is the set of bytes allowed in a name.
type class uint8

const (
	identifierBytes class = iota // letters, digits, underscore and dot; the first byte is not a digit
	printableBytes               // printable characters
)

// The kernel's character table is Latin-1: the upper half has letters, except for the multiplication and division signs, and printable
// characters from the no-break space on.
func letter(b byte) bool {
	return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0xc0 && b != 0xd7 && b != 0xf7
}

func (cl class) first(b byte) bool {
	return cl.inside(b) && (cl == printableBytes || b < '0' || b > '9')
}

func (cl class) inside(b byte) bool {
	if cl == printableBytes {
		return b >= 0x20 && b <= 0x7e || b >= 0xa0
	}
	return letter(b) || b >= '0' && b <= '9' || b == '_' || b == '.'
}

// names checks in constant time whether the string at an offset is a valid name, even if a million types share the end of one long
// string. ends marks the bytes of the string section that cannot continue a name, NUL included. A name ends at the next mark, and is
// valid if that byte is a NUL. The first few names are checked byte by byte, because most BTF has only one name of a section.
type names struct {
	strs  []byte
	asked [2]uint8    // by class: number of names checked byte by byte
	ends  [2][]uint64 // by class; nil until enough names were checked
}

const aFew = 16

// valid reports whether a non-empty name of the class, at most limit bytes long, starts at off.
func (n *names) valid(cl class, off, limit uint32) bool {
	if !cl.first(n.strs[off]) {
		return false
	}
	if n.ends[cl] == nil {
		if n.asked[cl]++; n.asked[cl] <= aFew {
			return n.look(cl, off, limit)
		}
		n.ends[cl] = mark(n.strs, cl)
	}
	end := next(n.ends[cl], off, off+limit)
	return end <= off+limit && n.strs[end] == 0
}

// look does what valid does, byte by byte.
func (n *names) look(cl class, off, limit uint32) bool {
	for i, b := range n.strs[off:] {
		if !cl.inside(b) {
			return b == 0 && uint32(i) <= limit
		}
		if uint32(i) == limit {
			return false
		}
	}
	return false
}

// mark returns a bit set of the bytes that cannot be inside a name.
func mark(strs []byte, cl class) []uint64 {
	var out [256]uint64
	for b := range out {
		if !cl.inside(byte(b)) {
			out[b] = 1
		}
	}
	marks := make([]uint64, len(strs)/64+1)
	for w := range marks {
		var word uint64
		for i, b := range strs[w*64 : min(w*64+64, len(strs))] {
			word |= out[b] << i
		}
		marks[w] = word
	}
	return marks
}

// next returns the first marked position from off on, or a number above last. The last byte of a string section is a NUL and therefore
// marked.
func next(marks []uint64, off, last uint32) uint32 {
	w := off / 64
	word := marks[w] &^ (1<<(off%64) - 1)
	for word == 0 {
		w++
		if w*64 > last {
			return last + 1
		}
		word = marks[w]
	}
	return w*64 + uint32(bits.TrailingZeros64(word))
}
