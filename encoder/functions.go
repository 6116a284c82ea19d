package encoder

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
)

// emitFunctions appends the functions of all images to the object, sorted by name, and starts the deduplication of the types that come
// before them. The two run in parallel, in two steps:
//
//   - The functions are sorted, and the prototypes of each are compared. Meanwhile deduplication runs its phases 0 to 4. Both only read the
//     object.
//   - The functions are appended. Meanwhile deduplication rewrites the references of the types before them (phase 5). That is safe because
//     the object has room for everything that is appended, so no record moves, and because appending reads no record. With several workers and
//     without a base, it then follows: it processes functions that have been appended while others are.
//
// When it returns, nothing runs any more, and the merger waits for Finish. Until then some references in the object may not lead to survivors
// yet, so no types may be compared in between. The warnings of units then include the functions that have nearly the name of a symbol.
func emitFunctions(ctx context.Context, opt *Encoder, units *joined, clock *Clock) (merge *dedup.Merger, stats funcs.Stats, err error) {
	options := dedup.Options{Peer: opt.peer(), Base: opt.Base.prepared(), Partial: units.partial, Namesakes: units.plain, Foreign: units.foreign, Stop: ctx.Err}
	if len(units.funcs) == 1 {
		merge, stats, err = emitMeanwhile(opt, units, options)
	} else {
		for _, c := range units.funcs {
			units.warn.renamed = append(units.warn.renamed, c.Renamed()...)
		}
		collectGarbage(opt, units)
		merge = dedup.New(units.object, options)
		merge.Start()
		stats, err = funcs.EmitAll(units.object, units.funcs, opt.onFunc())
	}
	clock.Stop("functions", 0, uint64(stats.Emitted), "FUNCs")
	return merge, stats, err
}

// emitMeanwhile is emitFunctions for one image.
func emitMeanwhile(opt *Encoder, units *joined, options dedup.Options) (merge *dedup.Merger, stats funcs.Stats, err error) {
	o, c := units.object, units.funcs[0]
	var m *funcs.Emission
	opt.parallel(2, func(i int) {
		if i == 0 {
			collectGarbage(opt, units)
		} else {
			m = c.Emission()
		}
	})
	types, words := m.Room()
	o.Grow(types, words)
	options.Room = types
	if opt.Base.lazy() {
		options.Names = m.Names(o)
	}
	merge = dedup.New(o, options)
	opt.parallel(2, func(i int) {
		if i == 0 {
			m.Sort()
			units.warn.renamed = c.Renamed()
		} else {
			m.Compare(o)
			merge.Start()
		}
	})
	if errors.Is(merge.Err(), dedup.ErrDoubt) || errors.Is(merge.Err(), dedup.ErrMixed) {
		return nil, stats, merge.Err()
	}
	if m.ReadsTypes() {
		stats, err = m.Emit(o, opt.onFunc(), nil)
		return merge, stats, err
	}
	room := o.WordRoom()
	parts := make(chan *btf.Object, m.Parts()) // with room for all, so that appending never waits
	var part func()
	if opt.workers() > 1 && opt.Base == nil {
		part = func() {
			soFar := *o
			parts <- &soFar
		}
	}
	opt.parallel(2, func(i int) {
		if i == 0 {
			defer close(parts)
			stats, err = m.Emit(o, opt.onFunc(), part)
		} else {
			merge.References()
			for soFar := range parts {
				merge.Follow(soFar)
			}
		}
	})
	if err == nil && o.WordRoom() != room {
		err = fmt.Errorf("internal error: functions took more than the %d words that there was room for", words)
	}
	return merge, stats, err
}

// collectGarbage frees what only the workers of a large image needed. Later passes reuse that memory.
func collectGarbage(opt *Encoder, units *joined) {
	if units.infoSize >= largeInfo && opt.only == "" {
		runtime.GC()
	}
}

// largeInfo is the size of the debug information, in bytes, from which an image counts as large. A kernel has ten times as much, a module
// a tenth.
const largeInfo = 16 << 20
