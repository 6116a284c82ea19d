package encoder

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// The assembler joins the units, one at a time, in CU order: this order fixes the ids and the string section.
type assembler struct {
	o     *btf.Object
	exact bool // every type of every CU is put into the object
	check bool // compare what the hash recognised
	names nameTable
	funcs *funcs.Collector
	vars  *vars.Collector
	stats counts
	warn  warner

	images []*funcs.Collector // by image; funcs is the last

	indexType btf.ID           // of all arrays; 0 until a CU has an int or needs one
	keys      []uint32         // scratch
	classes   dedup.ClassTable // decides which types go in
	all       dedup.AllTypes   // does, where exact
	decided   dedup.Decision   // about the unit at hand
	parts     []parts          // by the order of joining, for what must be joined again
	tagged    bool             // a type has a declaration tag
}

// parts is where the parts of a unit begin in what was joined.
type parts struct {
	place       dwarf.Place
	types, vars btf.ID
	states      int
}

// newAssembler begins an object with the units of an image, to which the BTF belongs.
func newAssembler(in *image, exact bool) *assembler {
	a := &assembler{o: in.object(), exact: exact, check: in.opt.Paranoid && !exact, funcs: funcs.NewCollector(in.table), vars: vars.NewCollector(in.secs)}
	a.images = append(a.images, a.funcs)
	a.names.init(a.o.Strings, &in.d.Strings)
	a.names.odd.replace = !in.keepsNames()
	if !exact {
		a.makeRoom(in.opt, in.d.InfoSize())
	}
	a.vars.Explain = in.opt.OnVar != nil
	return a
}

// joined is what the units became, when all of them were added. The assembler, which holds much that nobody needs from here on, is not used
// any more. in is the
// primary image.
func (a *assembler) joined(primary int, in *image, infoSize uint64) *joined {
	warn := a.warn
	for _, c := range a.images {
		warn.renamed = append(warn.renamed, c.Renamed()...)
	}
	return &joined{object: a.o, funcs: a.images, vars: a.vars, stats: a.stats, warn: &warn, infoSize: infoSize,
		primary: primary, file: in.f, implicit: in.implicit}
}

// makeRoom spares object and functions their growing: what a kernel's debug information of that many bytes comes to, and a bit.
// Only the index of strings has no room for the names of functions yet: when they come, what translation used is free.
func (a *assembler) makeRoom(opt *Encoder, info uint64) {
	const perType, perWord, perByte = 1200, 185, 88 // functions included
	const perString, perState, perParam, perClass, perName = 2700, 2700, 1270, 4000, 2100
	rooms := []func(){
		func() { a.o.Strings.Grow(int(info/perByte), int(info/perString)) },
		func() { a.classes.MakeRoom(int(info / perClass)) },
		func() { a.names.makeRoom(int(info / perName)) },
		func() {
			a.o.Grow(int(info/perType), int(info/perWord))
			a.funcs.MakeRoom(int(info/perState), int(info/perParam))
		},
	}
	opt.parallel(len(rooms), func(i int) { rooms[i]() })
}

// add appends what is kept of a unit: types, declaration tags of types, functions (saved only), variables. Their strings enter the
// table in this order (rule 02/1.2).
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
	if a.names.odd.clash && !a.exact {
		return errNoClasses
	}
	a.stats.TypesAdded = a.o.Len()
	return nil
}

// decide finds out which types of the unit go in.
func (a *assembler) decide(t *translate.Unit) error {
	if a.exact {
		a.decided = a.all.Decide(t.Types.Len(), a.o.End())
		return nil
	}
	if a.classes.Examine(&t.Types, t.Named, t.Class) {
		t.ResolveRefs()
	}
	if a.classes.Broken() {
		return errNoClasses
	}
	a.decided = a.classes.Decide(&t.Types, t.Class, a.o.End())
	return nil
}

// findIndexType settles the index type of arrays: the first int of the first unit that has one; before that, an int that is
// appended behind the types of a unit with arrays (rule 01/6.5).
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

// prefetchNames prefetches what looking up the names of the types to be appended reads.
func (a *assembler) prefetchNames(u *unit) {
	t, keys := &u.types, a.keys[:0]
	for i := range a.decided.NumAdded() {
		r := t.Types.At(btf.ID(a.decided.Added(i)))
		keys = append(keys, r[0])
		if shape := btf.ShapeOf(r.Kind()); shape.NameAt == 0 {
			for at := 3; at < len(r); at += int(shape.Each) {
				keys = append(keys, r[at])
			}
		}
	}
	a.keys = u.funcs.Names(keys)
	a.names.prefetch(a.keys)
}

// appendTypes copies the types of the unit that go in.
func (a *assembler) appendTypes(t *translate.Unit) {
	for i := range a.decided.NumAdded() {
		id := a.decided.Added(i)
		a.appendType(&a.o.Table, t, id, a.decided.IDs)
		if a.names.odd.fresh != nil {
			a.oddNames(t, t.Dies[id].Off)
		}
	}
}

// oddNames tells of the names that were made identifiers for what is at an offset of a unit, which is 0 where that is not known.
func (a *assembler) oddNames(t *translate.Unit, off uint32) {
	for _, name := range a.names.odd.fresh {
		a.warn.name(t, off, name)
	}
	a.names.odd.fresh = nil
}

// nameOf is the name of a local record as the object has it.
func (a *assembler) nameOf(r btf.Record) uint32 {
	if k := r.Kind(); k == btf.KindInt || k == btf.KindFloat || k == btf.KindTypeTag {
		return a.names.text(r[0])
	}
	return a.names.offset(r[0])
}

// appendType copies one type of the unit to a table: string keys become offsets, local ids what ids has for them.
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
