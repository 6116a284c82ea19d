package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// AmbiguousClasses is a set of classes of which every occurrence must go into the object.
type AmbiguousClasses struct {
	slots []classSlot
	// Names are the ambiguous names' keys; Classes is how many classes reach one; Units are the units, by the order in which they were
	// seen, in which such a class can occur.
	Names   []uint32
	Classes int
	Units   []int
}

// Ambiguous finds the names that cannot be resolved by class, once all CUs have been seen: those that stand for several things, or
// for a struct and a union, and are declared without a definition somewhere; and those that one CU defines twice, if another CU has
// them too. It returns the classes that reach one, nil when there is none. o is the object that the decisions led to; offset is
// the place of a key's string in its table.
func (s *ClassTable) Ambiguous(o *btf.Object, offset func(key uint32) uint32) *AmbiguousClasses {
	k := &AmbiguousClasses{}
	reached := make(map[uint64]bool) // names, as nameIn has them
	var shared []uint64
	for i := range s.tags {
		t := &s.tags[i]
		if t.definedTwice && shared == nil {
			shared = s.sets.shared()
		}
		undecided := t.declared && (t.several || s.twoKinds(t)) || t.definedTwice && shared[i/64]>>(i%64)&1 != 0
		if !undecided {
			continue
		}
		k.Names = append(k.Names, t.key)
		for g := range uint64(nominal.None) {
			reached[nameIn(offset(t.key), g)] = true
		}
	}
	if len(k.Names) == 0 {
		return nil
	}
	reach := reachNames(o, reached)
	wanted := make([]uint64, len(s.tags)/64+1)
	for i := range s.tags {
		if t := &s.tags[i]; reached[nameIn(offset(t.key), uint64(t.group))] {
			wanted[i/64] |= 1 << (i % 64)
		}
	}
	k.Units = s.sets.with(wanted)
	for _, p := range s.slots {
		if p.id == 0 || p.id == ^uint32(0) || !reach[p.id-uint32(o.First())] {
			continue
		}
		k.add(p)
	}
	return k
}

// twoKinds tells whether the name is that of a struct and of a union, both with a definition.
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

// nameIn is a name of one group: an offset in the string table, and the group.
func nameIn(off uint32, group uint64) uint64 { return uint64(off)<<2 | group }

// reachNames finds, by index in o, what reaches one of the names: a type of such a name, or one that refers to what does. A
// name that reaches stands for all types of that name, since a declaration may mean any of them. reached grows.
func reachNames(o *btf.Object, reached map[uint64]bool) []bool {
	reach := make([]bool, o.Len())
	first := uint32(o.First())
	last := make(map[uint64]uint32)   // by name: the last type of that name, counted from 1
	before := make([]uint32, o.Len()) // by index: the one of its name before it, counted from 1
	var todo []uint32                 // what reaches, but of which it is not known yet what refers to it
	add := func(i uint32) {
		if !reach[i] {
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
		delete(last, name) // all of the name are known
	}
	return reach
}

// nameOf is the name of a struct, union or enum, as nameIn has it.
func nameOf(r btf.Record) (name uint64, ok bool) {
	g, _ := nominal.GroupOf(r)
	return nameIn(r[0], uint64(g)), g != nominal.None && r[0] != 0
}

func (k *AmbiguousClasses) add(p classSlot) {
	if 2*(k.Classes+1) > len(k.slots) {
		old := k.slots
		k.slots = make([]classSlot, max(64, 2*len(old)))
		for _, q := range old {
			if q.id != 0 {
				*k.find(q.a, q.b) = q
			}
		}
	}
	*k.find(p.a, p.b) = p
	k.Classes++
}

func (k *AmbiguousClasses) find(a uint64, b uint32) *classSlot {
	mask := uint64(len(k.slots) - 1)
	for i := a & mask; ; i = (i + 1) & mask {
		if p := &k.slots[i]; p.id == 0 || p.a == a && p.b == b {
			return p
		}
	}
}

// Has tells whether every occurrence of a class must go in.
func (k *AmbiguousClasses) Has(h Hash) bool {
	return k.Classes != 0 && k.find(h.A, uint32(h.B)).id != 0
}
