package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// The fast path with units in two languages.
//
// The problem: units in Rust define most of the structs of C that they use, but differently: their integers have other names, and structs that Rust
// only points to have no members. So these names mean several things, units in C declare many of them, and nearly every type reaches one. By the rules
// of ambiguous.go, nearly all types of all units would go in.
//
// The idea: all types of the few foreign units, those in Rust, go in, and their classes and names are in no table. For the units in C, names mean what
// they do in C. That is right as long as no type in C merges with a foreign one that is not the same. Terms:
//
//   - A foreign type is the same as a type in C if both have one class, and the types that it leads to are the same, too.
//   - A shared name is one that C declares and defines, and that Rust defines otherwise.
//   - A look-alike is a foreign struct or union with the class of a type in C, which is not the same, but only because of shared names: an example
//     is a struct with a pointer to a struct that Rust defines otherwise. A unit in C that only declares the latter has a type that equals the
//     look-alike as well as the type in C. Which of them it merges with depends on the order of comparisons.
//
// All other foreign types differ in every comparison from types in C, or equal all types of one class in C. So only three things depend on types that the
// fast path leaves out. history.go goes through the units for them:
//
//   - Whether a declaration of a shared name has been bound to C's definition: until then, it equals the foreign one, and it survives if no comparison
//     binds it, since two structs then have its name. It is bound as soon as a type that refers to it has occurred in units that declare it and in
//     units that define it.
//   - Whether a type of the class of a look-alike is merged when it is its turn. In most units, a larger type that holds it comes before it, and merges with
//     the first type of its class. This merges everything that it leads to, so nothing goes in.
//   - If it is free, it goes in, with the pointers and prototypes above and below it. The exact engine then finds out what it merges with. If it is not free
//     in a later unit, the pointers and prototypes above it go in there, too, since the first of their class may lead to the foreign type.
//
// Whatever this does not cover makes the languages Mixed: C and Rust are then examined together, by the rules of ambiguous.go alone. The engine watches for
// declarations that are bound to foreign types after all (foreign.go).

// foreignUnits are the units in Rust.
type foreignUnits struct {
	wanted bool
	mixed  bool
	table  AllTypes
	list   []foreignUnit
}

type foreignUnit struct {
	number int    // among all units
	first  btf.ID // of its types
	hashes []Hash // of its types
}

// KeepApart makes the table remember what is needed to keep languages apart. Call it before the first unit is examined. The first type that goes in has at
// least the id first.
func (s *ClassTable) KeepApart(first btf.ID) {
	s.foreign.wanted = true
	s.Remember(first)
}

// Mixed reports whether languages cannot be kept apart. It is known after Ambiguous.
func (s *ClassTable) Mixed() bool { return s.foreign.mixed }

// Foreign takes the place of Examine and Decide for a unit in Rust. All of its types go in. References in t must be local ids.
func (s *ClassTable) Foreign(t *btf.Table, dies []nominal.Entry, next btf.ID) Decision {
	f := foreignUnit{number: len(s.sets.start), first: next, hashes: make([]Hash, 0, t.Len())}
	for i := 1; i < len(dies); i++ {
		f.hashes = append(f.hashes, dies[i].Hash())
	}
	s.foreign.list = append(s.foreign.list, f)
	s.sets.finish()
	s.past.unknown()
	return s.foreign.table.Decide(t.Len(), next)
}

// all returns, by index in o, whether a type is foreign; nil if there are no foreign units.
func (f *foreignUnits) all(o *btf.Object) []bool {
	if len(f.list) == 0 {
		return nil
	}
	foreign := make([]bool, o.Len())
	for _, u := range f.list {
		for i := range u.hashes {
			foreign[int(u.first-o.First())+i] = true
		}
	}
	return foreign
}

// parents are the kinds that phase 3 compares.
const parents = btf.Composites | 1<<btf.KindTypedef

