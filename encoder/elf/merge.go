package elf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sort"
)

// The problem: a linked image has every string of .debug_str once, because the linker merges equal strings. In a relocatable file that several
// others were joined to, such as a module, nothing is merged, and a name has as many offsets as it has files. Readers that take equal offsets for
// equal names then see a hundred names for one.
//
// The idea: find the first of each group of equal strings in one pass over the section, and let relocations refer to it. Files that include the
// same headers have most of their strings in the same order. So a string is first compared with the two that followed its predecessor before.
// That finds nine of ten, and takes a fifth of the time of a search in a hash table.

// MergedStrings says which strings of a section of a relocatable file are equal.
type MergedStrings struct {
	data     []byte
	section  uint32   // its index
	starts   []uint64 // a bit for every byte: whether a string starts there
	before   []uint32 // by offset / 64: the number of strings that start before
	firsts   []uint32 // by string: the offset of the first string that equals it
	distinct []firstString
	size     int // length of the distinct strings in bytes, with their NULs
}

// A firstString is a string without an equal before it.
type firstString struct {
	at    uint32    // its offset
	after [2]uint32 // numbers of the strings that followed an equal of it, the last one first; 0 if there are none
}

// MergeStrings looks for equal strings in a section of a relocatable file whose bytes are data. It returns nil if there cannot be any, if the section is
// damaged, or if it would take too long to find them.
func (f *File) MergeStrings(s *Section, data []byte) *MergedStrings {
	if len(data) == 0 || data[len(data)-1] != 0 || uint64(len(data)) > 1<<32-1 || f.base == nil || f.base[s.Index] != 0 {
		return nil
	}
	places, n := len(data)/64+1, bytes.Count(data, []byte{0})
	m := &MergedStrings{data: data, section: uint32(s.Index), starts: make([]uint64, places), before: make([]uint32, places)}
	m.firsts = make([]uint32, 0, n)
	t := firstStrings{data: data[:len(data):len(data)], seed: rand.Uint64() | 1, list: make([]firstString, 1, min(n, 1<<14)+1)}
	t.grow(min(n, 1<<14) + 1)
	empty := 0 // the number of empty strings in a row
	for at, last := 0, uint32(0); at < len(data); {
		number, length := t.follow(last, at)
		if number == 0 {
			var ok bool
			if number, length, ok = t.find(at); !ok {
				return nil
			}
			t.learn(last, number)
		}
		if empty++; length != 0 {
			empty = 0
		}
		if empty == mostEmpty {
			return nil
		}
		m.starts[at/64] |= 1 << (at % 64)
		m.firsts = append(m.firsts, t.list[number].at)
		at, last = at+length+1, number
	}
	m.distinct, m.size = t.list[1:], t.size
	n = 0
	for i, w := range m.starts {
		m.before[i] = uint32(n)
		n += bits.OnesCount64(w)
	}
	return m
}

// mostEmpty is a number of consecutive empty strings that no intact file has. The bytes were zeroed, which the reader of the section reports.
const mostEmpty = 32

// Data returns the bytes of the section, which must not be changed.
func (m *MergedStrings) Data() []byte { return m.data }

// first returns the offset of the first string that equals the one at an offset. An offset at which no string starts is returned as it is.
func (m *MergedStrings) first(off uint64) uint64 {
	if off >= uint64(len(m.data)) {
		return off
	}
	w, bit := m.starts[off/64], uint64(1)<<(off%64)
	if w&bit == 0 {
		return off
	}
	return uint64(m.firsts[int(m.before[off/64])+bits.OnesCount64(w&(bit-1))])
}

// Each calls do with every string that starts in the range of offsets [from, to) and has no equal before it, in order.
func (m *MergedStrings) Each(from, to uint64, do func(off uint64, text []byte)) {
	i := sort.Search(len(m.distinct), func(i int) bool { return uint64(m.distinct[i].at) >= from })
	for ; i < len(m.distinct) && uint64(m.distinct[i].at) < to; i++ {
		text := m.data[m.distinct[i].at:]
		do(uint64(m.distinct[i].at), text[:bytes.IndexByte(text, 0)])
	}
}

// Distinct returns all different strings, each with its NUL.
func (m *MergedStrings) Distinct() []byte {
	all := make([]byte, 0, m.size)
	m.Each(0, uint64(len(m.data)), func(_ uint64, text []byte) { all = append(append(all, text...), 0) })
	return all
}

