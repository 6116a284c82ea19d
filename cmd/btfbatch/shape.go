package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A shape is how much the forms for people show of a report.
type shape struct{ verbose, brief bool }

// flags adds the flags of a command that writes reports.
func (s *shape) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&s.verbose, "verbose", "v", false, "report every image in full, with what was left out, in text and Markdown too")
	cmd.Flags().BoolVar(&s.brief, "summary-only", false, "report reasons and counts only, without a line for each image, in text and Markdown")
}

// check refuses flags that contradict each other.
func (s *shape) check() error {
	if s.verbose && s.brief {
		return usage(errors.New("--verbose and --summary-only cannot be used together"))
	}
	return nil
}

// apply sets how a report is written. The text for out is as wide as out.
func (s *shape) apply(r *report.Report, out io.Writer) {
	r.Verbose, r.Brief, r.Width = s.verbose, s.brief, console.Columns(out)
}
