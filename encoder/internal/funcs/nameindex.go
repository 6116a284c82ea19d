package funcs

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// The problem: every unit names hundreds of functions, mostly the same as other units, and each lookup of a name in the hash
// table waits for memory two or three times. The idea: look up all strings of .debug_str once, one after another. The waits for
// memory then overlap, and all workers share the result: the offset of a string leads to its entry. Strings that are the tail of
// another one, and strings in other sections, are not indexed.

// A nameIndex maps the strings of .debug_str to entries of the table.
type nameIndex struct {
	strings *dwarf.Strings
	places  []place // by offset / 64
	entries []int32 // of the strings that are names of functions, in the order of the strings
}

// A place describes 64 bytes of .debug_str.
type place struct {
	starts uint64 // a bit for every byte: whether a string starts there
	funcs  uint32 // a bit for every start, the first one lowest: whether the string is the name of a function
	before uint32 // number of names of functions that start before these bytes
}

// maxStarts is the number of strings that can start in a place, unless some are empty. Further ones are not indexed.
const maxStarts = 32

// IndexStrings looks up all strings of the image. Call it after Finish. The work is split into parts, which parallel may run
// concurrently. The error says that a large part of the strings consists of zeros.
func (t *Table) IndexStrings(s *dwarf.Strings, parts int, parallel func(n int, do func(i int))) error {
	t.nameIndex = nameIndex{strings: s, places: make([]place, s.Size()/64+1)}
	found := make([][]int32, parts) // by part: the entries
	zeroed := make([]dwarf.StrKey, parts)
	perPart := (len(t.nameIndex.places) + parts - 1) / parts
	parallel(parts, func(i int) {
		from, to := min(perPart*i, len(t.nameIndex.places)), min(perPart*(i+1), len(t.nameIndex.places))
		btf.Prefault(t.nameIndex.places[from:to])
		x := indexer{t: t, entries: make([]int32, 0, t.Len()/(2*parts))}
		s.Each(64*uint64(from), 64*uint64(to), x.add)
		x.flush()
		found[i], zeroed[i] = x.entries, x.zeroed
	})
	for _, key := range zeroed {
		if key != 0 {
			return &elf.FormatError{Section: ".debug_str", Offset: uint64(key - 1), Problem: fmt.Sprintf("%d bytes are zeroed where strings should be", maxEmpty)}
		}
	}
	k := &t.nameIndex
	k.entries = slices.Concat(found...)
	for i := 1; i < len(k.places); i++ {
		p := &k.places[i-1]
		k.places[i].before = p.before + uint32(bits.OnesCount32(p.funcs))
	}
	return nil
}

// An indexer looks up the strings of some places, in order.
type indexer struct {
	t       *Table
	q       queue
	keys    [atOnce]dwarf.StrKey
	entries []int32

	empty, zeroed dwarf.StrKey // the last empty string, and the first of too many
	row           int          // number of consecutive empty strings up to that one
}

// maxEmpty is the number of consecutive empty strings that are accepted. A linker keeps one; an image that was not linked has one
// per object.
const maxEmpty = 32

func (x *indexer) add(key dwarf.StrKey, text []byte) {
	if len(text) == 0 {
		x.addEmpty(key)
	}
	x.keys[x.q.n] = key
	if x.q.add(x.t.hash(text), text) {
		x.flush()
	}
}

func (x *indexer) addEmpty(key dwarf.StrKey) {
	if x.row++; key != x.empty+1 {
		x.row = 1
	}
	if x.empty = key; x.row == maxEmpty && x.zeroed == 0 {
		x.zeroed = key - maxEmpty + 1
	}
}

// flush empties the queue.
func (x *indexer) flush() {
	t, q := x.t, &x.q
	q.prefetched = t.prefetch(q.hash[:q.n]) ^ t.prefetchNames(q.hash[:q.n])
	for i, name := range q.names[:q.n] {
		off := uint32(x.keys[i]) - 1
		p := &t.nameIndex.places[off/64]
		n := bits.OnesCount64(p.starts)
		if n == maxStarts {
			continue
		}
		p.starts |= 1 << (off % 64)
		if e := t.find(q.hash[i], name); e >= 0 {
			p.funcs |= 1 << n
			x.entries = append(x.entries, e)
		}
	}
	q.n = 0
}

// Lookup sets the entries of the keys of some strings: -1 for a string that is not the base name of an entry, and translate.NotIndexed for a
// key that is not indexed. The result has no meaning (see btf/memory.go). It may be called by several goroutines at once.
func (t *Table) Lookup(s *dwarf.Strings, keys []dwarf.StrKey, entries []int32) (prefetched uint64) {
	k := &t.nameIndex
	places := k.places
	if s != k.strings {
		places = nil
	}
	for _, key := range keys {
		if i := (uint32(key) - 1) / 64; uint64(i) < uint64(len(places)) {
			prefetched ^= places[i].starts
		}
	}
	entries = entries[:len(keys)]
	for i, key := range keys {
		entries[i] = translate.NotIndexed
		off := uint32(key) - 1
		if uint64(off/64) >= uint64(len(places)) {
			continue
		}
		p, bit := &places[off/64], uint64(1)<<(off%64)
		if p.starts&bit == 0 {
			continue
		}
		start := uint32(1) << bits.OnesCount64(p.starts&(bit-1))
		entries[i] = -1
		if p.funcs&start != 0 {
			entries[i] = k.entries[int(p.before)+bits.OnesCount32(p.funcs&(start-1))]
		}
	}
	return prefetched
}
