package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// What reaches certain types is found backwards, from a type to those that refer to it. Each type is visited once, each reference looked
// at twice, whatever the order of the types: a chain of references that leads through the table against the order of ids costs no more
// than one that goes along with it.

// referrers list, for every type of a table, the types that refer to it. Types are counted from 0.
type referrers struct {
	start []uint32 // those of type i are list[start[i]:start[i+1]]
	list  []uint32
}

// listReferrers looks through a table. References to types that it does not hold are left out.
func listReferrers(t *btf.Table) *referrers {
	n, first := uint32(t.Len()), uint32(t.First())
	x := &referrers{start: make([]uint32, n+2)}
	for _, r := range t.All() {
		r.References(func(ref *uint32) {
			if i := *ref - first; i < n {
				x.start[i+2]++
			}
		})
	}
	for i := uint32(2); i < n+2; i++ {
		x.start[i] += x.start[i-1]
	}
	x.list = make([]uint32, x.start[n+1])
	for id, r := range t.All() {
		r.References(func(ref *uint32) {
			if i := *ref - first; i < n {
				at := &x.start[i+1]
				x.list[*at] = uint32(id) - first
				*at++
			}
		})
	}
	return x
}

// of are the types that refer to type i.
func (x *referrers) of(i uint32) []uint32 { return x.list[x.start[i]:x.start[i+1]] }
