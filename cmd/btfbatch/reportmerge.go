package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

func newReportMerge(a *app) *cobra.Command {
	var (
		plan        string
		manifest    string
		again       string
		forms       []string
		shape       shape
		summary     summary
		annotations = reports.Annotations
	)
	cmd := &cobra.Command{
		Use:   "merge REPORT...",
		Short: "Join the reports of the parts of a run",
		Long: `Join the reports of the parts of a run, which ran as separate jobs. The result is the report that one run of all images would have
written, in every format, and the exit code is that of such a run.

An image of the plan without a result fails, so that a lost job does not go unnoticed. So does an image with two results that differ, or one
that is not in the plan. --manifest expects all images of a manifest, as --plan does those of a plan. Reports of shards (run --shard) cannot
be merged without one of the two. Without both, all images of other reports are expected, and a lost report is not noticed. Reports of
different versions of the program or of the manifest are refused, and so are those that are not about the manifest of --manifest. A folder
stands for the *.json in it.

If an image has no result, or one that another attempt can change, the last line on standard error is the command that runs just what is
missing. A report of it is merged together with the others.

--sums and --provenance write the files about all outputs that run writes, with the same bytes as one run of all images. Reports have paths
of outputs as the shards were given them, so merge in the folder in which the shards ran, or in one with the same files.

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
			files, err := reports.Expand(args)
			if err != nil {
				return failed(err)
			}
			uses := slices.Concat(reports.Files(outlets), summary.uses())
			if err := checkMerge(plan, manifest, files, uses); err != nil {
				return usage(err)
			}
			parts, err := loadParts(files, plan == "" && manifest == "")
			if err != nil {
				return err
			}
			if err := paths.Refuse(append(slices.Clip(uses), outputsOf(parts)...)...); err != nil {
				return usage(err)
			}
			planned, err := expected(cmd.Context(), plan, manifest, parts)
			if err != nil {
				return err
			}
			r, err := report.Merge(parts, planned)
			if err != nil {
				return failed(err)
			}
			if len(parts) == 0 {
				r.Tool, r.Manifest.Path = thisBuild().tool(), manifest
			}
			shape.apply(r, cmd.OutOrStdout())
			err = errors.Join(a.conclude(cmd, r, outlets), summary.write(r), a.annotate(cmd, r, r.Manifest.Path, annotations))
			if command := shard.Again(parts, r, manifest, folderOf(args[0])); command != "" {
				a.console.Note("what is missing: " + cmp.Or(again, command))
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&plan, "plan", "", "`FILE` with the names of all images: a plan, or a name per line")
	flags.StringVar(&manifest, "manifest", "", "the manifest in `FILE`, whose images must all have a result")
	cmd.MarkFlagsMutuallyExclusive("plan", "manifest")
	flags.StringVar(&again, "again", "", "`COMMAND` to print in place of that which runs what is missing, if something is")
	shape.flags(cmd)
	summary.flags(flags)
	flags.StringArrayVar(&forms, "report", []string{"text"}, "`FORMAT[=FILE]` of the report, as for run; can be repeated")
	flags.IntVar(&annotations, "annotations", annotations, "at most `N` annotations in GitHub Actions, as for run")
	return cmd
}

// folderOf returns the folder that a place of reports is, or is in.
func folderOf(place string) string {
	if st, err := os.Stat(place); err == nil && st.IsDir() {
		return place
	}
	return filepath.Dir(place)
}

// checkMerge finds conflicts between the files that a merge reads and writes.
func checkMerge(plan, manifest string, files []string, uses []paths.Use) error {
	uses = append(slices.Clip(uses), paths.Use{Path: plan, Role: paths.Input, What: "the plan"},
		paths.Use{Path: manifest, Role: paths.Input, What: "the manifest"})
	for _, path := range files {
		uses = append(uses, paths.Use{Path: path, Role: paths.Input, What: "the report " + path})
	}
	return paths.Refuse(uses...)
}

// outputsOf lists the outputs of all images, which a merge must not overwrite.
func outputsOf(parts []report.Part) (list []paths.Use) {
	listed := map[string]bool{}
	for _, p := range parts {
		for _, row := range p.Report.Rows() {
			for _, o := range row.Outputs {
				if !listed[o.Path] {
					listed[o.Path] = true
					list = append(list, paths.Use{Path: o.Path, Role: paths.Input, What: "the output " + o.Kind + " of " + row.Name})
				}
			}
		}
	}
	return list
}

// expected returns the names of the images that must have a result; nil if neither a plan nor a manifest says so. If the parts ran with the lock
// of the manifest, its images are expected. Parts that ran when the manifest or its lock was another one are an error.
func expected(ctx context.Context, plan, manifest string, parts []report.Part) ([]string, error) {
	switch {
	case plan != "":
		names, err := shard.Read(plan, 0)
		return names, usage(err)
	case manifest != "":
		locked := locked{on: len(parts) > 0 && parts[0].Report.Manifest.LockSHA256 != ""}
		var opt batch.Options
		items, err := loadLocked(ctx, manifest, &locked, &choice{}, input.Highest>>20, &opt)
		if err != nil {
			return nil, err
		}
		names, _ := shard.Names(items)
		return names, failed(ofManifest(parts, opt.Manifest))
	}
	return nil, nil
}

// ofManifest returns an error if a part is not about the manifest, and its lock, as they are.
func ofManifest(parts []report.Part, now report.Manifest) error {
	for _, p := range parts {
		switch m := p.Report.Manifest; {
		case m.SHA256 != now.SHA256:
			return fmt.Errorf("%s is not about %s as it is now: the manifest has changed since, or the report is about another one (%s); run this part again",
				p.Name, now.Path, m.Path)
		case m.LockSHA256 != now.LockSHA256:
			return fmt.Errorf("%s is not about the lock of %s as it is now; run this part again", p.Name, now.Path)
		}
	}
	return nil
}

// loadParts reads the reports of the parts of a run. alone says that nothing else names the images of the run.
func loadParts(files []string, alone bool) ([]report.Part, error) {
	if alone && len(files) == 0 {
		return nil, failed(errors.New("there is no report, and neither --manifest nor --plan says which images there are"))
	}
	parts := make([]report.Part, len(files))
	for i, path := range files {
		r, err := reports.Load(path)
		if err != nil {
			return nil, failed(err)
		}
		if s := r.Shard; alone && s != nil && s.Count > 1 {
			return nil, usage(fmt.Errorf("%s is of shard %d of %d: --manifest or --plan has to say which images there are, so that a lost report is noticed", path,
				s.Index, s.Count))
		}
		parts[i] = report.Part{Name: path, Report: r}
	}
	return parts, nil
}
