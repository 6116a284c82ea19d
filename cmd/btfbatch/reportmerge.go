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
	"github.com/btfbatch/btfbatch/cmd/internal/locking"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A reportMerge has the flags of report merge.
type reportMerge struct {
	*app
	plan        string
	manifest    string
	again       string
	forms       []string
	shape       shape
	summary     summary
	annotations int
}

func newReportMerge(a *app) *cobra.Command {
	m := reportMerge{app: a, annotations: reports.Annotations}
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
		RunE: m.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&m.plan, "plan", "", "`FILE` with the names of all images: a plan, or a name per line")
	flags.StringVar(&m.manifest, "manifest", "", "the manifest in `FILE`, whose images must all have a result")
	cmd.MarkFlagsMutuallyExclusive("plan", "manifest")
	flags.StringVar(&m.again, "again", "", "`COMMAND` to print in place of that which runs what is missing, if something is")
	m.shape.flags(cmd)
	m.summary.flags(flags)
	flags.StringArrayVar(&m.forms, "report", []string{"text"}, "`FORMAT[=FILE]` of the report, as for run; can be repeated")
	flags.IntVar(&m.annotations, "annotations", m.annotations, "at most `N` annotations in GitHub Actions, as for run")
	return cmd
}

// run merges reports.
func (m *reportMerge) run(cmd *cobra.Command, args []string) error {
	if err := m.shape.check(); err != nil {
		return err
	}
	outlets, err := reports.Parse(m.forms)
	if err != nil {
		return usage(err)
	}
	outlets = append(outlets, reports.Actions(os.Getenv("GITHUB_STEP_SUMMARY"), os.Getenv("GITHUB_OUTPUT"))...)
	files, err := reports.Expand(args)
	if err != nil {
		return failed(err)
	}
	uses := slices.Concat(reports.Files(outlets), m.summary.uses())
	if err := checkMerge(m.plan, m.manifest, files, uses); err != nil {
		return usage(err)
	}
	parts, err := loadParts(files, m.plan == "" && m.manifest == "")
	if err != nil {
		return err
	}
	if err := paths.Refuse(append(slices.Clip(uses), filesOf(parts)...)...); err != nil {
		return usage(err)
	}
	planned, err := expected(cmd.Context(), m.plan, m.manifest, parts, uses)
	if err != nil {
		return err
	}
	r, err := report.Merge(parts, planned)
	if err != nil {
		return failed(err)
	}
	if len(parts) == 0 {
		r.Tool, r.Manifest.Path = thisBuild().tool(), m.manifest
	}
	m.shape.apply(r, cmd.OutOrStdout())
	err = together(m.conclude(cmd, r, outlets), errors.Join(m.summary.write(r, m.console.Note), m.annotate(cmd, r, r.Manifest.Path, m.annotations)))
	if command := shard.Again(parts, r, m.manifest, folderOf(args[0])); command != "" {
		m.console.Note("what is missing: " + cmp.Or(m.again, command))
	}
	return err
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

// filesOf lists the files of all images that the reports name, and the manifest and its lock, which a merge must not overwrite.
func filesOf(parts []report.Part) (list []paths.Use) {
	listed := map[string]bool{}
	add := func(path, what string) {
		if path != "" && !listed[path] {
			listed[path] = true
			list = append(list, paths.Use{Path: path, Role: paths.Input, What: what})
		}
	}
	for _, p := range parts {
		if m := p.Report.Manifest.Path; m != "" {
			add(m, "the manifest of "+p.Name)
			add(locking.Path(m), "the lock of "+m)
		}
		for _, row := range p.Report.Rows() {
			add(row.Manifest, "the file that the manifest includes")
			add(row.Path, "the path of "+row.Name)
			if row.Golden != nil {
				add(row.Golden.Path, "the golden of "+row.Name)
			}
			for _, o := range row.Outputs {
				add(o.Path, "the output "+o.Kind+" of "+row.Name)
			}
		}
	}
	return list
}

// expected returns the names of the images that must have a result; nil if neither a plan nor a manifest says so. If the parts ran with the lock
// of the manifest, its images are expected. Parts that ran when the manifest or its lock was another one are an error. So are uses of files that a
// run of the manifest would not accept either.
func expected(ctx context.Context, plan, manifest string, parts []report.Part, uses []paths.Use) ([]string, error) {
	switch {
	case plan != "":
		names, err := shard.Read(plan, 0)
		return names, usage(err)
	case manifest != "":
		locked := locked{on: len(parts) > 0 && parts[0].Report.Manifest.LockSHA256 != ""}
		var opt batch.Options
		items, err := loadLocked(ctx, manifest, &locked, &choice{}, input.Highest>>20, &opt, uses...)
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