// maxLookalikes is the number of classes of look-alikes that a set of reasons has room for. Each of them has two reasons: it is free, or it is not, but was
// where a type above it occurred first. The second is its number plus maxLookalikes.
const maxLookalikes = 31

// languages finds out how the types of an object in C and those in Rust relate.
type languages struct {
	s       *ClassTable
	o       *btf.Object
	k       *AmbiguousClasses
	offset  func(key uint32) uint32
	foreign []bool            // by index in o
	class   []uint32          // by index in o: the number of the class in C; 0 if there is none
	tags    map[uint64]uint32 // by name in the form of nameIn: its tag
	from    *referrers
	differs []bool              // by index in o: a foreign type that is not the same as one in C
	defined map[uint64]foreigns // the names that Rust defines
	shared  []bool              // by tag
	bit     []uint8             // by class number: the number of the look-alike, from 1; 0 if the class has none
	alike   []uint32            // by number of the look-alike - 1: its class
	kept    []uint64            // by index in o: the reasons for which keepAbove was called
	mixed   bool
}

// foreigns says how Rust defines a name.
type foreigns struct {
	hash    Hash
	several bool // several times, and perhaps in several ways
	differs bool // not as C, or not always
	same    bool // as C, or sometimes
}

// settle adds to k what units in two languages require. It returns nil if nothing is required, or if they are Mixed. reached are the names from which an
// ambiguous name can be reached.
func (s *ClassTable) settle(o *btf.Object, offset func(key uint32) uint32, k *AmbiguousClasses, reached map[uint64]bool) *AmbiguousClasses {
	if len(s.foreign.list) == 0 {
		if len(k.Names) == 0 {
			return nil
		}
		return k
	}
	x := &languages{s: s, o: o, k: k, offset: offset, foreign: s.foreign.all(o), from: listReferrers(&o.Table)}
	x.prepare()
	differs, always := x.compare(false), x.compare(true)
	x.differs = differs
	x.findShared(always, reached)
	x.findLookalikes(always)
	if !x.mixed {
		h := newHistory(x)
		h.run()
		h.finish()
	}
	if s.foreign.mixed = x.mixed; x.mixed {
		return nil
	}
	return k
}

// prepare fills the tables by index and by name.
func (x *languages) prepare() {
	first := uint32(x.o.First())
	x.class, x.kept, x.tags = make([]uint32, x.o.Len()), make([]uint64, x.o.Len()), make(map[uint64]uint32, len(x.s.tags))
	for i := range x.class {
		if !x.foreign[i] {
			x.class[i] = x.s.past.classOf(first + uint32(i))
		}
	}
	for i := range x.s.tags {
		t := &x.s.tags[i]
		x.tags[nameIn(x.offset(t.key), uint64(t.group))] = uint32(i)
	}
	x.defined = make(map[uint64]foreigns)
	leads := x.leading()
	for _, u := range x.s.foreign.list {
		for i, h := range u.hashes {
			id := u.first + btf.ID(i)
			x.class[uint32(id)-first] = x.s.find(h.A, h.B)
			r := x.o.At(id)
			name, named := nameOf(r)
			if _, declares := nominal.GroupOf(r); !named || declares {
				continue
			}
			d, known := x.defined[name]
			if known && (d.hash != h || leads[uint32(id)-first]) {
				d.several = true
			}
			d.hash = h
			x.defined[name] = d
		}
	}
}

