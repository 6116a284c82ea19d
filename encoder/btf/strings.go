package btf

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Strings is a BTF string section being built: NUL-terminated strings in the order in which they were first asked for,
// no suffix shared, none dropped (rule 03/3). A table with a base continues the base's offsets and holds only strings that the base
// does not hold.
type Strings struct {
	data  []byte
	base  *Strings
	start uint32   // offset of data[0]: 0 without a base
	slots []uint64 // open addressing, power of two; upper half of the hash << 32 | offset in data + 1, 0 is free
	used  int
	seed  maphash.Seed
	read  stringIndex // of a section that was read; the strings that were added to it are in slots

	late  bool           // Find makes the index
	once  sync.Once      // Index
	found atomic.Bool    // Index was called
	known []*expectation // about the strings of the base
}

// NewStrings is an empty table. Without a base it holds the empty string at offset 0; with one it starts empty.
func NewStrings(base *Strings) *Strings {
	s := &Strings{base: base, seed: maphash.MakeSeed()}
	if base != nil {
		s.start = base.End()
	} else {
		s.data = []byte{0}
	}
	return s
}

// Grow makes room for n more bytes in count more strings.
func (s *Strings) Grow(n, count int) {
	s.data = reserve(s.data, n)
	if s.full(count) {
		s.grow(count)
	}
}

// full reports whether the index is too small for n more strings.
func (s *Strings) full(n int) bool { return 4*(s.used+n) > 3*len(s.slots) }

// Bytes is the section itself; it ends with a NUL unless it is empty.
func (s *Strings) Bytes() []byte { return s.data }

// Start is the offset of the section's first byte: the length of all bases together.
func (s *Strings) Start() uint32 { return s.start }

// End is the offset after the section's last byte.
func (s *Strings) End() uint32 { return s.start + uint32(len(s.data)) }

// Get returns the string at an offset, which may lie inside a longer string. The slice shares memory with the table. ok is false if
// the offset is out of range.
func (s *Strings) Get(off uint32) (str []byte, ok bool) {
	for s.base != nil && off < s.start {
		s = s.base
	}
	if off < s.start || off >= s.End() {
		return nil, false
	}
	str = s.data[off-s.start:]
	n := bytes.IndexByte(str, 0)
	if n < 0 {
		return nil, false
	}
	return str[:n], true
}

// Add returns the offset of str, and appends str if neither the table nor its bases hold it. The offset of the empty string is 0.
// str must not contain a NUL.
func (s *Strings) Add(str []byte) uint32 {
	if len(str) == 0 {
		return 0
	}
	if off, ok := s.inBase(str); ok {
		return off
	}
	if s.full(1) {
		s.grow(1)
	}
	if at, ok := s.read.find(s.data, str); ok {
		return at + s.start
	}
	hash := maphash.Bytes(s.seed, str)
	i, found := s.probe(hash, str)
	if found {
		return uint32(s.slots[i]) - 1 + s.start
	}
	at := uint32(len(s.data))
	s.data = append(append(s.data, str...), 0)
	s.slots[i] = hash&hashBits | uint64(at+1)
	s.used++
	return at + s.start
}

// Hash returns the hash by which Prefetch finds str.
func (s *Strings) Hash(str []byte) uint64 {
	switch x := s.baseIndex(); {
	case x == nil:
		return maphash.Bytes(s.seed, str)
	case len(str) == 0:
		return 0
	default:
		return x.hash(str)
	}
}

// baseIndex returns the index of the base, nil if there is none that is ready. A table with a base has few strings of its own, so that the index of
// the base is where Add waits for memory.
func (s *Strings) baseIndex() *stringIndex {
	if s.base == nil || s.base.late || len(s.base.read.slots) == 0 {
		return nil
	}
	return &s.base.read
}

// Prefetch loads what Add will first read to look for strings of these hashes into the cache: slots, and with a base also strings. The result
// has no meaning; it keeps the compiler from removing the loads.
func (s *Strings) Prefetch(hashes []uint64) (sum uint64) {
	if x := s.baseIndex(); x != nil {
		return x.prefetch(s.base.data, hashes)
	}
	if len(s.slots) == 0 {
		return 0
	}
	mask := len(s.slots) - 1
	for _, h := range hashes {
		sum ^= s.slots[int(h>>32)&mask]
	}
	return sum
}

