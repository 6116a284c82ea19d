// Package dedup merges equivalent types of one BTF object.
//
// Input: a BTF object with all types. Output: the same BTF object with the survivors, renumbered, in their old order. Never: the package
// does not change strings (Add has filled the string table, rule 03/3), and does not add types.
//
// This file is the exact engine: it reproduces, step by step, which duplicate survives. The order of candidates, of
// hypotheses and of merges is observable in the result, so none of it may be reorganised (rules 03/2 and 03/4 to 03/13). The
// phases are those of rule 03/4.
package dedup

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// Options of a run.
type Options struct {
	Peer rules.Set // the rules of pahole that are in force
	// Base is the object's base, prepared; nil: it is prepared for this run.
	Base *Base
	// Room: how many types are expected to be appended between New and Finish.
	Room int
	// Stop is asked now and then, unless it is nil; an error ends the run.
	Stop func() error
}

// Stats count what a run did.
type Stats struct {
	Before, After        int // own types
	Comparisons, Failed  int // graph comparisons of composites and typedefs
	Forwards             int // lone forwards resolved by name
	MaxDepth, Hypotheses int
	Identical            int // pairs of types that were looked at raw
}

// Values of the resolution map besides ids.
const (
	unset = 0xffffffff
	busy  = 0xfffffffe
)

type engine struct {
	graph
	end   uint32
	base  *Base // or nil
	stats Stats
	err   error        // why no comparison can go on
	stop  func() error // Options.Stop
	peer  rules.Set    // Options.Peer
	work  int          // types that were looked at since it was asked
	spent int          // the same, before that
	least int          // of most
	most  int          // of spent

	m     []uint32 // the resolution map M
	c     index    // the candidate index C
	hyp   []uint32 // the hypothesis map Y: by canonical-side id, 0 is none
	hypo  []uint32 // its keys in the order in which they were recorded
	depth int
	equals
	known
	runs
	longList int
	longWalk int
	contents map[uint32]uint64 // of types in lists that are divided, and of what they lead to
	// adjust: the comparison would have to change a base type.
	adjust     bool
	prefetched uint32 // what prefetch read, kept so that the compiler keeps the reads
}

// Run deduplicates the object's own types against each other and against its base.
func Run(o *btf.Object, opt Options) (Stats, error) {
	m := New(o, opt)
	m.Start()
	return m.Finish(o, nil)
}

// A Merger is one deduplication on its way: New, Start, perhaps References, Finish.
type Merger struct {
	e    engine
	opt  Options
	next uint32 // the first type for which phase 5 has not been done
	err  error
}

// New makes a merger for the types that an object has now. They must not change before Finish, but functions and sections, and references
// of them, may be appended to the object, also while Start or References runs.
func New(o *btf.Object, opt Options) *Merger {
	view := *o // appending changes only what the object itself says of its types
	m := &Merger{opt: opt}
	m.e = engine{graph: graph{o: &view, first: uint32(o.First())}, end: uint32(o.End())}
	m.e.least = minSteps
	m.e.longPath, m.e.longList, m.e.longWalk, m.e.longRun = longPath, longList, longWalk, longRun
	return m
}

// Start is the part of a run that only reads: phases 0 to 4.
func (m *Merger) Start() {
	e := &m.e
	e.prepare(m.opt)
	id := e.first
	for ; id < e.end && m.err == nil; id++ {
		e.primitive(id)
		m.err = e.pause()
	}
	if m.err == nil {
		id = e.first
	}
	for ; id < e.end && m.err == nil; id++ {
		if m.err = e.composite(id); m.err == nil {
			m.err = e.pause()
		}
	}
	if m.err = e.located(id-1, m.err); m.err == nil {
		e.loneForwards()
	}
	m.next = e.first
}

// References is phase 5 for the types that Start had, up to the first DECL_TAG: what that is of may merge with another. It changes
// references, and nobody may read them meanwhile.
func (m *Merger) References() {
	e := &m.e
	for ; m.next < e.end && m.err == nil && e.rec(m.next).Kind() != btf.KindDeclTag; m.next++ {
		if _, m.err = e.reference(m.next); m.err == nil {
			m.err = e.pause()
		}
	}
	m.err = e.located(m.next-1, m.err)
}

