package batch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

// CheckNewGoldens reports goldens that a folder of new goldens has no place for.
func CheckNewGoldens(jobs []Job, g *Goldens) error {
	if g.New == "" {
		return nil
	}
	for i := range jobs {
		if path := jobs[i].Golden; path != "" && !config.Open(path) {
			if _, err := goldens.Place(g.New, g.Dir, path); err != nil {
				return fmt.Errorf("--new-goldens: golden of %q: %w", jobs[i].Name, err)
			}
		}
	}
	return nil
}

// propose writes what the golden of an image would become if the two differ. If they do not, it removes the proposal of an earlier run.
func (b *batch) propose(t *target, c *report.Comparison) error {
	place, err := goldens.Place(b.opt.Goldens.New, b.opt.Goldens.Dir, t.Golden)
	if err != nil {
		return err
	}
	sums := t.Check.Policy == config.Digest
	if sums {
		b.sums.Lock()
		defer b.sums.Unlock()
		if !b.proposed[place] { // it may have lines of an earlier run
			b.proposed[place] = true
			if err := removed(place); err != nil {
				return err
			}
		}
	}
	switch {
	case c.Verdict.OK() && sums:
		return nil
	case c.Verdict.OK():
		return removed(place)
	case sums:
		return b.proposeSum(t, place)
	}
	return golden.Write(place, t.Golden, t.form(), t.object, b.files.File)
}

// proposeSum adds the digest of an image to a proposed file of sums, which starts as a copy of the golden.
func (b *batch) proposeSum(t *target, place string) error {
	from := place
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
		from = t.Golden
	}
	s, err := golden.ReadSums(from)
	if err != nil {
		return err
	}
	s.Set(t.Name, t.sum())
	return b.files.File(place, func(w io.Writer) error { _, err := w.Write(s.Bytes()); return err })
}

// removed removes a file that may be missing.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
