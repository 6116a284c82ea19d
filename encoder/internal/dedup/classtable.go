package dedup

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A ClassTable decides which types of each CU go into the BTF object. It is the fast path of deduplication.
//
// The problem: in a kernel, 99 of 100 types repeat a type of an earlier CU, and comparing them as graphs takes most of the time.
// The result must be exactly what the exact engine would produce from all types of all CUs.
//
// The idea: recognise a repeat by its nominal class, a hash of its content (package nominal). If a type's class occurred in an
// earlier CU, the type stays out of the object, and references to it become references to the first type of its class (rule 03/18.2). The exact
// engine would have merged the two, and the choice of the survivor does not depend on the later one:
//
//   - Of equal structs, unions, typedefs and primitive types, the one with the lowest id survives.
//   - Of equal pointers, qualifiers, arrays and prototypes, the one that a depth-first walk completes first survives. A walk that
//     starts at a type that stays out never reaches a type that goes in. Within the CU in which a class first occurs, the order
//     of that walk differs from the order of ids, so all types of these kinds whose class first occurs in that CU go in.
//
// This is correct as long as each name of a struct, union or enum (a tag) means one type. The table therefore keeps the class of
// each tag's first definition. Three cases need more:
//
//   - A deviating CU defines a tag differently from the first definition. Every type of that CU from which such a definition can
//     be reached goes in, and its class is not recorded.
//   - A CU in which one tag belongs to two DIEs, two definitions or a definition and a declaration, goes in whole. The exact
//     engine compares graphs node by node, and the answer depends on which types share a node.
//   - A tag is ambiguous if it means several types, or if such a tag can be reached from it, and if some CU only declares it: the
//     meaning of the declaration then depends on the order of comparisons. A tag is also ambiguous if one CU repeats its first
//     definition and other CUs mention it. A type that reaches both copies can differ from the first type of its class and
//     survive next to it; a later type of the class equals both, and merges with the one that is the first candidate. In all CUs,
//     every type from which an ambiguous tag can be reached goes in (ambiguous.go).
//
// Other combinations need no rule of their own. A tag that one CU both defines and declares has several meanings and a
// declaration, so it is ambiguous. Of two different definitions, one deviates, and a type that reaches it cannot equal a type
// that does not.
type ClassTable struct {
	// The current CU; a Decision shares these slices with its user.
	ids   []uint32 // by local id: its id in the object
	isNew []bool   // by local id: whether it goes in
	added []nominal.LocalID

	broken bool // see Broken

	classes  []classSlot       // by class number, in the order of their first occurrence; 0 is no class
	tagOf    []uint32          // by class number, for a class with a name: see tagShift; 0 if unknown
	after    []uint32          // by class number: the class that last followed it, if that was not the one with the next number; 0 if unknown
	slots    []uint32          // open addressing by hash, power of two: class numbers, 0 is a free slot
	found    []uint32          // scratch: by local id, the number of its class, 0 if it occurs in no earlier CU
	news     []nominal.LocalID // scratch: the local ids whose class occurs in no earlier CU
	tags     []tag             // by tag number
	tagSlots []uint64          // open addressing: name and group << 30 | tag number + 1
	sets     tagSets
	round    uint32            // number of units that were searched for deviants
	deviant  []nominal.LocalID // scratch: the local ids of deviating definitions
	reach    []bool            // scratch: by local id, whether a deviant can be reached from it
	todo     []nominal.LocalID // scratch: local ids whose referrers are still to be visited
	addAll   bool              // one tag of the CU belongs to two DIEs
	newTags  []newTag          // scratch: the named types of the CU whose class occurs in no earlier CU
	past     occurrences
	foreign  foreignUnits
	base     *Base // or nil
}

// A newTag is a named type, and the entry of tagOf for its class.
type newTag struct {
	local nominal.LocalID
	tagOf uint32
}

// A classSlot is a known class: its hash and the id of its first type. 16 bytes.
type classSlot struct {
	a  uint64
	b  uint32
	id uint32
}

// is reports whether a hash is that of the class.
func (c *classSlot) is(a uint64, b uint32) bool { return c.a == a && c.b == b }

// A tag is what the table knows about one name in one group.
type tag struct {
	def          Hash   // class of its first definition; zero if there is none
	key          uint32 // the name
	group        nominal.Group
	declared     bool   // some CU only declares it
	several      bool   // it means more than one type
	definedTwice bool   // one unit repeats its first definition
	sameDefIn    uint32 // round of the last unit that defines it like the first definition
	definedIn    uint32 // round of the last unit that defines it
	declaredIn   uint32 // round of the last unit that declares it
}

// tagKey scatters the keys of names over tagSlots.
const tagKey = 0x9e3779b97f4a7c15

// Broken reports whether the assumptions of the table do not hold. Then only the exact engine may decide, and no further CU may
// be examined.
func (s *ClassTable) Broken() bool { return s.broken }