// firstStrings finds the first of equal strings. Its hash is fast, and its seed is random.
type firstStrings struct {
	data  []byte
	seed  uint64
	list  []firstString // by number; number 0 is none
	size  int           // of the strings in list, in bytes, with their NULs
	slots []uint32      // numbers; open addressing, power of two; 0 marks a free slot
	finds int           // number of searches
	steps int           // their slots that had another string
}

// mostSteps is the average number of steps of a search from which on there would be no gain. It protects against strings that were made to have
// equal hashes.
const mostSteps = 16

// follow compares the string at an offset with those that followed the string with the number last. It returns the number of the equal one, and its
// length; 0 if there is none.
func (t *firstStrings) follow(last uint32, at int) (number uint32, length int) {
	s := &t.list[last]
	a, b := s.after[0], s.after[1]
	if a == 0 {
		return 0, 0
	}
	if n, same := t.equal(int(t.list[a].at), at); same {
		return a, n
	}
	if b == 0 {
		return 0, 0
	}
	n, same := t.equal(int(t.list[b].at), at)
	if !same {
		return 0, 0
	}
	s.after = [2]uint32{b, a}
	return b, n
}

// learn records that a string followed the string with the number last.
func (t *firstStrings) learn(last, number uint32) {
	s := &t.list[last]
	s.after = [2]uint32{number, s.after[0]}
}

// The bits of the bytes of a word: the lowest of each, and the highest of each.
const ones, tops = 0x0101010101010101, 0x8080808080808080

// equal compares a string with one at a later offset. If they are equal, it returns their length.
func (t *firstStrings) equal(first, at int) (length int, same bool) {
	a, b := t.data[first:], t.data[at:]
	for len(a) >= 8 && len(b) >= 8 {
		v, w := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
		if zero := (w - ones) &^ w & tops; zero != 0 { // the lowest of these bits is that of the first NUL
			end := zero & -zero
			return len(t.data) - at - len(b) + bits.TrailingZeros64(end)/8, (v^w)&(end|(end-1)) == 0
		}
		if v != w {
			return 0, false
		}
		a, b = a[8:], b[8:]
	}
	for i, c := range b { // the last bytes of the section
		if a[i] != c {
			return 0, false
		}
		if c == 0 {
			return len(t.data) - at - len(b) + i, true
		}
	}
	return 0, false
}

// find returns the number and length of the string at an offset, which gets the next number if it is the first of its kind. ok is false if searches
// take too long.
func (t *firstStrings) find(at int) (number uint32, length int, ok bool) {
	hash, length := t.hash(at)
	mask := uint64(len(t.slots) - 1)
	t.finds++
	for i := hash & mask; ; i = (i + 1) & mask {
		known := t.slots[i]
		if known == 0 {
			number = uint32(len(t.list))
			t.list, t.size = append(t.list, firstString{at: uint32(at)}), t.size+length+1
			if t.slots[i] = number; 2*len(t.list) > len(t.slots) {
				t.grow(2 * len(t.list))
			}
			return number, length, true
		}
		if _, same := t.equal(int(t.list[known].at), at); same {
			return known, length, true
		}
		if t.steps++; t.steps > mostSteps*t.finds+len(t.slots) {
			return 0, 0, false
		}
	}
}

// grow makes room for n strings.
func (t *firstStrings) grow(n int) {
	old := t.slots
	t.slots = make([]uint32, 1<<bits.Len(uint(2*n)))
	mask := uint64(len(t.slots) - 1)
	for _, number := range old {
		if number == 0 {
			continue
		}
		hash, _ := t.hash(int(t.list[number].at))
		i := hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = number
	}
}

// hash hashes the string at an offset, eight bytes at a time, and returns its length.
func (t *firstStrings) hash(at int) (hash uint64, length int) {
	h, b := t.seed, t.data[at:]
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		if zero := (w - ones) &^ w & tops; zero != 0 {
			last := bits.TrailingZeros64(zero) / 8
			return fold(h^w&(1<<(8*last)-1), t.seed+uint64(last)), len(t.data) - at - len(b) + last
		}
		h = fold(h^w, 0xe7037ed1a0b428db)
	}
	w := uint64(0)
	for i, c := range b {
		if c == 0 {
			return fold(h^w, t.seed+uint64(i)), len(t.data) - at - len(b) + i
		}
		w |= uint64(c) << (8 * i)
	}
	panic("elf: a string that is not terminated")
}

// fold mixes two words.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
