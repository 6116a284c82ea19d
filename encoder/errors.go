package encoder

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Errors of an image or its options, for errors.Is.
var (
	// ErrNoDWARF: neither the image nor a separate debug file has a section .debug_info.
	ErrNoDWARF = dwarf.ErrNoDWARF
	// ErrNoDebugFile: the image names a separate debug file or a supplementary file that was not found, or has no DWARF. The text lists the
	// places that were searched. An error without it does not depend on which debug files are installed.
	ErrNoDebugFile = debugfile.ErrNotFound
	// ErrNoSymbols: the image has no symbol table, so its functions are not known.
	ErrNoSymbols = errors.New("no symbol table: .symtab is missing or empty")
	// ErrNoTypes: there is nothing to encode. The image need not be damaged: all its units may be left out by their language.
	ErrNoTypes = errors.New("no types: every unit is empty or left out")
	// ErrSeveral: EncodeAll was called with another profile than Pahole. Only that profile defines the BTF of several images.
	ErrSeveral = errors.New("several images into one BTF: only the profile pahole says what that is")
	// ErrStaleBase: the image has a distilled base that the new BTF does not continue; see Sections.For.
	ErrStaleBase = errors.New("the image has a section .BTF.base, which the new BTF does not continue; embed a distilled base as well")
	// ErrNotLocated: Locate was called with a type that no unit has.
	ErrNotLocated = errors.New("no unit has such a type")
)

// Bugs of the encoder that VerifyDedup and Paranoid find, for errors.Is.
var (
	// ErrDedupDiffers: Encoder.VerifyDedup found different bytes.
	ErrDedupDiffers = errors.New("the exact engine gives other BTF")
	// ErrCollision: Encoder.Paranoid found two different types with the same hash.
	ErrCollision = errors.New("two different types have the same hash")
)

// A UnitError says at which place of the DWARF an encoding failed. Its text is the text of the error that it wraps, which contains all its
// fields. It also wraps an *elf.FormatError.
type UnitError struct {
	Unit    int    // number of the unit (CU), from 0, in the order of the section
	Section string // ".debug_info" or ".debug_types"
	Offset  uint64 // in bytes, from the start of the section
	Context string // source file and described entity, such as "fs/inode.c: struct inode"; empty if not known
	Problem string // "abbrev code 311 is not declared"

	err error
}

func (e *UnitError) Error() string { return e.err.Error() }

// Unwrap returns the error with the same text.
func (e *UnitError) Unwrap() error { return e.err }

// An ImageError says which of the images an error of EncodeAll is about.
type ImageError struct {
	Image int    // its index
	Path  string // of the opened file; empty for an image in memory
	Err   error
}

func (e *ImageError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap returns the error of the image.
func (e *ImageError) Unwrap() error { return e.Err }

// explained adds the source file and the described entity to an error about a unit. Other errors are returned unchanged. The image must
// still be open.
func explained(err error) error {
	unit, ok := errors.AsType[*dwarf.UnitError](err)
	if !ok {
		return err
	}
	unit.Explain()
	return &UnitError{Unit: unit.Unit, Section: unit.Section, Offset: unit.Offset, Context: unit.Context, Problem: unit.Problem, err: err}
}
