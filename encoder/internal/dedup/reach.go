package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// To find all types that lead to certain types, the search goes backwards, from a type to its referrers: the types that refer to
// it. Each type is visited once and each reference read twice, whatever the order of the types. A search in the order of ids
// would take many passes for a chain of references that runs against that order.

// referrers lists, for every type of a table, the types that refer to it. Types are counted from 0.
type referrers struct {
	start []uint32 // the referrers of type i are list[start[i]:start[i+1]]
	list  []uint32
}

// listReferrers builds the list for a table. It leaves out references to types outside of the table, and the index types of arrays: all arrays of an image
// have the same one, which can be the int of any unit.
func listReferrers(t *btf.Table) *referrers {
	n, first := uint32(t.Len()), uint32(t.First())
	x := &referrers{start: make([]uint32, n+2)}
	for _, r := range t.All() {
		eachReferent(r, func(ref *uint32) {
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
		eachReferent(r, func(ref *uint32) {
			if i := *ref - first; i < n {
				at := &x.start[i+1]
				x.list[*at] = uint32(id) - first
				*at++
			}
		})
	}
	return x
}

// eachReferent calls visit for the types that a type refers to, except the index type of an array.
func eachReferent(r btf.Record, visit func(ref *uint32)) {
	if r.Kind() == btf.KindArray {
		visit(&r[3])
		return
	}
	r.References(visit)
}

// of returns the types that refer to type i.
func (x *referrers) of(i uint32) []uint32 { return x.list[x.start[i]:x.start[i+1]] }
