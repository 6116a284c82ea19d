// Package dedup merges equivalent types of one BTF object.
//
// In comes an object with all types; out comes the same object with the survivors, renumbered, in their old order. It never
// touches strings (the object's table was filled by Add, specification 03, section 3, regime A) and never adds a type.
//
// This file is the exact engine: it reproduces, step by step, which duplicate survives. The order of candidates, of
// hypotheses and of merges is observable in the result, so none of it may be reorganised (specification 03, sections 2 to 13).
package dedup

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Options of a run.
type Options struct {
	// PeerTypedefs: own typedefs never match those of the base (rule 03/11, see peer.go).
	PeerTypedefs bool
	// Same: VARs that are definitions of another VAR's variable and merge into it, whatever they look like.
	Same map[btf.ID]btf.ID
}

// Stats count what a run did.
type Stats struct {
	Before, After        int // own types
	Comparisons, Failed  int // graph comparisons of composites and typedefs
	Forwards             int // lone forwards resolved by name
	MaxDepth, Hypotheses int
}

// Values of the resolution map besides ids.
const (
	unset = 0xffffffff
	busy  = 0xfffffffe
)

type engine struct {
	o     *btf.Object
	first uint32 // first own id
	end   uint32
	opt   Options
	stats Stats

	m     []uint32 // the resolution map M
	c     index    // the candidate index C
	hyp   []uint32 // the hypothesis map Y: by canonical-side id, 0 is none
	hypo  []uint32 // its keys in the order in which they were recorded
	depth int
	// adjust: the comparison would have to change a base type.
	adjust bool
}

// Run deduplicates the object's own types against each other and against its base.
func Run(o *btf.Object, opt Options) (Stats, error) {
	e := &engine{o: o, first: uint32(o.First()), end: uint32(o.End()), opt: opt}
	e.stats.Before = o.Len()
	e.m = make([]uint32, e.end)
	e.hyp = make([]uint32, e.end)
	e.c.init(int(e.end))
	for i := range e.m {
		e.m[i] = unset
	}
	e.m[0] = 0
	for id := e.first; id < e.end; id++ {
		if k := e.rec(id).Kind(); k == btf.KindVar || k == btf.KindDatasec {
			e.m[id] = id
		}
	}
	for id, kept := range opt.Same {
		e.m[id] = uint32(kept)
	}
	e.prepareBase()
	for id := e.first; id < e.end; id++ {
		e.primitive(id)
	}
	for id := e.first; id < e.end; id++ {
		if err := e.composite(id); err != nil {
			return e.stats, err
		}
	}
	e.loneForwards()
	for id := e.first; id < e.end; id++ {
		if _, err := e.reference(id); err != nil {
			return e.stats, err
		}
	}
	// Below this line M maps every own type to its survivor.
	if err := e.compact(); err != nil {
		return e.stats, err
	}
	e.stats.After = o.Len()
	return e.stats, nil
}

