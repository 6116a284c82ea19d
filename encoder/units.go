package encoder

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// A unit is the result of translating one CU. It waits for its turn to be joined.
type unit struct {
	types    translate.Unit
	funcs    funcs.Unit
	size     int                // of the CU, in bytes
	table    [2]dwarf.LongTable // of the unit, and of its contents in another file
	split    bool               // its contents are in another file
	contents uint64             // the DWO ID of these contents
	skip     bool               // it is left out or empty
	last     *worker            // the worker that used it last
	err      error
}

// A worker holds the scratch memory that it reuses for each CU.
type worker struct {
	raw   dwarf.Unit
	split dwarf.Unit // the contents of raw if that is a skeleton
	tr    translate.Translator
	subs  translate.Subprograms
	funcs funcs.Analyzer
}

// A pipeline translates units in parallel and joins the results in section order. A translated unit waits in ready until its turn. One worker
// joins the units whose turn it is each time it has translated a unit, which keeps the tables of the join in the cache of its processor. The
// other workers join only when they would have to wait. Therefore the join needs no extra goroutine, and its order never depends on timing.
type pipeline struct {
	in     *image
	a      *assembler
	ctx    context.Context
	opt    *translate.Options
	reader *dwarf.Reader

	readMu sync.Mutex // guards reader
	mu     sync.Mutex // guards the fields below
	wake   *sync.Cond
	free   []*unit
	ready  map[int]*unit
	next   int // number of the unit whose turn it is
	busy   bool
	end    bool           // no unit is left to read
	uses   map[uint64]int // by DWO ID of contents in other files; only for the worker that joins
	err    error
}

// unitsPerWorker is the number of units per worker. It is large enough that workers rarely have to wait while one of them translates a CU that
// is ten times as long as most. A unit takes half a megabyte.
const unitsPerWorker = 3

// translateUnits translates the units one by one, in parallel, and joins them in their order.
func translateUnits(ctx context.Context, in *image, a *assembler) error {
	workers := in.opt.workers()
	p := &pipeline{in: in, a: a, ctx: ctx, opt: in.translateOptions(ctx, !a.exact), reader: in.d.Units(), ready: make(map[int]*unit)}
	p.wake = sync.NewCond(&p.mu)
	c := newCrew(workers)
	p.free = append(p.free, c.units[:unitsPerWorker*workers+1]...)
	if workers == 1 { // a goroutine would move the work to another thread
		p.work(&c.workers[0], true)
	} else {
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() { p.work(&c.workers[i], i == 0) })
		}
		wg.Wait()
	}
	if p.err == nil {
		a.idle = c
	}
	return p.err
}

// work translates units until none is left. home says that this worker joins after each unit that it has translated.
func (p *pipeline) work(w *worker, home bool) {
	debug.SetPanicOnFault(true) // the base and the strings of the image may be mapped
	defer p.joinDue()
	for {
		u := p.freeUnit(w)
		if u == nil {
			return
		}
		n, ok := p.read(w, u)
		if !ok {
			return
		}
		if u.err == nil {
			u.err = p.translate(w, u)
		}
		p.deliver(n, u)
		if home {
			p.joinDue()
		}
	}
}

// freeUnit waits for a free unit. It returns nil when no unit is left to read, or after an error.
func (p *pipeline) freeUnit(w *worker) *unit {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) == 0 && p.err == nil && !p.end {
		if !p.joinLocked() {
			p.wake.Wait()
		}
	}
	if p.err != nil || p.end {
		return nil
	}
	i := len(p.free) - 1
	for k, u := range p.free {
		if u.last == w { // its memory is in the cache of this worker
			i = k
		}
	}
	u := p.free[i]
	p.free = slices.Delete(p.free, i, i+1)
	u.last = w
	return u
}

