package main

import (
	"errors"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden"
)

func newRun(a *app) *cobra.Command {
	var (
		opt        = batch.Options{Hash: true}
		forms      []string
		only       []string
		exceptions string
	)
	cmd := &cobra.Command{
		Use:   "run MANIFEST",
		Short: "Encode, verify, publish and compare the images of a manifest",
		Long: `Encode, verify, publish and compare the images of a manifest.

Every image gets a row in the report. A failed image does not stop the others. Outputs appear whole or not at all, and only
after the kernels that the manifest names (or else the newest one) have accepted them. An interrupted run writes no report.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outlets, err := reports.Parse(forms)
			if err != nil {
				return usage(err)
			}
			if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci && opt.Update {
				return usage(golden.ErrCI)
			}
			if exceptions != "" {
				if opt.Exceptions, err = golden.ReadExceptions(exceptions); err != nil {
					return usage(err)
				}
			}
			if err := checkProfile(opt.Profile); err != nil {
				return err
			}
			items, err := load(args[0], only)
			if err != nil {
				return err
			}
			return a.batch(cmd, items, opt, outlets)
		},
	}
	batchFlags(cmd, &opt)
	flags := cmd.Flags()
	flags.BoolVar(&opt.Update, "update", false, "rewrite goldens that differ, after showing the difference; refused where CI=true")
	flags.StringArrayVar(&forms, "report", []string{"text"}, "`FORMAT[=FILE]` of the report: text, json, junit or markdown; may be repeated")
	flags.StringVar(&exceptions, "exceptions", "", "`FILE` of accepted differences from goldens")
	flags.StringSliceVar(&only, "only", nil, "encode only the images of these `NAMES` (patterns) and their bases")
	return cmd
}

// batchFlags are those of the commands that encode.
func batchFlags(cmd *cobra.Command, opt *batch.Options) {
	flags := cmd.Flags()
	flags.StringVar((*string)(&opt.Profile), "profile", "", "`PROFILE` of rules for all images: default or pahole")
	flags.IntVarP(&opt.Workers, "jobs", "j", 0, "`N` workers; 0 is one per processor")
	flags.BoolVar(&opt.KeepRejected, "keep-rejected", false, "keep an output that a kernel refuses beside its place, as NAME.rejected")
	flags.BoolVar(&opt.VerifyDedup, "verify-dedup", false, "deduplicate a second time by the exact engine and compare the bytes")
}

func checkProfile(p config.Profile) error {
	if p != "" && p != config.Default && p != config.Pahole {
		return usage(errors.New("profile " + strconv.Quote(string(p)) + " is none of default, pahole"))
	}
	return nil
}

// load reads a manifest and finds its images.
func load(manifest string, only []string) ([]corpus.Item, error) {
	m, err := config.Load(manifest)
	if err != nil {
		return nil, usage(err)
	}
	items := corpus.Resolve(m)
	if len(only) > 0 {
		if items, err = batch.Select(items, only); err != nil {
			return nil, usage(err)
		}
	}
	return items, nil
}

// batch runs a batch and tells of it.
func (a *app) batch(cmd *cobra.Command, items []corpus.Item, opt batch.Options, outlets []reports.Outlet) error {
	total := int64(0)
	for i := range items {
		total += items[i].Size
	}
	opt.OnBytes, opt.OnRow, opt.OnDiffer = a.console.Advance, a.console.Row, a.console.Differ
	opt.OnError = func(name string, err error) { a.console.Debug().Str("image", name).Msg(err.Error()) }
	a.console.StartBar(total)
	r := batch.Run(cmd.Context(), items, opt)
	a.console.StopBar()
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	r.Version = version()
	if err := reports.Write(r, outlets, cmd.OutOrStdout()); err != nil {
		return failed(err)
	}
	if code := r.ExitCode(); code != exitOK {
		return &exit{code: code}
	}
	return nil
}