// rec is the record of any id, own or of the base.
func (e *engine) rec(id uint32) btf.Record {
	if id >= e.first {
		return e.o.At(btf.ID(id))
	}
	r, _ := e.o.Record(btf.ID(id))
	return r
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

func (e *engine) canonical(id uint32, sig uint64) {
	e.m[id] = id
	e.c.insert(sig, id)
}

// prepareBase makes every base type canonical and a candidate (phase 0).
func (e *engine) prepareBase() {
	for id := uint32(1); id < e.first; id++ {
		e.m[id] = id
		r := e.rec(id)
		switch k := r.Kind(); k {
		case btf.KindVar, btf.KindDatasec:
		case btf.KindTypedef:
			if e.opt.PeerTypedefs {
				e.c.insert(baseTypedefSignature(r), id)
			} else {
				e.c.insert(signature(r), id)
			}
		default:
			e.c.insert(signature(r), id)
		}
	}
}

// primitive is phase 2 for one type: INT, FLOAT, FWD, ENUM, ENUM64.
func (e *engine) primitive(id uint32) {
	r := e.rec(id)
	switch r.Kind() {
	case btf.KindInt, btf.KindFloat, btf.KindFwd:
		sig := signature(r)
		for c := e.c.list(sig); c != 0; c = e.c.next[c] {
			if equalWords(r, e.rec(c)) {
				e.m[id] = c
				return
			}
		}
		e.canonical(id, sig)
	case btf.KindEnum, btf.KindEnum64:
		e.enum(id, r)
	}
}

// enum: a full enum redirects the empty ones of its name that it meets and keeps walking; an empty one takes the first of its
// name (specification 03, section 6).
func (e *engine) enum(id uint32, r btf.Record) {
	sig := signature(r)
	for c := e.c.list(sig); c != 0; c = e.c.next[c] {
		o := e.rec(c)
		if !isEnum(o.Kind()) || o.Name() != r.Name() {
			continue
		}
		if equalWords(r, o) {
			e.m[id] = c
			return
		}
		if r.Vlen() == 0 {
			e.m[id] = c
			return
		}
		if o.Vlen() == 0 {
			e.m[c] = id
		}
	}
	e.canonical(id, sig)
}

func isEnum(k btf.Kind) bool { return k == btf.KindEnum || k == btf.KindEnum64 }

// composite is phase 3 for one type: STRUCT, UNION, TYPEDEF.
func (e *engine) composite(id uint32) error {
	if e.m[id] != unset {
		return nil
	}
	r := e.rec(id)
	k := r.Kind()
	if k != btf.KindStruct && k != btf.KindUnion && k != btf.KindTypedef {
		return nil
	}
	sig := signature(r)
	for c := e.c.list(sig); c != 0; c = e.c.next[c] {
		if !shallow(r, e.rec(c)) {
			continue
		}
		e.clearHypotheses()
		e.stats.Comparisons++
		ok, err := e.same(id, c)
		if err != nil {
			return err
		}
		if !ok {
			e.stats.Failed++
			continue
		}
		e.merge()
		if e.adjust {
			continue
		}
		e.m[id] = c
		return nil
	}
	e.canonical(id, sig)
	return nil
}

func (e *engine) clearHypotheses() {
	e.stats.Hypotheses = max(e.stats.Hypotheses, len(e.hypo))
	for _, id := range e.hypo {
		e.hyp[id] = 0
	}
	e.hypo = e.hypo[:0]
	e.adjust = false
}

// merge applies the hypotheses of a successful comparison (specification 03, section 9), in the order in which they were
// recorded, each with the map as the ones before left it.
func (e *engine) merge() {
	for _, k := range e.hypo {
		t, c := e.canon(e.hyp[k]), e.canon(k)
		tFwd, cFwd := e.rec(t).Kind() == btf.KindFwd, e.rec(c).Kind() == btf.KindFwd
		if !tFwd && cFwd {
			e.m[c] = t
		}
		if e.adjust {
			continue
		}
		if tFwd && !cFwd {
			e.m[t] = c
		}
		tk := e.rec(t).Kind()
		if (tk == btf.KindStruct || tk == btf.KindUnion) && !cFwd && e.m[c] != unset && e.m[t] == unset {
			e.m[t] = c
		}
	}
}

// loneForwards is phase 4: a forward that is still canonical takes the one struct or union of its name, if there is just one
// among both and it is of its flavour.
func (e *engine) loneForwards() {
	const ambiguous = unset
	byName := make(map[uint32]uint32)
	for id := uint32(1); id < e.end; id++ {
		if e.m[id] != id {
			continue
		}
		r := e.rec(id)
		if k := r.Kind(); k != btf.KindStruct && k != btf.KindUnion {
			continue
		}
		if _, seen := byName[r.Name()]; seen {
			byName[r.Name()] = ambiguous
		} else {
			byName[r.Name()] = id
		}
	}
	for id := e.first; id < e.end; id++ {
		r := e.rec(id)
		if e.m[id] != id || r.Kind() != btf.KindFwd {
			continue
		}
		c, ok := byName[r.Name()]
		if ok && c != ambiguous && e.rec(c).Kind() == fwdKind(r) {
			e.m[id] = c
			e.stats.Forwards++
		}
	}
}

// fwdKind is the kind that a FWD stands for.
func fwdKind(r btf.Record) btf.Kind {
	if r.Kflag() {
		return btf.KindUnion
	}
	return btf.KindStruct
}

// reference is phase 5 for one type: depth first, so that among equal types the one completed first survives (specification
// 03, section 12).
func (e *engine) reference(id uint32) (uint32, error) {
	switch e.m[id] {
	case busy:
		return 0, fmt.Errorf("type %d refers to itself through references only", id)
	case unset:
	default:
		return e.canon(id), nil
	}
	r := e.rec(id)
	switch r.Kind() {
	case btf.KindPtr, btf.KindConst, btf.KindVolatile, btf.KindRestrict, btf.KindTypeTag, btf.KindFunc, btf.KindDeclTag,
		btf.KindArray, btf.KindFuncProto:
	default:
		return 0, fmt.Errorf("type %d (%s) cannot be merged", id, r.Kind())
	}
	e.m[id] = busy
	var err error
	r.References(func(ref *uint32) {
		if err == nil {
			*ref, err = e.reference(*ref)
		}
	})
	if err != nil {
		return 0, err
	}
	sig := signature(r)
	for c := e.c.list(sig); c != 0; c = e.c.next[c] {
		if equalWords(r, e.rec(c)) {
			e.m[id] = c
			return c, nil
		}
	}
	e.canonical(id, sig)
	return id, nil
}

// compact keeps the survivors in their old order, renumbers them and rewrites every reference (specification 03, section 13).
func (e *engine) compact() error {
	renumber := make([]uint32, e.end)
	for id := range e.first {
		renumber[id] = id
	}
	next := e.first
	for id := e.first; id < e.end; id++ {
		if e.m[id] == id {
			renumber[id] = next
			next++
		}
	}
	e.o.Compact(func(id btf.ID) bool { return e.m[id] == uint32(id) })
	for id, r := range e.o.All() {
		var bad uint32
		r.References(func(ref *uint32) {
			c := e.canon(*ref)
			if c != 0 && renumber[c] == 0 {
				bad = *ref
			}
			*ref = renumber[c]
		})
		if bad != 0 {
			return fmt.Errorf("type %d refers to type %d, which did not survive", id, bad)
		}
	}
	return nil
}
