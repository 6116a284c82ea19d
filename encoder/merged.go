package encoder

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Whether all units are translated as one (rule 01/2.3):
//
//  1. the feature force_cu_merging asks for it;
//  2. or a note of the kernel says that it was linked with link-time optimisation;
//  3. or an abbreviation table declares a reference by section offset, which can lead into another unit;
//  4. or it declares references into a supplementary file;
//  5. or, outside the profile pahole, references to type units, which pahole never follows into .debug_info.
//
// Rules 3 to 5 are known when the tables have been compiled; to look at all of them first would cost every image what only few
// need. So the units are taken one by one, and the first whose table asks for it ends that with errMustMerge.

// errMustMerge says that the units of the image must be translated as one.
var errMustMerge = errors.New("units refer into each other")

// mustMerge is rules 3 to 5.
func (j *job) mustMerge(uses dwarf.Uses) bool {
	return uses.RefAddr || uses.Supplementary || uses.Signature && j.followsSignatures()
}

// decideMerging reads the units that are not translated one by one, by rules 1 and 2. Those of .debug_types, which refer to each
// other by signatures, are always one model, and the first.
func (j *job) decideMerging() error {
	merge := j.opt.Features.Has(feature.ForceCUMerging)
	var err error
	if !merge {
		merge, err = ltoNote(j.f)
	}
	switch {
	case err != nil:
	case merge:
		err = j.mergeUnits()
	case j.d.HasTypeUnits():
		j.types, err = j.d.TypeUnits()
	}
	return err
}

func (j *job) mergeUnits() (err error) {
	if j.missing != nil {
		return j.missing
	}
	j.merge, err = j.d.MergeUnits(j.followsSignatures())
	return err
}

// translateAll translates and joins all units.
func (j *job) translateAll(ctx context.Context, a *assembler) error {
	if j.merge != nil {
		return j.merged(ctx, a, j.merge)
	}
	if j.types != nil {
		if err := j.merged(ctx, a, j.types); err != nil {
			return err
		}
	}
	return j.units(ctx, a) // parallel over CUs, joined in CU order
}

// ltoNote tells whether a note of the kernel's LTO type holds a value other than 0. As for pahole, notes that are malformed
// hold nothing, and are no reason to refuse an image.
func ltoNote(f *elf.File) (lto bool, err error) {
	const kernelLTO = 0x101
	err = f.Notes(func(owner string, kind uint32, value []byte) bool {
		lto = owner == "Linux" && kind == kernelLTO && len(value) >= 4 && f.Order.Uint32(value) != 0
		return !lto
	})
	if bad := (*elf.FormatError)(nil); errors.As(err, &bad) {
		err = nil
	}
	return lto, err
}

// merged translates the units of m as one, and joins the result.
func (j *job) merged(ctx context.Context, a *assembler, m *dwarf.MergedUnits) (err error) {
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
	all, err := w.tr.Merged(m, &j.d.Strings, j.leftOutOfMerged, j.translateOptions(ctx, false), &u.types, &w.subs)
	if err != nil {
		return err
	}
	if j.leavesOutAll(all) {
		return nil
	}
	w.funcs.Analyze(all, &u.types, &w.subs, j.table, &u.funcs)
	return a.add(u)
}
