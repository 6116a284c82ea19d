// Package funcs decides which functions become FUNC, with which prototype and which tags.
//
// In come the image's symbols and, CU by CU, the translated subprograms; out come FUNC_PROTO, FUNC and DECL_TAG records at
// the end of the type table, sorted by name. It never merges types and never reads another image.
package funcs

import (
	"bytes"
	"cmp"
	stdelf "debug/elf"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A Table holds the functions of the ELF symbol table by base name: the symbol's name cut before its first dot
// (specification 02, section 5.1). Entries are sorted by base name, bytewise.
type Table struct {
	opt     Options
	conv    convention
	names   *elf.Symbols // gives the bytes of names
	entries []entry
	syms    []symbol // of all entries, each entry's together, in symbol table order
	slots   []uint32 // hash of base names: entry + 1
	seed    maphash.Seed
}

type entry struct {
	first, n  uint32 // in syms
	base      uint32 // length of the base name, with which all names of the entry start
	kflags    uint32
	ambiguous bool
	kfunc     bool
}

type symbol struct {
	value uint64
	name  uint32 // offset in the string table
}

// Options say whose rules hold and what is wanted.
type Options struct {
	Peer     bool // the peer's rules in everything
	Features feature.Set
}

// NewTable reads the functions of an image. A file without a symbol table has none.
func NewTable(f *elf.File, syms *elf.Symbols, opt Options) *Table {
	t := &Table{opt: opt, conv: conventionOf(f, opt.Peer), names: syms, seed: maphash.MakeSeed()}
	if syms == nil {
		return t
	}
	keys := make([]sortKey, 0, len(syms.List)/2)
	for i := range syms.List {
		s := &syms.List[i]
		if s.Type() != stdelf.STT_FUNC || s.Section == uint32(stdelf.SHN_UNDEF) && !opt.undefinedCounts() {
			continue
		}
		if name := syms.Name(s); !splitPart(name) {
			base := baseName(name)
			keys = append(keys, sortKey{prefix(base), s.NameOff, uint32(len(base)), uint32(i)})
		}
	}
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if d := bytes.Compare(t.names.Bytes(a.name, a.base), t.names.Bytes(b.name, b.base)); d != 0 {
			return d
		}
		return cmp.Compare(a.order, b.order)
	})
	t.syms = make([]symbol, len(keys))
	for i, k := range keys {
		t.syms[i] = symbol{t.address(f, &syms.List[k.order]), k.name}
	}
	t.group(keys)
	t.index()
	return t
}

// ambiguous tells whether symbols of one base name lie at several addresses, so that no one could tell which function a
// prototype is of.
func (t *Table) ambiguous(syms []symbol) bool {
	if t.opt.Peer {
		return peerAmbiguous(syms)
	}
	for _, s := range syms {
		if s.value != syms[0].value {
			return true
		}
	}
	return false
}

// A sortKey sorts a symbol by its base name, of which the first eight bytes settle most comparisons, and then by its place in
// the symbol table.
type sortKey struct {
	prefix     uint64
	name, base uint32 // offset, length
	order      uint32
}

// prefix is the first eight bytes of the base name, big endian, so that numbers compare as the bytes do.
func prefix(base []byte) (p uint64) {
	var b [8]byte
	copy(b[:], base)
	return binary.BigEndian.Uint64(b[:])
}

func baseName(name []byte) []byte {
	if i := bytes.IndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return name
}

// splitPart tells whether a symbol is a part that the compiler split off another function.
func splitPart(name []byte) bool {
	i := bytes.IndexByte(name, '.')
	return i >= 0 && (bytes.Contains(name[i:], []byte(".cold")) || bytes.Contains(name[i:], []byte(".part")))
}

func (t *Table) group(keys []sortKey) {
	t.entries = make([]entry, 0, len(keys))
	for i := 0; i < len(t.syms); {
		base := t.names.Bytes(keys[i].name, keys[i].base)
		j := i + 1
		for j < len(t.syms) && keys[j].prefix == keys[i].prefix && bytes.Equal(t.names.Bytes(keys[j].name, keys[j].base), base) {
			j++
		}
		t.entries = append(t.entries, entry{first: uint32(i), n: uint32(j - i), base: uint32(len(base)), ambiguous: t.ambiguous(t.syms[i:j])})
		i = j
	}
	if t.opt.Peer {
		lastNeverAmbiguous(t.entries)
	}
}

func (t *Table) index() {
	size := 16
	for size < 2*len(t.entries) {
		size *= 2
	}
	t.slots = make([]uint32, size)
	for i := range t.entries {
		t.slots[t.probe(t.Base(int32(i)))] = uint32(i) + 1
	}
}

func (t *Table) probe(name []byte) int {
	mask := len(t.slots) - 1
	for i := int(maphash.Bytes(t.seed, name)) & mask; ; i = (i + 1) & mask {
		if e := t.slots[i]; e == 0 || bytes.Equal(t.Base(int32(e)-1), name) {
			return i
		}
	}
}

// Index is the number of the entry with exactly that base name, -1 when there is none. It may be called by several
// goroutines at once.
func (t *Table) Index(name []byte) int32 {
	if len(t.slots) == 0 {
		return -1
	}
	return int32(t.slots[t.probe(name)]) - 1
}

// Len is the number of entries.
func (t *Table) Len() int { return len(t.entries) }

// Base is the base name of an entry.
func (t *Table) Base(i int32) []byte {
	e := &t.entries[i]
	return t.names.Bytes(t.syms[e.first].name, e.base)
}

func (t *Table) symbolsOf(i int32) []symbol {
	e := &t.entries[i]
	return t.syms[e.first : e.first+e.n]
}

// optimizedSymbol tells whether a symbol of the entry at that address was made by interprocedural optimisation. 0 is no
// address but an abstract instance, also where a symbol of a relocatable file has that value.
func (t *Table) optimizedSymbol(i int32, addr uint64) bool {
	if addr == 0 {
		return false
	}
	for _, s := range t.symbolsOf(i) {
		if s.value != addr {
			continue
		}
		name := t.names.NameAt(s.name)
		if bytes.Contains(name, []byte(".constprop")) || bytes.Contains(name, []byte(".isra")) {
			return true
		}
	}
	return false
}

// suffixedAt is the name of the first symbol of the entry at that address, if it has a suffix; else nil.
func (t *Table) suffixedAt(i int32, addr uint64) []byte {
	for _, s := range t.symbolsOf(i) {
		if name := t.names.NameAt(s.name); s.value == addr && bytes.IndexByte(name, '.') >= 0 {
			return name
		}
	}
	return nil
}

func (t *Table) hasAddress(i int32, addr uint64) bool {
	for _, s := range t.symbolsOf(i) {
		if s.value == addr {
			return true
		}
	}
	return false
}
