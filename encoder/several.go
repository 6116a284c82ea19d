package encoder

import (
	"context"
	"errors"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
)

// Several images can give one BTF (rule 02/2): that of the first of them with a unit that is not left out,
// the lead. All units are joined, image by image, into one object. The lead gives the byte order, the sections of variables
// and the kernel functions for BPF; strings, functions and symbols are those of the image that a unit is of.
//
// Nobody does this with kernels, so there is no fast way: everything goes to the exact engine.

// EncodeAll encodes several images into one BTF, as pahole does; the profile must be Pahole. Result.Lead says to which of them the BTF
// belongs. An error that is about one of the images is an *ImageError.
func (e *Encoder) EncodeAll(ctx context.Context, files []*elf.File) (*Result, error) {
	opt := e.resolved()
	if opt.Profile != Pahole {
		return nil, ErrSeveral
	}
	jobs := make([]*job, len(files))
	for i, f := range files {
		jobs[i] = &job{f: f, opt: opt}
		defer jobs[i].close()
		jobs[i].clock.Start()
		if err := jobs[i].open(false); err != nil {
			return nil, &ImageError{i, f.Path, explained(err)}
		}
	}
	for {
		a, lead, err := joinAll(ctx, jobs)
		if errors.Is(err, errMustMerge) {
			continue // its units are one from here on
		}
		if err != nil {
			return nil, err
		}
		for _, c := range append(a.earlier, a.funcs) {
			a.warn.renamed = append(a.warn.renamed, c.Renamed()...)
		}
		// Below this line nothing reads DWARF.
		for _, j := range jobs {
			j.forgetDWARF(a)
		}
		res := &Result{Lead: lead, opt: opt}
		if err := jobs[lead].finish(ctx, a, res); err != nil {
			return nil, err
		}
		for i, f := range files {
			if err := f.Unchanged(); err != nil {
				return nil, &ImageError{i, f.Path, err}
			}
		}
		return res, nil
	}
}

// joinAll translates and joins the units of all images, and tells which one leads. After errMustMerge it is to be tried again.
func joinAll(ctx context.Context, jobs []*job) (a *assembler, lead int, err error) {
	for n, j := range jobs {
		if a == nil || a.stats.Units == 0 {
			err := j.lead()
			if err == nil {
				err = j.readSymbols(false, true)
			}
			if err != nil {
				return nil, 0, &ImageError{n, j.f.Path, explained(err)}
			}
			a, lead = newAssembler(j.object(), j, true), n
		} else {
			if err := a.follow(j, jobs[lead]); err != nil {
				return nil, 0, &ImageError{n, j.f.Path, explained(err)}
			}
		}
		a.warn.image = j.f.Path + ": "
		if j.d.File.Waiting() {
			a.warn.waits()
		}
		err := j.translateAll(ctx, a)
		if errors.Is(err, errMustMerge) {
			if failed := j.mergeUnits(); failed != nil {
				err = failed
			}
		}
		if err != nil {
			return nil, 0, &ImageError{n, j.f.Path, explained(err)}
		}
		j.clock.Stop("translation", j.d.InfoSize(), uint64(a.stats.Types), "types")
	}
	return a, lead, nil
}

// follow makes the assembler ready for the units of another image.
func (a *assembler) follow(j, lead *job) error {
	j.secs = lead.secs.Of(j.f)
	if err := j.syms.Each(func(_ int, s *elf.Symbol) { j.secs.Add(j.syms, s) }); err != nil {
		return err
	}
	a.names.init(a.o.Strings, &j.d.Strings)
	a.earlier = append(a.earlier, a.funcs)
	a.funcs = funcs.NewCollector(j.table)
	a.vars.Judge(j.secs)
	return nil
}
