package encoder

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// The problem: the fast path translates units one by one, recognises repeated types by their classes, and leaves them out. Some images do not
// allow that, and most of the reasons become known only while the units are read. A search for them in advance would cost time for every
// image, although few images need it.
//
// The idea: the encoder makes a plan, and translates and joins the units accordingly. The first unit that does not fit the plan ends the
// attempt with an error that says why. plan.revised lists these reasons, and returns the plan for the next attempt.

// A plan says how the units of an image are translated and joined.
type plan struct {
	merged    *dwarf.MergedUnits // all units, if they are translated together; nil if they are translated one by one
	typeUnits *dwarf.MergedUnits // the units of .debug_types, which are translated together and before the others; or nil
	exact     bool               // every type is added to the object, for the exact engine; otherwise one of each class
	separate  bool               // units in Rust are kept apart from those in C (see dedup/languages.go)
}

// Reasons why a plan does not fit an image.
var (
	errMustMerge  = errors.New("units refer into each other")
	errSplit      = errors.New("units have their contents in other files")
	errNoClasses  = errors.New("names do not tell types apart")
	errTaggedMany = errors.New("types with declaration tags mention ambiguous names")
	errMixed      = errors.New("types of the two languages depend on each other")
)

// fewBytes is the size of .debug_info of a relocatable file below which the fast path is not worth what it costs: such a module has few units. Tests
// change it.
var fewBytes uint64 = 256 << 10

// firstPlan returns the plan that the sections of an image suggest.
func (in *image) firstPlan() (p plan, err error) {
	merge := in.opt.Features.Has(feature.ForceCUMerging) // rule 1 of merged.go
	if !merge {
		merge, err = ltoNote(in.f) // rule 2
	}
	switch {
	case err != nil:
	case merge:
		p.merged, err = in.mergeUnits()
	case in.d.HasTypeUnits():
		p.typeUnits, err = in.d.TypeUnits()
	}
	p.exact = !in.fastPathApplies(p)
	p.separate = !p.exact && in.opt.Base == nil && !in.opt.together && !slices.Contains(in.opt.LangExclude, langRust) && mayHaveRust(in.f)
	return p, err
}

// fastPathApplies reports whether the assumptions of the fast path can be true: there is one image, equal names have equal keys, and its units
// are translated one by one.
func (in *image) fastPathApplies(p plan) bool {
	return in.opt.NamePrefix == "" && in.d.Strings.Merged() && p.merged == nil && p.typeUnits == nil
}

// revised returns the plan for the next attempt after the error why ended one. If no other plan could help, it returns why. A plan is revised
// at most three times: with languages together one reason less remains, with the exact engine only the first, and with merged units none.
func (p plan) revised(in *image, why error) (plan, error) {
	switch {
	case errors.Is(why, errMustMerge):
		all, err := in.mergeUnits()
		return plan{merged: all, exact: true}, err
	case errors.Is(why, errSplit), // equal names can have several keys
		errors.Is(why, errNoClasses),  // a cycle of types passes through no name, or an identifier stands for several names
		errors.Is(why, errTaggedMany): // inserted types would need their tags too
		p.exact, p.separate = true, false
		return p, nil
	case errors.Is(why, errMixed):
		p.separate = false
		return p, nil
	}
	return p, why
}

// A joined is the result of joining the units of an image, or of several images. It is the input of finish.
type joined struct {
	object   *btf.Object        // all types that deduplication must see
	funcs    []*funcs.Collector // by image
	vars     *vars.Collector
	stats    counts
	warn     *warner
	infoSize uint64             // size of the debug information, in bytes
	primary  int                // number of the image that the BTF belongs to
	file     *elf.File          // that image
	implicit funcs.ImplicitArgs // its kernel functions with implicit arguments
	partial  bool               // types were left out
	plain    *dedup.Namesakes   // with a base, if types were left out: what the object has in common with it
	foreign  *dedup.Foreign     // with units in Rust, if types were left out: what the engine must know about their types
	oneByOne bool               // no units were translated together
}

// joinUnits translates and joins the units of an image with the first plan that fits. It returns every type if exact is set or the fast path
// does not apply. Otherwise it returns one type of each class and all types that reach an ambiguous name.
func joinUnits(ctx context.Context, in *image, exact bool, clock *Clock) (*joined, error) {
	p := in.plan
	p.exact = p.exact || exact
	p.separate = p.separate && !p.exact
	for {
		a := newAssembler(in, p.exact)
		if p.separate && !p.exact {
			a.keepApart()
		}
		err := translateAll(ctx, in, p, a, clock)
		if err == nil && !p.exact {
			err = rejoinAmbiguous(ctx, in, a, clock) // the few units that mention an ambiguous name
		}
		if err == nil {
			if in.d.File.Waiting() {
				a.warn.waits()
			}
			units := a.joined(0, in, in.d.InfoSize())
			units.oneByOne = p.merged == nil && p.typeUnits == nil
			if a.idle != nil && in.d.InfoSize() <= smallImage {
				a.idle.dismiss()
			}
			return units, nil
		}
		if p, err = p.revised(in, err); err != nil {
			return nil, err
		}
	}
}

// translateAll translates all units of an image, and adds them to a in their order.
func translateAll(ctx context.Context, in *image, p plan, a *assembler, clock *Clock) error {
	if m := p.merged; m != nil {
		if err := translateMerged(ctx, in, a, m); err != nil {
			return err
		}
	} else {
		if m := p.typeUnits; m != nil {
			if err := translateMerged(ctx, in, a, m); err != nil {
				return err
			}
		}
		if err := translateUnits(ctx, in, a); err != nil {
			return err
		}
	}
	clock.Stop("translation", in.d.InfoSize(), uint64(a.stats.Types), "types")
	return nil
}

// mayHaveRust reports whether units can be in Rust, by the names of compilers in an image. Units in Rust that it does not expect only cost time.
func mayHaveRust(f *elf.File) bool {
	const most = 1 << 16 // bytes
	s := f.Section(".comment")
	if s == nil || s.Size == 0 || s.Size > most || !f.Plain(s) {
		return true
	}
	text := make([]byte, s.Size)
	return f.ReadAt(s, text, 0) != nil || bytes.Contains(text, []byte("rustc"))
}

// langRust is DW_LANG_Rust.
const langRust Language = 0x1c
