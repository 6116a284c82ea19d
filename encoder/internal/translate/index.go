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

// A funcMemo finds the numbers of ELF functions by name. It caches the results of Options.FuncIndex by string key, for keys that
// Options.FuncLookup does not cover: most names recur in every CU. It is a hash table with open addressing; a slot is
// key << 32 | number + 1.
//
// Names are looked up in batches: each lookup waits for memory several times, and the waits of one batch overlap (see btf/memory.go).
type funcMemo struct {
	slots   []uint64
	used    int
	strings *dwarf.Strings

	// The batch. Functions that are called with parts of these arrays would move them to the heap if they were variables.
	keys       [AtOnce]dwarf.StrKey
	numbers    [AtOnce]int32
	others     [AtOnce]uint8  // indices of keys that are not in the table either
	names      [AtOnce][]byte // of these
	found      [AtOnce]int32  // and their numbers
	scratch    [AtOnce][4]byte
	prefetched uint64 // what was read to prefetch it, kept so that the compiler keeps the reads
}

// number sets Elf of all functions that have a name.
func (m *funcMemo) number(funcs []Func, s *dwarf.Strings, opt *Options) {
	if m.strings != s { // another image has other keys
		m.strings, m.used = s, 0
		clear(m.slots)
	}
	for len(funcs) > 0 {
		some := funcs[:min(len(funcs), AtOnce)]
		funcs = funcs[len(some):]
		keys, numbers := m.keys[:len(some)], m.numbers[:len(some)]
		for i := range some {
			keys[i], numbers[i] = some[i].Name, NotIndexed
		}
		if opt.FuncLookup != nil {
			m.prefetched ^= opt.FuncLookup(s, keys, numbers)
		}
		m.lookUp(keys, numbers, opt)
		for i := range some {
			if some[i].Name != 0 {
				some[i].Elf = numbers[i]
			}
		}
	}
}

// lookUp replaces each NotIndexed in numbers by the number of the key.
func (m *funcMemo) lookUp(keys []dwarf.StrKey, numbers []int32, opt *Options) {
	for 2*(m.used+AtOnce) >= len(m.slots) {
		m.grow()
	}
	for i, key := range keys {
		if numbers[i] == NotIndexed {
			m.prefetched ^= m.slots[m.first(key)]
		}
	}
	n := 0
	for i, key := range keys {
		if numbers[i] != NotIndexed || key == 0 {
			continue
		}
		if s := m.slots[m.probe(key)]; s != 0 {
			numbers[i] = int32(uint32(s)) - 1
			continue
		}
		m.prefetched ^= uint64(m.strings.Prefetch(key))
		m.others[n] = uint8(i)
		n++
	}
	if n == 0 {
		return
	}
	others, names, found := m.others[:n], m.names[:n], m.found[:n]
	for k, i := range others {
		names[k] = m.strings.Get(keys[i], &m.scratch[k])
	}
	m.prefetched ^= opt.FuncIndex(names, found)
	for k, i := range others {
		numbers[i] = found[k]
		slot := &m.slots[m.probe(keys[i])]
		if *slot == 0 { // a key can occur twice in a batch
			*slot = uint64(keys[i])<<32 | uint64(uint32(found[k]+1))
			m.used++
		}
	}
}

// first returns the slot where the search for a key starts.
func (m *funcMemo) first(key dwarf.StrKey) uint32 {
	return uint32(key) * 0x9e3779b1 & uint32(len(m.slots)-1)
}

// probe finds the slot of a key, or the free slot where it belongs.
func (m *funcMemo) probe(key dwarf.StrKey) int {
	mask := uint32(len(m.slots) - 1)
	for i := m.first(key); ; i = (i + 1) & mask {
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
