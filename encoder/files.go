package encoder

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
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
	j.d.Strings.Cut(j.opt.NamePrefix)
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
