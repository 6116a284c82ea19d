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

// An insertion collects the types to insert. References in its records, and in records of the object that refer to inserted types, are places
// (dedup.Inserted) until moveUp.
type insertion struct {
	tables []btf.Table // the inserted types, by unit
	words  int         // of all of them
	before []btf.ID    // by number of the inserted type: the id of the type before which it is inserted; ascending
}

// rejoinAmbiguous is the last step of the join on the fast path: it inserts every occurrence of the classes that reach an ambiguous name.
func rejoinAmbiguous(ctx context.Context, in *image, a *assembler, clock *Clock) error {
	var keep *dedup.AmbiguousClasses
	keep, a.plain = a.classes.Ambiguous(a.o, a.names.offset)
	if a.classes.Broken() {
		return errNoClasses
	}
	if keep == nil {
		return nil
	}
	if a.tagged {
		return errTaggedMany
	}
	var ins insertion
	opt := in.translateOptions(ctx, true)
	opt.EagerRefs = true
	reader, repeats := in.d.Units(), a.classes.Repeats(a.o, keep)
	for _, n := range keep.Units {
		if err := ctx.Err(); err != nil {
			return err
		}
		if repeats != nil && a.insertRepeats(n, repeats, &ins) {
			continue
		}
		if err := a.insertAgain(in, reader, opt, n, keep, &ins); err != nil {
			return err
		}
	}
	a.moveUp(&ins)
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
	return a.insert(u, at, keep, ins)
}

// insertRepeats inserts the types of a unit without translating it again, and sets the references of its other types, of its functions and
// variables to them. It reports whether that is possible.
func (a *assembler) insertRepeats(n int, repeats *dedup.Repeats, ins *insertion) bool {
	at, end := &a.parts[n], parts{types: a.o.End(), states: a.funcs.Len()}
	if n+1 < len(a.parts) {
		end = a.parts[n+1]
	}
	types, before, ok := repeats.Unit(n, at.types, len(ins.before))
	if !ok || len(before) == 0 {
		return ok
	}
	ins.tables, ins.before, ins.words = append(ins.tables, types), append(ins.before, before...), ins.words+types.WordCount()
	for id := at.types; id < end.types; id++ {
		a.o.At(id).References(func(ref *uint32) { *ref = uint32(repeats.Place(btf.ID(*ref))) })
	}
	a.funcs.RenumberSome(at.states, end.states, repeats.Place)
	return true
}

// insert records the types of a unit that are inserted, and sets the references of the unit's types, functions and variables to them.
func (a *assembler) insert(u *unit, at *parts, keep *dedup.AmbiguousClasses, ins *insertion) error {
	t := &u.types
	decided := a.classes.Replay(&t.Types, t.Named, t.Dies, at.types)
	words := decided.AppendTo(nil) // by local id: a place
	next, extra, size := at.types, len(ins.before), 0
	for id := translate.LocalID(1); int(id) <= t.Types.Len(); id++ {
		switch {
		case decided.IsNew(id):
			next++
		case keep.Has(t.Dies[id].Hash()):
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
	ins.tables, ins.words = append(ins.tables, table), ins.words+size
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

// moveUp merges the insertions into the object and renumbers every reference to a type.
func (a *assembler) moveUp(ins *insertion) {
	if len(ins.before) == 0 {
		return
	}
	first, end := a.o.First(), a.o.End()
	moved := make([]btf.ID, end-first+1) // by id - first: its new id
	extra := make([]btf.ID, len(ins.before))
	merged := btf.NewTable(a.o.First())
	types, words := a.funcs.MostRoom() // for the functions, which are appended later
	merged.Grow(a.o.Len()+len(extra)+types, a.o.WordCount()+ins.words+words)
	k, next := 0, btf.ID(1) // next is the next type of the first table that is left
	for id := first; id <= end; id++ {
		for ; k < len(extra) && ins.before[k] == id; k++ {
			extra[k] = merged.Append(ins.tables[0].At(next)...)
			if next++; next == ins.tables[0].End() {
				ins.tables, next = ins.tables[1:], 1
			}
		}
		moved[id-first] = merged.End()
		if id < end {
			merged.Append(a.o.At(id)...)
		}
	}
	move := func(ref btf.ID) btf.ID {
		switch {
		case ref&dedup.Inserted != 0:
			return extra[ref&^dedup.Inserted]
		case ref < first:
			return ref
		}
		return moved[ref-first]
	}
	for _, r := range merged.All() {
		r.References(func(ref *uint32) { *ref = uint32(move(btf.ID(*ref))) })
	}
	a.o.Table = merged
	a.indexType = move(a.indexType)
	a.funcs.Renumber(move)
	a.vars.Renumber(move)
	a.stats.TypesAdded = a.o.Len()
}
