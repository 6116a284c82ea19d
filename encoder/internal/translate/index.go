package translate

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// An offsetIndex finds an entry of a list by the offset of its DIE. It is built when it is first used.
type offsetIndex struct {
	built bool
	keys  []uint64 // offset << 32 | index, sorted
}

func (x *offsetIndex) reset() { x.built, x.keys = false, x.keys[:0] }

func (x *offsetIndex) find(off dwarf.Offset, n int, offAt func(i int) dwarf.Offset) (i int, ok bool) {
	if !x.built {
		for i := range n {
			x.keys = append(x.keys, uint64(offAt(i))<<32|uint64(i))
		}
		slices.Sort(x.keys)
		x.built = true
	}
	// An imported unit has been walked twice: the last entry counts.
	at, _ := slices.BinarySearch(x.keys, uint64(off+1)<<32)
	if off == 0 || at == 0 || dwarf.Offset(x.keys[at-1]>>32) != off {
		return 0, false
	}
	return int(uint32(x.keys[at-1])), true
}

// A funcMemo caches the results of Options.FuncIndex by string key, for keys that Options.FuncLookup does not cover: most names
// recur in every CU. It is a hash table with open addressing; a slot is key << 32 | index + 1.
type funcMemo struct {
	slots   []uint64
	used    int
	strings *dwarf.Strings
	scratch [4]byte
}

func (m *funcMemo) index(key dwarf.StrKey, w *walker) int32 {
	if w.opt.FuncLookup != nil {
		if n, ok := w.opt.FuncLookup(w.t.Strings, key); ok {
			return n
		}
	}
	if m.strings != w.t.Strings { // another image has other keys
		m.strings, m.used = w.t.Strings, 0
		clear(m.slots)
	}
	if 2*m.used >= len(m.slots) {
		m.grow()
	}
	i := m.probe(key)
	if s := m.slots[i]; s != 0 {
		return int32(uint32(s)) - 1
	}
	n := w.opt.FuncIndex(w.t.Strings.Get(key, &m.scratch))
	m.slots[i] = uint64(key)<<32 | uint64(uint32(n+1))
	m.used++
	return n
}

// probe finds the slot of a key, or the free slot where it belongs.
func (m *funcMemo) probe(key dwarf.StrKey) int {
	mask := uint32(len(m.slots) - 1)
	for i := uint32(key) * 0x9e3779b1 & mask; ; i = (i + 1) & mask {
		if s := m.slots[i]; s == 0 || uint32(s>>32) == uint32(key) {
			return int(i)
		}
	}
}

func (m *funcMemo) grow() {
	old := m.slots
	m.slots = btf.Prefault(make([]uint64, max(1<<12, 2*len(old))))
	for _, s := range old {
		if s != 0 {
			m.slots[m.probe(dwarf.StrKey(s>>32))] = s
		}
	}
}
