package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// A Result is the BTF of one image, or of several.
type Result struct {
	// Object has the types, deduplicated. Its bytes are what Object.AppendWire gives; Sections gives those of an image.
	Object *btf.Object
	Stats  Stats
	Phases []Phase // what each pass took, in the order in which they ran
	// Warnings tell what the BTF does not say as the source means it, in the order of their rules.
	Warnings []Warning
	// Sorted reports whether the types are in the order of their names, as Options.SortByName or Options.LikeKernel asked.
	Sorted  bool
	Primary int // of several images: index of the one that the BTF belongs to

	opt *Encoder // that it was made with
}

// Stats count what an encoding saw and made.
type Stats struct {
	Units      int // CUs, without those that were left out
	Types      int // before deduplication
	TypesAdded int // of those, how many were put into the object
	Funcs      FuncStats
	Vars       VarStats
	Dedup      DedupStats
}

// FuncStats count decisions about functions.
type FuncStats struct {
	States  int                 // subprograms in all units
	Emitted int                 // FUNCs
	Dropped [NumFuncReasons]int // functions without FUNC, by FuncReason
}

// VarStats count decisions about variables.
type VarStats struct {
	Emitted  int // VARs
	Datasecs int
	Dropped  [NumVarReasons]int // variables that are no VAR, by VarReason
}

// DedupStats count what deduplication did with the types that were put into the object.
type DedupStats struct {
	Before, After int // types; those of a base do not count
	Comparisons   int // graphs that were compared: of structs, unions and typedefs
	Failed        int // of those, how many were not equal
	Forwards      int // forward declarations that were resolved by their names alone
	MaxDepth      int // of a comparison
	Hypotheses    int // pairs of types that were taken for equal during a comparison
	Identical     int // pairs of types that were compared byte for byte
}

// counts are Stats as the passes count them.
type counts struct {
	Units, Types, TypesAdded int
	Funcs                    funcs.Stats
	Vars                     vars.Stats
	Dedup                    dedup.Stats
}

func (c *counts) public() Stats {
	return Stats{
		Units: c.Units, Types: c.Types, TypesAdded: c.TypesAdded,
		Funcs: FuncStats{States: c.Funcs.States, Emitted: c.Funcs.Emitted, Dropped: c.Funcs.Dropped},
		Vars:  VarStats{Emitted: c.Vars.Emitted, Datasecs: c.Vars.Datasecs, Dropped: c.Vars.Dropped},
		Dedup: DedupStats(c.Dedup),
	}
}
