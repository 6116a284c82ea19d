package dedup

import (
	"fmt"
	"math"
	"math/bits"
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
// type. The anchors of the own types are marked in a bit set, and only the types of the base with a marked anchor, or without an anchor,
// can be candidates.
//
// Pointers, qualifiers, arrays, prototypes, functions and tags are compared after their referents have been replaced by what these merged
// with. So they can be candidates only if all their referents can be, or if own types refer to these.
//
// The candidates enter the index as if all other types had entered it too, which keeps their order.
//
// Functions are appended while a run takes place. Anchors of theirs that were not announced are marked before they are processed, and the
// types with these anchors enter the index then.
//
// Nothing in the base is trusted: a record is checked when it is first looked at. Records that are never looked at are not checked.
type sparse struct {
	Base
	out      *btf.Outline // of the types of the base
	c        *index       // of the run
	peer     rules.Set
	seen     []uint64  // by id: the record was checked
	recent   [256]span // records that were looked at, by the lower bits of their ids
	err      error     // what is wrong with a record that was looked at
	marked   *names    // anchors of own types
	possible []uint64  // by id: the type can be a candidate, or own types refer to it
	open     []uint64  // by id: the type is possible, or it is not known whether it is
	waiting  []waiting // the types of which that is not known
	all      bool      // all types were considered
	entered  []uint64  // by id: it is in the index; not changed, but replaced
	again    bool      // types have entered the index before
	left     []uint32  // ids of the variables and sections, which are in no index, ascending
	tags     []uint32  // ids of the structs and unions with marked names, ascending
}

// A waiting type of the base is considered again later.
type waiting struct{ id, at uint32 } // at is the place of its record in the words of the table

// names is a set of offsets of strings, by their lower bits. It may have offsets that were not added, which only makes types candidates that
// need not be: it stays in the first-level cache, and few of its pages are touched. It always has the offset 0.
type names [1 << 12]uint64

func (n *names) add(name uint32) { n[name/64%uint32(len(n))] |= 1 << (name % 64) }

func (n *names) has(name uint32) bool { return n[name/64%uint32(len(n))]>>(name%64)&1 != 0 }

// newSparse returns a sparse base that puts its candidates into an index, which is that of the run.
func newSparse(o *btf.Object, c *index, peer rules.Set) *sparse {
	s := &sparse{Base: Base{o: o}, out: o.Outline(), c: c, peer: peer, marked: new(names), waiting: make([]waiting, 0, int(o.End())/16)}
	s.marked.add(0)
	ids := int(o.End())/64 + 1
	sets := btf.Prefault(make([]uint64, 4*ids))
	s.seen, s.possible, s.entered, s.open = sets[:ids:ids], sets[ids:2*ids:2*ids], sets[2*ids:3*ids:3*ids], sets[3*ids:]
	s.possible[0], s.entered[0] = 1, 1 // void
	return s
}

// A span is where the record of a type is in the words of the table.
type span struct{ id, at, end uint32 }

// record returns a record of the base, and checks it if it has not been looked at. A damaged record counts as void, and the run ends
// with an error.
func (s *sparse) record(id uint32) btf.Record {
	if c := s.recent[id%uint32(len(s.recent))]; c.id == id && c.end != 0 {
		return s.o.Words()[c.at:c.end:c.end]
	}
	return s.find(id)
}

// find is record for a type that is not a recent one.
func (s *sparse) find(id uint32) btf.Record {
	if s.seen[id/64]>>(id%64)&1 == 0 && !s.sound(id) {
		return voidRecord
	}
	at, end := s.out.Place(btf.ID(id))
	s.recent[id%uint32(len(s.recent))] = span{id, at, end}
	return s.o.Words()[at:end:end]
}

// sound checks a record that has not been looked at.
func (s *sparse) sound(id uint32) bool {
	if err := s.o.CheckRecord(btf.ID(id)); err != nil {
		if s.err == nil {
			s.err = fmt.Errorf("base: %w", err)
		}
		return false
	}
	s.seen[id/64] |= 1 << (id % 64)
	return true
}

// Sets of kinds.
const (
	// elementAnchored kinds without a name have that of the first element as their anchor.
	elementAnchored = btf.Composites | btf.Enums | 1<<btf.KindFuncProto
	// late kinds are compared after their referents have been replaced.
	late = walked | appendable
	// appendable kinds may be appended to an object during a run.
	appendable btf.KindSet = 1<<btf.KindFunc | 1<<btf.KindFuncProto | 1<<btf.KindDeclTag
	// unordered kinds are in no index.
	unordered btf.KindSet = 1<<btf.KindVar | 1<<btf.KindDatasec
	everyKind             = 1<<btf.NumKinds - 1&^unordered
)

// anchor returns the anchor of a record, 0 if it has none.
func anchor(r btf.Record) uint32 {
	if r[0] == 0 && len(r) > 3 && elementAnchored.Has(r.Kind()) {
		return r[3]
	}
	return r[0]
}

// mark marks a string as an anchor of own types. It reports whether it was not marked, and is in the base.
func (s *sparse) mark(name uint32) (fresh bool) {
	if fresh = name < s.o.Strings.End() && !s.marked.has(name); fresh {
		s.marked.add(name)
	}
	return fresh
}

// own marks what an own type says of the base: its anchor, and the types of the base that it refers to. It reports whether the anchor was not
// marked, and whether one of these types was not possible.
func (s *sparse) own(r btf.Record) (fresh, refers bool) {
	end := uint32(s.o.End())
	r.References(func(id *uint32) {
		if *id < end && !has(s.possible, *id) {
			refers = true
			s.possible[*id/64] |= 1 << (*id % 64)
		}
	})
	return s.mark(anchor(r)), refers
}

// has reports whether a set has a number.
func has(set []uint64, n uint32) bool { return n/64 < uint32(len(set)) && set[n/64]>>(n%64)&1 != 0 }

// fill makes candidates of the types of the given kinds. g gives access to the types of the run. It returns false if the base cannot be
// sparse: an enum without a name and without values is equal to others with any anchor.
func (s *sparse) fill(g *graph, kinds btf.KindSet) bool {
	if s.left = s.left[:0]; s.peer.Has(rules.BaseTypedefSignature) {
		kinds &^= 1 << btf.KindTypedef // no signature of an own typedef leads to one of the base
	}
	s.pass(kinds)
	s.settle()
	own := max(0, s.c.n-(int(s.o.End())-1-len(s.left))) // number of own types in the index
	s.enter(g, kinds)
	s.c.at(int(s.o.End()) - 1 - len(s.left) + own)
	s.again = true
	return !s.empties
}

// A role says which types of a kind are considered. It is made so that most types take the same way.
type role struct {
	least  uint32 // types of at most so many words are considered, whatever their anchor is
	anchor uint8  // where a record has its anchor
	second uint8  // where it has its anchor if there is 0
	ref    uint8  // where it has its first reference that is looked at; if none is, its second word, which is more than any id
	step   uint8  // how far it is to the next one; 0 if there is only one
}

// setRoles sets the roles of all kinds if types of the given kinds are wanted.
func (p *passing) setRoles(kinds btf.KindSet) {
	for i := range p.roles {
		k := btf.Kind(i % 128)
		r, set := role{ref: 1}, btf.KindSet(1)<<k
		switch {
		case set&links != 0:
			r.ref = 2
		case k == btf.KindArray:
			r.ref = 3
		case set&(kinds|unordered) == 0, set&named != 0:
		case k == btf.KindFuncProto: // the result, and the parameters
			r = role{least: firstElement, anchor: firstElement, second: firstElement, ref: 2, step: 2}
		case set&elementAnchored != 0:
			r.least, r.second = firstElement, firstElement
		default:
			r.least = math.MaxUint8
		}
		p.roles[i] = r
	}
}

// named has kinds whose types have names. Those of kinds that are neither here nor in elementAnchored are always considered.
const named btf.KindSet = 1<<btf.KindInt | 1<<btf.KindTypedef | 1<<btf.KindFunc | 1<<btf.KindFloat | 1<<btf.KindDeclTag

// pass considers the types of the given kinds, and those of unordered kinds, in the order of their ids.
func (s *sparse) pass(kinds btf.KindSet) {
	for i := range s.open {
		s.open[i] |= s.possible[i]
	}
	p := passing{words: s.o.Words(), lengths: s.out.Lengths(), marked: s.marked, open: s.open}
	p.setRoles(kinds)
	for kinds |= unordered; p.i < len(p.lengths); p.i++ {
		p.skipFast()
		id, at := uint32(p.i)+1, p.at
		if p.at += int(p.lengths[p.i]); p.at == at {
			p.at = s.out.End(btf.ID(id), at)
		}
		if r := btf.Record(p.words[at:p.at:p.at]); kinds.Has(r.Kind()) {
			s.consider(waiting{id, uint32(at)}, r)
		}
	}
}

// A passing goes over the types of a base. Nearly all of them are not possible.
type passing struct {
	i, at   int       // index of the next type, and of its record in words
	lengths []uint8   // of the Outline
	words   []uint32  // of the table
	marked  *names    // as in sparse
	open    []uint64  // as in sparse, for all types
	roles   [256]role // by the upper byte of the second word of a record
}

// skip goes on to the next type that may have to be considered, at the latest to that with the next length that is untold, such as the last one. skipFast
// does the same.
func (p *passing) skip() {
	for ; p.lengths[p.i] != btf.Untold; p.i++ {
		r := p.words[p.at : p.at+int(p.lengths[p.i])]
		role := &p.roles[r[1]>>24]
		if len(r) <= int(role.least) {
			return
		}
		name := r[role.anchor]
		if name == 0 {
			name = r[role.second]
		}
		if p.marked.has(name) && p.refers(r, role) {
			return
		}
		p.at += len(r)
	}
}

// refers reports whether a record refers to nothing but open types, and types that come after it, with the references that are looked at.
func (p *passing) refers(r []uint32, role *role) bool {
	for at := int(role.ref); at < len(r); at += int(role.step) {
		if to := r[at]; to <= uint32(p.i) && !has(p.open, to) {
			return false
		}
		if role.step == 0 {
			break
		}
	}
	return true
}

// firstElement is the index in a record of the first word of its first element.
const firstElement = 3

// consider decides whether a type is possible, or not, or open, since a referent is open or comes later.
func (s *sparse) consider(t waiting, r btf.Record) {
	k := r.Kind()
	if unordered.Has(k) {
		s.left = append(s.left, t.id)
		return
	}
	if r.Vlen() == 0 {
		s.note(r)
	}
	if !s.marked.has(anchor(r)) {
		return
	}
	state := yes
	if late.Has(k) {
		state = s.referents(t.id, r)
	}
	switch i, bit := t.id/64, uint64(1)<<(t.id%64); state {
	case yes:
		s.possible[i] |= bit
		s.open[i] |= bit
	case unknown:
		s.open[i] |= bit
		s.waiting = append(s.waiting, t)
	}
}

// An answer says whether a type is possible.
type answer uint8

const (
	yes answer = iota
	unknown
	no
)

// referents reports whether all referents of a type are possible. r may be longer than the record.
func (s *sparse) referents(id uint32, r btf.Record) (all answer) {
	switch r.Kind() {
	case btf.KindArray:
		return max(s.referent(id, r[3]), s.referent(id, r[4]))
	case btf.KindFuncProto:
		for end := firstElement + 2*r.Vlen(); end > firstElement; end -= 2 {
			if all = max(all, s.referent(id, r[end-1])); all == no {
				return no
			}
		}
	}
	return max(all, s.referent(id, r[2]))
}

// referent reports whether a referent of a type is possible. Those before the type, and those that are open, have been considered.
func (s *sparse) referent(id, of uint32) answer {
	i, bit := of/64, uint64(1)<<(of%64)
	if int(i) >= len(s.possible) {
		return no
	}
	if s.possible[i]&bit != 0 {
		return yes
	}
	if of >= id && !s.all && of < uint32(s.o.End()) || s.open[i]&bit != 0 {
		return unknown
	}
	return no
}

// rounds is the number of times that settle goes through the waiting types. Kernels need two or three.
const rounds = 8

// settle decides which of the waiting types are possible. If many of them lead to each other against the order of ids, all are. Most of
// the waiting types refer to types that come after them, so it begins at the end, and then goes to and fro.
func (s *sparse) settle() {
	s.all = true
	for round := 0; len(s.waiting) > 0; round++ {
		before := len(s.waiting)
		if round%2 == 0 {
			kept := before
			for i := before - 1; i >= 0; i-- {
				if t := s.waiting[i]; !s.settled(t, round) {
					kept--
					s.waiting[kept] = t
				}
			}
			s.waiting = s.waiting[kept:]
		} else {
			s.waiting = slices.DeleteFunc(s.waiting, func(t waiting) bool { return s.settled(t, round) })
		}
		if len(s.waiting) == before { // they lead to each other
			for _, t := range s.waiting {
				s.open[t.id/64] &^= 1 << (t.id % 64)
			}
			s.waiting = s.waiting[:0]
		}
	}
	s.all = false
}

// settled reports whether it is known in a round of settle whether a waiting type is possible.
func (s *sparse) settled(t waiting, round int) bool {
	state := yes
	if round < rounds {
		state = s.referents(t.id, s.o.Words()[t.at:])
	}
	if state == unknown {
		return false
	}
	if state == yes {
		s.possible[t.id/64] |= 1 << (t.id % 64)
	} else {
		s.open[t.id/64] &^= 1 << (t.id % 64)
	}
	return true
}

// enter puts the possible types of the given kinds into the index.
func (s *sparse) enter(g *graph, kinds btf.KindSet) {
	left, n, old := s.left, 0, s.entered
	s.entered = slices.Clone(s.possible)
	for i := range s.entered {
		n += bits.OnesCount64(s.entered[i] &^ old[i])
	}
	s.c.room(n)
	s.c.below.extend(s.entered)
	for i := range s.entered {
		for set := s.entered[i] &^ old[i]; set != 0; set &= set - 1 {
			id := uint32(64*i + bits.TrailingZeros64(set))
			for len(left) > 0 && left[0] < id {
				left = left[1:]
			}
			if r := s.out.At(btf.ID(id)); kinds.Has(r.Kind()) {
				s.insert(g, id, r, int(id)-1-len(s.left)+len(left))
			}
		}
	}
}

// insert puts a type into the index. before is the number of types before it in an index of all types.
func (s *sparse) insert(g *graph, id uint32, r btf.Record, before int) {
	switch {
	case !btf.Composites.Has(r.Kind()):
	case r[0] != 0:
		s.tags = append(s.tags, id)
	case s.record(id).Kind() == btf.KindVoid: // it is damaged, and its signature follows its references
		return
	}
	s.c.at(before)
	sig := g.signature(r)
	l := s.c.find(sig)
	if s.again && l.head != 0 && l.head != divided {
		s.amid(l, sig, id)
		return
	}
	s.c.insert(l, sig, id)
}

// amid puts a type into a list that has types already, and perhaps some that come after it.
func (s *sparse) amid(l *list, sig uint64, id uint32) {
	ids := []uint32{id}
	for other := l.head; other != 0; other = *s.c.after(other) {
		if other >= uint32(s.o.End()) { // an own type with this signature: all types of the base that have it are there
			s.c.insert(l, sig, id)
			return
		}
		ids = append(ids, other)
	}
	slices.Sort(ids)
	l.head = 0
	s.c.used--
	for _, id := range ids {
		left, _ := slices.BinarySearch(s.left, id)
		s.c.at(int(id) - 1 - left)
		s.c.insert(s.c.find(sig), sig, id)
	}
}

// appended makes candidates for what was appended to the object, from an id on.
func (s *sparse) appended(g *graph, from, to uint32) {
	anyFresh, anyRefers := false, false
	for id := from; id < to; id++ {
		if r := g.rec(id); appendable.Has(r.Kind()) {
			fresh, refers := s.own(r)
			anyFresh, anyRefers = anyFresh || fresh, anyRefers || refers
		}
	}
	switch {
	case anyRefers:
		s.fill(g, everyKind)
	case anyFresh:
		s.fill(g, appendable)
	}
}

// nameInto sets the names in own to the only struct or union of the base with that name, if there is one.
func (s *sparse) nameInto(own lone) {
	for _, id := range s.tags {
		name := s.out.At(btf.ID(id))[0]
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
