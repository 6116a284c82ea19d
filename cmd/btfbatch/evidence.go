package main

import (
	"errors"
	"io"

	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/evidence"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden/report"
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

// write writes the files.
func (s *summary) write(r *report.Report) error {
	if r == nil {
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
		errs = append(errs, err)
	}
	return failed(errors.Join(errs...))
}
