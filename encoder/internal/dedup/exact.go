// Package dedup merges equivalent types of one BTF object.
//
// Input: a BTF object with all types. Output: the same BTF object with the survivors, renumbered, in their old order. Never: the
// package does not change strings (Add has filled the string table, rule 03/3), and does not add types.
package dedup

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// The exact engine decides which types of an object are equal, and which of them survives.
//
// The problem: two types are equal if everything that can be reached from them is equal, and a declaration equals any struct or
// union of its name. This is not transitive, so the result depends on the order in which types are compared, and pahole's order
// must be reproduced exactly. Neither the order of the candidates, nor that of the hypotheses and merges, can be changed (rules
// 03/2 and 03/4 to 03/13).
//
// Terms: the resolution map M leads from each type to the type that replaces it. A type that is mapped to itself is canonical.
// The signature of a type is a hash of the part that is compared without following references. The candidates for a type are the
// canonical types with the same signature, kept in a list of the index C. A hypothesis assumes that a pair of types is equal
// while a comparison runs (same); the map Y holds the hypotheses. Binding a type means to map it to its replacement.
//
// The phases are those of rule 03/4:
//
//   - Phase 0: every type of the base is canonical, and a candidate.
//   - Phase 1: the string table. It is already done (rule 03/3).
//   - Phase 2: primitive types, which refer to nothing, merge with the first candidate that equals them.
//   - Phase 3: structs, unions and typedefs are compared as graphs with each of their candidates.
//   - Phase 4: a declaration that is still canonical is bound to the only struct or union of its name.
//   - Phase 5: pointers, qualifiers, arrays, prototypes, functions and tags merge once the types that they refer to have. This is
//     a depth-first walk.
//   - Phases 6 and 7: the survivors are renumbered, and all references are rewritten.

// Options of a run.
type Options struct {
	Peer rules.Set // the rules of pahole that are in force
	// Base is the prepared base of the object. If it is nil, the run prepares the base itself.
	Base *Base
	// Room is the number of types that will probably be appended between New and Finish.
	Room int
	// Names are the offsets of names of functions, and of first parameters, that will probably be appended. With a lazy base they save time.
	Names []uint32
	// Partial says that a ClassTable has left out types. The result can then be ErrDoubt.
	Partial bool
	// Namesakes are what the object and its base have in common, if a ClassTable has decided which types are in the object.
	Namesakes *Namesakes
	// Foreign is what the engine must know about types of two languages, if a ClassTable has decided which types are in the object. The result can then be
	// ErrMixed.
	Foreign *Foreign
	// Stop is called from time to time, unless it is nil. An error ends the run.
	Stop func() error
}

// Stats count what a run did.
type Stats struct {
	Before, After        int // own types
	Comparisons, Failed  int // graph comparisons of composites and typedefs
	Forwards             int // lone forwards resolved by name
	MaxDepth, Hypotheses int
	Identical            int // pairs of types that were compared raw
}

// Values of the resolution map that are not ids of other types: the type has not been processed; the walk of phase 5 is inside of it; the
// type is void, or a type of the base that has not been merged into an own one. With zero for these, most of the map is never written.
const (
	itself = 0
	unset  = 0xffffffff
	busy   = 0xfffffffe
)

type engine struct {
	graph
	end   uint32
	base  *Base // or nil
	stats Stats
	err   error        // why the comparison cannot continue
	stop  func() error // Options.Stop
	peer  rules.Set    // Options.Peer
	work  int          // number of types visited since the last call of stop
	spent int          // number of types visited before that
	least int          // lower bound of most
	most  int          // upper bound of spent

	typeMaps
	c     index    // the candidate index C
	hypo  []uint32 // the keys of hyp in the order in which they were recorded
	depth int
	equals
	known
	runs
	longList int
	longWalk int
	contents map[uint32]uint64 // of types in divided lists, and of the types that they lead to
	// adjust: the comparison would have to change a type of the base.
	adjust bool
	moved  bool // a type of the base is mapped to an own one
	watch  bool // the fast path has left out types
	// Pairs of types into which the current comparison did not look; skippedMore: there are more of them.
	skippedCand  []uint32
	skippedCanon []uint32
	skippedMore  bool
	unequal      bool                // the current comparison has met arrays that are different because of their elements
	looked       int                 // number of types that leads looked at
	defined      map[uint32][]uint32 // see definitions
	doubt        bool                // see ErrDoubt
	binder
	prefetched uint32 // what prefetch read, kept so that the compiler keeps the reads
}

