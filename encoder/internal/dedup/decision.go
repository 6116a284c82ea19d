package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// IDs say, for the types of one CU, which ids they have in the object. Whoever has them can only read them.
type IDs struct{ by []uint32 } // by local id

// IDsOf makes IDs of words that nobody changes from then on.
func IDsOf(words []uint32) IDs { return IDs{words} }

// Of is the id in the object of the type with a local id.
func (m IDs) Of(local nominal.LocalID) btf.ID { return btf.ID(m.by[local]) }

// Word is Of for a reference as it stands in a record.
func (m IDs) Word(ref uint32) uint32 { return m.by[ref] }

// Len is the number of local ids, void included.
func (m IDs) Len() int { return len(m.by) }

// AppendTo appends the ids, by local id.
func (m IDs) AppendTo(words []uint32) []uint32 { return append(words, m.by...) }

// A Decision says of the types of one CU which go into the object, and what ids all of them have there. It is read-only for its user, and
// valid until the next call of the table that made it.
type Decision struct {
	IDs
	isNew []bool // by local id; nil: all types go in
	added []nominal.LocalID
}

// IsNew tells whether a type goes into the object. All others have the id of the first of their class.
func (d *Decision) IsNew(local nominal.LocalID) bool { return d.isNew == nil || d.isNew[local] }

// NumAdded is the number of types that go into the object.
func (d *Decision) NumAdded() int { return len(d.added) }

// Added is the i-th type that goes into the object, in the order of the ids that they get there.
func (d *Decision) Added(i int) nominal.LocalID { return d.added[i] }

// An AllTypes decides that every type of every CU goes into the object: it does for the exact engine alone what a ClassTable does for the
// fast way.
type AllTypes struct {
	ids   []uint32
	added []nominal.LocalID
}

// Decide decides for a CU of n types, of which the first gets the id next.
func (a *AllTypes) Decide(n int, next btf.ID) Decision {
	a.ids = append(a.ids[:0], 0)
	for i := range uint32(n) {
		a.ids = append(a.ids, uint32(next)+i)
	}
	for len(a.added) < n {
		a.added = append(a.added, nominal.LocalID(len(a.added))+1)
	}
	return Decision{IDs: IDs{a.ids}, added: a.added[:n]}
}
