package batch

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"slices"
	"sync"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/cmd/internal/schedule"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden/report"
)

// The problem: fetching a package takes as long as encoding its kernel, or longer. If each image does one after the other, either the network or the
// processors are idle.
//
// The idea: an image has two parts, its arrival and its encoding. The arrival finds out whether the result is known, and otherwise opens the file. It needs no
// worker, so the scheduler lets the next image arrive while others are encoded: one image, or as many as there are idle workers. What an encoder will
// read of the file is fetched in the background from then on. As many images are fetched at once as there are workers, so the next one is fetched when
// the one before it has been. Until then, only the little is fetched that opening a file takes, unless its digest is pinned: then that is all of it.
//
// An image that arrived early is not started if the run stops before. What was fetched for it stays in the download folder.

// An arrival is an image whose file was opened, or whose result was found, or neither because of an error.
type arrival struct {
	job   int
	t     target
	row   report.Row
	image *corpus.Image // nil if the result is known, or after an error
	err   error
	took  time.Duration

	ctx    context.Context    //nolint:containedctx // of everything that reads the file
	cancel context.CancelFunc // ends it
	fetch  sync.WaitGroup
}

// arrivals are the images that arrived and are not encoded yet.
type arrivals struct {
	mu    sync.Mutex
	list  map[int]*arrival // by job; also those that are under way
	lines chan struct{}    // has a place for each image that is fetched
}

// close releases the file of an image.
func (a *arrival) close() {
	a.cancel()
	a.fetch.Wait()
	if a.image != nil {
		a.image.Close()
		a.image = nil
	}
}

// aheadMemory is what an image holds in memory from its arrival to its start, in bytes: some blocks of its package, and buffers.
const aheadMemory = 64 << 20

// arrives reports whether the file of an image arrives from somewhere, before it is encoded.
func (j *Job) arrives() bool { return j.Err == nil && j.File.Path == "" }

// arriveAhead lets an image arrive before it starts. It returns its predictions.
func (b *batch) arriveAhead(ctx context.Context, i int) schedule.Job {
	a := b.arrival(ctx, i)
	b.arrivals.mu.Lock()
	b.arrivals.list[i] = a
	b.arrivals.mu.Unlock()
	b.arrive(a) //nolint:contextcheck // an arrival has its own
	return b.predictOpen(a)
}

// predictOpen returns the predictions for an image that arrived: the size of .debug_info and what is decoded are known.
func (b *batch) predictOpen(a *arrival) schedule.Job {
	p, t := b.planned[a.job], &a.t
	if a.image == nil { // its result is known, or it fails
		guess, _, _ := b.jobs[a.job].debugInfo()
		p.Memory, p.More, p.Disk = min(p.Memory, aheadMemory), 0, b.jobs[a.job].outputs(guess)
		return p
	}
	info := int64(0)
	if s := a.image.Section(".debug_info"); s != nil && s.Flags&elf.SHF_COMPRESSED == 0 {
		info = int64(min(s.Size, uint64(max(a.image.Input.Size, 0))))
	}
	stay, pass, decoded := a.image.Input.Demand()
	if !decoded || info == 0 {
		return p
	}
	m := cost.MemoryOf(info, t.factor(a.image), cost.Decoder)
	p.Memory, p.More, p.Held = m.Peak, m.More, m.Held
	p.Disk = t.outputs(info) + spilled(stay, pass, b.room)
	p.Disk += b.fetches[a.job]
	return p
}

// factor is cost.RustFactor for an image with Rust that is not left out, else 1.
func (j *Job) factor(image *corpus.Image) float64 {
	if slices.Contains(j.Settings.LangExclude, rust) {
		return 1
	}
	s := image.Section(".comment")
	if s == nil || s.Size > maxComment {
		return 1
	}
	text := make([]byte, s.Size)
	if _, err := image.Input.ReadAt(text, int64(s.Off)); err != nil || !bytes.Contains(text, []byte("rustc")) {
		return 1
	}
	return cost.RustFactor
}

// maxComment is the size of a section with the names of compilers that is looked at, in bytes.
const maxComment = 64 << 10

