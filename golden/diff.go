package golden

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sort"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// An Op says how a type differs between two dumps.
type Op uint8

// The ways to differ. A type may have changed and moved at once.
const (
	Added    Op = iota
	Removed     //
	Changed     // kind and name are there on both sides, and something that the dump says of the type is not
	Moved       // the type stands at another place among those that both sides have
	Relinked    // it reads the same, and refers to another one of several types that read the same
	NumOps
)

var opNames = [NumOps]string{"added", "removed", "changed", "moved", "relinked"}

// String is the word that exceptions use.
func (op Op) String() string { return opNames[op] }

// A Change is one difference between two dumps.
type Change struct {
	Op   Op
	Kind btf.Kind
	// Name is the name of the type; for one without a name, how C would spell it.
	Name string
	// Old and New are the ids on the two sides, 0 where the type is missing.
	Old, New btf.ID
	// Accepted is the reason by which an exception accepts the change; empty when none does.
	Accepted string
}

// A Summary says which types differ between two dumps. For dumps whose ids start alike it is empty exactly when they
// are equal as text.
type Summary struct {
	// Changes is ordered by kind, name, op and id.
	Changes []Change

	old, new                 *btf.Object
	oldSections, newSections []btf.Record
}

// Diff compares two objects type by type, whatever their ids.
func Diff(old, new *btf.Object) *Summary {
	s := &Summary{old: old, new: new, oldSections: datasecs(old), newSections: datasecs(new)}
	seed := maphash.MakeSeed()
	mates := s.match(identities(old, s.oldSections, seed), identities(new, s.newSections, seed))
	s.findMoved(mates)
	s.findRelinked(mates)
	slices.SortFunc(s.Changes, compareChange)
	return s
}

func compareChange(a, b Change) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Op, b.Op), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
}

// A mate is the type of the other side that a type was matched with.
type mate struct {
	id      btf.ID // 0 when there is none
	changed bool
}

// match pairs the types of both sides and records those that were added, removed or changed. Where several types have
// the same key, equal shapes are paired first, and then what is left, both in id order.
func (s *Summary) match(old, new []identity) []mate {
	mates := make([]mate, len(old))
	slices.SortFunc(old, compareIdentity)
	slices.SortFunc(new, compareIdentity)
	first := s.old.First()
	var oldLeft, newLeft []btf.ID
	for len(old) > 0 || len(new) > 0 {
		var key uint64
		switch {
		case len(new) == 0:
			key = old[0].key
		case len(old) == 0:
			key = new[0].key
		default:
			key = min(old[0].key, new[0].key)
		}
		oldLeft, newLeft = oldLeft[:0], newLeft[:0]
		for {
			inOld, inNew := len(old) > 0 && old[0].key == key, len(new) > 0 && new[0].key == key
			switch {
			case inOld && inNew && old[0].shape == new[0].shape:
				mates[old[0].id-first] = mate{id: new[0].id}
				old, new = old[1:], new[1:]
				continue
			case inOld && (!inNew || old[0].shape < new[0].shape):
				oldLeft = append(oldLeft, old[0].id)
				old = old[1:]
				continue
			case inNew:
				newLeft = append(newLeft, new[0].id)
				new = new[1:]
				continue
			}
			break
		}
		s.leftover(oldLeft, newLeft, mates)
	}
	return mates
}

// compareIdentity orders by key, shape and id. It is the inner loop of Diff, and cmp.Or would compare all three each time.
func compareIdentity(a, b identity) int {
	switch {
	case a.key != b.key:
		return cmp.Compare(a.key, b.key)
	case a.shape != b.shape:
		return cmp.Compare(a.shape, b.shape)
	}
	return cmp.Compare(a.id, b.id)
}

// leftover records the types of one key that have no equal on the other side.
func (s *Summary) leftover(old, new []btf.ID, mates []mate) {
	slices.Sort(old)
	slices.Sort(new)
	both := min(len(old), len(new))
	for i := range both {
		mates[old[i]-s.old.First()] = mate{id: new[i], changed: true}
		s.add(Changed, old[i], new[i])
	}
	for _, id := range old[both:] {
		s.add(Removed, id, 0)
	}
	for _, id := range new[both:] {
		s.add(Added, 0, id)
	}
}

// add records a change.
func (s *Summary) add(op Op, old, new btf.ID) {
	o, id := s.new, new
	if new == 0 {
		o, id = s.old, old
	}
	r := o.At(id)
	c := Change{Op: op, Kind: r.Kind(), Old: old, New: new}
	if c.Kind >= btf.NumKinds {
		c.Kind = btf.KindVoid
	}
	if named(o, r) {
		c.Name = string(nameText(o, r.Name()))
	} else {
		c.Name = spelling(o, id)
	}
	s.Changes = append(s.Changes, c)
}

// findMoved records the fewest types that have to move for the rest to stand in the same order on both sides: those
// outside a longest increasing sequence of mates.
func (s *Summary) findMoved(mates []mate) {
	var ids []btf.ID // on the new side, in the order of the old one
	var olds []btf.ID
	for i, m := range mates {
		if m.id != 0 {
			ids, olds = append(ids, m.id), append(olds, s.old.First()+btf.ID(i))
		}
	}
	if slices.IsSorted(ids) {
		return
	}
	for i, stays := range increasing(ids) {
		if !stays {
			s.add(Moved, olds[i], ids[i])
		}
	}
}

// increasing marks a longest increasing subsequence of distinct values.
func increasing[T cmp.Ordered](values []T) []bool {
	var tails []int // tails[n] is where the sequence of n+1 values with the smallest last one ends
	before := make([]int, len(values))
	for i, v := range values {
		n := len(tails)
		if n > 0 && values[tails[n-1]] > v {
			n = sort.Search(n, func(n int) bool { return values[tails[n]] > v })
		}
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	marks := make([]bool, len(values))
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = before[i] {
			marks[i] = true
		}
	}
	return marks
}

// findRelinked records the types of equal shape whose references do not lead to mates. That takes types that cannot be
// told apart by name: two structs of one name, say.
func (s *Summary) findRelinked(mates []mate) {
	first := s.old.First()
	same := func(old, new uint32) bool {
		if s.old.Own(btf.ID(old)) {
			return mates[btf.ID(old)-first].id == btf.ID(new)
		}
		return old == new
	}
	var refs []uint32
	for i, m := range mates {
		if m.id == 0 || m.changed {
			continue
		}
		refs = refs[:0]
		s.old.At(first + btf.ID(i)).References(func(id *uint32) { refs = append(refs, *id) })
		at, equal := 0, true
		s.new.At(m.id).References(func(id *uint32) {
			equal = equal && at < len(refs) && same(refs[at], *id)
			at++
		})
		if !equal {
			s.add(Relinked, first+btf.ID(i), m.id)
		}
	}
}
