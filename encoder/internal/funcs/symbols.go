// Package funcs decides which functions become FUNC, with which prototype and which tags.
//
// Input: the image's symbols and, CU by CU, the translated subprograms. Output: FUNC_PROTO, FUNC and DECL_TAG records at the end of
// the type table, sorted by name. Never: the package does not merge types, and does not read another image.
package funcs

import (
	"bytes"
	"cmp"
	stdelf "debug/elf"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Table holds the functions of the ELF symbol table by base name: the symbol's name up to its first dot (rule 02/5.1). Entries
// are numbered in the order of the symbol table; names.go sorts those that become functions.
//
// The problem: a kernel has a hundred thousand functions, and each worker looks up as many names. A lookup costs as much as the
// memory locations that it touches. So slots hold a part of the hash, names are in an array of their own, and the length of a
// base name is not stored.
type Table struct {
	opt       Options
	conv      convention
	f         *elf.File
	syms      *elf.Symbols // holds the bytes of names
	slots     []uint32     // open addressing, power of two: entry + 1 in the lower bits, bits of the hash in the upper
	names     []uint32     // by entry: offset of the first symbol's name, which starts with the base name
	entries   []entry
	more      []symbol // all symbols except the first of each entry: sorted by entry, then by value, then in symbol table order
	nameIndex nameIndex
	kflags    map[int32]uint32 // of the entries that are kfuncs
	implicit  ImplicitArgs
	seed      maphash.Seed

	last       int32 // the entry whose base name sorts last
	lastName   []byte
	queue      queue // of base names to be added
	pending    [atOnce]symbol
	prefetched uint32 // what prefetch read, kept so that the compiler keeps the reads
}

// An entry describes one base name.
type entry struct {
	value uint64 // of the first symbol
	more  uint32 // position of its other symbols in Table.more, plus 1; 0 if there are none
	flags entryFlags
}

type entryFlags uint8

const (
	ambiguous entryFlags = 1 << iota
	kfunc                // Table.kflags has its flags
)

// A symbol is a further symbol of an entry.
type symbol struct {
	value uint64
	name  uint32 // offset in the string table
	entry int32
}

// Options select the rules and the results.
type Options struct {
	Peer     rules.Set // the rules of pahole that are in force
	Features feature.Set

	ImplicitArgs bool // collect Table.ImplicitArgs
}

// NewTable returns an empty table for an image. Call Add for each symbol, then Finish.
func NewTable(f *elf.File, syms *elf.Symbols, opt Options) *Table {
	t := &Table{opt: opt, conv: conventionOf(f, opt.Peer), f: f, syms: syms, seed: maphash.MakeSeed()}
	t.makeRoom(syms.Len())
	return t
}

// Add adds a symbol. Symbols must be added in the order of the symbol table.
func (t *Table) Add(s *elf.Symbol) {
	if s.Type() != stdelf.STT_FUNC || s.Section == uint32(stdelf.SHN_UNDEF) && !t.opt.undefinedCounts() {
		return
	}
	if base, whole := baseName(t.syms.Name(s)); whole {
		t.pending[t.queue.n] = symbol{value: t.address(t.f, s), name: s.NameOff}
		if t.queue.add(t.hash(base), base) {
			t.addPending()
		}
	}
}

// makeRoom allocates enough for most kernels, where a little more than half of the symbols are functions.
func (t *Table) makeRoom(syms int) {
	n := syms * 5 / 8
	t.names, t.entries = make([]uint32, 0, n), make([]entry, 0, n)
	size := 16
	for size < 2*n {
		size *= 2
	}
	t.slots = btf.Prefault(make([]uint32, size))
}

// baseName returns the part of a name before its first dot. whole is false for a part of a function that the compiler split off.
func baseName(name []byte) (base []byte, whole bool) {
	i := bytes.IndexByte(name, '.')
	if i < 0 {
		return name, true
	}
	suffix := name[i:]
	return name[:i], !bytes.Contains(suffix, []byte(".cold")) && !bytes.Contains(suffix, []byte(".part"))
}

// addPending adds the names in the queue to the table.
func (t *Table) addPending() {
	q := &t.queue
	t.prefetched = t.prefetch(q.hash[:q.n])
	for i, base := range q.names[:q.n] {
		t.add(q.hash[i], base, t.pending[i])
	}
	q.n = 0
}

// add adds a symbol to the table.
func (t *Table) add(h uint32, base []byte, s symbol) {
	i := t.probe(h, base)
	mask := uint32(len(t.slots) - 1)
	if e := t.slots[i]; e != 0 {
		s.entry = int32(e&mask) - 1
		t.more = append(t.more, s)
		return
	}
	n := int32(len(t.entries))
	t.names, t.entries = append(t.names, s.name), append(t.entries, entry{value: s.value})
	t.slots[i] = h&^mask | uint32(n+1)
	if bytes.Compare(base, t.lastName) >= 0 {
		t.last, t.lastName = n, base
	}
	if 2*len(t.entries) > len(t.slots) {
		t.grow()
	}
}

func (t *Table) hash(name []byte) uint32 { return uint32(maphash.Bytes(t.seed, name)) }

// probe returns the slot of a base name, or the free slot where it belongs. It compares names only if the hashes seem equal.
func (t *Table) probe(h uint32, name []byte) int {
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		e := t.slots[i]
		if e == 0 || e&^mask == h&^mask && t.syms.StartsWith(t.names[e&mask-1], name, '.') {
			return int(i)
		}
	}
}

