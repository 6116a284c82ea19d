package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/golden/report"
)

func newReportMerge(a *app) *cobra.Command {
	var (
		plan        string
		forms       []string
		shape       shape
		annotations = reports.Annotations
	)
	cmd := &cobra.Command{
		Use:   "merge REPORT...",
		Short: "Join the reports of the parts of a run",
		Long: `Join the reports of the parts of a run, which ran as separate jobs. The result is the report that one run of all images would have
written, in every format, and the exit code is that of such a run.

An image of the plan without a result fails, so that a lost job does not go unnoticed. So does an image with two results that differ, or one
that is not in the plan. Without --plan, all images of the reports are expected, and a lost report is not noticed. Reports of different
versions of the program or of the manifest are refused. A single report is written again in other formats.

In GitHub Actions the report also becomes the job summary, outputs and annotations, as with run.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := shape.check(); err != nil {
				return err
			}
			outlets, err := reports.Parse(forms)
			if err != nil {
				return usage(err)
			}
			outlets = append(outlets, reports.Actions(os.Getenv("GITHUB_STEP_SUMMARY"), os.Getenv("GITHUB_OUTPUT"))...)
			if err := checkMerge(plan, args, outlets); err != nil {
				return usage(err)
			}
			var planned []string
			if plan != "" {
				if planned, err = shard.Read(plan, 0); err != nil {
					return usage(err)
				}
			}
			var parts []report.Part
			for _, path := range args {
				r, err := reports.Load(path)
				if err != nil {
					return failed(err)
				}
				parts = append(parts, report.Part{Name: path, Report: r})
			}
			r, err := report.Merge(parts, planned)
			if err != nil {
				return failed(err)
			}
			shape.apply(r, cmd.OutOrStdout())
			return errors.Join(a.conclude(cmd, r, outlets), a.annotate(cmd, r, r.Manifest.Path, annotations))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&plan, "plan", "", "`FILE` with the names of all images: a plan, or a name per line")
	shape.flags(cmd)
	flags.StringArrayVar(&forms, "report", []string{"text"}, "`FORMAT[=FILE]` of the report, as for run; can be repeated")
	flags.IntVar(&annotations, "annotations", annotations, "at most `N` annotations in GitHub Actions, as for run")
	return cmd
}

// checkMerge finds conflicts between the files that a merge reads and writes.
func checkMerge(plan string, args []string, outlets []reports.Outlet) error {
	uses := append(reports.Files(outlets), paths.Use{Path: plan, Role: paths.Input, What: "the plan"})
	for _, path := range args {
		uses = append(uses, paths.Use{Path: path, Role: paths.Input, What: "the report " + path})
	}
	return paths.Refuse(uses...)
}
