package encoder

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
)

// Several images can be encoded into one BTF (rule 02/2). It belongs to the primary image: the first one with a unit that is not left out. All
// units are joined, image by image, into one object. The primary image provides the byte order, the sections of variables and the kernel
// functions for BPF. Strings, functions and symbols come from the image that contains the unit.
//
// This is not done with kernels, so there is no fast path: all types go to the exact engine.

// EncodeAll encodes several images into one BTF, as pahole does. The profile must be Pahole. Result.Primary says which of them the BTF
// belongs to. An error about one of the images is an *ImageError.
func (e *Encoder) EncodeAll(ctx context.Context, files []*elf.File) (res *Result, err error) {
	opt := e.resolved()
	if opt.Profile != Pahole {
		return nil, ErrSeveral
	}
	open := openFiles{images: files, several: true}
	defer open.close()
	err = open.guarded(ctx, func() error {
		res, err = encodeAll(ctx, &open, opt)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// encodeAll is encode for several images.
func encodeAll(ctx context.Context, files *openFiles, opt *Encoder) (*Result, error) {
	clock := startClock(&opt.Hooks)
	images := make([]*image, len(files.images))
	for i, f := range files.images {
		var err error
		if images[i], err = openImage(f, opt, files, false); err != nil {
			return nil, &ImageError{i, f.Path, err}
		}
	}
	units, err := joinImages(ctx, images, clock)
	if err != nil {
		return nil, err
	}
	return finish(ctx, opt, units, clock)
}

// joinImages is joinUnits for several images. It also finds the primary image, and completes the other images accordingly. Every error is an
// *ImageError.
func joinImages(ctx context.Context, images []*image, clock *Clock) (*joined, error) {
	plans := make([]plan, len(images))
	for i, in := range images {
		plans[i] = in.plan
	}
	for {
		units, at, err := tryImages(ctx, images, plans, clock)
		if err == nil {
			return units, nil
		}
		if plans[at], err = plans[at].revised(images[at], err); err != nil {
			return nil, &ImageError{at, images[at].f.Path, err}
		}
	}
}

// tryImages joins the units of all images with their plans. at is the index of the image that an error is about.
func tryImages(ctx context.Context, images []*image, plans []plan, clock *Clock) (units *joined, at int, err error) {
	var a *assembler
	var infoSize uint64
	primary := 0
	for n, in := range images {
		if a == nil || a.stats.Units == 0 {
			if err := in.readSymbols(false, true); err != nil {
				return nil, n, err
			}
			a, primary = newAssembler(in, true), n
		} else if err := a.addImage(in, images[primary]); err != nil {
			return nil, n, err
		}
		a.warn.image = in.f.Path + ": "
		if in.d.File.Waiting() {
			a.warn.waits()
		}
		if err := translateAll(ctx, in, plans[n], a, clock); err != nil {
			return nil, n, err
		}
		infoSize = max(infoSize, in.d.InfoSize())
	}
	return a.joined(primary, images[primary], infoSize), 0, nil
}

// addImage prepares the assembler for the units of an image that is not the primary image.
func (a *assembler) addImage(in, primary *image) error {
	in.secs = primary.secs.Of(in.f)
	if err := in.syms.Each(func(_ int, s *elf.Symbol) { in.secs.Add(in.syms, s) }); err != nil {
		return err
	}
	a.names.init(a.o.Strings, &in.d.Strings)
	a.funcs = funcs.NewCollector(in.table)
	a.images = append(a.images, a.funcs)
	a.vars.Judge(in.secs)
	return nil
}
