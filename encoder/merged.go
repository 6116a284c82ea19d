package encoder

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// The problem: units of some images refer to each other, so they cannot be translated one by one. All units are translated together as one
// (rule 01/2.3) in these cases:
//
//  1. The feature force_cu_merging is set.
//  2. A note of the kernel says that it was linked with link-time optimisation.
//  3. An abbreviation table declares a reference by section offset, which can lead into another unit.
//  4. An abbreviation table declares references into a supplementary file.
//  5. An abbreviation table declares references to type units, and the profile is not pahole. pahole never follows these from .debug_info.
//
// Rules 1 and 2 are known when the image is opened, rules 3 to 5 when an abbreviation table has been compiled (plan.go).

// mustMerge reports whether one of the rules 3 to 5 applies to a unit with these abbreviations.
func (in *image) mustMerge(uses dwarf.Uses) bool {
	return uses.RefAddr || uses.Supplementary || uses.Signature && in.followsSignatures()
}

// ltoNote reports whether a note of the kernel's LTO type has a value other than 0. Malformed notes are ignored, as in pahole.
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

// mergeUnits reads all units of an image, to be translated together.
func (in *image) mergeUnits() (*dwarf.MergedUnits, error) {
	if in.missing != nil {
		return nil, in.missing
	}
	return in.d.MergeUnits(in.followsSignatures())
}

// translateMerged translates the units of m together, and joins the result.
func translateMerged(ctx context.Context, in *image, a *assembler, m *dwarf.MergedUnits) (err error) {
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
	all, err := w.tr.Merged(m, &in.d.Strings, in.leftOutOfMerged, in.translateOptions(ctx, false), &u.types, &w.subs)
	if err != nil {
		return err
	}
	if in.leavesOutAll(all) {
		return nil
	}
	w.funcs.Analyze(all, &u.types, &w.subs, in.table, &u.funcs)
	return a.add(u)
}
