package encoder

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/debugfile"
	"github.com/btfbatch/btfbatch/encoder/dwarf"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

// openDWARF finds the DWARF of an image: its own, else that of its separate debug file; and the supplementary file, if one is
// named. Symbols and section headers are always the image's.
func (j *job) openDWARF() (err error) {
	from := j.asRead(j.f)
	if j.d, err = dwarf.Open(from); errors.Is(err, ErrNoDWARF) {
		f, findErr := debugfile.Debug(j.f, j.roots())
		switch {
		case findErr != nil:
			return fmt.Errorf("%w: %w", err, findErr)
		case f == nil:
			return err
		}
		j.opened = append(j.opened, f)
		from = j.asRead(f)
		if j.d, err = dwarf.Open(from); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err != nil {
		return err
	}
	sup, err := debugfile.Supplementary(from, j.roots())
	if errors.Is(err, debugfile.ErrNotFound) {
		j.missing, err = err, nil // an error only if something leads there
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

// asRead is f as the profile reads its debug sections.
func (j *job) asRead(f *elf.File) *elf.File {
	if j.opt.Profile == Pahole {
		return f.AsPeer()
	}
	return f
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