// Find looks up a whole string in the bases, the oldest first, and then in the table itself. If a section holds it twice, the first
// one is found.
func (s *Strings) Find(str []byte) (off uint32, ok bool) {
	if len(str) == 0 {
		return 0, true
	}
	if off, ok := s.inBase(str); ok {
		return off, true
	}
	if s.late {
		s.Index()
	}
	if at, ok := s.read.find(s.data, str); ok {
		return at + s.start, true
	}
	if len(s.slots) == 0 {
		return 0, false
	}
	i, found := s.probe(maphash.Bytes(s.seed, str), str)
	if !found {
		return 0, false
	}
	return uint32(s.slots[i]) - 1 + s.start, true
}

// inBase looks up a string that is not empty in the bases.
func (s *Strings) inBase(str []byte) (off uint32, ok bool) {
	if s.base == nil {
		return 0, false
	}
	if off, ok, known := s.expected(str); known {
		return off, ok
	}
	return s.base.Find(str)
}

// Expecting reports whether lookups in the base were prepared by Expect.
func (s *Strings) Expecting() bool { return len(s.known) > 0 }

// InBase looks up a string that may have been expected in the base. It is not ok if the base does not have it, or if it was not expected or is empty.
func (s *Strings) InBase(str []byte) (off uint32, ok bool) {
	if len(str) > 0 {
		off, ok, _ = s.expected(str)
	}
	return off, ok
}

// expected looks up a string that is not empty in the base, if it was expected.
func (s *Strings) expected(str []byte) (off uint32, ok, known bool) {
	for _, x := range s.known {
		if at, ok, known := x.find(s.base.data, str); known {
			return at, ok, true
		}
	}
	return 0, false, false
}

// Expects reports whether a call of Expect saves work.
func (s *Strings) Expects() bool {
	return s.base != nil && s.base.late && s.base.base == nil && len(s.known) < searches && !s.base.found.Load()
}

// Expected reports whether a lookup of str in the base has its answer.
func (s *Strings) Expected(str []byte) bool {
	_, _, known := s.expected(str)
	return known
}

// Expect prepares lookups of the strings in lists, each of which ends with NUL, if the base was read by View. It makes them faster, and changes no
// answer. Strings that were not expected take longer.
func (s *Strings) Expect(lists ...[]byte) {
	if !s.Expects() {
		return
	}
	size := 0
	for _, list := range lists {
		size += len(list)
	}
	if size > len(s.base.data)/expectedPerByte {
		s.base.Index()
		return
	}
	s.known = append(s.known, expect(s.base.data, lists...))
}

// hashBits are the bits of a hash that a slot holds. Strings are compared only if these bits agree. The slot of a string depends on
// nothing else: to grow the index, no string is read.
const hashBits uint64 = 0xffffffff << 32

// probe finds the slot of str, or the free one where it belongs.
func (s *Strings) probe(hash uint64, str []byte) (slot int, found bool) {
	mask := len(s.slots) - 1
	for i := int(hash>>32) & mask; ; i = (i + 1) & mask {
		p := s.slots[i]
		if p == 0 {
			return i, false
		}
		if (p^hash)&hashBits != 0 {
			continue
		}
		have := s.data[uint32(p)-1:]
		if len(have) > len(str) && have[len(str)] == 0 && string(have[:len(str)]) == string(str) {
			return i, true
		}
	}
}

// grow makes room for n more strings.
func (s *Strings) grow(n int) {
	old := s.slots
	size := max(64, len(old))
	for 4*(s.used+n) > 3*size {
		size *= 2
	}
	s.slots = Prefault(make([]uint64, size))
	for _, p := range old {
		if p == 0 {
			continue
		}
		i := int(p>>32) & (size - 1)
		for s.slots[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		s.slots[i] = p
	}
}

// parseStrings makes a table of a section that was read. Find and Add need Index first.
func parseStrings(data []byte, base *Strings) *Strings {
	s := &Strings{data: data, base: base, seed: maphash.MakeSeed()}
	if base != nil {
		s.start = base.End()
	}
	return s
}

// Index builds the index that Find and Add need, for a table that was read. It takes one pass over the section.
func (s *Strings) Index() { s.once.Do(s.index) }

func (s *Strings) index() {
	s.found.Store(true)
	if s.base != nil {
		s.base.Index()
	}
	if s.slots != nil || s.read.slots != nil || s.read.build(s.data) {
		return
	}
	for at := 0; at < len(s.data); {
		n := bytes.IndexByte(s.data[at:], 0)
		if n < 0 {
			return
		}
		if s.full(1) {
			s.grow(1)
		}
		hash := maphash.Bytes(s.seed, s.data[at:at+n])
		if i, found := s.probe(hash, s.data[at:at+n]); !found && n > 0 {
			s.slots[i] = hash&hashBits | uint64(at+1)
			s.used++
		}
		at += n + 1
	}
}
