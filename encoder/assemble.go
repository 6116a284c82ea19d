package encoder

import (
	"bytes"
	stdelf "debug/elf"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// An assembler joins the units, one at a time, in CU order: this order fixes the ids and the string section.
type assembler struct {
	joinTables
	exact bool // every type of every CU is added to the object
	check bool // compare types that the hash recognised
	funcs *funcs.Collector
	vars  *vars.Collector
	stats counts
	warn  warner

	images []*funcs.Collector // by image; funcs is the last one

	indexType btf.ID           // of all arrays; 0 until a CU has an int or needs one
	keys      []uint32         // scratch
	all       dedup.AllTypes   // decides which types are added, if exact is set
	decided   dedup.Decision   // about the current unit
	parts     []parts          // in the order of joining, for units that are joined again
	tagged    bool             // a type has a declaration tag
	plain     *dedup.Namesakes // with a base and without exact: what the types have in common with it
	foreign   *dedup.Foreign   // with units in Rust and without exact: what the engine must know about their types
	separate  bool             // units in Rust are kept apart

	idle *crew // after all units were joined one by one: memory to translate some of them again
}

// joinTables are the large tables of an assembler. They need no symbols, so one worker makes room in them while another reads these.
type joinTables struct {
	o       *btf.Object
	names   nameTable
	classes dedup.ClassTable // decides which types are added, unless all of them are
	roomy   bool             // they have room for all units of the image
}

// startJoinTables returns tables without room.
func startJoinTables(in *image) *joinTables {
	t := &joinTables{o: in.object()}
	t.names.init(t.o.Strings, &in.d.Strings)
	return t
}

// newJoinTables returns tables with room for all units.
func newJoinTables(in *image) *joinTables {
	t := startJoinTables(in)
	t.makeRoom(in.opt, in.d.InfoSize(), inTurn)
	return t
}

// parts says where the parts of a unit begin among all types, variables and functions that were joined.
type parts struct {
	place       dwarf.Place
	types, vars btf.ID
	states      int
}

// newAssembler returns an assembler with an empty object. The BTF will belong to the given image.
func newAssembler(in *image, exact bool) *assembler {
	tables := in.tables
	if in.tables = nil; tables == nil || exact {
		tables = startJoinTables(in)
	}
	a := &assembler{joinTables: *tables, exact: exact, check: in.opt.Paranoid && !exact, funcs: funcs.NewCollector(in.table), vars: vars.NewCollector(in.secs)}
	a.images = append(a.images, a.funcs)
	a.names.odd.replace = !in.keepsNames()
	if !exact && (in.opt.Base != nil || in.f.Type == stdelf.ET_REL) {
		a.names.known = make([]uint64, 1)
	}
	if !exact && in.opt.Base != nil {
		a.classes.Remember(a.o.End())
		a.classes.Continue(in.opt.Base.prepared())
	}
	switch info := in.d.InfoSize(); {
	case !exact && in.mention == nil:
		if !a.roomy {
			a.joinTables.makeRoom(in.opt, info, in.opt.parallel)
		}
		a.funcs.MakeRoom(int(info/perState), int(info/perParam))
	case exact && info < fewBytes: // what is not used costs no memory
		a.o.Grow(int(info/32), int(info/3))
		a.names.makeRoom(int(info / 21))
	}
	a.vars.Explain, a.vars.Apart = in.opt.OnVar != nil, in.opt.apart
	if in.opt.apart != nil {
		in.opt.apart.Reset() // an earlier attempt may have had another plan
	}
	return a
}

// keepApart keeps units in Rust apart from those in C. Call it before the first unit is added.
func (a *assembler) keepApart() {
	a.separate = true
	a.classes.KeepApart(a.o.End())
}

// joined returns the result of the join, after all units were added. The assembler must not be used afterwards: it holds large tables that
// can then be freed. in is the primary image.
func (a *assembler) joined(primary int, in *image, infoSize uint64) *joined {
	warn := a.warn
	return &joined{object: a.o, funcs: a.images, vars: a.vars, stats: a.stats, warn: &warn, infoSize: infoSize, partial: !a.exact, plain: a.plain, foreign: a.foreign,
		primary: primary, file: in.f, implicit: in.implicit}
}

// The tables are allocated in their final size, which avoids growing them. The sizes are a little more than what a kernel with that many bytes of debug
// information needs. The index of strings is the exception: it gets no room for the names of functions, because the memory of the translation is free
// when they are added.
const (
	perType, perWord, perByte                        = 1200, 185, 88 // functions included
	perString, perState, perParam, perClass, perName = 2700, 2700, 1270, 4000, 2100
)

// makeRoom makes room for so many bytes of debug information.
func (t *joinTables) makeRoom(opt *Encoder, info uint64, parallel func(n int, do func(i int))) {
	rooms := []func(){
		func() { t.o.Strings.Grow(int(info/perByte), int(info/perString)) },
		func() { t.classes.MakeRoom(int(info / perClass)) },
		func() { t.names.makeRoom(int(info / perName)) },
		func() {
			types, words := int(info/perType), int(info/perWord)
			if opt.Base != nil { // more of the types of a module are its own; what is not used costs no memory
				types, words = 8*types, 8*words
			}
			t.o.Grow(types, words)
		},
	}
	parallel(len(rooms), func(i int) { rooms[i]() })
	t.roomy = true
}

// add joins a unit: it appends its new types, the declaration tags of types, and its variables, and saves its functions for later. The order
// is types, tags, functions, variables, and their strings enter the table in this order (rule 02/1.2).
func (a *assembler) add(u *unit) error {
	t := &u.types
	a.stats.Units++
	a.stats.Types += t.Types.Len()
	if len(t.Notes) > 0 {
		a.warn.add(t.Notes, t.Strings)
	}
	at := parts{place: t.Place, types: a.o.End(), states: a.funcs.Len()}
	if err := a.decide(t); err != nil {
		return err
	}
	synthetic := a.findIndexType(t)
	a.prefetchNames(u)
	a.appendTypes(t)
	if a.check {
		if err := a.paranoid(t); err != nil {
			return err
		}
	}
	if synthetic {
		a.o.Append(a.o.Strings.Add([]byte("int")), btf.Info(btf.KindInt, 0, false), 4, btf.IntSigned<<24|32)
	}
	if err := a.typeTags(t); err != nil {
		return err
	}
	at.vars = a.o.End()
	if !a.exact {
		a.parts = append(a.parts, at)
	}
	mapID := a.decided.Of
	a.funcs.Add(a.o, &u.funcs, mapID, a.names.limited, a.names.limitedText)
	a.funcs.AddStrays(&u.funcs, t.Strings)
	if a.names.odd.fresh != nil {
		a.oddNames(t, 0)
	}
	if err := a.vars.Add(a.o, t, mapID); err != nil {
		return err
	}
	if (a.names.odd.clash || a.names.twice) && !a.exact {
		return errNoClasses
	}
	a.stats.TypesAdded = a.o.Len()
	return nil
}

// decide decides which types of the unit are added.
func (a *assembler) decide(t *translate.Unit) error {
	if a.exact {
		a.decided = a.all.Decide(t.Types.Len(), a.o.End())
		return nil
	}
	if t.Endless {
		return errNoClasses
	}
	if t.Rust && a.separate {
		t.ResolveRefs()
		a.decided = a.classes.Foreign(&t.Types, t.Dies, a.o.End())
		return nil
	}
	if a.classes.Examine(&t.Types, t.Named, t.Dies) {
		t.ResolveRefs()
	}
	if a.classes.Broken() {
		return errNoClasses
	}
	a.decided = a.classes.Decide(&t.Types, t.Dies, a.o.End())
	return nil
}

// findIndexType finds the index type of arrays: the first int of the first unit that has one. If an earlier unit has arrays, it is an int
// that is appended after the types of that unit, and synthetic is true (rule 01/6.5).
func (a *assembler) findIndexType(t *translate.Unit) (synthetic bool) {
	switch {
	case a.indexType != 0:
	case t.Int != 0:
		a.indexType = a.decided.Of(t.Int)
	case t.Arrays:
		a.indexType = a.o.End() + btf.ID(a.decided.NumAdded())
		return true
	}
	return false
}

// prefetchNames prefetches the memory that the lookup of the new types' names reads.
func (a *assembler) prefetchNames(u *unit) {
	t := &u.types
	keys := slices.Grow(a.keys[:0], t.Types.WordCount()/2) // more than there are; what is not used costs no memory
	for i := range a.decided.NumAdded() {
		r := t.Types.At(btf.ID(a.decided.Added(i)))
		keys = append(keys, r[0])
		if shape := btf.ShapeOf(r.Kind()); shape.NameAt == 0 {
			for at := 3; at < len(r); at += int(shape.Each) {
				keys = append(keys, r[at])
			}
		}
	}
	types := len(keys)
	a.keys = u.funcs.Names(keys)
	if a.o.Strings.Expects() {
		a.names.expect(a.keys)
	}
	if keys = a.keys; a.o.Strings.Expecting() {
		keys = keys[:types] // the others need not be looked up
	}
	a.names.prefetch(keys)
}

// appendTypes copies the new types of the unit to the object.
func (a *assembler) appendTypes(t *translate.Unit) {
	for i := range a.decided.NumAdded() {
		id := a.decided.Added(i)
		a.appendType(&a.o.Table, t, id, a.decided.IDs)
		if a.names.odd.fresh != nil {
			a.oddNames(t, t.Dies[id].Off)
		}
	}
}

// oddNames warns about names that were replaced by identifiers. off is the offset of the DIE in the unit, 0 if it is not known.
func (a *assembler) oddNames(t *translate.Unit, off uint32) {
	for _, name := range a.names.odd.fresh {
		a.warn.name(t, off, name)
	}
	a.names.odd.fresh = nil
}

// nameOf returns the offset of a local record's name in the string section of the object.
func (a *assembler) nameOf(r btf.Record) uint32 {
	if k := r.Kind(); k == btf.KindInt || k == btf.KindFloat || k == btf.KindTypeTag {
		return a.names.text(r[0])
	}
	return a.names.offset(r[0])
}

// appendType copies one type of the unit to a table. String keys become offsets, and local ids become the ids that ids maps them to.
func (a *assembler) appendType(to *btf.Table, t *translate.Unit, id translate.LocalID, ids dedup.IDs) {
	r := t.Types.At(btf.ID(id))
	to.Append(a.nameOf(r), r[1], r[2])
	w := to.Space(len(r) - 3)
	switch r.Kind() {
	case btf.KindInt:
		w[0] = r[3]
	case btf.KindFloat, btf.KindFwd:
	case btf.KindStruct, btf.KindUnion:
		for at := 3; at < len(r); at += 3 {
			w[at-3], w[at-2], w[at-1] = a.names.offset(r[at]), ids.Word(uint32(t.Resolved(r[at+1]))), r[at+2]
		}
	case btf.KindEnum:
		for at := 3; at < len(r); at += 2 {
			w[at-3], w[at-2] = a.names.offset(r[at]), r[at+1]
		}
	case btf.KindEnum64:
		for at := 3; at < len(r); at += 3 {
			w[at-3], w[at-2], w[at-1] = a.names.offset(r[at]), r[at+1], r[at+2]
		}
	case btf.KindFuncProto:
		to.Last()[2] = ids.Word(r[2])
		for at := 3; at < len(r); at += 2 {
			w[at-3], w[at-2] = a.names.offset(r[at]), ids.Word(uint32(t.Resolved(r[at+1])))
		}
	case btf.KindArray:
		w[0], w[1], w[2] = ids.Word(r[3]), uint32(a.indexType), r[5]
	default:
		to.Last()[2] = ids.Word(r[2])
	}
}

// typeTags appends the DECL_TAGs of structs, unions and typedefs.
func (a *assembler) typeTags(t *translate.Unit) error {
	for _, tag := range t.TypeTags {
		if tag.Owner == 0 {
			continue
		}
		if t.Strings.Empty(tag.Value) {
			return t.Place.Err(0, "declaration tag of a type has no text")
		}
		a.tagged = true
		value, owner := a.names.text(uint32(tag.Value)), a.decided.Of(translate.LocalID(tag.Owner))
		if !a.exact && a.classes.AddTag(value, owner, uint32(tag.Component)) {
			continue
		}
		a.o.Append(value, btf.Info(btf.KindDeclTag, 0, false), uint32(owner), uint32(tag.Component))
	}
	return nil
}

// sameObjects returns an error that names the first difference if two objects do not have the same bytes.
func sameObjects(fast, exact *btf.Object) error {
	if bytes.Equal(fast.AppendWire(nil), exact.AppendWire(nil)) {
		return nil
	}
	for id, r := range fast.All() {
		if !exact.Own(id) || !slices.Equal(r, exact.At(id)) {
			return fmt.Errorf("%w: first at type %d (%s %s); %d types against %d", ErrDedupDiffers, id, r.Kind(),
				fast.Name(r.Name()), fast.Len(), exact.Len())
		}
	}
	return fmt.Errorf("%w: %d types against %d, %d bytes of strings against %d", ErrDedupDiffers, fast.Len(), exact.Len(),
		len(fast.Strings.Bytes()), len(exact.Strings.Bytes()))
}
