package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source/http"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A choice says which images of a manifest are wanted, with their bases. The zero value stands for all.
type choice struct {
	patterns []string // of --only
	from     string   // the file of --only-from
	part     int      // of the plan in that file; 0: all
	retry    string   // the file of --retry-failed
	shard    string   // --shard
	share    *report.Shard

	remember bool // files that servers did not have lately are not asked for
	again    bool // --retry-missing

	memory func() corpus.Memory // what is known of packages; may be nil

	published int // set by of: the images of the whole manifest that are published in stores
}

// flags adds the flags of a choice.
func (c *choice) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&c.patterns, "only", nil, "encode only the images of these `NAMES` (patterns) and their bases")
	flags.StringVar(&c.from, "only-from", "", "encode only the images that `FILE` names, and their bases: a plan, or a name per line")
	flags.IntVar(&c.part, "part", 0, "encode only part `N` of the plan that --only-from names")
	flags.StringVar(&c.retry, "retry-failed", "", "encode only the images that failed or were not done by the JSON report in `FILE`, and their bases")
	flags.StringVar(&c.shard, "shard", "", "encode only share `I/N` of the images, with I from 0 to N-1; auto or auto/N: the share of this task of a job\narray. Exits with 75 if it should run again; see docs/scale.md")
	cmd.MarkFlagsMutuallyExclusive("only", "only-from", "retry-failed", "shard")
}

// client returns what fetches the images.
func (c *choice) client() *http.Client { return &http.Client{Remember: c.remember, Again: c.again} }

// missingFlag adds the flag about files that servers do not have.
func (c *choice) missingFlag(flags *pflag.FlagSet) {
	c.remember = true
	flags.BoolVar(&c.again, "retry-missing", false, "ask servers again for pinned files that they did not have in the last week, and look again at images\nwithout DWARF and packages without the wanted file")
}

// check returns an error for flags that have no effect.
func (c *choice) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("part") && c.part == 0 {
		return usage(errors.New("--part is 0: parts are counted from 1"))
	}
	if c.shard != "" {
		share, err := shard.ParseShare(c.shard, os.Getenv)
		if err != nil {
			return fmt.Errorf("--shard %w", err)
		}
		c.share = &report.Shard{Index: share.Index, Count: share.Count, Flags: lasting(cmd)}
	}
	return needs(cmd, "part", "only-from")
}

// passing are the flags of a run that its results do not depend on, and those that name files of this run only.
var passing = []string{"shard", "report", "sums", "provenance", "jobs", "memory", "disk", "progress", "log-format", "log-level", "annotations", "verbose", "summary-only", "no-wait"}

// lasting returns the flags of a call that another one for other images needs too.
func lasting(cmd *cobra.Command) []string { return flagsOf(cmd, passing...) }

// flagsOf returns the flags of a call, each as one word, except for some.
func flagsOf(cmd *cobra.Command, except ...string) (list []string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(except, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if words, ok := f.Value.(pflag.SliceValue); ok {
			if values = words.GetSlice(); f.Value.Type() != "stringArray" {
				values = []string{strings.Join(values, ",")}
			}
		}
		for _, v := range values {
			list = append(list, "--"+f.Name+"="+v)
		}
	})
	return list
}

// of returns the items that are wanted.
func (c *choice) of(items []corpus.Item) ([]corpus.Item, error) {
	c.published = batch.Published(items)
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
	case c.share != nil:
		names, sum := shard.Names(items)
		c.share.Images, c.share.SHA256 = len(names), sum
		return batch.SelectAt(items, shard.Share{Index: c.share.Index, Count: c.share.Count}.Of(items)), nil
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
