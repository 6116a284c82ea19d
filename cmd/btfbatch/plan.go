package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Limits of GitHub: a matrix has at most 256 jobs. Starting a job, fetching its files and installing btfbatch takes about half a minute.
const (
	githubJobs = 256
	worthAJob  = 30 * time.Second
)

func newPlan() *cobra.Command {
	var (
		profile config.Profile
		only    choice
		format  string
		limits  = shard.Limits{Parts: githubJobs}
		worth   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "plan [MANIFEST]",
		Short: "Show what run would do, or divide it into jobs for CI",
		Long: `Show what run would do with a manifest, in the order of the run. Nothing is encoded or written. The exit code is 2 if the manifest has
errors, and 1 if an image cannot be encoded. On a terminal, the table is fitted to its width: a column in which all
images have the same value becomes a line above the table, and long values are shortened.

With --format json, the images are divided into parts, which can run as separate jobs: run --only-from PLAN --part N. Parts have similar
predicted durations. A base and the images that continue it are in one part, and so are images of one package and images that share a
golden. No image is opened; one that cannot be encoded fails in its job. --format github-matrix prints the same parts as the matrix of a GitHub workflow.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkProfile(profile); err != nil {
				return err
			}
			write, err := planWriter(format)
			if err != nil {
				return usage(err)
			}
			if limits.Parts == 0 {
				return usage(fmt.Errorf("--max is 0: at least one part is needed"))
			}
			if worth < 0 {
				return usage(fmt.Errorf("--per-part %s is negative", worth))
			}
			if write == nil {
				for _, flag := range []string{"max", "per-part"} {
					if cmd.Flags().Changed(flag) {
						return usage(fmt.Errorf("--%s requires --format json or github-matrix", flag))
					}
				}
			}
			items, err := load(cmd.Context(), args[0], &only, input.Highest>>20, &batch.Options{})
			if err != nil {
				return err
			}
			if write == nil {
				return writeTable(cmd.Context(), cmd.OutOrStdout(), args[0], items, profile)
			}
			limits.Seconds = worth.Seconds()
			return failed(write(shard.Divide(items, limits), cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	flags.StringVar((*string)(&profile), "profile", "", "`PROFILE` of rules for all images, in place of that in the manifest: default or pahole")
	flags.StringSliceVar(&only.patterns, "only", nil, "show only the images of these `NAMES` (patterns) and their bases")
	flags.StringVar(&format, "format", "text", "`FORMAT`: text, json or github-matrix")
	flags.IntVar(&limits.Parts, "max", githubJobs, "at most `N` parts")
	flags.DurationVar(&worth, "per-part", worthAJob, "predicted `DURATION` of work that justifies another part; 0: as many parts as possible")
	return cmd
}

// planWriter returns what writes a plan in a format. It is nil for text.
func planWriter(format string) (func(*shard.Plan, io.Writer) error, error) {
	switch format {
	case "text":
		return nil, nil
	case "json":
		return (*shard.Plan).WriteJSON, nil
	case "github-matrix":
		return (*shard.Plan).WriteMatrix, nil
	}
	return nil, fmt.Errorf("unknown format %q: use text, json or github-matrix", format)
}

// writeTable writes a plan for people.
func writeTable(ctx context.Context, w io.Writer, manifest string, items []corpus.Item, profile config.Profile) error {
	bad, err := batch.WritePlan(ctx, w, items, profile, console.Columns(w))
	if err != nil {
		return failed(err)
	}
	if bad > 0 {
		return failed(fmt.Errorf("%s: %d of %d images cannot be encoded", manifest, bad, len(items)))
	}
	return nil
}
