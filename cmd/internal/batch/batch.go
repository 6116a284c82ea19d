// Package batch encodes many images: bases before modules, bounded in memory, one row per image.
//
// Input: jobs, and options. Output: published files and a report. A problem with one image fails its row and the rows
// of images that depend on it, but not the batch. An output is put in place only after the kernels it is for have accepted it. Never: the
// package decides nothing about types. It calls the encoder, and the packages that check and compare its result.
package batch

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/cmd/internal/schedule"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A batch is a run in progress.
type batch struct {
	jobs  []Job
	opt   Options
	start time.Time
	bases []*base // by job: its base, or nil
	own   []*base // by job: the base that it is, or nil
	turns []*turn // by job: at a golden that it shares with others, or nil
	hash  corpus.Hasher
	files publish.Publisher
	sums  sync.Mutex // guards files of sums, and proposed
	// proposed has the paths of the new files of sums to which this run has added a line.
	proposed map[string]bool

	series  []*series  // by job: the series that it is in, or nil
	waiting []*waiting // by job: its outputs, until its series is complete; or nil

	shipping shipping
	arrivals arrivals
	planned  []schedule.Job // by job: its predictions
	fetches  map[int]int64  // by job: the part of its disk space that is for what is fetched
	room     int64          // memory for decoded blocks of a kernel in a package, in bytes

	failures atomic.Int64 // images that failed; see Options.MaxFailures

	mu       sync.Mutex         // guards the fields below, and the events Row and Differ
	held     map[int]report.Row // by job: rows of images whose shared golden is not decided
	report   *report.Report
	done     []*report.Row // by job, until they are reported
	reported int           // number of jobs whose rows are in the report
	over     bool          // the report is closed; later rows are dropped
}

// patience is how long an interrupted batch waits for its images to stop. An image that is stuck, for example in reading a golden that is a
// pipe, must not delay the report.
const patience = 700 * time.Millisecond

// Run encodes all jobs. When the context ends, images that are not finished are skipped and the report is marked as interrupted.
func Run(ctx context.Context, jobs []Job, opt Options) *report.Report {
	start := time.Now()
	if opt.Encoding.Workers <= 0 {
		opt.Encoding.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Encoding.Memory <= 0 {
		opt.Encoding.Memory = DefaultMemory
	}
	if opt.Encoding.Disk <= 0 {
		opt.Encoding.Disk = DefaultDisk
	}
	b := newBatch(jobs, opt)
	b.start = start
	b.files.Sweep(Written(jobs, &opt))
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		b.all(ctx)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
		select {
		case <-finished:
		case <-time.After(patience):
		}
	}
	b.end()
	b.report.Seconds = time.Since(start).Seconds()
	b.report.Manifest, b.report.Shard, b.report.Setup, b.report.Strict = opt.Manifest, opt.Shard, opt.Setup, opt.Goldens.Strict
	for _, e := range opt.Goldens.Exceptions.Stale() {
		b.report.Stale = append(b.report.Stale, e.Place()+": "+e.String())
	}
	for _, e := range opt.Goldens.Exceptions.Used() {
		b.report.Used = append(b.report.Used, e.String())
	}
	return b.report
}

// newBatch finds the bases and goldens that jobs share.
func newBatch(jobs []Job, opt Options) *batch {
	b := &batch{jobs: jobs, opt: opt, report: report.New(names(jobs)), done: make([]*report.Row, len(jobs)),
		proposed: map[string]bool{}, fetches: map[int]int64{}, held: map[int]report.Row{}, shipping: shipping{slots: make(chan struct{}, uploads)},
		arrivals: arrivals{list: map[int]*arrival{}, lines: make(chan struct{}, max(1, opt.Encoding.Workers))}}
	b.linkBases()
	b.shareGoldens()
	b.linkSeries()
	return b
}

// all encodes all jobs. Most of them get one worker, and as many run at once as there are workers and memory for.
func (b *batch) all(ctx context.Context) {
	var room int64
	room, b.room = b.packageRoom()
	limits := schedule.Limits{Workers: b.opt.Encoding.Workers, Memory: max(1, b.opt.Encoding.Memory-cost.ProgramMemory-room),
		Disk: max(1, b.opt.Encoding.Disk-b.waitingRoom())}
	b.planned = b.plan()
	calls := schedule.Calls{
		Do:      func(s schedule.Start) { b.finish(ctx, s.Job, b.image(ctx, s.Job, s.Workers)) },
		Prepare: func(i int) schedule.Job { return b.arriveAhead(ctx, i) },
	}
	_ = schedule.Run(ctx, b.planned, limits, calls) // end reports the images that an interrupt left out
	b.discardArrivals()
	b.discardWaiting()
	b.shipping.wg.Wait()
}

// end closes the report. Images that are not finished are reported as interrupted.
func (b *batch) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.jobs {
		if row, ok := b.held[i]; ok && b.done[i] == nil {
			b.done[i] = &row
		}
		if b.done[i] == nil {
			b.done[i] = &report.Row{}
			*b.done[i] = b.jobs[i].row()
			b.done[i].Interrupted = true
		}
	}
	b.reportDone()
	b.over = true
}

// errStopped is the error of an image that is not started because too many others failed.
var errStopped = errors.New("the run stopped, because as many images failed as it accepts")

// stopped reports whether no image is to be started.
func (b *batch) stopped() bool {
	return b.opt.MaxFailures > 0 && b.failures.Load() >= int64(b.opt.MaxFailures)
}

// finish reports an image, and those after it that were finished earlier.
func (b *batch) finish(ctx context.Context, i int, row report.Row) {
	if row.Error != "" {
		if b.failures.Add(1); b.stopped() {
			b.stopArrivals()
		}
	}
	for i, row := range b.judgeSeries(ctx, i, row) {
		for j, row := range b.settle(i, row) {
			b.ship(ctx, &b.jobs[j], row, func(row report.Row) { b.add(j, row) })
		}
	}
}

// add reports the final row of an image.
func (b *batch) add(i int, row report.Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.done[i] = &row
		b.reportDone()
	}
}

// reportDone adds the rows of finished images to the report, in the order of the jobs.
func (b *batch) reportDone() {
	for ; b.reported < len(b.done) && b.done[b.reported] != nil; b.reported++ {
		row := b.report.Add(*b.done[b.reported])
		b.done[b.reported] = &report.Row{} // releases the comparison, which may be long; the report has its own copy
		if row.Status == report.Interrupted {
			continue
		}
		if b.opt.Events.Row != nil {
			b.opt.Events.Row(row)
		}
	}
}
