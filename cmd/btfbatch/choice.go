package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A choice says which images of a manifest are wanted, with their bases. The zero value stands for all.
type choice struct {
	patterns []string // of --only
	from     string   // the file of --only-from
	part     int      // of the plan in that file; 0: all
	retry    string   // the file of --retry-failed
}

// flags adds the flags of a choice.
func (c *choice) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&c.patterns, "only", nil, "encode only the images of these `NAMES` (patterns) and their bases")
	flags.StringVar(&c.from, "only-from", "", "encode only the images that `FILE` names, and their bases: a plan, or a name per line")
	flags.IntVar(&c.part, "part", 0, "encode only part `N` of the plan that --only-from names")
	flags.StringVar(&c.retry, "retry-failed", "", "encode only the images that failed or were not done by the JSON report in `FILE`, and their bases")
	cmd.MarkFlagsMutuallyExclusive("only", "only-from", "retry-failed")
}

// check returns an error for flags that have no effect.
func (c *choice) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("part") && c.part == 0 {
		return usage(errors.New("--part is 0: parts are counted from 1"))
	}
	return needs(cmd, "part", "only-from")
}

// of returns the items that are wanted.
func (c *choice) of(items []corpus.Item) ([]corpus.Item, error) {
	switch {
	case len(c.patterns) > 0:
		return batch.Select(items, c.patterns)
	case c.from != "":
		names, err := shard.Read(c.from, c.part)
		if err != nil {
			return nil, err
		}
		return batch.SelectNames(items, names)
	case c.retry != "":
		names, err := undone(c.retry)
		if err != nil {
			return nil, fmt.Errorf("--retry-failed: %w", err)
		}
		return batch.SelectNames(items, names)
	}
	return items, nil
}

// uses lists the files that are read.
func (c *choice) uses() []paths.Use {
	return []paths.Use{
		{Path: c.from, Role: paths.Input, What: "the file of --only-from"}, {Path: c.retry, Role: paths.Input, What: "the file of --retry-failed"},
	}
}

// undone lists the images of a stored report that failed, were skipped or were interrupted. An image that only differs from its golden was encoded.
func undone(file string) (names []string, err error) {
	r, err := reports.Load(file)
	if err != nil {
		return nil, err
	}
	for _, row := range r.Rows() {
		if row.Status != report.OK && row.Status != report.Differs {
			names = append(names, row.Name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("%s: no image failed, so there is nothing to repeat", file)
	}
	return names, nil
}
