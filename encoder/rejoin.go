package encoder

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// The problem: a type that reaches an ambiguous name must be added to the object at every occurrence (dedup.ClassTable). But which names are
// ambiguous is known only after all units have been joined.
//
// The idea: an image has a handful of such names, mentioned by a handful of units. Those units are translated again. Their types that were
// not added are inserted where they would have been, and all later types get higher ids. In a module, half of the units can mention such a name.
// There the types are made from the classes of the units (dedup.Repeats), and only units for which this is impossible are translated again.

// An insertion collects the types to insert. References to them are places (dedup.Inserted) until moveUp.
type insertion struct {
	repeats *dedup.Repeats
	frozen  bool           // repeats has a copy of the object
	units   []insertedUnit // ascending
	words   int            // of all inserted types
	before  []btf.ID       // by number of the inserted type: the id of the type before which it is inserted; ascending
}

// An insertedUnit is a unit with inserted types.
type insertedUnit struct {
	number int
	first  int        // number of its first inserted type
	again  bool       // it was translated again; otherwise Repeats makes its types
	types  *btf.Table // its inserted types, if it was translated again. References in them, and in the other records of the unit, are places
}

// rejoinAmbiguous is the last step of the join on the fast path: it inserts every occurrence of the classes that reach an ambiguous name.
func rejoinAmbiguous(ctx context.Context, in *image, a *assembler, clock *Clock) error {
	var keep *dedup.AmbiguousClasses
	keep, a.plain = a.classes.Ambiguous(a.o, a.names.offset)
	switch {
	case a.classes.Broken():
		return errNoClasses
	case a.classes.Mixed():
		return errMixed
	case keep == nil:
		return nil
	}
	a.foreign = keep.Foreign
	if len(keep.Units) == 0 {
		a.placeBindings(nil, len(a.parts))
		return nil
	}
	if a.tagged {
		return errTaggedMany
	}
	ins := insertion{repeats: a.classes.Repeats(a.o, keep)}
	opt := in.translateOptions(ctx, true)
	opt.EagerRefs = true
	reader := in.d.Units()
	for _, n := range keep.Units {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ins.repeats != nil && a.insertRepeats(n, &ins) {
			continue
		}
		if err := a.insertAgain(in, reader, opt, n, keep, &ins); err != nil {
			return err
		}
	}
	if !a.moveUp(&ins) {
		return errNoClasses
	}
	clock.Stop("ambiguous names", 0, uint64(len(keep.Units)), "CUs")
	return nil
}

// insertAgain translates a unit again, with the memory of the first reading, and inserts its types.
func (a *assembler) insertAgain(in *image, reader *dwarf.Reader, opt *translate.Options, n int, keep *dedup.AmbiguousClasses, ins *insertion) error {
	w, u, at := &a.idle.workers[0], a.idle.units[0], &a.parts[n]
	if err := reader.At(at.place, &w.raw); err != nil {
		return err
	}
	if err := w.translate(in, opt, u); err != nil {
		return err
	}
	if u.skip || u.types.Endless {
		return at.place.Err(0, "internal error: the unit reads differently the second time")
	}
	if ins.repeats != nil && !ins.frozen {
		ins.repeats.Freeze()
		ins.frozen = true
	}
	return a.insert(u, n, keep, ins)
}

// insertRepeats records the types of a unit that are inserted, without translating it again, and makes places of the references of its functions. It
// reports whether that is possible.
func (a *assembler) insertRepeats(n int, ins *insertion) bool {
	at, end := a.extent(n)
	first := len(ins.before)
	before, words, ok := ins.repeats.Unit(n, at.types, first, ins.before)
	if !ok {
		return false
	}
	if ins.before = before; len(before) > first {
		ins.units, ins.words = append(ins.units, insertedUnit{number: n, first: first}), ins.words+words
		a.funcs.RenumberSome(at.states, end.states, ins.repeats.Place)
	}
	return true
}

// extent returns where the parts of a unit begin, and where those of the next one do.
func (a *assembler) extent(n int) (at, end parts) {
	if n+1 < len(a.parts) {
		return a.parts[n], a.parts[n+1]
	}
	return a.parts[n], parts{types: a.o.End(), states: a.funcs.Len()}
}

// insert records the types of a unit that are inserted, and makes places of the references of its types, functions and variables.
func (a *assembler) insert(u *unit, n int, keep *dedup.AmbiguousClasses, ins *insertion) error {
	t, at := &u.types, &a.parts[n]
	decided := a.classes.Replay(&t.Types, t.Named, t.Dies, at.types)
	words := decided.AppendTo(nil) // by local id: a place
	next, extra, size := at.types, len(ins.before), 0
	for id := translate.LocalID(1); int(id) <= t.Types.Len(); id++ {
		switch {
		case decided.IsNew(id):
			next++
		case keep.Has(t.Dies[id].Hash(), n):
			words[id] = uint32(dedup.Inserted) | uint32(len(ins.before))
			ins.before = append(ins.before, next)
			size += len(t.Types.At(btf.ID(id)))
		}
	}
	if len(ins.before) == extra {
		return nil
	}
	table := btf.NewTable(1)
	table.Grow(len(ins.before)-extra, size)
	places := dedup.IDsOf(words)
	for id := translate.LocalID(1); int(id) <= t.Types.Len(); id++ {
		switch {
		case decided.IsNew(id): // also types of deviating CUs, whose classes are in no table
			a.point(a.o.At(decided.Of(id)), t.Types.At(btf.ID(id)), places)
		case btf.ID(words[id])&dedup.Inserted != 0:
			a.appendType(&table, t, id, places)
		}
	}
	ins.units, ins.words = append(ins.units, insertedUnit{number: n, first: extra, again: true, types: &table}), ins.words+size
	a.funcs.Retype(at.states, &u.funcs, places.Of)
	return a.vars.Retype(a.o, at.vars, t, places.Of)
}

