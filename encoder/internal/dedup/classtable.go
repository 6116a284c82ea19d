package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A ClassTable decides, CU by CU in their order, which types go into the object, so that the exact engine gives the same result as it
// would for all types of all CUs.
//
// The problem: of a hundred types, ninety-nine are repeats of a type in an earlier CU, and comparing them is most of the work. The idea:
// the table recognises a repeat by its nominal class (package nominal). A type whose class occurred in an earlier CU stays out, and every
// reference to it goes to the first type of its class. The exact engine would merge the two anyway, and which of them survives does not
// depend on the later one: for structs, unions, typedefs and primitives the lowest id survives; for reference types the one completed
// first, depth first, and a walk that starts in a type that stays out reaches none of the types that do not. Inside the CU where a class
// occurs first, that order is not the order of ids, so all its reference types go in.
//
// This holds as long as a name stands for one thing. So the table records, for every name of a struct, union or enum (a tag), the class of
// its first definition. There are three exceptions:
//
//   - A CU that defines a tag otherwise than the first definition deviates. Whatever reaches such a definition inside this CU goes in, as
//     a record of its own that represents nobody.
//   - A CU in which one tag is two DIEs, both defined or one only declared, goes in whole. The exact engine compares such graphs node by
//     node, and which of their types are one node decides whether it finds them equal.
//   - A tag is ambiguous if it stands for several things, or is reached from things that do, and is somewhere declared without a
//     definition: what that declaration means depends on the order of comparisons. So is a tag that one CU defines twice in the way of
//     its first definition, if other CUs mention it: what reaches both nodes can fail against the first of its class and survive beside
//     it, and a later type of that class equals either of the two and takes the one that is the first candidate. Everything that reaches
//     an ambiguous tag, in every CU, goes in (ambiguous.go). A definition and a declaration in one CU make a tag several things and
//     declared, which is ambiguous already; of two different definitions one deviates, and nothing that reaches it in one place can equal
//     what does not.
type ClassTable struct {
	// Of the CU at hand; a Decision lends them to its user.
	ids   []uint32 // by local id: its id in the object
	isNew []bool   // by local id: it goes in
	added []nominal.LocalID

	broken bool // see Broken

	slots    []classSlot       // open addressing by hash, power of two
	tagOf    []uint32          // by slot, of a class that has a name: see tagShift; 0 where not known
	found    []uint32          // scratch: by local id, the slot of its class
	news     []nominal.LocalID // scratch: the local ids whose class has not been seen in an earlier CU
	used     int
	tags     []tag    // by tag number
	tagSlots []uint64 // open addressing: name and group << 30 | tag number + 1
	sets     tagSets
	round    uint32            // counts the units that were looked at
	deviant  []nominal.LocalID // scratch: local ids that deviate
	reach    []bool            // scratch: by local id, reaches a deviant
	todo     []nominal.LocalID // scratch: local ids that reach one, of which it is not known yet what refers to them
	addAll   bool              // in the CU a name is two things
}

// A classSlot is a class that has been seen: 96 bits of its hash and the id of its first type. 16 bytes.
type classSlot struct {
	a  uint64
	b  uint32
	id uint32 // 0 is a free slot
}

// A tag is what is known of one name of one group.
type tag struct {
	def          Hash   // class of its first definition; zero without one
	key          uint32 // the name
	group        nominal.Group
	declared     bool   // somewhere it is declared only
	several      bool   // it stands for more than one thing
	definedTwice bool   // one unit defines it twice as its first definition does
	sameDefIn    uint32 // round of the last unit that defines it so
	definedIn    uint32 // round of the last unit that defines it
	declaredIn   uint32 // round of the last unit that declares it
}

// tagKey spreads the keys of names.
const tagKey = 0x9e3779b97f4a7c15

// Broken tells whether the assumptions do not hold, so that only the exact engine may decide. No more CU may be examined then.
func (s *ClassTable) Broken() bool { return s.broken }

// Examine looks up the types of the CU that comes next. named are its structs, unions and enums with a name; class has the nominal class of
// every type, by local id, and is nil for a CU that has none. Names of t are keys; equal keys are equal names. Decide comes next, unless the
// table is Broken; if followsRefs, the references of all records of t must be local ids by then.
func (s *ClassTable) Examine(t *btf.Table, named []nominal.LocalID, class []Hash) (followsRefs bool) {
	n := t.Len() + 1
	s.ids, s.isNew, s.reach, s.added = resize(s.ids, n), resize(s.isNew, n), resize(s.reach, n), s.added[:0]
	s.ids[0] = 0
	clear(s.isNew)
	if s.broken = s.broken || class == nil; s.broken {
		return false
	}
	s.lookUp(class)
	s.noteNames(t, named, class)
	return s.deviating()
}

// deviating tells whether the CU at hand defines a name otherwise, or has one that is two things.
func (s *ClassTable) deviating() bool { return len(s.deviant) != 0 || s.addAll }

