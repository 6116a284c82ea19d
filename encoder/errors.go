package encoder

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// What is wrong with an image or its options, for errors.Is.
var (
	// ErrNoDWARF: neither the image nor a separate debug file has a section .debug_info.
	ErrNoDWARF = dwarf.ErrNoDWARF
	// ErrNoDebugFile: the image names a separate debug file, or a supplementary one, which is in none of the places where such files are
	// looked for. The text lists them.
	ErrNoDebugFile = debugfile.ErrNotFound
	// ErrNoSymbols: the image has no symbol table, without which nobody knows its functions.
	ErrNoSymbols = errors.New("no symbol table: .symtab is missing or empty")
	// ErrNoTypes: there is nothing to encode, which is no mistake of the image: its units may all be left out by their language.
	ErrNoTypes = errors.New("no types: every unit is empty or left out")
	// ErrSeveral: EncodeAll was called with another profile than Pahole, which alone says what several images give.
	ErrSeveral = errors.New("several images into one BTF: only the profile pahole says what that is")
	// ErrStaleBase: the image has a distilled base that the new BTF does not continue, see Sections.For.
	ErrStaleBase = errors.New("the image has a section .BTF.base, which the new BTF does not continue; embed a distilled base as well")
	// ErrNotLocated: Locate was asked about a type that no unit has.
	ErrNotLocated = errors.New("no unit has such a type")
)

// What the encoder's own tests look for, for errors.Is. Either is a bug of the encoder.
var (
	// ErrDedupDiffers: Encoder.VerifyDedup found other bytes.
	ErrDedupDiffers = errors.New("the exact engine gives other BTF")
	// ErrCollision: Encoder.Paranoid found two types that differ and have one hash.
	ErrCollision = errors.New("two different types have the same hash")
)

// A UnitError says at which place of the DWARF an encoding ended. Its text is that of the error that it wraps, which has all of
// this in it; an *elf.FormatError is below it.
type UnitError struct {
	Unit    int    // number of the unit (CU), from 0, in the order of the section
	Section string // ".debug_info" or ".debug_types"
	Offset  uint64 // in bytes, from the start of the section
	Context string // source file, and what is described there, such as "fs/inode.c: struct inode"; empty where nobody can tell
	Problem string // "abbrev code 311 is not declared"

	err error
}

func (e *UnitError) Error() string { return e.err.Error() }

// Unwrap is the error with the same text.
func (e *UnitError) Unwrap() error { return e.err }

// An ImageError says which of several images an error of EncodeAll is about.
type ImageError struct {
	Image int    // its index
	Path  string // where it was opened; empty for an image in memory
	Err   error
}

func (e *ImageError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap is the error of the image.
func (e *ImageError) Unwrap() error { return e.Err }

// explained is the error of an image that is still open: what it says of a unit gets the source file, and what stands there.
func explained(err error) error {
	unit, ok := errors.AsType[*dwarf.UnitError](err)
	if !ok {
		return err
	}
	unit.Explain()
	return &UnitError{Unit: unit.Unit, Section: unit.Section, Offset: unit.Offset, Context: unit.Context, Problem: unit.Problem, err: err}
}
