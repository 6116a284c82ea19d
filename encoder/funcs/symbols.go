// Package funcs decides which functions become FUNC, with which prototype and which tags.
//
// In come the image's symbols and, CU by CU, the translated subprograms; out come FUNC_PROTO, FUNC and DECL_TAG records at
// the end of the type table, sorted by name. It never merges types and never reads another image.
package funcs

import (
	"bytes"
	stdelf "debug/elf"
	"hash/maphash"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// A Table holds the functions of the ELF symbol table by base name: the symbol's name cut before its first dot
// (specification 02, section 5.1). Entries are sorted by base name, bytewise.
type Table struct {
	entries []entry
	syms    []symbol // of all entries, each entry's together, in symbol table order
	slots   []uint32 // hash of base names: entry + 1
	seed    maphash.Seed
}

type entry struct {
	base      []byte // a window into the string table
	first, n  uint32 // in syms
	ambiguous bool
	kfunc     bool
	kflags    uint32
}

type symbol struct {
	name  []byte
	value uint64
}

// NewTable reads the functions of an image. A file without a symbol table has none.
func NewTable(syms *elf.Symbols) *Table {
	t := &Table{seed: maphash.MakeSeed()}
	if syms == nil {
		return t
	}
	n := 0
	for i := range syms.List {
		if syms.List[i].Type() == stdelf.STT_FUNC {
			n++
		}
	}
	t.syms = make([]symbol, 0, n)
	for i := range syms.List {
		s := &syms.List[i]
		if s.Type() != stdelf.STT_FUNC {
			continue
		}
		if name := syms.Name(s); !splitPart(name) {
			t.syms = append(t.syms, symbol{name, s.Value})
		}
	}
	slices.SortStableFunc(t.syms, func(a, b symbol) int { return bytes.Compare(baseName(a.name), baseName(b.name)) })
	t.group()
	t.index()
	return t
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

func (t *Table) group() {
	for i := 0; i < len(t.syms); {
		base := baseName(t.syms[i].name)
		j := i + 1
		for j < len(t.syms) && bytes.Equal(baseName(t.syms[j].name), base) {
			j++
		}
		t.entries = append(t.entries, entry{base: base, first: uint32(i), n: uint32(j - i), ambiguous: ambiguous(t.syms[i:j])})
		i = j
	}
	lastNeverAmbiguous(t.entries)
}

func (t *Table) index() {
	size := 16
	for size < 2*len(t.entries) {
		size *= 2
	}
	t.slots = make([]uint32, size)
	for i := range t.entries {
		t.slots[t.probe(t.entries[i].base)] = uint32(i) + 1
	}
}

func (t *Table) probe(name []byte) int {
	mask := len(t.slots) - 1
	for i := int(maphash.Bytes(t.seed, name)) & mask; ; i = (i + 1) & mask {
		if e := t.slots[i]; e == 0 || bytes.Equal(t.entries[e-1].base, name) {
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
func (t *Table) Base(i int32) []byte { return t.entries[i].base }

func (t *Table) symbolsOf(i int32) []symbol {
	e := &t.entries[i]
	return t.syms[e.first : e.first+e.n]
}

// optimizedSymbol tells whether a symbol of the entry at that address was made by interprocedural optimisation.
func (t *Table) optimizedSymbol(i int32, addr uint64) bool {
	for _, s := range t.symbolsOf(i) {
		if s.value == addr && (bytes.Contains(s.name, []byte(".constprop")) || bytes.Contains(s.name, []byte(".isra"))) {
			return true
		}
	}
	return false
}

func (t *Table) hasAddress(i int32, addr uint64) bool {
	for _, s := range t.symbolsOf(i) {
		if s.value == addr {
			return true
		}
	}
	return false
}