func (t *Table) grow() {
	t.slots = btf.Prefault(make([]uint32, 2*len(t.slots)))
	mask := uint32(len(t.slots) - 1)
	for n := range t.entries {
		h := t.hash(t.Base(int32(n)))
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = h&^mask | uint32(n+1)
	}
}

// Finish must be called after the last symbol. It assigns the further symbols to the entries, and finds ambiguous addresses.
func (t *Table) Finish() {
	t.addPending()
	slices.SortStableFunc(t.more, func(a, b symbol) int { return cmp.Compare(a.entry, b.entry) })
	for i := 0; i < len(t.more); {
		n := t.more[i].entry
		e := &t.entries[n]
		e.more = uint32(i) + 1
		rest := t.more[i:]
		if n := slices.IndexFunc(rest, func(s symbol) bool { return s.entry != rest[0].entry }); n >= 0 {
			rest = rest[:n]
		}
		if t.ambiguous(e.value, rest) {
			e.flags |= ambiguous
		}
		slices.SortStableFunc(rest, func(a, b symbol) int { return cmp.Compare(a.value, b.value) })
		i += len(rest)
	}
	if len(t.entries) > 0 {
		t.lastNeverAmbiguous(&t.entries[t.last])
	}
}

// othersAt returns the symbols of an entry at an address, except for the first of the entry, in symbol table order.
func (t *Table) othersAt(i int32, addr uint64) []symbol {
	e := &t.entries[i]
	if e.more == 0 {
		return nil
	}
	rest := t.more[e.more-1:]
	if len(rest) > 1 && rest[1].entry != i { // by far the most frequent case
		rest = rest[:1]
	}
	before := func(s symbol, addr uint64) int {
		return cmp.Or(cmp.Compare(s.entry, i), cmp.Compare(s.value, addr))
	}
	from, found := slices.BinarySearchFunc(rest, addr, before)
	if !found {
		return nil
	}
	n := 1
	for from+n < len(rest) && rest[from+n].entry == i && rest[from+n].value == addr {
		n++
	}
	return rest[from : from+n]
}

// ambiguous reports whether the symbols of one base name have several addresses. It is then unknown to which function a prototype
// belongs.
func (t *Table) ambiguous(first uint64, rest []symbol) bool {
	if t.opt.Peer.Has(rules.PeerAmbiguous) {
		return peerAmbiguous(first, rest)
	}
	for _, s := range rest {
		if s.value != first {
			return true
		}
	}
	return false
}

// Index returns the number of the entry with exactly this base name, -1 if there is none. It may be called by several goroutines
// at once.
func (t *Table) Index(name []byte) int32 {
	return t.find(t.hash(name), name)
}

// IndexAll sets the numbers of the entries of some names, at most translate.AtOnce, as Index returns them. The result has no meaning (see
// btf/memory.go). It may be called by several goroutines at once.
func (t *Table) IndexAll(names [][]byte, numbers []int32) (prefetched uint64) {
	var all [translate.AtOnce]uint32
	hashes := all[:len(names)]
	for i, name := range names {
		hashes[i] = t.hash(name)
	}
	prefetched = uint64(t.prefetch(hashes)) ^ uint64(t.prefetchNames(hashes))
	for i, name := range names {
		numbers[i] = t.find(hashes[i], name)
	}
	return prefetched
}

// find is Index for a name whose hash is known.
func (t *Table) find(h uint32, name []byte) int32 {
	e := t.slots[t.probe(h, name)]
	if e != 0 && bytes.IndexByte(name, '.') >= 0 { // a full name with the hash of a base name
		return -1
	}
	return int32(e&uint32(len(t.slots)-1)) - 1
}

// Len is the number of entries.
func (t *Table) Len() int { return len(t.entries) }

// Base is the base name of an entry.
func (t *Table) Base(i int32) []byte {
	base, _ := baseName(t.syms.NameAt(t.names[i]))
	return base
}

// namesAt gives the names of the entry's symbols at an address.
func (t *Table) namesAt(i int32, addr uint64) iter.Seq[[]byte] {
	return func(yield func(name []byte) bool) {
		e := &t.entries[i]
		if e.value == addr && !yield(t.syms.NameAt(t.names[i])) {
			return
		}
		for _, s := range t.othersAt(i, addr) {
			if !yield(t.syms.NameAt(s.name)) {
				return
			}
		}
	}
}

// optimizedSymbol reports whether interprocedural optimisation created the symbol of the entry at an address. An address of 0
// stands for an abstract instance, even if a symbol of a relocatable file has that value.
func (t *Table) optimizedSymbol(i int32, addr uint64) bool {
	if addr == 0 {
		return false
	}
	for name := range t.namesAt(i, addr) {
		if bytes.Contains(name, []byte(".constprop")) || bytes.Contains(name, []byte(".isra")) {
			return true
		}
	}
	return false
}

// suffixedAt returns the name of the first symbol of the entry at an address, if it has a suffix; otherwise nil.
func (t *Table) suffixedAt(i int32, addr uint64) []byte {
	for name := range t.namesAt(i, addr) {
		if bytes.IndexByte(name, '.') >= 0 {
			return name
		}
	}
	return nil
}

func (t *Table) hasAddress(i int32, addr uint64) bool {
	return t.entries[i].value == addr || len(t.othersAt(i, addr)) > 0
}
