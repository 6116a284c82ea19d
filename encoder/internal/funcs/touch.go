package funcs

import "github.com/btfbatch/btfbatch/encoder/btf"

// Names come in no order that memory knows, so that nearly every step of a look-up waits for it, one after the other. Reads that
// do not depend on each other are waited for together: those who have many names go over the places first, in a loop that does
// nothing else, and find them near when they do their work. For all strings of a kernel that takes half the time.

// atOnce is how many names are gone over at once: few enough that what was read stays near.
const atOnce = 128

// touch reads the slots of some hashes.
func (t *Table) touch(hashes []uint32) uint32 {
	mask, sum := uint32(len(t.slots)-1), uint32(0)
	for _, h := range hashes {
		sum ^= t.slots[h&mask]
	}
	return sum
}

// touchNames reads the names that hashes lead to, after touch has read the slots.
func (t *Table) touchNames(hashes []uint32) uint32 {
	mask, sum := uint32(len(t.slots)-1), uint32(0)
	for _, h := range hashes {
		if e := t.slots[h&mask]; e != 0 && (e^h)&^mask == 0 {
			sum ^= uint32(t.syms.Eight(uint64(t.names[e&mask-1])))
		}
	}
	return sum
}

// baseNames are the base names of entries that are gone over at once.
type baseNames [atOnce][]byte

// touch reads the name of some entries, their first state, the first parameter of that, and the place in the string table where the
// name will be looked for. names gets their base names.
func (c *Collector) touch(entries []int32, g *groups, table *btf.Strings, names *baseNames) {
	sum := uint32(0)
	for _, e := range entries {
		s := &c.states[g.order[g.start[e]]]
		sum ^= s.ret ^ c.table.entries[e].more ^ uint32(c.table.syms.Eight(uint64(c.table.names[e])))
		if s.n > 0 {
			sum ^= c.params[s.first].typ
		}
	}
	var hashes [atOnce]uint64
	for i, e := range entries {
		names[i] = c.table.Base(e)
		hashes[i] = table.Hash(names[i])
	}
	c.table.touched = sum ^ uint32(table.Touch(hashes[:len(entries)]))
}

// A queue holds names until there are enough of them.
type queue struct {
	n       int
	hash    [atOnce]uint32
	names   [atOnce][]byte
	touched uint32 // of no use, but to be read
}

// add tells whether there is no room for another one.
func (q *queue) add(hash uint32, name []byte) (full bool) {
	q.hash[q.n], q.names[q.n] = hash, name
	q.n++
	return q.n == atOnce
}
