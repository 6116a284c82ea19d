package encoder

import (
	"errors"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// Stats count what an encoding saw and made.
type Stats struct {
	Units      int
	Types      int // before deduplication
	TypesAdded int // of those, how many were put into the object
	Funcs      funcs.Stats
	Vars       vars.Stats
	Dedup      dedup.Stats
}

// A Result is the BTF of one image, or of several.
type Result struct {
	Object *btf.Object
	Stats  Stats
	Phases []Phase // in the order in which they ran
	// Warnings tell what the BTF does not say as the source means it, in the order of their rules.
	Warnings []Warning
	Lead     int // of several images: number of the one that the BTF belongs to
}

// Errors that callers tell apart.
var (
	ErrNoDWARF   = dwarf.ErrNoDWARF
	ErrNoSymbols = errors.New("no symbol table: .symtab is missing or empty")
	ErrNoTypes   = errors.New("no types: every unit is empty or left out")
)