// Decide decides for the types of the CU that was examined; the first that goes in gets the id next.
func (s *ClassTable) Decide(t *btf.Table, class []Hash, next btf.ID) Decision {
	if s.deviating() {
		s.decideDeviating(t, class, next)
		return s.decision()
	}
	at, first := uint32(next), uint32(next)
	for _, id := range s.news {
		s.ids[id] = s.decide(class[id], t.At(btf.ID(id)).Kind(), at, first)
		at += s.note(id, at)
	}
	return s.decision()
}

func (s *ClassTable) decision() Decision { return Decision{IDs{s.ids}, s.isNew, s.added} }

// note notes that a local id goes in if its id in the object is at, and counts that.
func (s *ClassTable) note(local nominal.LocalID, at uint32) (added uint32) {
	if s.ids[local] != at {
		return 0
	}
	s.isNew[local] = true
	s.added = append(s.added, local)
	return 1
}

// lookUp finds the slots of all classes of a CU, which stay where they are until the CU is done; and with that the ids of the types whose
// class was seen in an earlier CU, which are 99 of 100.
func (s *ClassTable) lookUp(class []Hash) {
	for 3*(s.used+len(class)) >= 2*len(s.slots) {
		s.grow()
	}
	s.found, s.news = resize(s.found, len(class)), s.news[:0]
	slots, found, ids := s.slots, s.found, s.ids[:len(class)]
	mask := uint64(len(slots) - 1)
	for id := 1; id < len(class); id++ {
		h := &class[id]
		i := h.A & mask
		p := &slots[i]
		for p.id != 0 && (p.a != h.A || p.b != uint32(h.B)) {
			i = (i + 1) & mask
			p = &slots[i]
		}
		found[id], ids[id] = uint32(i), p.id
		if p.id == 0 {
			s.news = append(s.news, nominal.LocalID(id))
		}
	}
}

// decide is the id of a type that does not deviate: that of the first of its class, or at, where it goes in. first is the id of the
// first type of its CU that goes in.
func (s *ClassTable) decide(h Hash, k btf.Kind, at, first uint32) uint32 {
	slot := s.find(h)
	switch {
	case slot.id == 0:
		s.put(slot, h, at)
		return at
	case slot.id >= first && walked.Has(k):
		return at
	}
	return slot.id
}

// decideDeviating decides for the types of a CU that defines a name otherwise, or in which one is two things.
func (s *ClassTable) decideDeviating(t *btf.Table, class []Hash, next btf.ID) {
	deviates := len(s.deviant) != 0
	if deviates {
		s.propagate(t)
	}
	at, first := uint32(next), uint32(next)
	for id := 1; id < len(class); id++ {
		switch {
		case deviates && s.reach[id]:
			s.ids[id] = at
		case s.addAll:
			if slot := s.find(class[id]); slot.id == 0 {
				s.put(slot, class[id], at)
			}
			s.ids[id] = at
		default:
			s.ids[id] = s.decide(class[id], t.At(btf.ID(id)).Kind(), at, first)
		}
		at += s.note(nominal.LocalID(id), at)
	}
}

// AddTag tells whether the class of a declaration tag, whose target has that id in the object, has been seen; it is from now
// on.
func (s *ClassTable) AddTag(value uint32, target btf.ID, component uint32) bool {
	h := nominal.Begin(1<<63|uint64(value)<<32|uint64(target), nominal.Plain(component))
	slot := s.find(h)
	if slot.id != 0 {
		return true
	}
	s.put(slot, h, ^uint32(0))
	if 3*s.used >= 2*len(s.slots) {
		s.grow()
	}
	return false
}

const (
	// links are the kinds of which chains are made: one reference, and no merging before phase 5, as typedefs have it.
	links = btf.References &^ (1 << btf.KindTypedef)
	// walked are the kinds for which the depth-first walk of phase 5 decides which of several equal types survives.
	walked = links | 1<<btf.KindArray | 1<<btf.KindFuncProto
)

