package funcs

import "github.com/btfbatch/btfbatch/encoder/btf"

// For the reason and the method of prefetching see encoder/btf/memory.go.

// atOnce is the number of names that are prefetched together: few enough that they stay in the cache.
const atOnce = 128

// prefetch reads the slots of some hashes.
func (t *Table) prefetch(hashes []uint32) uint32 {
	mask, sum := uint32(len(t.slots)-1), uint32(0)
	for _, h := range hashes {
		sum ^= t.slots[h&mask]
	}
	return sum
}

// prefetchNames reads the names that hashes lead to. Call prefetch for the slots first.
func (t *Table) prefetchNames(hashes []uint32) uint32 {
	mask, sum := uint32(len(t.slots)-1), uint32(0)
	for _, h := range hashes {
		if e := t.slots[h&mask]; e != 0 && (e^h)&^mask == 0 {
			sum ^= uint32(t.syms.Eight(uint64(t.names[e&mask-1])))
		}
	}
	return sum
}

// baseNames are the base names of entries that are prefetched together.
type baseNames [atOnce][]byte

// prefetch reads, for some entries, the name, the first state, the first parameter of that state, and the slot in the string
// table where the name will be looked up. It stores the base names in names.
func (c *Collector) prefetch(entries []int32, g *groups, table *btf.Strings, names *baseNames) {
	sum := uint32(0)
	for _, e := range entries {
		s := &c.states[g.order[g.start[e]]]
		sum ^= uint32(s.ret) ^ c.table.entries[e].more ^ uint32(c.table.syms.Eight(uint64(c.table.names[e])))
		if s.n > 0 {
			sum ^= uint32(c.params[s.first].typ)
		}
	}
	var hashes [atOnce]uint64
	for i, e := range entries {
		names[i] = c.table.Base(e)
		hashes[i] = table.Hash(names[i])
	}
	c.table.prefetched = sum ^ uint32(table.Prefetch(hashes[:len(entries)]))
}

// A queue holds names until there are enough of them.
type queue struct {
	n          int
	hash       [atOnce]uint32
	names      [atOnce][]byte
	prefetched uint32 // what prefetch read, kept so that the compiler keeps the reads
}

// add adds a name, and reports whether the queue is full.
func (q *queue) add(hash uint32, name []byte) (full bool) {
	q.hash[q.n], q.names[q.n] = hash, name
	q.n++
	return q.n == atOnce
}
