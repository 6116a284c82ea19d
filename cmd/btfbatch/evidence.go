package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/evidence"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A summary says which files describe all outputs of a batch.
type summary struct{ sums, provenance string }

func (s *summary) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.sums, "sums", "", "`FILE` for the SHA-256 of all outputs, as sha256sum -c reads it, with names relative to FILE's folder")
	flags.StringVar(&s.provenance, "provenance", "", "`FILE` for an unsigned in-toto statement with SLSA provenance of all outputs")
}

// wanted reports whether the digests of all outputs are needed.
func (s *summary) wanted() bool { return s.sums != "" || s.provenance != "" }

// uses lists the files that are written.
func (s *summary) uses() []paths.Use {
	return []paths.Use{
		{Path: s.sums, Role: paths.Output, What: "the file of --sums"}, {Path: s.provenance, Role: paths.Output, What: "the file of --provenance"},
	}
}

// write writes the files. If an image has no result, the files of an earlier batch stay as they are, because they may be about more; note says so.
func (s *summary) write(r *report.Report, note func(string)) error {
	if r == nil || !s.wanted() {
		return nil
	}
	rows, without := r.Rows(), 0
	for i := range rows {
		if rows[i].Status == report.Interrupted || rows[i].Failure == report.NoResult {
			without++
		}
	}
	if without > 0 {
		note(fmt.Sprintf("the files of --sums and --provenance are not written, because %d of %d images have no result; what was there stays", without, len(rows)))
		return nil
	}
	var p publish.Publisher
	var errs []error
	for _, f := range []struct {
		path string
		of   func(*report.Report, string) ([]byte, error)
	}{{s.sums, evidence.Sums}, {s.provenance, evidence.Provenance}} {
		if f.path == "" {
			continue
		}
		text, err := f.of(r, f.path)
		if err == nil {
			err = p.File(f.path, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
		}
		if errors.Is(err, evidence.ErrNothing) {
			err = errors.Join(err, removeStatement(f.path))
		}
		errs = append(errs, err)
	}
	return failed(errors.Join(errs...))
}

// together joins the verdict of a batch with errors of what was written about it, so that they are printed too. A batch whose files are not
// complete has failed, even if its verdict is only that images differ.
func together(verdict, err error) error {
	e, ok := errors.AsType[*exit](verdict)
	switch {
	case err == nil || !ok || e.cause != nil:
		return errors.Join(verdict, err)
	case e.code == exitcode.Differs:
		return failed(err)
	}
	return &exit{e.code, err}
}

// removeStatement removes the statement about an earlier batch. It leaves other files alone.
func removeStatement(path string) error {
	switch st, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s stays: it is not a regular file", path)
	}
	f, _, err := input.OpenRaw(path)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !evidence.IsStatement(text) {
		return fmt.Errorf("%s stays: it is not a statement of btfbatch", path)
	}
	return os.Remove(path)
}
