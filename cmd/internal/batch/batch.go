// Package batch encodes many images: bases before modules, bounded in memory, one row per image.
//
// Input: the items of a corpus, and options. Output: published files and a report. A problem with one image fails its row and the rows
// of images that depend on it, but not the batch. An output is put in place only after the kernels it is for have accepted it. Never: the
// package decides nothing about types. It calls the encoder, and the packages that check and compare its result.
package batch

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Options of a batch. The zero value encodes as the manifest says.
type Options struct {
	Workers      int            // 0 is one per processor
	Profile      config.Profile // replaces that of every image, if not empty
	Hash         bool           // sums of all files go into the report; pinned ones are computed in any case
	Update       bool           // rewrite goldens that differ
	Out          io.Writer      // is written the raw BTF of every image that is published; may be nil
	KeepRejected bool           // keep what a kernel would refuse beside its place, see Rejected
	VerifyDedup  bool           // see encoder.Encoder
	Paranoid     bool           // see encoder.Encoder
	Exceptions   *golden.Exceptions

	Verbose    bool    // see report.Report
	Lint       bool    // warnings go into the report
	StrictLint bool    // and fail the image
	Earlier    string  // folder of earlier outputs, NAME.btf, to count functions and variables against; may be empty
	Loss       float64 // the share of them that may be missing

	// OnFunc and OnVar hear of every decision, see encoder.Hooks.
	OnFunc func(encoder.FuncDecision)
	OnVar  func(encoder.VarDecision)

	// OnPhases hears what the passes of an image took; from several goroutines.
	OnPhases func(name string, phases []encoder.Phase)
	// OnError hears the whole error of an image, of which its row has one line; from several goroutines.
	OnError func(name string, err error)
	// OnBytes hears how many more bytes of images were read, from several goroutines.
	OnBytes func(n int64)
	// OnDiffer hears of an image that is not what its golden has, before the golden is rewritten.
	OnDiffer func(name string, c *report.Comparison)
	// OnRow hears of every image that is done, in the order of the items.
	OnRow func(row report.Row)
}

// smallImage is the size below which images are encoded side by side, with one worker each. Larger ones are encoded one after
// another, with all workers on each: their memory does not add up.
const smallImage = 8 << 20

// A batch is a run on its way.
type batch struct {
	items []corpus.Item
	opt   Options
	bases []*base // by item: what it continues, or nil
	own   []*base // by item: what it is to others, or nil
	turns []*turn // by item: at its golden, or nil
	hash  corpus.Hasher
	files publish.Publisher

	mu     sync.Mutex // guards all below, and the callbacks OnRow and OnDiffer
	report *report.Report
	done   []*report.Row // by item, until they are told
	told   int
	over   bool // the report is finished; what comes later is not told
}

// patience is how long an interrupted batch waits for its images to notice. One that is stuck, as in reading a golden that is a
// pipe, shall not keep the report back.
const patience = 700 * time.Millisecond

// Run encodes all items. When the context ends, the images that are not done are skipped, and the report is marked as
// interrupted.
func Run(ctx context.Context, items []corpus.Item, opt Options) *report.Report {
	start := time.Now()
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	b := &batch{items: items, opt: opt, report: report.New(Names(items)), done: make([]*report.Row, len(items))}
	b.linkBases()
	b.shareGoldens()
	b.files.Sweep(written(items, &opt))
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
	for _, e := range opt.Exceptions.Stale() {
		b.report.Stale = append(b.report.Stale, e.String())
	}
	return b.report
}

// all encodes all items.
func (b *batch) all(ctx context.Context) {
	for i := 0; i < len(b.items); {
		n := 1
		if small(&b.items[i]) {
			for i+n < len(b.items) && small(&b.items[i+n]) {
				n++
			}
			b.sideBySide(ctx, i, n)
		} else {
			b.finish(i, b.image(ctx, i, b.opt.Workers))
		}
		i += n
	}
}

// end closes the report. Images that are still worked at are interrupted.
func (b *batch) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.items {
		if b.done[i] == nil {
			b.done[i] = &report.Row{Name: b.items[i].Image.Label(), Interrupted: true}
		}
	}
	b.tell()
	b.over = true
}

// Names lists the items' names in the order of the manifest. The items have that order too, except that bases come first.
func Names(items []corpus.Item) []string {
	order := make([]*config.Image, len(items))
	for i := range items {
		order[i] = &items[i].Image
	}
	slices.SortStableFunc(order, func(a, b *config.Image) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	names := make([]string, len(order))
	for i, im := range order {
		names[i] = im.Label()
	}
	return names
}

// Lines tells where in the manifest each image stands, by its name.
func Lines(items []corpus.Item) map[string]int {
	lines := make(map[string]int, len(items))
	for i := range items {
		lines[items[i].Image.Label()] = items[i].Image.Line
	}
	return lines
}

func small(it *corpus.Item) bool { return it.Size < smallImage }

// sideBySide encodes n images, each with one worker, or with its share of them when the images are fewer. They are taken in
// order, so that who waits for a base waits for an image that somebody works at.
func (b *batch) sideBySide(ctx context.Context, first, n int) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, b.opt.Workers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				b.finish(first+i, b.image(ctx, first+i, max(1, b.opt.Workers/n)))
			}
		})
	}
	wg.Wait()
}

// finish tells of an image, and of those behind it that were done earlier.
func (b *batch) finish(i int, row report.Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.done[i] = &row
		b.tell()
	}
}

// tell tells of the images that are done, in the order of the items.
func (b *batch) tell() {
	for ; b.told < len(b.done) && b.done[b.told] != nil; b.told++ {
		row := b.report.Add(*b.done[b.told])
		b.done[b.told] = &report.Row{} // a diff may be long, and the report has it
		if row.Status == report.Interrupted {
			continue
		}
		if b.opt.OnRow != nil {
			b.opt.OnRow(row)
		}
	}
}
