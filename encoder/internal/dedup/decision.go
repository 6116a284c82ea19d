package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// IDs maps the local ids of one CU to ids of the object. It is read-only for its users.
type IDs struct{ by []uint32 } // by local id

// IDsOf makes an IDs of a slice, which nobody may change afterwards.
func IDsOf(words []uint32) IDs { return IDs{words} }

// Of returns the id in the object of the type with a local id.
func (m IDs) Of(local nominal.LocalID) btf.ID { return btf.ID(m.by[local]) }

// Word is Of for a reference in a record.
func (m IDs) Word(ref uint32) uint32 { return m.by[ref] }

// Len returns the number of local ids, including void.
func (m IDs) Len() int { return len(m.by) }

// AppendTo appends the ids in the order of local ids.
func (m IDs) AppendTo(words []uint32) []uint32 { return append(words, m.by...) }

// A Decision says which types of one CU go into the object, and which ids all types of the CU have there. It is read-only for its
// user, and valid until the next call of the table that made it.
type Decision struct {
	IDs
	isNew []bool // by local id; nil if all types go in
	added []nominal.LocalID
}

// IsNew reports whether a type goes into the object. All other types have the id of the first type of their class.
func (d *Decision) IsNew(local nominal.LocalID) bool { return d.isNew == nil || d.isNew[local] }

// NumAdded returns the number of types that go into the object.
func (d *Decision) NumAdded() int { return len(d.added) }

// Added returns the i-th type that goes into the object. They are in the order of their ids there.
func (d *Decision) Added(i int) nominal.LocalID { return d.added[i] }

// An AllTypes puts every type of every CU into the object. It takes the place of a ClassTable when only the exact engine decides.
type AllTypes struct {
	ids   []uint32
	added []nominal.LocalID
}

// Decide decides about a CU with n types. The first gets the id next.
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