// find is the slot of a class, or the free one where it belongs. There is always a free one.
func (s *ClassTable) find(h Hash) *classSlot {
	if len(s.slots) == 0 {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := h.A & mask; ; i = (i + 1) & mask {
		if p := &s.slots[i]; p.id == 0 || p.a == h.A && p.b == uint32(h.B) {
			return p
		}
	}
}

// put fills a free slot.
func (s *ClassTable) put(p *classSlot, h Hash, id uint32) {
	*p = classSlot{h.A, uint32(h.B), id}
	s.used++
}

// MakeRoom spares the table its growing up to n classes.
func (s *ClassTable) MakeRoom(n int) {
	size := 1 << 15
	for 3*n >= 2*size {
		size *= 2
	}
	if size > len(s.slots) {
		s.growTo(size)
	}
}

func (s *ClassTable) grow() { s.growTo(max(1<<15, 2*len(s.slots))) }

func (s *ClassTable) growTo(size int) {
	old, tags := s.slots, s.tagOf
	s.slots = btf.Prefault(make([]classSlot, size))
	s.tagOf = btf.Prefault(make([]uint32, size))
	mask := uint64(len(s.slots) - 1)
	for k, p := range old {
		if p.id == 0 {
			continue
		}
		i := p.a & mask
		for s.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		s.slots[i], s.tagOf[i] = p, tags[k]
	}
}

// noteNames notes the names that a CU defines and declares, and finds definitions that deviate.
func (s *ClassTable) noteNames(t *btf.Table, named []nominal.LocalID, class []Hash) {
	s.deviant, s.addAll = s.deviant[:0], false
	twice := false
	for _, id := range named {
		slot := s.found[id]
		known := s.tagOf[slot]
		if known == 0 {
			known = s.newTagOf(t.At(btf.ID(id)), class[id])
			if s.slots[slot].id != 0 { // a free slot may be filled with another class until this one's turn
				s.tagOf[slot] = known
			}
		}
		n := known>>tagShift - 1
		twice = s.sets.mark(n) || twice
		if known&tagDeviates != 0 {
			s.tags[n].several = true
			s.deviant = append(s.deviant, id)
		}
	}
	s.sets.finish()
	s.broken = s.broken || s.sets.full()
	if twice {
		s.findDeviants(t, named, class)
	}
}

// What tagOf says of a class: its tag number + 1, shifted, and whether it defines otherwise than the first definition.
const (
	tagDeviates = 1
	tagShift    = 1
)

// newTagOf is what tagOf is to say of a class that has a name, which is noted.
func (s *ClassTable) newTagOf(r btf.Record, class Hash) uint32 {
	g, declares := nominal.GroupOf(r)
	n := s.tagNumber(r[0], g)
	known := (n + 1) << tagShift
	switch tag := &s.tags[n]; {
	case declares:
		tag.declared = true
	case tag.def == (Hash{}):
		tag.def = class
	case tag.def != class:
		known |= tagDeviates
	}
	return known
}

// deviates tells whether a definition differs from the first of its name, or is not the only thing of its name in the unit:
// comparing a graph in which a name is one node with a graph in which it is two can fail (rule 03/8).
func (s *ClassTable) deviates(t *tag, class Hash, declares bool) bool {
	var again bool
	if declares {
		again = t.definedIn == s.round
		t.declaredIn = s.round
	} else {
		again = t.definedIn == s.round || t.declaredIn == s.round
		t.definedIn = s.round
		if class == t.def {
			t.definedTwice = t.definedTwice || t.sameDefIn == s.round
			t.sameDefIn = s.round
		}
	}
	s.addAll = s.addAll || again
	return again || !declares && t.def != class
}

// tagNumber is the number of a name in a group; it is a new one at first sight. A slot holds key and group in its upper 34
// bits and the number, plus 1, in the lower 30.
func (s *ClassTable) tagNumber(key uint32, group nominal.Group) uint32 {
	if 2*len(s.tags) >= len(s.tagSlots) {
		s.growTags()
	}
	mask := uint64(len(s.tagSlots) - 1)
	want := uint64(key)<<2 | uint64(group)
	for i := nominal.Fold(want+1, tagKey) & mask; ; i = (i + 1) & mask {
		p := s.tagSlots[i]
		if p == 0 {
			s.tagSlots[i] = want<<30 | uint64(len(s.tags)+1)
			s.tags = append(s.tags, tag{key: key, group: group})
			return uint32(len(s.tags) - 1)
		}
		if p>>30 == want {
			return uint32(p&(1<<30-1)) - 1
		}
	}
}

func (s *ClassTable) growTags() {
	old := s.tagSlots
	s.tagSlots = btf.Prefault(make([]uint64, max(1<<12, 2*len(old))))
	mask := uint64(len(s.tagSlots) - 1)
	for _, p := range old {
		if p == 0 {
			continue
		}
		i := nominal.Fold(p>>30+1, tagKey) & mask
		for s.tagSlots[i] != 0 {
			i = (i + 1) & mask
		}
		s.tagSlots[i] = p
	}
}

// propagate finds what reaches a deviant inside the CU; the names of what does stand for several things from now on.
func (s *ClassTable) propagate(t *btf.Table) {
	clear(s.reach)
	from := listReferrers(t)
	todo := append(s.todo[:0], s.deviant...)
	for _, id := range todo {
		s.reach[id] = true
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, i := range from.of(uint32(id) - 1) {
			if !s.reach[i+1] {
				s.reach[i+1] = true
				todo = append(todo, nominal.LocalID(i+1))
			}
		}
	}
	s.todo = todo
	for id := 1; id <= t.Len(); id++ {
		r := t.At(btf.ID(id))
		if g, _ := nominal.GroupOf(r); s.reach[id] && g != nominal.None && r[0] != 0 {
			s.tags[s.tagNumber(r[0], g)].several = true
		}
	}
}