// Finish takes in what was appended to the object since New, and leaves the survivors in it. same are VARs that are definitions of
// another VAR's variable and merge into it, whatever they look like.
func (m *Merger) Finish(o *btf.Object, same map[btf.ID]btf.ID) (Stats, error) {
	e, appended := &m.e, m.e.end
	e.stats.Before = o.Len()
	if m.err == nil {
		m.err = e.extend(o)
	}
	for id, kept := range same {
		e.m[id] = uint32(kept)
	}
	for ; m.next < e.end && m.err == nil; m.next++ {
		if m.next >= appended && (m.next-appended)%atOnce == 0 {
			e.prefetch(m.next, min(m.next+atOnce, e.end))
		}
		if _, m.err = e.reference(m.next); m.err == nil {
			m.err = e.pause()
		}
	}
	if m.err = e.located(m.next-1, m.err); m.err != nil {
		return e.stats, m.err
	}
	// Below this line M maps every own type to its survivor.
	if err := e.compact(); err != nil {
		return e.stats, err
	}
	e.stats.After = o.Len()
	return e.stats, nil
}

// atOnce is how many types are prefetched at once: few enough that they stay in the cache.
const atOnce = 128

// prefetch reads what reference will read first for functions and prototypes that were appended (see btf/memory.go). What they refer to
// has its survivor, which is written into them on the way.
func (e *engine) prefetch(from, to uint32) {
	sum := uint32(0)
	for id := from; id < to; id++ {
		r := e.rec(id)
		switch r.Kind() {
		case btf.KindFuncProto:
			if e.m[id] == unset && e.resolve(r) {
				sum ^= e.c.prefetch(e.signature(r))
			}
		case btf.KindFunc:
			sum ^= e.c.prefetch(e.signature(r))
		}
	}
	e.prefetched = sum
}

// resolve rewrites the references of a prototype if all its referents have been processed; else ok is false.
func (e *engine) resolve(r btf.Record) (ok bool) {
	ok = e.m[r[2]] < busy
	for i := 4; i < len(r); i += 2 {
		ok = ok && e.m[r[i]] < busy
	}
	return ok && e.referents(r) == nil
}

// prepare makes every base type canonical and a candidate (phase 0), and variables and sections what they are to stay.
func (e *engine) prepare(opt Options) {
	all := int(e.end) + opt.Room
	e.stop, e.peer, e.most = opt.Stop, opt.Peer, e.least+maxStepsPerType*all
	e.m, e.hyp = make([]uint32, e.first, all), make([]uint32, e.end, all)
	for id := range e.first {
		e.m[id] = id
	}
	for id := e.first; id < e.end; id++ {
		r := e.rec(id)
		e.m = append(e.m, atFirst(id, r))
		if r.Vlen() == 0 {
			e.note(r)
		}
	}
	e.pairwise = len(e.hollow) != 0
	if e.fine = e.o.Base == nil; e.fine {
		const most = 1<<18 - 1 // what there is to be of even the largest kernel; with repeats the object has millions
		e.c.init(all, min(e.o.Len()+opt.Room, most))
		return
	}
	if e.base = opt.Base; e.base == nil {
		e.base = NewBase(e.o.Base)
	} else if e.base.o != e.o.Base {
		panic("dedup: the prepared base is that of another object")
	}
	e.base.look()
	e.empties, e.nameless = e.empties || e.base.empties, e.nameless || e.base.nameless
	e.pairwise = e.pairwise || len(e.base.hollow) != 0
	e.c.extend(e.base.index(opt.Peer, e.empties), all, (e.o.Len()+opt.Room)/8)
}

// atFirst is what M has for an own type before it is looked at.
func atFirst(id uint32, r btf.Record) uint32 {
	if k := r.Kind(); k == btf.KindVar || k == btf.KindDatasec {
		return id
	}
	return unset
}

// extend goes on with the object as it is now, which has types appended.
func (e *engine) extend(o *btf.Object) error {
	e.o = o
	for ; e.end < uint32(o.End()); e.end++ {
		r := e.rec(e.end)
		switch k := r.Kind(); k {
		case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64, btf.KindStruct, btf.KindUnion, btf.KindTypedef:
			return fmt.Errorf("internal error: type %d (%s) was appended after phase 4", e.end, k)
		}
		e.m, e.hyp = append(e.m, atFirst(e.end, r)), append(e.hyp, 0)
	}
	e.c.reach(int(e.end))
	return nil
}

// canon follows the resolution map to its end, which may be a type that has not been processed yet.
func (e *engine) canon(id uint32) uint32 {
	for {
		next := e.m[id]
		if next >= busy || next == id {
			return id
		}
		id = next
	}
}

// canonical makes a type a candidate, in the list that was found for its signature.
func (e *engine) canonical(id uint32, l *list, sig uint64) {
	e.m[id] = id
	e.c.insert(l, sig, id)
}