// passing is the part of what is given up after it was read that is decoded and not yet read at a time, in bytes, at most: the decoder is ahead of the
// encoder, which first needs what stands behind .debug_info.
const passing = 160 << 20

// spilled is what goes to a temporary file of the decoded bytes of an image, of which some stay and others pass, if memory has room for the given number.
// Without room, all of them do.
func spilled(stay, pass, room int64) int64 {
	if room > 0 {
		pass = min(pass, passing)
	}
	return max(0, stay+pass-room)
}

// begun returns the arrival of an image that starts.
func (b *batch) begun(ctx context.Context, i int) *arrival {
	b.arrivals.mu.Lock()
	a := b.arrivals.list[i]
	delete(b.arrivals.list, i)
	b.arrivals.mu.Unlock()
	if a == nil {
		a = b.arrival(ctx, i)
		b.arrive(a) //nolint:contextcheck // an arrival has its own
		a.took = 0  // image measures it
	}
	return a
}

// stopArrivals ends the arrival of images that will not start.
func (b *batch) stopArrivals() {
	b.arrivals.mu.Lock()
	defer b.arrivals.mu.Unlock()
	for _, a := range b.arrivals.list {
		a.cancel()
	}
}

// discardArrivals closes the images that do not start.
func (b *batch) discardArrivals() {
	for i, a := range b.arrivals.list {
		a.close()
		delete(b.arrivals.list, i)
	}
}

// arrival returns the arrival of an image, before it begins.
func (b *batch) arrival(ctx context.Context, i int) *arrival {
	j := &b.jobs[i]
	a := &arrival{job: i, row: j.row()}
	a.row.Arch, a.row.Profile, a.row.Features, a.row.Base = j.File.Pins.Arch, j.Settings.Profile.String(), j.Settings.Features.Names(), b.baseName(j)
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// arrive opens the file of an image, unless its result is known.
func (b *batch) arrive(a *arrival) {
	start := time.Now()
	a.err = b.opened(a)
	a.took = time.Since(start)
}

// opened is arrive, and returns the error of the image.
func (b *batch) opened(a *arrival) (err error) {
	defer caught(&err)
	j, ctx := &b.jobs[a.job], a.ctx
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case b.stopped():
		return errStopped
	case j.Err != nil:
		return j.Err
	}
	a.t = target{Job: j, base: b.bases[a.job], own: b.own[a.job], clock: encoder.Clock{Allocs: b.opt.allocs()}, began: time.Now(), left: b.ledger(j)}
	t := &a.t
	t.clock.Start()
	if b.kept(j) && j.Outputs.ELF == "" { // a copy of the image needs the image
		if t.inputSum = b.recall(j); t.inputSum == "" {
			t.inputState = b.stateKey(t)
		}
	}
	if b.take(ctx, t, &a.row) {
		return nil
	}
	if err := t.base.failed(false); err != nil { // reading the image, or all of its package up to it, would be in vain
		t.forget()
		return err
	}
	if err := b.knownAbsent(t); err != nil {
		return cmp.Or(t.base.failed(true), err)
	}
	whole := j.File.Origin.Network && j.File.Origin.SHA256 != "" // to open it takes all of it
	done := func() {}
	if whole {
		if done, err = b.line(ctx); err != nil {
			return err
		}
	}
	a.image, err = b.open(ctx, t, &a.row)
	done()
	if err != nil {
		return cmp.Or(t.base.failed(true), err) // which of the two is reported does not depend on timing
	}
	if j.File.Origin.Network && !whole {
		a.fetch.Go(func() {
			if done, err := b.line(ctx); err == nil {
				_ = a.image.Input.Ahead(ctx) // those who read the image get the error
				done()
			}
		})
	}
	return nil
}

// line waits until an image may be fetched. done must be called when it has been fetched.
func (b *batch) line(ctx context.Context) (done func(), err error) {
	select {
	case b.arrivals.lines <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	done = func() { <-b.arrivals.lines }
	if b.stopped() { // meanwhile
		done()
		return nil, errStopped
	}
	return done, nil
}