// Examine looks up the types of the next CU. named lists its structs, unions and enums with a name. dies has the nominal class
// of every type, by local id. Names in t are keys, and equal keys are equal names. Call
// Decide next, unless the table is Broken. If followsRefs is true, all references in t must be local ids before that call.
func (s *ClassTable) Examine(t *btf.Table, named []nominal.LocalID, dies []nominal.Entry) (followsRefs bool) {
	n := t.Len() + 1
	s.ids, s.isNew, s.reach, s.added = resize(s.ids, n), resize(s.isNew, n), resize(s.reach, n), s.added[:0]
	s.ids[0] = 0
	clear(s.isNew)
	if s.broken {
		return false
	}
	s.lookUp(dies)
	s.noteNames(t, named, dies)
	return s.deviating()
}

// deviating reports whether the current CU has a deviating definition, or a tag that belongs to two DIEs.
func (s *ClassTable) deviating() bool { return len(s.deviant) != 0 || s.addAll }

// Decide decides about the types of the examined CU. The first type that goes in gets the id next.
func (s *ClassTable) Decide(t *btf.Table, dies []nominal.Entry, next btf.ID) Decision {
	if s.deviating() {
		s.decideDeviating(t, dies, next)
	} else {
		at, first := uint32(next), uint32(next)
		for _, id := range s.news {
			s.ids[id], s.found[id] = s.decide(dies[id].Hash(), t.At(btf.ID(id)).Kind(), at, first)
			at += s.note(id, at)
		}
	}
	if s.past.wanted {
		s.remember()
	}
	return s.decision()
}

// state returns what is known of the current CU.
func (s *ClassTable) state() unitState {
	switch {
	case s.addAll:
		return doubled
	case s.deviating():
		return deviates
	}
	return complete
}

// remember remembers what was decided about the current CU.
func (s *ClassTable) remember() {
	for _, local := range s.added {
		s.past.wentIn(s.ids[local], s.found[local])
	}
	for _, n := range s.newTags {
		if class := s.found[n.local]; class != 0 {
			s.tagOf[class] = n.tagOf
		}
	}
	if s.deviating() && !s.foreign.wanted {
		s.past.unknown()
	} else {
		s.past.unit(s.found, s.state())
	}
}

func (s *ClassTable) decision() Decision { return Decision{IDs{s.ids}, s.isNew, s.added} }

// note records that a type goes in if its id in the object is at, and returns the number of types that this adds.
func (s *ClassTable) note(local nominal.LocalID, at uint32) (added uint32) {
	if s.ids[local] != at {
		return 0
	}
	s.isNew[local] = true
	s.added = append(s.added, local)
	return 1
}

// lookUp finds the numbers of all classes of a CU. This also gives the ids of the types whose class occurs in an earlier CU, which is 99
// of 100.
//
// Most types of a CU come from headers that earlier CUs have included, in the same order: in seven of eight cases, the class of the next
// type is the one with the next number. So that one is tried first, which needs neither the hash table nor memory that is not in the
// cache. Where one header ends and the next begins, three of four times it is the class that was next the last time.
//
//go:noinline
func (s *ClassTable) lookUp(dies []nominal.Entry) {
	if len(s.slots) == 0 {
		s.grow()
	}
	s.found, s.news = resize(s.found, len(dies)), s.news[:0]
	classes, after, found, ids := s.classes, s.after[:len(s.classes)], s.found[:len(dies)], s.ids[:len(dies)]
	last, next := uint(0), uint(0) // the class of the last type that was found, and the number after it
	for id := 1; id < len(dies); id++ {
		h, n := &dies[id], next
		if n >= uint(len(classes)) {
			n = 0
		}
		class := &classes[n]
		if !class.is(h.A, h.B) {
			n = uint(after[last])
			if class = &classes[n]; !class.is(h.A, h.B) {
				if n = uint(s.find(h.A, h.B)); n == 0 {
					found[id], ids[id] = 0, 0
					s.news = append(s.news, nominal.LocalID(id))
					continue
				}
				class, after[last] = &classes[n], uint32(n)
			}
		}
		found[id], ids[id] = uint32(n), class.id
		last, next = n, n+1
	}
}

// decide returns the id of a type that does not deviate, and the number of its class. The id is that of the first type of the class, or at if the
// type goes in. first is the id of the first type of the current CU that goes in.
func (s *ClassTable) decide(h Hash, k btf.Kind, at, first uint32) (id, class uint32) {
	n := s.find(h.A, h.B)
	if n == 0 {
		return at, s.put(h, at)
	}
	if id := s.classes[n].id; id < first || !walked.Has(k) {
		return id, n
	}
	return at, n
}

