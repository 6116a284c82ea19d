package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// AmbiguousClasses is the set of classes that reach an ambiguous name. All types of these classes must go into the object. With units in two languages,
// some classes are in it only for some units (languages.go).
type AmbiguousClasses struct {
	table *ClassTable
	why   []uint64       // by class number: a set of reasons to be in the set; 0 if the class is not in it
	here  map[int]uint64 // by unit: the reasons that count in it, besides everywhere
	// Names are the keys of the ambiguous names. Units are the units in which a class of the set can occur, ascending, numbered in the order in which
	// they were examined.
	Names   []uint32
	Units   []int
	Foreign *Foreign // nil if all units are in one language
}

// everywhere is the reason that counts in every unit: the class reaches an ambiguous name.
const everywhere = 1 << 63

// Ambiguous finds the names that a class does not resolve, after all CUs have been examined. These are the names with several
// meanings, or of both a struct and a union, that some CU only declares; and the names that one CU defines twice and another CU
// mentions. If o has a base, names that are not plain are ambiguous, too (namesakes.go). It returns the classes that reach an ambiguous name, or
// nil if there are none, and what o and its base have in common. o is the object that the decisions produced; offset returns the place of a key's
// string in its table.
func (s *ClassTable) Ambiguous(o *btf.Object, offset func(key uint32) uint32) (*AmbiguousClasses, *Namesakes) {
	k := &AmbiguousClasses{table: s, why: make([]uint64, len(s.classes))}
	var plain *Namesakes
	var others []uint64
	if o.Base != nil {
		if plain, others, s.broken = s.findNamesakes(o, offset); s.broken {
			return nil, nil
		}
	}
	reached := make(map[uint64]bool) // names in the form of nameIn
	var shared []uint64
	for i := range s.tags {
		t := &s.tags[i]
		if t.definedTwice && shared == nil {
			shared = s.sets.shared()
		}
		undecided := has(others, uint32(i)) || t.declared && (t.several || s.twoKinds(t)) || t.definedTwice && shared[i/64]>>(i%64)&1 != 0
		if !undecided {
			continue
		}
		k.Names = append(k.Names, t.key)
		for g := range uint64(nominal.None) {
			reached[nameIn(offset(t.key), g)] = true
		}
	}
	if len(k.Names) == 0 {
		return s.settle(o, offset, k, nil), plain
	}
	reach := reachNames(o, reached, s.foreign.all(o))
	if plain != nil {
		plain.drop(reached)
	}
	wanted := make([]uint64, len(s.tags)/64+1)
	for i := range s.tags {
		if t := &s.tags[i]; reached[nameIn(offset(t.key), uint64(t.group))] {
			wanted[i/64] |= 1 << (i % 64)
		}
	}
	k.Units = s.sets.with(wanted)
	for n := range s.classes {
		if id := s.classes[n].id; id != 0 && id != ^uint32(0) && reach[id-uint32(o.First())] {
			k.why[n] = everywhere
		}
	}
	return s.settle(o, offset, k, reached), plain
}

// twoKinds reports whether both a struct and a union with this name are defined.
func (s *ClassTable) twoKinds(t *tag) bool {
	if t.group == nominal.Enum {
		return false
	}
	defs := 0
	for g := range nominal.Enum {
		if n, ok := s.findTag(t.key, g); ok && s.tags[n].def != (Hash{}) {
			defs++
		}
	}
	return defs == 2
}

func (s *ClassTable) findTag(key uint32, group nominal.Group) (n uint32, ok bool) {
	mask := uint64(len(s.tagSlots) - 1)
	want := uint64(key)<<2 | uint64(group)
	for i := nominal.Fold(want+1, tagKey) & mask; s.tagSlots[i] != 0; i = (i + 1) & mask {
		if p := s.tagSlots[i]; p>>30 == want {
			return uint32(p&(1<<30-1)) - 1, true
		}
	}
	return 0, false
}

// nameIn combines an offset in the string table with a group.
func nameIn(off uint32, group uint64) uint64 { return uint64(off)<<2 | group }

// reachNames returns, by index in o, whether one of the names can be reached from a type: because the type has such a name, or
// refers to a type that reaches one. If a type with a name reaches one, all types of its name do, since a declaration may mean
// any of them. Such names are added to reached. Foreign types do not count.
func reachNames(o *btf.Object, reached map[uint64]bool, foreign []bool) []bool {
	reach := make([]bool, o.Len())
	first := uint32(o.First())
	last := make(map[uint64]uint32)   // by name: the last type of that name, counted from 1
	before := make([]uint32, o.Len()) // by index: the previous type of that name, counted from 1
	var todo []uint32                 // types that reach a name, whose referrers are still to be visited
	add := func(i uint32) {
		if !reach[i] && (foreign == nil || !foreign[i]) {
			reach[i] = true
			todo = append(todo, i)
		}
	}
	for id, r := range o.All() {
		if name, ok := nameOf(r); ok {
			i := uint32(id) - first
			before[i], last[name] = last[name], i+1
			if reached[name] {
				add(i)
			}
		}
	}
	from := listReferrers(&o.Table)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, by := range from.of(i) {
			add(by)
		}
		name, ok := nameOf(o.At(btf.ID(first + i)))
		if !ok {
			continue
		}
		reached[name] = true
		for same := last[name]; same != 0; same = before[same-1] {
			add(same - 1)
		}
		delete(last, name) // all types of the name have been added
	}
	return reach
}

// nameOf returns the name of a struct, union or enum in the form of nameIn.
func nameOf(r btf.Record) (name uint64, ok bool) {
	g, _ := nominal.GroupOf(r)
	return nameIn(r[0], uint64(g)), g != nominal.None && r[0] != 0
}

// Has reports whether all types of a class must go in that a unit has.
func (k *AmbiguousClasses) Has(h Hash, unit int) bool {
	return k.why[k.table.find(h.A, h.B)]&k.reasons(unit) != 0
}

// reasons returns the reasons that count in a unit.
func (k *AmbiguousClasses) reasons(unit int) uint64 { return everywhere | k.here[unit] }
