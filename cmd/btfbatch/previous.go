package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
)

// A previous says which report has the images that series had before this run.
type previous struct{ file string }

func (p *previous) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.file, "previous", "", "JSON report in `FILE` of an earlier run, whose images belong to the series of the manifest too;\ndefault: that of --retry-failed")
}

// uses lists the files that are read.
func (p *previous) uses() []paths.Use {
	return []paths.Use{{Path: p.file, Role: paths.Input, What: "the file of --previous"}}
}

// set reads the report, if there is one and the jobs have series.
func (p *previous) set(opt *batch.Options, jobs []batch.Job, only *choice) error {
	file := cmp.Or(p.file, only.retry)
	if !slices.ContainsFunc(jobs, func(j batch.Job) bool { return j.Series != "" }) {
		if p.file != "" {
			return errors.New("--previous is about the images of a series, and no image of this run has series")
		}
		return nil
	}
	if file == "" {
		return nil
	}
	r, err := reports.Load(file)
	if err != nil {
		return fmt.Errorf("--previous: %w", err)
	}
	opt.Series.Earlier = r.Rows()
	return nil
}