// Run deduplicates the object's own types against each other and against its base.
func Run(o *btf.Object, opt Options) (Stats, error) {
	m := New(o, opt)
	m.Start()
	return m.Finish(o, nil)
}

// A Merger is one deduplication in steps: New, Start, optionally References, Finish.
type Merger struct {
	e    engine
	opt  Options
	next uint32 // the first type that phase 5 has not processed
	err  error
}

// New makes a merger for the current types of an object. They must not change before Finish. Functions and sections, and the
// types that these refer to, may be appended to the object meanwhile, even while Start or References runs.
func New(o *btf.Object, opt Options) *Merger {
	view := *o // a copy, which appending to the object does not change
	m := &Merger{opt: opt}
	m.e = engine{graph: graph{o: &view, first: uint32(o.First())}, end: uint32(o.End())}
	m.e.least = minSteps
	m.e.longPath, m.e.longList, m.e.longWalk, m.e.longRun = longPath, longList, longWalk, longRun
	return m
}

// Start runs phases 0 to 4, which only read the object.
func (m *Merger) Start() {
	e := &m.e
	m.err = e.prepare(m.opt)
	id := e.first
	for ; id < e.end && m.err == nil; id++ {
		e.primitive(id)
		m.err = e.pause()
	}
	if m.err == nil {
		id, e.watch = e.first, m.opt.Partial
		e.keepApart(m.opt.Foreign)
		if m.opt.Namesakes != nil {
			e.bindNamesakes(m.opt.Namesakes)
		}
	}
	for ; id < e.end && m.err == nil; id++ {
		if id >= e.bindAt {
			e.bindDeclarations(id)
		}
		if m.err = e.composite(id); m.err == nil {
			m.err = e.pause()
		}
	}
	if m.err = e.located(id-1, m.err); m.err == nil {
		if e.watch {
			e.bindDeclarations(e.end)
		}
		e.loneForwards()
		m.err = e.damage()
	}
	switch {
	case m.err != nil:
	case e.mixed:
		m.err = ErrMixed
	case e.doubt:
		m.err = ErrDoubt
	}
	m.next = e.first
}

// Err returns the error of the steps so far.
func (m *Merger) Err() error { return m.err }

// References runs phase 5 for the types that Start had, up to the first DECL_TAG, whose target may still merge with another type.
// It changes references, and nobody may read them meanwhile.
func (m *Merger) References() {
	e := &m.e
	for ; m.next < e.end && m.err == nil && e.rec(m.next).Kind() != btf.KindDeclTag; m.next++ {
		if e.c.base != nil && (m.next-e.first)%atOnce == 0 {
			e.prefetch(m.next, min(m.next+atOnce, e.end))
		}
		if _, m.err = e.reference(m.next); m.err == nil {
			m.err = e.pause()
		}
	}
	m.err = e.located(m.next-1, m.err)
}

// Finish processes the types that were appended to the object since New, and leaves only the survivors in it. same maps a VAR to
// another VAR for the same variable. It is merged into that VAR without a comparison.
func (m *Merger) Finish(o *btf.Object, same map[btf.ID]btf.ID) (Stats, error) {
	e, appended := &m.e, m.e.end
	e.stats.Before = o.Len()
	if m.err == nil {
		m.err = e.extend(o)
	}
	for id, kept := range same {
		e.m[id] = uint32(kept)
	}
	if m.err == nil {
		m.err = m.references(appended)
	}
	if m.err == nil {
		m.err = e.damage()
	}
	if m.err = e.located(m.next-1, m.err); m.err != nil {
		return e.stats, m.err
	}
	if e.doubt {
		return e.stats, ErrDoubt
	}
	// Below this line M maps every own type to its survivor.
	e.clearHypotheses()
	if err := e.compact(); err != nil {
		return e.stats, err
	}
	e.giveBack()
	e.stats.After = o.Len()
	return e.stats, nil
}

// extend continues with the object as it is now, with appended types.
func (e *engine) extend(o *btf.Object) error {
	e.o = o
	from := e.end
	for ; e.end < uint32(o.End()); e.end++ {
		r := e.rec(e.end)
		switch k := r.Kind(); k {
		case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64, btf.KindStruct, btf.KindUnion, btf.KindTypedef:
			return fmt.Errorf("internal error: type %d (%s) was appended after phase 4", e.end, k)
		}
		e.m, e.hyp = append(e.m, atFirst(e.end, r)), append(e.hyp, 0)
	}
	if e.sparse != nil {
		e.sparse.appended(&e.graph, from, e.end)
	}
	e.c.reach(int(e.end))
	return nil
}

