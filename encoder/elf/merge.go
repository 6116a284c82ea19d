package elf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// The problem: a linked image has every string of .debug_str once, because the linker merges equal strings. In a relocatable file that several
// others were joined to, such as a module, nothing is merged, and a name has as many offsets as it has files. Readers that take equal offsets for
// equal names then see a hundred names for one.
//
// The idea: find the first of each group of equal strings in one pass over the section, and let relocations refer to it.

// MergedStrings says which strings of a section of a relocatable file are equal.
type MergedStrings struct {
	data     []byte
	section  uint32   // its index
	starts   []uint64 // a bit for every byte: whether a string starts there
	distinct []uint64 // the same for strings without an equal before them
	before   []uint32 // by offset / 64: the number of strings that start before
	firsts   []uint32 // by string: the offset of the first string that equals it
	size     int      // length of the distinct strings in bytes, with their NULs
}

// MergeStrings looks for equal strings in a section of a relocatable file whose bytes are data. It returns nil if there cannot be any, if the section is
// damaged, or if it would take too long to find them.
func (f *File) MergeStrings(s *Section, data []byte) *MergedStrings {
	if len(data) == 0 || data[len(data)-1] != 0 || uint64(len(data)) > 1<<32-1 || f.base == nil || f.base[s.Index] != 0 {
		return nil
	}
	places, n := len(data)/64+1, bytes.Count(data, []byte{0})
	sets := make([]uint64, 2*places)
	m := &MergedStrings{data: data, section: uint32(s.Index), starts: sets[:places], distinct: sets[places:], before: make([]uint32, places)}
	m.firsts = make([]uint32, 0, n)
	t := firstStrings{data: data[:len(data):len(data)], seed: rand.Uint64() | 1}
	t.grow(min(n, 1<<14) + 1)
	empty := 0 // the number of empty strings in a row
	for at := 0; at < len(data); {
		first, length, ok := t.find(at)
		if empty++; length != 0 {
			empty = 0
		}
		if !ok || empty == mostEmpty {
			return nil
		}
		if first == uint32(at) {
			m.distinct[at/64] |= 1 << (at % 64)
			m.size += length + 1
		}
		m.starts[at/64] |= 1 << (at % 64)
		m.firsts = append(m.firsts, first)
		at += length + 1
	}
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
	to = min(to, uint64(len(m.data)))
	for at := from; at < to; at = (at/64 + 1) * 64 {
		for w := m.distinct[at/64] >> (at % 64) << (at % 64); w != 0; w &= w - 1 {
			off := at/64*64 + uint64(bits.TrailingZeros64(w))
			if off >= to {
				return
			}
			text := m.data[off:]
			do(off, text[:bytes.IndexByte(text, 0)])
		}
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
	slots []firstString // open addressing, power of two
	used  int
	finds int // number of searches
	steps int // their slots that had another string
}

// A firstString is a string without an equal before it.
type firstString struct {
	hash uint32
	next uint32 // its offset plus 1; 0 marks a free slot
}

// mostSteps is the average number of steps of a search from which on there would be no gain. It protects against strings that were made to have
// equal hashes.
const mostSteps = 16

// find returns the offset of the first string that equals the one at an offset, and its length. ok is false if searches take too long.
func (t *firstStrings) find(at int) (first uint32, length int, ok bool) {
	hash, length := t.hash(at)
	mask := uint64(len(t.slots) - 1)
	t.finds++
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.next == 0 {
			*s = firstString{uint32(hash >> 32), uint32(at) + 1}
			if t.used++; 2*t.used > len(t.slots) {
				t.grow(2 * t.used)
			}
			return uint32(at), length, true
		}
		if s.hash == uint32(hash>>32) && t.equal(int(s.next-1), at, length+1) {
			return s.next - 1, length, true
		}
		if t.steps++; t.steps > mostSteps*t.finds+len(t.slots) {
			return 0, 0, false
		}
	}
}

// equal compares n bytes at an offset with those at a later offset.
func (t *firstStrings) equal(first, at, n int) bool {
	a, b := t.data[first:][:n], t.data[at:][:n]
	if n < 8 {
		for i, c := range b {
			if a[i] != c {
				return false
			}
		}
		return true
	}
	le := binary.LittleEndian
	same := le.Uint64(a[n-8:]) == le.Uint64(b[n-8:])
	for ; same && len(b) > 8; a, b = a[8:], b[8:] {
		same = le.Uint64(a) == le.Uint64(b)
	}
	return same
}

// grow makes room for n strings.
func (t *firstStrings) grow(n int) {
	old := t.slots
	t.slots = make([]firstString, 1<<bits.Len(uint(2*n)))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.next == 0 {
			continue
		}
		hash, _ := t.hash(int(s.next - 1))
		i := hash & mask
		for t.slots[i].next != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// hash hashes the string at an offset, eight bytes at a time, and returns its length.
func (t *firstStrings) hash(at int) (hash uint64, length int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
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
