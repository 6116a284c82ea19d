package encoder

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/debugfile"
	"github.com/btfbatch/btfbatch/encoder/dwarf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// mergesUnits decides whether all units are translated as one (specification 01, section 2.3, as release 1.32 has it):
//
//  1. the feature force_cu_merging asks for it;
//  2. or the kernel's note says that it was linked with link-time optimisation;
//  3. or an abbreviation table declares a reference by section offset, which can lead into another unit;
//  4. or it declares references into a supplementary file;
//  5. or, outside the peer's profile, references to type units, which the peer never follows into .debug_info.
func (j *job) mergesUnits() (bool, error) {
	if j.opt.Features.Has(feature.ForceCUMerging) {
		return true, nil
	}
	if lto, err := ltoNote(j.f); lto || err != nil {
		return lto, err
	}
	uses, err := j.d.Uses()
	if err != nil {
		return false, err
	}
	return uses.RefAddr || uses.Supplementary || uses.Signature && j.opt.Profile != Pahole, nil
}

// openDWARF finds the DWARF of an image: its own, else that of its separate debug file; and the supplementary file, if one is
// named. Symbols and section headers are always the image's.
func (j *job) openDWARF() (err error) {
	from := j.f
	if j.d, err = dwarf.Open(from); errors.Is(err, ErrNoDWARF) {
		f, findErr := debugfile.Debug(j.f, j.roots())
		switch {
		case findErr != nil:
			return fmt.Errorf("%w: %w", err, findErr)
		case f == nil:
			return err
		}
		j.opened = append(j.opened, f)
		from = f
		if j.d, err = dwarf.Open(f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err != nil {
		return err
	}
	sup, err := debugfile.Supplementary(from, j.roots())
	if errors.Is(err, debugfile.ErrNotFound) {
		if uses, usesErr := j.d.Uses(); usesErr == nil && !uses.Supplementary {
			return nil
		}
	}
	if err != nil || sup == nil {
		return err
	}
	j.opened = append(j.opened, sup)
	d, err := dwarf.Open(sup)
	if err == nil {
		err = j.d.Supplement(d)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sup.Path, err)
	}
	return nil
}

// symbols is the symbol table of the image. Rule 01/1.1: without one the reference gives up, be there one in the debug file or
// not.
func (j *job) symbols() (*elf.Symbols, error) {
	syms, err := j.f.Symbols()
	if syms == nil && err == nil && j.opt.Profile != Pahole && j.d.File != j.f {
		return j.d.File.Symbols()
	}
	return syms, err
}

func (j *job) roots() []string {
	if j.opt.DebugRoots == nil {
		return debugfile.Roots
	}
	return j.opt.DebugRoots
}

// close closes the files that were opened beside the image.
func (j *job) close() {
	for _, f := range j.opened {
		f.Close()
	}
}

// readTogether reads the units that are not translated one by one. Those of .debug_types, which refer to each other by
// signatures, are always one model, and the first.
func (j *job) readTogether() error {
	merge, err := j.mergesUnits()
	switch {
	case err != nil:
	case merge:
		j.merge, err = j.d.Whole()
	case j.d.HasTypeUnits():
		j.types, err = j.d.TypeUnits()
	}
	return err
}

// translateAll translates and joins all units.
func (j *job) translateAll(ctx context.Context, a *assembler) error {
	if j.merge != nil {
		return j.whole(ctx, a, j.merge)
	}
	if j.types != nil {
		if err := j.whole(ctx, a, j.types); err != nil {
			return err
		}
	}
	return j.units(ctx, a) // parallel over CUs, joined in CU order
}

// ltoNote tells whether the first note of the kernel's LTO type holds a value other than 0.
func ltoNote(f *elf.File) (lto bool, err error) {
	const kernelLTO = 0x101
	err = f.Notes(func(owner string, kind uint32, value []byte) bool {
		if owner != "Linux" || kind != kernelLTO || len(value) < 4 {
			return true
		}
		lto = f.Order.Uint32(value) != 0
		return false
	})
	return lto, err
}

// whole translates the units of m as one, and joins the result.
func (j *job) whole(ctx context.Context, a *assembler, m *dwarf.Whole) (err error) {
	u := &unit{}
	defer func() {
		if r := recover(); r != nil {
			err = u.types.Place.Err(0, "internal error: %v\n%s", r, debug.Stack())
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	var w worker
	skip := func(lang uint64) bool { return slices.Contains(j.opt.LangExclude, lang) }
	all, err := w.tr.Whole(m, &j.d.Strings, skip, j.translateOptions(), &u.types, &w.subs)
	if err != nil {
		return err
	}
	if j.opt.Profile == Pahole && skip(all.Lang) {
		return nil // rule 01/2.6: the model has the language of its first unit
	}
	w.funcs.Analyze(all, &u.types, &w.subs, j.table, &u.funcs)
	return a.add(u)
}
