package encoder

import (
	"context"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// encode encodes an image. The units of a relocatable file are first relocated one by one. If that ends with an error, they are relocated together,
// which is slower, and either gives the right error or shows that the file is not damaged.
func encode(ctx context.Context, f *elf.File, opt *Encoder, exact bool) (*Result, error) {
	inPieces := *opt
	inPieces.inPieces, inPieces.ahead = true, !exact
	res, again, err := attempt(ctx, f, &inPieces, exact)
	if again {
		res, _, err = attempt(ctx, f, opt, exact)
	}
	return res, err
}

// attempt is encodeOnce, with an error that explains what is wrong with the image, or that says that it was changed.
func attempt(ctx context.Context, f *elf.File, opt *Encoder, exact bool) (res *Result, again bool, err error) {
	files := openFiles{images: []*elf.File{f}}
	defer files.close()
	err = files.guarded(ctx, func() error {
		res, again, err = encodeOnce(ctx, f, &files, opt, exact)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return res, again, nil
}

// encodeOnce and finish are the list of passes. Each pass takes values that earlier passes returned, and returns a new value. Later passes only
// read that value. The one exception is the object: passes append to it until deduplication, which takes it over. A value can be freed as
// soon as the last pass that takes it has returned. again reports whether the encoding must be repeated without Encoder.inPieces.
func encodeOnce(ctx context.Context, f *elf.File, files *openFiles, opt *Encoder, exact bool) (res *Result, again bool, err error) {
	clock := startClock(&opt.Hooks)
	in, err := openImage(f, opt, files, true) // sections, symbols, DWARF; reads no CU
	if err != nil {
		return nil, false, err
	}
	if opt.only != "" {
		in.mention, _ = in.d.Mentions(opt.only)
	}
	clock.Stop("open", 0, uint64(in.table.Len()), "ELF functions")
	units, err := joinUnits(ctx, in, exact, clock) // translates CUs in parallel, joins them in order: this fixes the ids
	switch {
	case err != nil && in.d.InPieces() && ctx.Err() == nil:
		return nil, true, nil
	case err != nil:
		return nil, false, err
	}
	res, err = finish(ctx, opt, units, clock)
	if err == nil {
		res.oneByOne, res.infoSize = units.oneByOne, units.infoSize
		res.Beside = len(files.beside) > 0 || in.missing != nil || in.split.used()
	}
	return res, false, err
}

// finish is the part of the pass list that one image and several images share.
func finish(ctx context.Context, opt *Encoder, units *joined, clock *Clock) (*Result, error) {
	// Below this line nothing reads DWARF.
	object, variables, warn, stats := units.object, units.vars, units.warn, units.stats
	res := &Result{Primary: units.primary, opt: opt}
	file, implicit := units.file, units.implicit
	merge, emitted, err := emitFunctions(ctx, opt, units, clock) // and starts deduplication in parallel
	if err != nil {
		return nil, err
	}
	stats.Funcs = emitted
	warn.functions(emitted.Renamed)
	if stats.Vars, err = variables.Finish(object); err != nil { // appends the DATASECs
		return nil, err
	}
	opt.onVars(variables.Decisions())
	// Below this line no type is added.
	if object.Len() == 0 {
		return nil, ErrNoTypes
	}
	if stats.Dedup, err = merge.Finish(object, variables.Same()); err != nil {
		return nil, fmt.Errorf("deduplication: %w", err)
	}
	clock.Stop("deduplication", 0, uint64(stats.Dedup.Before), "types")
	if opt.LikeKernel {
		warn.kfuncs = splitKfuncs(object, &implicit, opt.Features)
	}
	if res.Sorted = opt.SortByName || opt.LikeKernel && kernelSorts(file, opt); res.Sorted {
		object = sorted.ByName(object)
		clock.Stop("sorting", 0, uint64(object.Len()), "types")
	}
	res.Object, res.Stats, res.Phases, res.Warnings = object, stats.public(), clock.Phases, warn.warnings(object)
	return res, nil
}