// primitive is phase 2 for one type: INT, FLOAT, FWD, ENUM, ENUM64.
func (e *engine) primitive(id uint32) {
	r := e.rec(id)
	switch r.Kind() {
	case btf.KindInt, btf.KindFloat, btf.KindFwd:
		sig := e.signature(r)
		l := e.c.find(sig)
		for c := l.head; c != 0; c = e.c.next[c] {
			if equalWords(r, e.rec(c)) {
				e.m[id] = c
				return
			}
		}
		e.canonical(id, l, sig)
	case btf.KindEnum, btf.KindEnum64:
		e.enum(id, r)
	}
}

// enum: a full enum redirects the empty ones of its name that it meets and keeps walking; an empty one takes the first of its
// name (rule 03/6).
func (e *engine) enum(id uint32, r btf.Record) {
	sig := e.signature(r)
	l := e.c.find(sig)
	whole := l.head != divided
	if !whole {
		sig = e.refined(sig, id)
		l = e.c.find(sig)
	}
	if tried := e.enumIn(l, sig, id, r); tried >= e.longList && whole && !e.hollowName(r[0]) {
		e.divide(sig)
	}
}

// enumIn is enum for a list of candidates; it tells how many were tried.
func (e *engine) enumIn(l *list, sig uint64, id uint32, r btf.Record) (tried int) {
	for c := l.head; c != 0; c = e.c.next[c] {
		o := e.rec(c)
		tried++
		e.work++
		if !isEnum(o.Kind()) || o.Name() != r.Name() {
			continue
		}
		if equalWords(r, o) {
			e.m[id] = c
			return tried
		}
		if r.Vlen() == 0 {
			e.m[id] = c
			return tried
		}
		if o.Vlen() == 0 {
			e.m[c] = id
		}
	}
	e.canonical(id, l, sig)
	return tried
}

// hollowName tells whether an enum of a name has no values, so that all enums of the name must be in one list.
func (e *engine) hollowName(name uint32) bool {
	return e.hollow[name] || e.base != nil && e.base.hollow[name]
}

func isEnum(k btf.Kind) bool { return k == btf.KindEnum || k == btf.KindEnum64 }

// composite is phase 3 for one type: STRUCT, UNION, TYPEDEF.
func (e *engine) composite(id uint32) error {
	if e.m[id] != unset {
		return nil
	}
	r := e.rec(id)
	if !isComposite(r.Kind()) {
		return nil
	}
	sig := e.signature(r)
	l := e.c.find(sig)
	whole := l.head != divided
	if !whole {
		sig = e.refined(sig, id)
		l = e.c.find(sig)
	}
	if long := e.compositeIn(l, sig, id, r); long && whole && !e.nameless && e.err == nil {
		e.divide(sig)
	}
	return e.err
}

// compositeIn is composite for a list of candidates; it tells whether that is long, or takes long.
func (e *engine) compositeIn(l *list, sig uint64, id uint32, r btf.Record) (long bool) {
	tried, walked := 0, 0
	for c := l.head; c != 0; c = e.c.next[c] {
		if !shallow(r, e.rec(c)) {
			continue
		}
		tried++
		if len(e.equal) != 0 && e.equal[id] == c {
			e.bind(id, c)
			return tried >= e.longList
		}
		if len(e.differ) != 0 && e.differ[pair{id, c}] {
			e.work++
			continue
		}
		e.stats.Comparisons++
		ok := e.compared(id, c)
		if e.work += len(e.hypo); e.err == nil {
			e.err = e.pause()
		}
		if e.err != nil {
			return false
		}
		if !ok {
			e.stats.Failed++
			walked += len(e.hypo)
			e.learnFailed()
			continue
		}
		e.merge()
		if e.adjust {
			continue
		}
		e.learnEqual()
		e.bind(id, c)
		return tried >= e.longList || walked >= e.longWalk
	}
	e.canonical(id, l, sig)
	return tried >= e.longList || walked >= e.longWalk
}

func (e *engine) clearHypotheses() {
	e.stats.Hypotheses = max(e.stats.Hypotheses, len(e.hypo))
	for _, id := range e.hypo {
		e.hyp[id] = 0
	}
	e.hypo = e.hypo[:0]
	e.adjust, e.jumped, e.barred, e.redo = false, false, false, false
	e.begin()
}