// decideDeviating is Decide for a CU that deviates, or in which a tag belongs to two DIEs.
func (s *ClassTable) decideDeviating(t *btf.Table, dies []nominal.Entry, next btf.ID) {
	deviates := len(s.deviant) != 0
	if deviates {
		s.propagate(t)
	}
	at, first := uint32(next), uint32(next)
	for id := 1; id < len(dies); id++ {
		switch {
		case deviates && s.reach[id]:
			s.ids[id], s.found[id] = at, 0
		case s.addAll:
			h := dies[id].Hash()
			if s.found[id] = s.find(h.A, h.B); s.found[id] == 0 {
				s.found[id] = s.put(h, at)
			}
			s.ids[id] = at
		default:
			s.ids[id], s.found[id] = s.decide(dies[id].Hash(), t.At(btf.ID(id)).Kind(), at, first)
		}
		at += s.note(nominal.LocalID(id), at)
	}
}

// AddTag adds the class of a declaration tag whose target has the given id in the object. It reports whether the class was known
// before.
func (s *ClassTable) AddTag(value uint32, target btf.ID, component uint32) bool {
	h := nominal.Begin(1<<63|uint64(value)<<32|uint64(target), nominal.Plain(component))
	if s.find(h.A, h.B) != 0 {
		return true
	}
	s.put(h, ^uint32(0))
	return false
}

const (
	// links are the kinds that form chains: they have one reference, and unlike typedefs they are not merged before phase 5.
	links = btf.References &^ (1 << btf.KindTypedef)
	// walked are the kinds for which the depth-first walk of phase 5 decides which of several equal types survives.
	walked = links | 1<<btf.KindArray | 1<<btf.KindFuncProto
)

// find returns the number of a class, 0 if it is not known. There is always a free slot.
//
//go:noinline
func (s *ClassTable) find(a uint64, b uint32) uint32 {
	slots, classes := s.slots, s.classes
	for i := uint(a); ; i++ {
		n := slots[i&uint(len(slots)-1)]
		if n == 0 || classes[n].is(a, b) {
			return n
		}
	}
}

// put adds a class that is not known, and returns its number. Its first type has the given id.
func (s *ClassTable) put(h Hash, id uint32) (class uint32) {
	class = uint32(len(s.classes))
	s.classes, s.tagOf, s.after = append(s.classes, classSlot{h.A, h.B, id}), append(s.tagOf, 0), append(s.after, 0)
	if 3*len(s.classes) >= 2*len(s.slots) {
		s.grow() // this inserts the class, too
	} else {
		s.insert(class)
	}
	return class
}

// insert puts the number of a class into the first free slot from its place on.
func (s *ClassTable) insert(n uint32) {
	mask := uint64(len(s.slots) - 1)
	i := s.classes[n].a & mask
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = n
}

// MakeRoom allocates space for n classes.
func (s *ClassTable) MakeRoom(n int) {
	size := minSlots
	for 3*n >= 2*size {
		size *= 2
	}
	s.classes, s.tagOf, s.after = slices.Grow(s.classes, n+1), slices.Grow(s.tagOf, n+1), slices.Grow(s.after, n+1)
	if s.past.wanted {
		s.past.makeRoom(n)
	}
	if size > len(s.slots) {
		s.growTo(size)
	}
}

func (s *ClassTable) grow() { s.growTo(max(minSlots, 2*len(s.slots))) }

// minSlots is the size of the smallest table: a module of one unit has some thousand classes.
const minSlots = 1 << 11

func (s *ClassTable) growTo(size int) {
	if len(s.classes) == 0 {
		s.classes, s.tagOf, s.after = append(s.classes, classSlot{}), append(s.tagOf, 0), append(s.after, 0)
	}
	s.slots = btf.Prefault(make([]uint32, size))
	for n := 1; n < len(s.classes); n++ {
		s.insert(uint32(n))
	}
}

// noteNames records the names that a CU defines and declares, and finds definitions that deviate.
func (s *ClassTable) noteNames(t *btf.Table, named []nominal.LocalID, dies []nominal.Entry) {
	s.deviant, s.addAll, s.newTags = s.deviant[:0], false, s.newTags[:0]
	twice := false
	for _, id := range named {
		class := s.found[id]
		known := s.tagOf[class]
		if known == 0 {
			known = s.newTagOf(t.At(btf.ID(id)), dies[id].Hash())
			if class != 0 {
				s.tagOf[class] = known
			} else {
				s.newTags = append(s.newTags, newTag{id, known})
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
		s.findDeviants(t, named, dies)
	}
}

// The format of an entry of tagOf: the tag number plus 1, shifted, and a bit that says that the class deviates from the first
// definition.
const (
	tagDeviates = 1
	tagShift    = 1
)

// newTagOf records the name of a class, and returns the entry of tagOf for it.
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

// deviates reports whether a definition differs from the first of its name, or the unit has another type of that name: comparing
// a graph in which a name is one node with a graph in which it is two can fail (rule 03/8).
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

// tagNumber returns the number of a name in a group, and assigns the next number to a name that has none. A slot holds key and
// group in its upper 34 bits, and the number plus 1 in the lower 30.
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

// propagate finds the types of the CU from which a deviant can be reached. The names of these types now have several meanings.
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
