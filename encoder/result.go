package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// A Result is the BTF of one image, or of several.
type Result struct {
	// Object has the deduplicated types. Object.AppendWire returns its bytes, and Sections those for an image.
	Object *btf.Object
	Stats  Stats
	Phases []Phase // time and memory of each pass, in the order in which they ran
	// Warnings report where the BTF differs from the meaning of the source, in the order of their rules.
	Warnings []Warning
	// Sorted reports whether the types are sorted by name, because of Options.SortByName or Options.LikeKernel.
	Sorted  bool
	Primary int // index of the image that the BTF belongs to, if there are several
	// Beside reports whether other files than the image and its base were used, or were searched for: separate debug files, supplementary
	// files, files of split units. Then the BTF depends on these too.
	Beside bool

	opt      *Encoder // the encoder that created it
	oneByOne bool     // each unit was translated by itself
	infoSize uint64   // size of the debug information, in bytes
}

// Stats count what an encoding read and created.
type Stats struct {
	Units      int // CUs that were not left out
	Types      int // before deduplication
	TypesAdded int // of those, types that were added to the object
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
	Dropped  [NumVarReasons]int // variables without VAR, by VarReason
}

// DedupStats count what deduplication did with the types of the object.
type DedupStats struct {
	Before, After int // types, without those of a base
	Comparisons   int // compared graphs of structs, unions and typedefs
	Failed        int // of those, comparisons with different graphs
	Forwards      int // forward declarations that were resolved only by name
	MaxDepth      int // largest depth of a comparison
	Hypotheses    int // pairs of types that were assumed to be equal during a comparison
	Identical     int // pairs of types that were compared byte for byte
}

// counts are the Stats in the form in which the passes count them.
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