// point sets the references of a record of the object to places. local is the record of the unit that it was copied from.
func (a *assembler) point(r, local btf.Record, places dedup.IDs) {
	var refs []uint32
	local.References(func(ref *uint32) { refs = append(refs, *ref) })
	i := 0
	r.References(func(ref *uint32) {
		if refs[i] < uint32(places.Len()) { // not the index type of an array
			*ref = places.Word(refs[i])
		}
		i++
	})
}

// moveUp merges the insertions into the object and renumbers every reference to a type. It is not ok if a type cannot be made from its class.
func (a *assembler) moveUp(ins *insertion) (ok bool) {
	if len(ins.before) == 0 {
		a.placeBindings(nil, len(a.parts))
		return true
	}
	m := mover{from: &a.o.Table, ins: ins, to: btf.NewTable(a.o.First()), next: a.o.First()}
	types, words := a.funcs.MostRoom() // for the functions, which are appended later
	m.to.Grow(a.o.Len()+len(ins.before)+types, a.o.WordCount()+ins.words+words)
	m.number()
	for i := range ins.units {
		n := ins.units[i].number
		at, end := a.extent(n)
		a.placeBindings(&m, n)
		m.copy(at.types, m.move)
		if !m.unit(&ins.units[i], at.types, end.types) {
			return false
		}
	}
	a.placeBindings(&m, len(a.parts))
	m.copy(a.o.End(), m.move)
	if a.foreign != nil {
		a.foreign.Renumber(m.move)
	}
	a.o.Table = m.to
	a.indexType = m.move(a.indexType)
	a.funcs.Renumber(m.move)
	a.vars.Renumber(m.move)
	a.stats.TypesAdded = a.o.Len()
	return true
}

// A mover copies the types of the object, with the inserted ones, to another table.
type mover struct {
	from  *btf.Table
	ins   *insertion
	to    btf.Table
	next  btf.ID   // the type of the object that is copied next
	moved []btf.ID // by number of a type of the object: its id in the other table
}

// number gives the types their ids.
func (m *mover) number() {
	m.moved = make([]btf.ID, m.from.Len()+1)
	k := 0
	for i := range m.moved {
		id := m.from.First() + btf.ID(i)
		for k < len(m.ins.before) && m.ins.before[k] <= id {
			k++
		}
		m.moved[i] = id + btf.ID(k)
	}
}

// move returns the id of the type at a place.
func (m *mover) move(place btf.ID) btf.ID {
	switch first := m.from.First(); {
	case place&dedup.Inserted != 0:
		k := place &^ dedup.Inserted
		return m.ins.before[k] + k
	case place < first:
		return place
	default:
		return m.moved[place-first]
	}
}

// copy copies types of the object up to an id. move maps their references.
func (m *mover) copy(to btf.ID, move func(ref btf.ID) btf.ID) {
	for ; m.next < to; m.next++ {
		m.append(m.from.At(m.next), move)
	}
}

// append appends a record. move maps its references.
func (m *mover) append(r btf.Record, move func(ref btf.ID) btf.ID) {
	m.to.Append(r...)
	m.to.Last().References(func(ref *uint32) { *ref = uint32(move(btf.ID(*ref))) })
}

// unit copies the types of a unit, which begin at an id and end before another, and the types that are inserted. It is not ok if one of these cannot be
// made from its class.
func (m *mover) unit(u *insertedUnit, at, end btf.ID) (ok bool) {
	if u.again {
		for id, r := range u.types.All() {
			m.copy(m.ins.before[u.first+int(id)-1], m.move)
			m.append(r, m.move)
		}
		m.copy(end, m.move)
		return true
	}
	repeats := m.ins.repeats
	repeats.Unit(u.number, at, u.first, nil) // has been possible before
	move := func(ref btf.ID) btf.ID { return m.move(repeats.Place(ref)) }
	for i := range repeats.Missing() {
		m.copy(m.ins.before[u.first+i], move)
		if !repeats.Append(&m.to, i, m.move) {
			return false
		}
	}
	m.copy(end, move)
	return true
}

// placeBindings says where the declarations of units before some unit are bound (dedup.Foreign): after the types of their units. m has copied
// the types of no later unit; it is nil if no type is inserted.
func (a *assembler) placeBindings(m *mover, next int) {
	if a.foreign == nil {
		return
	}
	for i := range a.foreign.Bindings {
		b := &a.foreign.Bindings[i]
		if b.At != 0 || b.Unit >= next {
			continue
		}
		_, end := a.extent(b.Unit)
		if b.At = end.types; m != nil {
			m.copy(end.types, m.move)
			b.At = m.to.End()
		}
	}
}
