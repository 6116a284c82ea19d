package dedup

import (
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A sparse base is a base that is prepared for a single run.
//
// The problem: a module has some hundred types, and its kernel has a hundred thousand. Nearly all the work of a run would be to make
// candidates of types that the module never asks for.
//
// The idea: types with equal signatures have equal names, and structs, unions, enums and prototypes without a name begin with an element
// of equal name. This name is the anchor of a type. A type of the base can be a candidate only if its anchor is also the anchor of an own
// type. The names of the own types are marked in a bit set, and of the base only the types with a marked anchor enter the index, as
// they would if all the others had entered it too. Types without an anchor, such as pointers, enter it in any case.
//
// Functions are appended while a run takes place. Their names, and those of their parameters, are marked before they are processed,
// and the types with these anchors enter the index then.
//
// Nothing in the base is trusted: a record is checked when it is first looked at. Records that are never looked at are not checked.
type sparse struct {
	Base
	c      index
	peer   rules.Set
	seen   []uint64 // by id: the record was checked
	err    error    // what is wrong with a record that was looked at
	marked []uint64 // by offset of a string: it is an anchor of own types
	left   []uint32 // ids of the variables and sections, which are in no index, ascending
	tags   []uint32 // ids of the structs and unions with marked names, ascending
}

func newSparse(o *btf.Object, peer rules.Set) *sparse {
	return &sparse{Base: Base{o: o}, peer: peer, seen: make([]uint64, o.End()/64+1), marked: make([]uint64, o.Strings.End()/64+1)}
}

// record returns a record of the base, and checks it if it has not been looked at. A damaged record counts as void, and the run ends
// with an error.
func (s *sparse) record(id uint32) btf.Record {
	if s.seen[id/64]>>(id%64)&1 == 0 {
		if err := s.o.CheckRecord(btf.ID(id)); err != nil {
			if s.err == nil {
				s.err = fmt.Errorf("base: %w", err)
			}
			return voidRecord
		}
		s.seen[id/64] |= 1 << (id % 64)
	}
	return s.o.At(btf.ID(id))
}

// elementAnchored are the kinds whose anchor is the name of the first element, if they have no name.
const elementAnchored = btf.Composites | btf.Enums | 1<<btf.KindFuncProto

// anchor returns the anchor of a record, 0 if it has none.
func anchor(r btf.Record) uint32 {
	if r[0] == 0 && len(r) > 3 && elementAnchored.Has(r.Kind()) {
		return r[3]
	}
	return r[0]
}

// bit takes an offset of a string apart: the word of a bit set, and the bit in that word.
func bit(off uint32) (word, mask uint64) { return uint64(off / 64), 1 << (off % 64) }

// mark marks the anchor of an own type in set, unless it is marked already or the base does not have the string.
func (s *sparse) mark(set []uint64, r btf.Record) (fresh bool) {
	i, mask := bit(anchor(r))
	if fresh = i < uint64(len(set)) && s.marked[i]&mask == 0; fresh {
		set[i] |= mask
	}
	return fresh
}

// fill makes candidates of the types with marked anchors and of those without one. g gives access to the types of the run. It returns
// false if the base cannot be sparse: an enum without a name and without values is equal to others with any anchor.
func (s *sparse) fill(g *graph) bool {
	end := uint32(s.o.End())
	s.c.init(int(end), 0)
	s.marked[0] |= 1
	for id := uint32(1); id < end; id++ {
		r := s.o.At(btf.ID(id))
		switch k := r.Kind(); {
		case k == btf.KindVar || k == btf.KindDatasec:
			s.left = append(s.left, id)
			continue
		case k == btf.KindTypedef && s.peer.Has(rules.BaseTypedefSignature):
			continue // no signature of an own typedef leads to it
		case len(r) == 3 && r.Vlen() == 0:
			s.note(r)
		}
		if i, mask := bit(anchor(r)); i < uint64(len(s.marked)) && s.marked[i]&mask != 0 {
			s.insert(g, id, int(id)-1-len(s.left))
		}
	}
	s.c.at(int(end) - 1 - len(s.left))
	return !s.empties
}

// insert makes a type of the base a candidate. before is the number of types before it that would be in an index of all types.
func (s *sparse) insert(g *graph, id uint32, before int) {
	r := s.o.At(btf.ID(id))
	switch {
	case !btf.Composites.Has(r.Kind()):
	case r[0] != 0:
		s.tags = append(s.tags, id)
	case s.record(id).Kind() == btf.KindVoid: // it is damaged, and its signature follows its references
		return
	}
	s.c.at(before)
	sig := g.signature(r)
	s.c.insert(s.c.find(sig), sig, id)
}

// appended makes candidates for functions, prototypes and tags that were appended to the object, from an id on.
func (s *sparse) appended(g *graph, from, to uint32) {
	var fresh []uint64
	for id := from; id < to; id++ {
		r := g.rec(id)
		if !appendable.Has(r.Kind()) {
			continue
		}
		if fresh == nil {
			fresh = make([]uint64, len(s.marked))
		}
		s.mark(fresh, r)
	}
	if fresh == nil {
		return
	}
	for id := uint32(1); id < uint32(s.o.End()); id++ {
		r := s.o.At(btf.ID(id))
		if !appendable.Has(r.Kind()) {
			continue
		}
		if i, mask := bit(anchor(r)); i < uint64(len(fresh)) && fresh[i]&mask != 0 {
			left, _ := slices.BinarySearch(s.left, id)
			s.insert(g, id, int(id)-1-left)
		}
	}
	for i := range fresh {
		s.marked[i] |= fresh[i]
	}
}

// appendable are the kinds that have candidates in a base and may be appended to an object during a run.
const appendable = btf.KindSet(1<<btf.KindFunc | 1<<btf.KindFuncProto | 1<<btf.KindDeclTag)

// nameInto sets the names in own to the only struct or union of the base with that name, if there is one.
func (s *sparse) nameInto(own lone) {
	for _, id := range s.tags {
		name := s.o.At(btf.ID(id))[0]
		switch c, wanted := own[name]; {
		case !wanted:
		case s.record(id).Kind() == btf.KindVoid: // it is damaged
		case c == 0:
			own[name] = id
		default:
			own[name] = ambiguous
		}
	}
}