// read reads the bytes of the next unit and returns its number. ok is false after the last unit. Only the search for its place is serial.
func (p *pipeline) read(w *worker, u *unit) (n int, ok bool) {
	p.readMu.Lock()
	more, err := p.reader.Reserve(&w.raw)
	n = p.reader.Index() - 1
	if err != nil {
		n = p.reader.Fail()
	}
	p.readMu.Unlock()
	if u.err = err; more {
		u.err = w.raw.Load()
	} else {
		p.mu.Lock()
		p.end = true
		p.wake.Broadcast()
		p.mu.Unlock()
	}
	return n, more || err != nil && n >= 0
}

// translate does everything for a unit that needs no other unit. A panic becomes an error of that unit with its place, because unexpected
// bytes in the image can break an invariant.
func (p *pipeline) translate(w *worker, u *unit) (err error) {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	return w.translate(p.in, p.opt, u)
}

func (w *worker) translate(in *image, opt *translate.Options, u *unit) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = w.raw.Err(0, "internal error: %v\n%s", r, debug.Stack())
		}
	}()
	if in.mention != nil && !in.mention.In(&w.raw) {
		u.table, u.split, u.skip, u.size = [2]dwarf.LongTable{}, false, true, w.raw.Len()
		u.types.Place, u.types.Notes = w.raw.Place(), u.types.Notes[:0]
		return nil
	}
	if err := w.raw.Open(); err != nil {
		return err
	}
	if w.raw.Empty == dwarf.NotEmpty && in.mustMerge(w.raw.Uses()) {
		return errMustMerge
	}
	u.table, u.split = [2]dwarf.LongTable{w.raw.LongTable()}, false
	u.types.Place, u.types.Notes, u.size = w.raw.Place(), u.types.Notes[:0], w.raw.Len()
	raw := &w.raw
	if raw.Empty != dwarf.NotEmpty {
		u.skip = true
		return w.tr.CU(raw, &in.d.Strings, opt, &u.types, &w.subs)
	}
	if readsSplit(raw, opt.Peer) {
		if raw = &w.split; opt.Classes {
			return errSplit
		}
		if err := in.openSplit(&w.raw, raw); err != nil {
			return err
		}
		u.table[1], u.contents, u.split = raw.LongTable(), raw.SplitID(), true
	}
	u.skip = in.leftOut(raw)
	if u.skip {
		return nil
	}
	if err := w.tr.CU(raw, &in.d.Strings, opt, &u.types, &w.subs); err != nil {
		return err
	}
	w.funcs.Analyze(raw, &u.types, &w.subs, in.table, &u.funcs)
	return nil
}

// deliver adds a translated unit to those that wait for their turn.
func (p *pipeline) deliver(n int, u *unit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready[n] = u
	if n == p.next {
		p.wake.Broadcast()
	}
}

// joinDue joins the units whose turn it is, unless another worker does.
func (p *pipeline) joinDue() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.joinLocked()
}

// joinLocked is joinDue with mu held. It releases mu while it joins, and reports whether it joined any.
func (p *pipeline) joinLocked() (joined bool) {
	for !p.busy && p.err == nil && p.ready[p.next] != nil {
		u := p.ready[p.next]
		delete(p.ready, p.next)
		p.busy, joined = true, true
		p.mu.Unlock()
		err := p.join(u)
		p.mu.Lock()
		p.busy = false
		p.next++
		p.err = err
		p.free = append(p.free, u)
		p.wake.Broadcast()
	}
	return joined
}

func (p *pipeline) join(u *unit) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = u.types.Place.Err(0, "internal error: %v\n%s", r, debug.Stack())
		}
	}()
	if u.err != nil {
		return u.err
	}
	for _, t := range u.table {
		if err := t.Count(); err != nil {
			return err
		}
	}
	if u.split {
		if err := p.countUse(u); err != nil {
			return err
		}
	}
	if progress := p.in.opt.OnProgress; progress != nil {
		progress(u.types.Place.Off+uint64(u.size), p.in.d.InfoSize())
	}
	if u.skip {
		p.a.warn.add(u.types.Notes, u.types.Strings)
		return nil
	}
	return p.a.add(u)
}
