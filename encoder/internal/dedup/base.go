package dedup

import (
	"fmt"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Base is an object that others continue, prepared for them: the index of its types as the exact engine has it after phase 0,
// and its structs and unions by name. Any number of runs may use one concurrently; none changes it.
//
// The base of a single run is not prepared: see sparse.go.
type Base struct {
	o    *btf.Object
	lazy bool
	once sync.Once
	oddities
	names lone     // of its structs and unions
	named struct { // see namesakes
		once sync.Once
		by   namesakes
	}
	mu       sync.Mutex     // guards spare
	spare    []typeMaps     // of runs that have ended, for the next ones: as many as have run at once
	variants [2][2]struct { // by whether rules.BaseTypedefSignature applies, and by graph.empties
		once sync.Once
		c    index
	}
}

// NewBase prepares a base, whose references have been checked. The first run that needs it does the work.
func NewBase(o *btf.Object) *Base { return &Base{o: o} }

// NewLazyBase returns a base that is not prepared, and whose references need not have been checked. Each run reads what it needs. This is
// cheaper for a single run.
func NewLazyBase(o *btf.Object) *Base { return &Base{o: o, lazy: true} }

// prepare runs phase 0: every type of the base is canonical, and becomes a candidate. Variables and sections are mapped to
// themselves. The error is about the base.
func (e *engine) prepare(opt Options) error {
	all := int(e.end) + opt.Room
	e.stop, e.peer, e.most = opt.Stop, opt.Peer, e.least+maxStepsPerType*all
	e.typeMaps = opt.Base.maps(e.first, e.end, all)
	for id := e.first; id < e.end; id++ {
		r := e.rec(id)
		e.m = append(e.m, atFirst(id, r))
		if r.Vlen() == 0 {
			e.note(r)
		}
	}
	e.pairwise = len(e.hollow) != 0
	if e.fine = e.o.Base == nil; e.fine {
		const most = 1<<18 - 1 // more signatures than the largest kernel has; with repeats, an object has millions of types
		e.c.init(0, all, min(e.o.Len()+opt.Room, most))
		return nil
	}
	if e.base = opt.Base; e.base == nil {
		e.base = NewBase(e.o.Base)
	} else if e.base.o != e.o.Base {
		panic("dedup: the prepared base is that of another object")
	}
	err := e.candidates(&opt, all, (e.o.Len()+opt.Room)/8)
	e.pairwise = e.pairwise || len(e.base.hollow) != 0
	return err
}

// candidates makes the types of the base candidates, in an index for types with ids below all, of about n signatures.
func (e *engine) candidates(opt *Options, all, n int) error {
	if e.base.lazy && !e.empties && !e.nameless {
		e.c.init(int(e.first), all, n)
		e.sparse = newSparse(e.base.o, &e.c, opt.Peer)
		for id := e.first; id < e.end; id++ {
			e.sparse.own(e.rec(id))
		}
		for _, name := range opt.Names {
			e.sparse.mark(name)
		}
		if e.sparse.fill(&e.graph, everyKind) {
			e.base = &e.sparse.Base
			e.nameless = e.base.nameless
			return e.damage()
		}
		e.sparse = nil
	}
	if e.base.lazy {
		if err := e.base.o.CheckReferences(); err != nil {
			return fmt.Errorf("base: %w", err)
		}
	}
	if b := e.base.o; !e.base.lazy && b.Base == nil && b.Whole() == b {
		e.under = &b.Table
	}
	e.base.look()
	e.empties, e.nameless = e.empties || e.base.empties, e.nameless || e.base.nameless
	e.c = index{}
	e.c.extend(e.base.index(opt.Peer, e.empties), all, n)
	return nil
}

// damage returns what is wrong with a record of the base that was looked at.
func (e *engine) damage() error {
	if e.sparse == nil {
		return nil
	}
	return e.sparse.err
}

// typeMaps are the maps of an engine that have an entry for each type, also for those of the base.
type typeMaps struct {
	m       []uint32 // the resolution map M
	hyp     []uint32 // the hypothesis map Y: by canonical type, its candidate; 0 is none
	written []bool   // by page of hyp that has ids of the base: whether it was written
}

// maps returns maps for an object whose types have ids from first to end, with room for ids below all. M ends before first, all hypotheses are 0.
func (b *Base) maps(first, end uint32, all int) typeMaps {
	if b == nil || b.lazy {
		return typeMaps{make([]uint32, first, all), make([]uint32, end, all), make([]bool, first/pageIDs+1)}
	}
	b.mu.Lock()
	var s typeMaps
	if n := len(b.spare); n > 0 {
		s, b.spare = b.spare[n-1], b.spare[:n-1]
	}
	b.mu.Unlock()
	if cap(s.m) < all || cap(s.hyp) < all {
		const more = 1 << 13 // types of a module of average size
		return typeMaps{make([]uint32, first, all+more), make([]uint32, end, all+more), make([]bool, first/pageIDs+1)}
	}
	s.m, s.hyp = s.m[:first], s.hyp[:end]
	clear(s.hyp[first:])
	return s
}

// giveBack lets the next run have the maps of the engine, which does not need them any more. The entries of types of the base, which are nearly all,
// are zero again unless a type of the base was replaced: then the maps are not used again.
func (e *engine) giveBack() {
	if b := e.base; b != nil && !b.lazy && e.sparse == nil && !e.moved {
		b.mu.Lock()
		b.spare = append(b.spare, e.typeMaps)
		b.mu.Unlock()
	}
	e.typeMaps = typeMaps{}
}

// atFirst returns the initial value of M for a type of the object.
func atFirst(id uint32, r btf.Record) uint32 {
	if k := r.Kind(); k == btf.KindVar || k == btf.KindDatasec {
		return id
	}
	return unset
}

// Lazy reports whether the base is one of NewLazyBase.
func (b *Base) Lazy() bool { return b.lazy }

// look prepares what is the same for all objects that continue the base.
func (b *Base) look() {
	b.once.Do(func() {
		b.names = lone{}
		for id := uint32(1); id < uint32(b.o.End()); id++ {
			r, _ := b.o.Record(btf.ID(id))
			if r.Vlen() == 0 {
				b.note(r)
			}
			b.names.add(r, id)
		}
	})
}

// index is phase 0: every type of the base is a candidate.
func (b *Base) index(peer rules.Set, empties bool) *index {
	v := &b.variants[which(peer.Has(rules.BaseTypedefSignature))][which(empties)]
	v.once.Do(func() {
		g := graph{o: b.o.Whole(), first: uint32(b.o.First()), oddities: oddities{empties: empties}}
		end := uint32(b.o.End())
		v.c.init(0, int(end), int(end))
		for id := uint32(1); id < end; id++ {
			r := g.rec(id)
			sig := g.signature(r)
			switch k := r.Kind(); {
			case k == btf.KindVar || k == btf.KindDatasec:
				continue
			case k == btf.KindTypedef && peer.Has(rules.BaseTypedefSignature):
				sig = baseTypedefSignature(r)
			}
			v.c.insert(v.c.find(sig), sig, id)
		}
		v.c.settle()
	})
	return &v.c
}

func which(b bool) int {
	if b {
		return 1
	}
	return 0
}

// nameInto sets the names in own to the only struct or union of the base with that name, if there is one.
func (b *Base) nameInto(own lone) {
	for name := range own {
		own[name] = b.names[name]
	}
}

// lone maps a name to the id of the only struct or union of that name, or to ambiguous if there are several.
type lone map[uint32]uint32

const ambiguous = unset

// add adds a canonical type if it is a struct or union.
func (l lone) add(r btf.Record, id uint32) {
	if !btf.Composites.Has(r.Kind()) {
		return
	}
	if _, seen := l[r.Name()]; seen {
		id = ambiguous
	}
	l[r.Name()] = id
}