// merge applies the hypotheses of a successful comparison (rule 03/9), in the order in which they were
// recorded, each with the map as the ones before left it.
func (e *engine) merge() {
	for _, k := range e.hypo {
		t, c := e.canon(e.hyp[k]), e.canon(k)
		tFwd, cFwd := e.rec(t).Kind() == btf.KindFwd, e.rec(c).Kind() == btf.KindFwd
		if !tFwd && cFwd {
			e.bind(c, t)
		}
		if e.adjust {
			continue
		}
		if tFwd && !cFwd {
			e.bind(t, c)
		}
		tk := e.rec(t).Kind()
		if btf.Composites.Has(tk) && !cFwd && e.m[c] != unset && e.m[t] == unset {
			e.bind(t, c)
		}
	}
}

// loneForwards is phase 4: a forward that is still canonical takes the one struct or union of its name, if there is just one
// among both and it is of its flavour (rule 03/10).
func (e *engine) loneForwards() {
	own := lone{} // the names of forwards; 0 until one of the name is found
	for id := e.first; id < e.end; id++ {
		if e.m[id] == id && e.rec(id).Kind() == btf.KindFwd {
			own[e.rec(id).Name()] = 0
		}
	}
	if len(own) == 0 {
		return
	}
	e.nameOwn(own)
	for id := e.first; id < e.end; id++ {
		if e.m[id] != id || e.rec(id).Kind() != btf.KindFwd {
			continue
		}
		r := e.rec(id)
		if c := own[r.Name()]; c != 0 && c != ambiguous && e.rec(c).Kind() == r.FwdKind() {
			e.m[id] = c
			e.stats.Forwards++
		}
	}
}

// nameOwn finds the structs and unions of the names in own, those of the base included.
func (e *engine) nameOwn(own lone) {
	if e.base != nil {
		for name := range own {
			own[name] = e.base.names[name]
		}
	}
	for id := e.first; id < e.end; id++ {
		if e.m[id] != id {
			continue
		}
		r := e.rec(id)
		if !btf.Composites.Has(r.Kind()) {
			continue
		}
		switch c, wanted := own[r.Name()]; {
		case !wanted:
		case c == 0:
			own[r.Name()] = id
		default:
			own[r.Name()] = ambiguous
		}
	}
}

// reference is phase 5 for one type: depth first, so that among equal types the one completed first survives (rule 03/12).
func (e *engine) reference(id uint32) (uint32, error) {
	switch e.m[id] {
	case busy:
		return 0, fmt.Errorf("type %d refers to itself through references only", id)
	case unset:
	default:
		return e.canon(id), nil
	}
	r := e.rec(id)
	if k := r.Kind(); !walked.Has(k) && k != btf.KindFunc && k != btf.KindDeclTag {
		return 0, fmt.Errorf("type %d (%s) cannot be merged", id, k)
	}
	e.m[id] = busy
	if err := e.referents(r); err != nil {
		return 0, err
	}
	sig := e.signature(r)
	l := e.c.find(sig)
	for c := l.head; c != 0; c = e.c.next[c] {
		if equalWords(r, e.rec(c)) {
			e.m[id] = c
			return c, nil
		}
	}
	e.canonical(id, l, sig)
	return id, nil
}

// referents makes the references of a record those of survivors.
func (e *engine) referents(r btf.Record) error {
	switch r.Kind() {
	case btf.KindArray:
		if err := e.referent(&r[3]); err != nil {
			return err
		}
		return e.referent(&r[4])
	case btf.KindFuncProto:
		if err := e.referent(&r[2]); err != nil {
			return err
		}
		for i := 4; i < len(r); i += 2 {
			if err := e.referent(&r[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return e.referent(&r[2])
}

func (e *engine) referent(ref *uint32) error {
	if e.m[*ref] < busy {
		*ref = e.canon(*ref)
		return nil
	}
	if e.depth++; e.depth > maxDepth {
		return errDepth
	}
	id, err := e.reference(*ref)
	e.depth--
	*ref = id
	return err
}

// compact keeps the survivors in their old order, renumbers them and rewrites every reference (rule 03/13).
func (e *engine) compact() error {
	ids := e.hyp // by id: the new one; nothing is compared any more
	next := e.first
	for id := range e.end {
		switch {
		case e.m[id] != id:
		case id < e.first:
			ids[id] = id
		default:
			ids[id] = next
			next++
		}
	}
	for id := range e.end {
		if e.m[id] == id {
			continue
		}
		c := e.canon(id)
		if e.m[c] != c {
			return fmt.Errorf("type %d became type %d, which did not survive", id, c)
		}
		ids[id] = ids[c]
	}
	e.o.Compact(func(id btf.ID) bool { return e.m[id] == uint32(id) })
	e.o.Renumber(ids)
	return nil
}
