package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// The problem: a module has many types that reach an ambiguous name, because kernels declare structs that only their modules define. Which types these
// are is known only after all units have been joined. To translate the units again would take as long as the first time.
//
// The idea: a type whose class occurred before has the content of the first type of its class. So it is enough to remember the classes of the types of
// every unit. Most of them follow each other as they did in an earlier unit, so a few runs of class numbers describe a unit. The records are then copies
// of those in the object. Only their references differ: a reference to a type without a name leads to the type of the same class in the unit, and one to
// a struct, union or enum with a name leads to the type of this name, which is a declaration in one unit and a definition in another.
//
// This is not possible for units that deviate, since not all of their types have classes, and for units with two such types of one class, since the
// reference does not say which of them it means.

// A classRun says that the types of a unit from a local id on have the classes from a number on.
type classRun struct {
	local nominal.LocalID
	class uint32
}

// A unitState says what is known of a unit.
type unitState uint8

const (
	complete unitState = iota // of all types that did not go in, their classes say all
	deviates                  // some of its types have no class
	doubled                   // all of its types went in, since one of its names belongs to two of them; some may have no class
)

// occurrences remember the classes of all types of all units.
type occurrences struct {
	wanted bool
	first  uint32      // id in the object of the first type
	class  []uint32    // by id in the object - first: the number of its class, 0 if it has none
	types  []uint32    // by unit: the number of its types, including void; 0 if their classes are not known
	state  []unitState // by unit
	starts []uint32    // by unit: its first run
	runs   []classRun  // of all units
}

// Remember makes the table remember the classes of all types, for Repeats. Call it before the first unit is examined. The first type that goes in has
// at least the id first.
func (s *ClassTable) Remember(first btf.ID) { s.past.wanted, s.past.first = true, uint32(first) }

// makeRoom allocates space for about as much debug information as has n classes in a kernel. What is not used costs no memory.
func (o *occurrences) makeRoom(n int) { o.runs = make([]classRun, 0, 10*n) }

// unit remembers a unit, given the numbers of the classes of its types by local id.
func (o *occurrences) unit(classes []uint32, state unitState) {
	o.types, o.starts, o.state = append(o.types, uint32(len(classes))), append(o.starts, uint32(len(o.runs))), append(o.state, state)
	next := uint32(0)
	for id := 1; id < len(classes); id++ {
		if class := classes[id]; class != next || id == 1 {
			o.runs = append(o.runs, classRun{nominal.LocalID(id), class})
			next = class
		}
		next++
	}
}

// of returns the runs of a unit.
func (o *occurrences) of(unit int) []classRun {
	end := len(o.runs)
	if unit+1 < len(o.starts) {
		end = int(o.starts[unit+1])
	}
	return o.runs[o.starts[unit]:end]
}

// unknown remembers that the classes of a unit are not known.
func (o *occurrences) unknown() {
	o.types, o.starts, o.state = append(o.types, 0), append(o.starts, uint32(len(o.runs))), append(o.state, deviates)
}

// wentIn remembers the class of a type in the object.
func (o *occurrences) wentIn(id, class uint32) {
	for uint32(len(o.class)) < id-o.first { // types that no unit has, and variables
		o.class = append(o.class, 0)
	}
	o.class = append(o.class, class)
}

// classOf returns the number of the class of a type in the object, 0 if it has none.
func (o *occurrences) classOf(id uint32) uint32 {
	if i := id - o.first; i < uint32(len(o.class)) {
		return o.class[i]
	}
	return 0
}

// Repeats makes the types that are missing in the object: those of the kept classes that are not the first of their class.
type Repeats struct {
	s    *ClassTable
	o    *btf.Table // the types of the object, as they were
	k    *AmbiguousClasses
	unit uint32 // counts the calls of Unit

	// About the current unit.
	why     uint64   // the reasons for which classes are kept
	classes []uint32 // by local id
	ids     []uint32 // by local id: the id in the object, or the place of a missing type
	missing []uint32 // the local ids of the missing types
	ofClass []seen   // by class number: the place of the missing type of a kept class
	ofTag   []seen   // by tag number: the local id
}

// A seen is a value that belongs to one unit.
type seen struct{ unit, value uint32 }

// Inserted is set in a place. The other bits are then the number of a missing type; otherwise a place is an id in the object.
const Inserted btf.ID = 1 << 31

// Repeats prepares to make the missing types of an object. It returns nil if Remember was not called. The types of the object must not change,
// unless Freeze is called before.
func (s *ClassTable) Repeats(o *btf.Object, k *AmbiguousClasses) *Repeats {
	if !s.past.wanted {
		return nil
	}
	return &Repeats{s: s, o: &o.Table, k: k, ofClass: make([]seen, len(s.classes)), ofTag: make([]seen, len(s.tags))}
}

