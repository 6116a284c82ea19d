package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/show"
)

func newGoldenWhy() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "why IMAGE",
		Short: "Say which exceptions and allowed rules accept the differences of an image",
		Long: `Say which exceptions and allowed rules accept the differences of an image from its golden, what each of them covers, and what remains. For a
difference that remains although an entry seems to mean it, the reason is given. This needs only the report of a run, run --report
json=FILE, on this machine or from CI.

Exits with 0 when the image is equal or accepted, 3 when something remains, 1 when the report cannot be read, and 2 for wrong usage.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := reports.Load(file)
			if err != nil {
				return failed(err)
			}
			row, err := rowNamed(r, args[0])
			if err != nil {
				return usage(err)
			}
			ok, err := why(cmd, row)
			if err != nil {
				return failed(err)
			}
			return undecided(!ok)
		},
	}
	cmd.Flags().StringVar(&file, "report", "", "`FILE` with the report of a run in JSON; - is the standard input")
	_ = cmd.MarkFlagRequired("report")
	return cmd
}

// rowNamed returns the row of an image.
func rowNamed(r *report.Report, name string) (*report.Row, error) {
	rows := r.Rows()
	var names []string
	for i := range rows {
		if rows[i].Name == name {
			return &rows[i], nil
		}
		if len(names) < 10 {
			names = append(names, rows[i].Name)
		}
	}
	text := strings.Join(names, ", ")
	if len(rows) > len(names) {
		text += ", …"
	}
	return nil, fmt.Errorf("the report has no image named %q; it has %s", name, text)
}

// why writes what accepts the differences of an image, and reports whether nothing remains.
func why(cmd *cobra.Command, row *report.Row) (ok bool, err error) {
	w := cmd.OutOrStdout()
	name := escape.Line(row.Name)
	c := row.Golden
	if c == nil {
		text := "was not compared with a golden"
		if row.Error != "" {
			text += ": " + escape.Line(row.Error)
		}
		_, err := fmt.Fprintf(w, "%s %s\n", name, text)
		return row.Status == report.OK, err
	}
	text := fmt.Sprintf("%s: %s: %s", name, escape.Line(c.Path), c.Verdict)
	if c.Detail == nil && c.Summary != "" || c.Verdict == golden.Missing {
		text += ": " + escape.Line(c.Summary)
	}
	if _, err := fmt.Fprintln(w, strings.TrimSuffix(text, ": ")); err != nil || c.Detail == nil {
		return c.Verdict.OK(), err
	}
	opt := (&diff{}).options(cmd)
	opt.Limit = 40
	return c.Verdict.OK(), show.Why(w, c.Detail, c.CauseCount, opt)
}
