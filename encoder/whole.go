package encoder

import (
	"context"
	stdelf "debug/elf"
	"runtime/debug"
	"slices"

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

// ltoNote tells whether the first note of the kernel's LTO type holds a value other than 0. Notes are owner and value, each
// padded to four bytes.
func ltoNote(f *elf.File) (bool, error) {
	const lto = 0x101
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != stdelf.SHT_NOTE || !s.HasData() {
			continue
		}
		b, err := f.Data(s)
		if err != nil {
			return false, err
		}
		for len(b) >= 12 {
			owner, value := uint64(f.Order.Uint32(b)), uint64(f.Order.Uint32(b[4:]))
			kind, rest := f.Order.Uint32(b[8:]), b[12:]
			at := (owner + 3) &^ 3
			if at+value > uint64(len(rest)) {
				break
			}
			if kind == lto && string(rest[:owner]) == "Linux\x00" && value >= 4 {
				return f.Order.Uint32(rest[at:]) != 0, nil
			}
			b = rest[min(at+(value+3)&^3, uint64(len(rest))):]
		}
	}
	return false, nil
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