// leading returns, by index in o, which foreign types refer to one with a name, possibly through others without a name. Of all others, their class says
// everything.
func (x *languages) leading() []bool {
	leads := make([]bool, len(x.class))
	var todo []uint32
	for i, foreign := range x.foreign {
		if _, named := x.name(uint32(i)); foreign && named {
			todo = append(todo, uint32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, by := range x.from.of(i) {
			if _, named := x.name(by); !named && !leads[by] {
				todo = append(todo, by)
			}
			leads[by] = true
		}
	}
	return leads
}

// compare returns, by index in o, which foreign types are not the same as those of their class in C. With always set, it returns only those that differ in
// every comparison: no unit in C declares the name by which they differ.
func (x *languages) compare(always bool) []bool {
	differs := make([]bool, len(x.class))
	var todo []uint32
	for i, foreign := range x.foreign {
		if foreign && x.deviates(uint32(i)) {
			differs[i] = true
			todo = append(todo, uint32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if name, named := x.name(i); named {
			if n, known := x.tags[name]; known && (always && x.s.tags[n].declared || x.s.tags[n].def == Hash{}) {
				continue
			}
		}
		for _, by := range x.from.of(i) {
			if x.foreign[by] && !differs[by] {
				differs[by] = true
				todo = append(todo, by)
			}
		}
	}
	return differs
}

// deviates reports whether the class of a foreign type is not that of the type in C: there is none of its class, or C has another type of its name.
func (x *languages) deviates(i uint32) bool {
	name, named := x.name(i)
	if !named {
		return x.class[i] == 0
	}
	n, known := x.tags[name]
	if _, declares := nominal.GroupOf(x.record(i)); declares {
		return false
	}
	switch {
	case !known:
		return true
	case x.s.tags[n].def == (Hash{}):
		return false
	case x.class[i] == 0:
		return true
	}
	c := &x.s.classes[x.class[i]]
	return Hash{A: c.a, B: c.b} != x.s.tags[n].def
}

func (x *languages) record(i uint32) btf.Record { return x.o.At(x.o.First() + btf.ID(i)) }

// name returns the name of the type with an index, if it is a struct, union or enum with a name.
func (x *languages) name(i uint32) (name uint64, ok bool) { return nameOf(x.record(i)) }

// findShared finds the shared names.
func (x *languages) findShared(always []bool, reached map[uint64]bool) {
	x.mixed = x.twice(always)
	for i, differs := range x.differs {
		name, named := x.name(uint32(i))
		if !x.foreign[i] || !named {
			continue
		}
		if _, declares := nominal.GroupOf(x.record(uint32(i))); !declares {
			d := x.defined[name]
			d.differs, d.same = d.differs || differs, d.same || !differs
			x.defined[name] = d
		}
	}
	x.shared = make([]bool, len(x.s.tags))
	for i := range x.s.tags {
		t := &x.s.tags[i]
		name := nameIn(x.offset(t.key), uint64(t.group))
		d, known := x.defined[name]
		inRust, inC := x.otherKind(t, name)
		if inRust {
			known, d.differs = true, true
		}
		switch {
		case !known:
		case t.several, t.definedTwice, reached[name], t.def == Hash{} && (d.several || inRust || inC):
			x.mixed = true
		case t.def != Hash{} && t.declared && d.differs:
			x.shared[i] = true
			x.mixed = x.mixed || t.group == nominal.Enum || d.same
		}
	}
	for i, foreign := range x.foreign {
		if !foreign {
			continue
		}
		r := x.record(uint32(i))
		name, named := nameOf(r)
		if _, declares := nominal.GroupOf(r); !named || !declares {
			continue
		}
		if n, known := x.tags[name]; known {
			x.mixed = x.mixed || !x.plain(&x.s.tags[n], name) || reached[name]
		}
	}
}

// plain reports whether a name that Rust declares means one type wherever it is defined. The declaration is then bound to that type, whatever is compared.
func (x *languages) plain(t *tag, name uint64) bool {
	switch {
	case t.def == Hash{}:
		return true
	case t.group == nominal.Enum, t.several, t.definedTwice, x.defined[name].differs:
		return false
	}
	inRust, inC := x.otherKind(t, name)
	return !inRust && !inC
}

// otherKind reports whether Rust, and whether C, defines a union with the name of a struct, or a struct with that of a union.
func (x *languages) otherKind(t *tag, name uint64) (inRust, inC bool) {
	if t.group == nominal.Enum {
		return false, false
	}
	name ^= uint64(nominal.Struct ^ nominal.Union)
	_, inRust = x.defined[name]
	n, known := x.tags[name]
	return inRust, known && x.s.tags[n].def != Hash{}
}

// twice reports whether a foreign unit has two types of a name that C has, too, one of which can equal that of C: the comparison of graphs in which a name
// is one node with graphs in which it is two can fail.
func (x *languages) twice(always []bool) bool {
	in := make([]int, len(x.s.tags)) // by tag: 1 + the number of the foreign unit that last had it
	can := make([]bool, len(x.s.tags))
	for u, unit := range x.s.foreign.list {
		for k := range unit.hashes {
			i := uint32(unit.first-x.o.First()) + uint32(k)
			name, named := x.name(i)
			n, known := x.tags[name]
			if !named || !known {
				continue
			}
			again := in[n] == u+1
			can[n] = !always[i] || again && can[n]
			if again && can[n] {
				return true
			}
			in[n] = u + 1
		}
	}
	return false
}

// sames lists the foreign types that are the same as those in C.
func (x *languages) sames() (list []Same) {
	first := make(map[uint32]btf.ID) // by class
	for i, foreign := range x.foreign {
		class := x.class[i]
		if !foreign || x.differs[i] || class == 0 || !parents.Has(x.record(uint32(i)).Kind()) {
			continue
		}
		id := x.o.First() + btf.ID(i)
		own := btf.ID(x.s.classes[class].id)
		to, known := first[class]
		if !known {
			to = min(id, own)
			first[class] = to
			list = append(list, Same{max(id, own), to})
		} else {
			list = append(list, Same{id, to})
		}
	}
	return list
}

// findLookalikes finds the classes of look-alikes. always are the foreign types that differ from C's in every comparison.
func (x *languages) findLookalikes(always []bool) {
	x.bit = make([]uint8, len(x.s.classes))
	for i, differs := range x.differs {
		class := x.class[i]
		if !differs || always[i] || class == 0 || x.bit[class] != 0 || !parents.Has(x.record(uint32(i)).Kind()) {
			continue
		}
		if _, named := x.name(uint32(i)); !named || len(x.alike) == maxLookalikes || x.k.why[class] != 0 {
			x.mixed = true
			return
		}
		x.alike = append(x.alike, class)
		x.bit[class] = uint8(len(x.alike))
	}
}

// index returns the index in o of the first type of a class.
func (x *languages) index(class uint32) uint32 { return x.s.classes[class].id - uint32(x.o.First()) }

// keepAbove adds a reason to the walked classes that lead to a type in C. A unit can have several types of such a class.
func (x *languages) keepAbove(i uint32, reason uint64) {
	todo := []uint32{i}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if x.foreign[i] || x.kept[i]&reason != 0 {
			continue
		}
		x.kept[i] |= reason
		for _, by := range x.from.of(i) {
			if walked.Has(x.record(by).Kind()) {
				x.keep(by, reason)
				todo = append(todo, by)
			}
		}
	}
}

// keepBelow adds a reason to the walked classes that lead from a class to names.
func (x *languages) keepBelow(class uint32, reason uint64) {
	x.descend(x.record(x.index(class)), func(i uint32) bool { return x.keep(i, reason) })
}

// descend visits the types that a type refers to, by their indexes in o, and those that they refer to if visit says so. They can be a long chain.
func (x *languages) descend(r btf.Record, visit func(i uint32) (further bool)) {
	var todo []uint32
	for {
		r.References(func(ref *uint32) {
			if *ref == 0 {
				return
			}
			if i := *ref - uint32(x.o.First()); visit(i) {
				todo = append(todo, i)
			}
		})
		if len(todo) == 0 {
			return
		}
		r = x.record(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
	}
}

// keep adds a reason to the class of a type in C, and reports whether it is walked and did not have the reason before.
func (x *languages) keep(i uint32, reason uint64) bool {
	class := x.class[i]
	if x.foreign[i] || class == 0 || !walked.Has(x.record(i).Kind()) || x.k.why[class]&reason != 0 {
		return false
	}
	x.k.why[class] |= reason
	return true
}