// canonical makes a type canonical, and adds it to the list of candidates that was found for its signature.
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
		for c := l.head; c != 0; c = *e.c.after(c) {
			if equalWords(r, e.rec(c)) {
				e.m[id] = c
				e.doubtTwins(c)
				return
			}
		}
		e.canonical(id, l, sig)
	case btf.KindEnum, btf.KindEnum64:
		e.enum(id, r)
	}
}

// enum merges an ENUM or ENUM64. An enum with values binds the ones of its name without values that it meets, and continues. An
// enum without values is bound to the first of its name (rule 03/6).
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

// enumIn is enum for one list of candidates. It returns the number of candidates that it compared.
func (e *engine) enumIn(l *list, sig uint64, id uint32, r btf.Record) (tried int) {
	for c := l.head; c != 0; c = *e.c.after(c) {
		o := e.rec(c)
		tried++
		e.work++
		if !isEnum(o.Kind()) || o.Name() != r.Name() {
			continue
		}
		if equalWords(r, o) {
			e.m[id] = c
			e.doubtTwins(c)
			return tried
		}
		if r.Vlen() == 0 {
			e.m[id] = c
			e.doubtTwins(c)
			return tried
		}
		if o.Vlen() == 0 {
			e.m[c] = id
			e.moved = e.moved || c < e.first
		}
	}
	e.canonical(id, l, sig)
	return tried
}

// hollowName reports whether an enum with this name has no values. Then all enums of the name must be in one list.
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

// compositeIn is composite for one list of candidates. It reports whether the list is long, or takes long to compare.
func (e *engine) compositeIn(l *list, sig uint64, id uint32, r btf.Record) (long bool) {
	tried, walked := 0, 0
	for c := l.head; c != 0; c = *e.c.after(c) {
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
		e.doubtTwins(c)
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
	e.skippedCand, e.skippedCanon, e.skippedMore, e.unequal = e.skippedCand[:0], e.skippedCanon[:0], false, false
	e.begin()
}

// merge applies the hypotheses of a successful comparison (rule 03/9) in the order in which they were recorded. Each sees the map
// as the previous ones left it.
func (e *engine) merge() {
	for _, k := range e.hypo {
		t, c := e.canon(e.hyp[k]), e.canon(k)
		tk := e.kind(t)
		tFwd, cFwd := tk == btf.KindFwd, e.kind(c) == btf.KindFwd
		if !tFwd && cFwd {
			e.crosses(c, t)
			e.bind(c, t)
		}
		if e.adjust {
			continue
		}
		if tFwd && !cFwd {
			e.crosses(t, c)
			e.bind(t, c)
		}
		if btf.Composites.Has(tk) && !cFwd && e.m[c] != unset && e.m[t] == unset {
			e.bind(t, c)
		}
	}
}

// reference is phase 5 for one type. The walk is depth first: of equal types, the one that it completes first survives (rule
// 03/12).
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
	for c := l.head; c != 0; c = *e.c.after(c) {
		if equalWords(r, e.rec(c)) {
			e.m[id] = c
			e.doubtTwins(c)
			return c, nil
		}
	}
	e.canonical(id, l, sig)
	return id, nil
}

// referents replaces the references of a record by references to survivors.
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
	if e.processed(*ref) {
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
	ids := e.hyp // by id: the new id; hyp is free, since all comparisons are done
	next, from := e.first, e.first
	if e.moved {
		from = 0
		for id := range e.first {
			ids[id] = id
		}
	}
	for id := e.first; id < e.end; id++ {
		if e.m[id] == id {
			ids[id] = next
			next++
		}
	}
	for id := from; id < e.end; id++ {
		if e.survives(id) {
			continue
		}
		c := e.canon(id)
		if !e.survives(c) {
			return fmt.Errorf("type %d became type %d, which did not survive", id, c)
		}
		if ids[id] = c; c >= e.first {
			ids[id] = ids[c]
		}
	}
	e.o.Compact(func(id btf.ID) bool { return e.m[id] == uint32(id) })
	e.o.Renumber(ids, btf.ID(from))
	return nil
}