// Freeze copies the types of the object.
func (r *Repeats) Freeze() {
	o := r.o.Copy()
	r.o = &o
}

// Unit makes a unit the current one, given its number in the order in which the units were examined. first is the id of the first type of the unit
// that went in, and number the number of the first missing type. For each missing type, it appends to next the id in the object of the type that follows
// it. words is the number of words of the missing types. If ok is false, the unit must be translated again, and next is undefined.
func (r *Repeats) Unit(unit int, first btf.ID, number int, next []btf.ID) (_ []btf.ID, words int, ok bool) {
	past := &r.s.past
	n := int(past.types[unit])
	if n == 0 || past.state[unit] != complete {
		return next, 0, false
	}
	r.unit++
	r.why = r.k.reasons(unit)
	r.classes, r.ids, r.missing = resize(r.classes, n), resize(r.ids, n), r.missing[:0]
	r.classes[0], r.ids[0] = 0, 0
	at, runs := uint32(first), past.of(unit)
	for i := range runs {
		last := n
		if i+1 < len(runs) {
			last = int(runs[i+1].local)
		}
		class := runs[i].class
		for id := int(runs[i].local); id < last; id++ {
			r.classes[id] = class
			known := r.s.classes[class].id
			switch {
			// The first type of a class went in. If the class first occurs in this unit and is walked, all its types went in.
			case known == at, known >= uint32(first) && known < at && walked.Has(r.o.KindOf(btf.ID(known))):
				r.ids[id] = at
				at++
			case !r.kept(class):
				r.ids[id] = known
			case known >= uint32(first), r.ofClass[class].unit == r.unit:
				return next, 0, false // the unit has two types of the class
			default:
				r.ids[id] = uint32(Inserted) | uint32(number+len(r.missing))
				r.ofClass[class] = seen{r.unit, r.ids[id]}
				r.missing, next = append(r.missing, uint32(id)), append(next, btf.ID(at))
				words += len(r.o.At(btf.ID(known)))
			}
			if tag := r.s.tagOf[class]; tag != 0 {
				r.ofTag[tag>>tagShift-1] = seen{r.unit, uint32(id)}
			}
			class++
		}
	}
	return next, words, true
}

// kept reports whether all types of a class go in that the current unit has.
func (r *Repeats) kept(class uint32) bool { return r.k.why[class]&r.why != 0 }

// Missing returns the number of missing types of the current unit.
func (r *Repeats) Missing() int { return len(r.missing) }

// Append appends the i-th missing type of the current unit to a table. move turns places into ids of that table. It is not ok if the unit lacks a type
// to which the first type of the class refers, which cannot be if the class says what it should.
func (r *Repeats) Append(to *btf.Table, i int, move func(place btf.ID) btf.ID) (ok bool) {
	to.Append(r.o.At(btf.ID(r.s.classes[r.classes[r.missing[i]]].id))...)
	rec := to.Last()
	index := uint32(0)
	if rec.Kind() == btf.KindArray {
		index, rec[4] = rec[4], 0 // it is that of all units
	}
	ok = true
	rec.References(func(ref *uint32) {
		place, known := r.refer(*ref)
		*ref, ok = uint32(move(place)), ok && known
	})
	if index != 0 {
		rec[4] = uint32(move(btf.ID(index)))
	}
	return ok
}

// refer turns a reference of the first type of a class into a place of the current unit. It is not ok if there is none.
func (r *Repeats) refer(ref uint32) (place btf.ID, ok bool) {
	if ref == 0 {
		return 0, true
	}
	class := r.s.past.classOf(ref)
	tag := r.s.tagOf[class]
	switch {
	case tag != 0:
		t := r.ofTag[tag>>tagShift-1]
		if t.unit != r.unit {
			return 0, false
		}
		return btf.ID(r.ids[t.value]), true
	case r.kept(class):
		t := r.ofClass[class]
		if t.unit != r.unit {
			return 0, false
		}
		return btf.ID(t.value), true
	}
	return btf.ID(r.s.classes[class].id), class != 0
}

// Place returns the place of a type of the object to which a type, function or variable of the current unit refers.
func (r *Repeats) Place(id btf.ID) btf.ID {
	if class := r.s.past.classOf(uint32(id)); class != 0 && r.ofClass[class].unit == r.unit {
		return btf.ID(r.ofClass[class].value)
	}
	return id
}
