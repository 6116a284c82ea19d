package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

const runText = `Encode, verify, publish and compare the images of a manifest.

Every image has a row in the report. A failed image does not stop the others, unless
--fail-fast or --max-failures says so. Outputs are written completely or not at all, and only once
the rules of all kernels that the manifest names, or of the newest one, accept them. The report of an interrupted run contains what was
done until then.

Results are kept in a cache ($BTFBATCH_CACHE; default: btfbatch in the user's cache folder), and an image is not made again if nothing
changed that its BTF depends on: the image, its base, its settings, the kernels, or btfbatch itself. Goldens are always compared. See btfbatch cache.

A run waits while another one writes the same files, and says for which process. Shares of a manifest do not wait for each other. With
--no-wait, it ends with 75 instead.

With --publish, the outputs of images that are good are also put into the stores that the manifest names. See docs/publish.md.

In GitHub Actions the report is also appended to the job summary (GITHUB_STEP_SUMMARY), the verdict, the exit code and the lists of images
that differ and failed become outputs of the step (GITHUB_OUTPUT), and images that are not good become annotations at their lines of the
manifest (GITHUB_ACTIONS).`

// A runCommand has the flags of run.
type runCommand struct {
	*app
	opt        batch.Options
	profile    config.Profile
	shape      shape
	forms      []string
	most       int
	only       choice
	exceptions string
	summary    summary
	results    results
	publishing publishing
	before     previous
	locked     locked

	annotations int
}

func newRun(a *app) *cobra.Command {
	c := &runCommand{app: a, opt: batch.Options{Lint: batch.Lint{On: true}}}
	c.locked = locked{look: true, note: func(text string) { a.console.Note(text) }}
	cmd := &cobra.Command{
		Use:   "run [MANIFEST]",
		Short: "Encode, verify, publish and compare the images of a manifest",
		Long:  runText,
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.flags(cmd)
	return cmd
}

// run runs the batch.
func (c *runCommand) run(cmd *cobra.Command, manifest string) error {
	if err := c.shape.check(); err != nil {
		return err
	}
	outlets, err := reports.Parse(c.forms)
	if err != nil {
		return usage(err)
	}
	needed(&c.opt, outlets, &c.summary)
	if err := readGoldens(&c.opt.Goldens, manifest, c.exceptions); err != nil {
		return err
	}
	if err := errors.Join(checkProfile(c.profile), checkUnpacked(c.most), needs(cmd, "loss", "earlier"), needs(cmd, "strict", "exceptions"),
		c.only.check(cmd), stopFlags(cmd, &c.opt), c.results.check(cmd)); err != nil {
		return usage(err)
	}
	outlets = append(reports.Shown(outlets, console.IsTerminal(cmd.OutOrStdout())), reports.Actions(os.Getenv("GITHUB_STEP_SUMMARY"), os.Getenv("GITHUB_OUTPUT"))...)
	if c.opt.Shard = c.only.share; c.opt.Shard != nil {
		c.interrupts.Again.Store(true)
	}
	c.only.memory = func() corpus.Memory {
		if known := c.results.open(cmd.Context(), c.app); known != nil {
			known.Again = c.only.again
			return known
		}
		return nil
	}
	l, err := readLocked(manifest, &c.locked, &c.opt)
	if err != nil {
		return err
	}
	c.interrupts.Batch.Lock() // from here on, an interrupted run has a report to write
	defer c.interrupts.Batch.Unlock()
	items, err := l.find(cmd.Context(), &c.only, c.most, &c.opt, slices.Concat(reports.Files(outlets), c.summary.uses(), c.only.uses(), c.before.uses(),
		[]paths.Use{{Path: c.exceptions, Role: paths.Input, What: "the file of --exceptions"}})...)
	if err != nil {
		return err
	}
	jobs := batch.Jobs(items, c.profile)
	if cmd.Context().Err() == nil { // otherwise packages were not opened, and no image will be
		done, err := c.begin(cmd, manifest, items, jobs)
		if err != nil {
			return err
		}
		defer done()
	}
	setUp(&c.opt, items, c.profile)
	report, err := c.batch(cmd, jobs, c.opt, outlets, c.shape)
	return together(err, errors.Join(c.summary.write(report, c.console.Note), c.annotate(cmd, report, manifest, c.annotations)))
}

// begin checks the settings of a run that depend on its images, and claims the files that it may write. The caller calls done when the run is over.
func (c *runCommand) begin(cmd *cobra.Command, manifest string, items []corpus.Item, jobs []batch.Job) (done func(), err error) {
	if err := errors.Join(batch.CheckNewGoldens(jobs, &c.opt.Goldens), batch.CheckEarlier(jobs, &c.opt.Lint, c.only.shard != ""), c.publishing.set(c.app, &c.opt, items, c.only.published), c.before.set(&c.opt, jobs, &c.only)); err != nil {
		return nil, usage(err)
	}
	c.notes(items, c.profile)
	done, err = c.results.claims.take(cmd.Context(), c.app, manifest, jobs, &c.opt)
	if err != nil {
		return nil, err
	}
	c.opt.Cache, c.opt.Events.Cache = c.results.open(cmd.Context(), c.app), c.cacheTrouble()
	return done, nil
}

func (c *runCommand) flags(cmd *cobra.Command) {
	c.batchFlags(cmd, &c.opt)
	cmd.Flags().StringVar((*string)(&c.profile), "profile", "", "`PROFILE` of rules for all images, in place of that in the manifest: default or pahole")
	flags := cmd.Flags()
	goldenFlags(cmd, &c.opt, &c.exceptions)
	c.shape.flags(cmd)
	flags.StringArrayVar(&c.forms, "report", []string{"text"}, "`FORMAT[=FILE]` of the report: text, json, junit, markdown or html; can be repeated\n(on a terminal, the text is also printed if all reports go to files)")
	flags.IntVar(&c.annotations, "annotations", reports.Annotations, "at most `N` annotations in GitHub Actions, which shows 10 for each step; the last one counts the rest")
	lintFlags(cmd, &c.opt)
	c.summary.flags(flags)
	limitFlags(cmd, &c.opt)
	c.results.flags(cmd)
	c.publishing.flags(cmd)
	maxUnpacked(flags, &c.most)
	memoryFlag(flags, &c.opt.Encoding.Memory)
	diskFlag(flags, &c.opt.Encoding.Disk)
	c.only.flags(cmd)
	c.before.flags(cmd)
	c.only.missingFlag(flags)
	c.locked.flags(flags)
}

// setUp sets what the report has of the settings of the run, if it has details.
func setUp(opt *batch.Options, items []corpus.Item, profile config.Profile) {
	if opt.Details {
		opt.Setup = batch.Setup(items, profile)
		opt.Setup.Command = command(os.Args)
	}
}

// readGoldens sets what a run of a manifest needs for goldens: its folder, and the accepted differences, which may be in a file.
func readGoldens(g *batch.Goldens, manifest, exceptions string) (err error) {
	if g.Update && golden.CI() {
		return usage(golden.ErrCI)
	}
	g.Dir = filepath.Dir(manifest)
	g.Exceptions, err = readExceptions(exceptions)
	return err
}

// goldenFlags adds the flags for goldens.
func goldenFlags(cmd *cobra.Command, opt *batch.Options, exceptions *string) {
	flags := cmd.Flags()
	flags.BoolVar(&opt.Goldens.Update, "update", false, "rewrite goldens that differ, after printing the difference; refused if CI=true")
	flags.StringVar(&opt.Goldens.New, "new-goldens", "", "`FOLDER` for what goldens that differ would become, at their paths below the manifest's folder;\nsee btfbatch golden")
	cmd.MarkFlagsMutuallyExclusive("update", "new-goldens")
	flags.StringVar(exceptions, "exceptions", "", "`FILE` of accepted differences from goldens")
	flags.BoolVar(&opt.Goldens.Strict, "strict", false, "fail if an exception accepts nothing, though its image was compared")
}

// lintFlags adds the flags for warnings.
func lintFlags(cmd *cobra.Command, opt *batch.Options) {
	flags := cmd.Flags()
	flags.BoolVar(&opt.Lint.Strict, "strict-lint", false, "images with warnings fail and are not published")
	flags.StringVar(&opt.Lint.Earlier, "earlier", "", "`FOLDER` with NAME.btf of an earlier run, which may be compressed; warn if many functions or per-CPU variables are missing")
	flags.Float64Var(&opt.Lint.Loss, "loss", 0.02, "with --earlier: the `SHARE` of functions or per-CPU variables that may be missing without a warning")
}

// needed sets which digests and details the reports and the files about the batch need.
func needed(opt *batch.Options, outlets []reports.Outlet, s *summary) {
	opt.Details = reports.Sums(outlets)
	opt.Hash = opt.Details || s.wanted()
	opt.Tool = thisBuild().tool()
}

// limitFlags adds the flags that end a run early.
func limitFlags(cmd *cobra.Command, opt *batch.Options) {
	flags := cmd.Flags()
	flags.Bool("fail-fast", false, "start no further image once one has failed")
	flags.IntVar(&opt.MaxFailures, "max-failures", 0, "start no further image once `N` have failed; 0 is no limit")
	flags.Bool("keep-going", true, "encode the other images if some fail; =false is --fail-fast")
	cmd.MarkFlagsMutuallyExclusive("fail-fast", "max-failures", "keep-going")
}

// stopFlags applies --fail-fast and --keep-going, and checks --max-failures.
func stopFlags(cmd *cobra.Command, opt *batch.Options) error {
	fast, _ := cmd.Flags().GetBool("fail-fast")
	goesOn, _ := cmd.Flags().GetBool("keep-going")
	if fast || !goesOn {
		opt.MaxFailures = 1
	}
	if opt.MaxFailures < 0 {
		return fmt.Errorf("--max-failures is %d; it must be 0 or more", opt.MaxFailures)
	}
	return nil
}

// batchFlags adds the flags of the commands that encode and publish.
func (a *app) batchFlags(cmd *cobra.Command, opt *batch.Options) {
	flags := cmd.Flags()
	flags.IntVarP(&opt.Encoding.Workers, "jobs", "j", 0, "`N` workers; 0 is one per processor")
	flags.StringVar((*string)(&a.progress), "progress", string(console.Auto), "`MODE` of showing progress: tty draws it on a terminal, plain writes a line for each image, quiet only\nlines for images that are not good; auto is tty on a terminal, else plain")
	flags.BoolVar(&opt.Outputs.KeepRejected, "keep-rejected", false, "keep an output that a kernel refuses, as NAME.rejected")
	flags.BoolVar(&opt.Encoding.VerifyDedup, "verify-dedup", false, "deduplicate a second time with the exact engine and compare the bytes")
	flags.BoolVar(&opt.Encoding.Paranoid, "paranoid", false, "compare in full the types that were recognised by their hashes")
}

// notes prints what people should know about the settings of images.
func (a *app) notes(items []corpus.Item, profile config.Profile) {
	for _, note := range batch.Notes(items, profile) {
		a.console.Note(note)
	}
}

// readExceptions reads a file of exceptions, if there is one. All errors in it are reported, like those in a manifest.
func readExceptions(file string) (*golden.Exceptions, error) {
	if file == "" {
		return nil, nil
	}
	e, err := golden.ReadExceptions(file)
	var wrong golden.Problems
	if !errors.As(err, &wrong) {
		return e, usage(err)
	}
	problems := make([]config.Problem, len(wrong))
	for i, p := range wrong {
		problems[i] = config.Problem{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message, Suggestion: p.Suggestion}
	}
	return nil, usage(config.NewProblems(problems))
}

// checkProfile returns an error for an unknown profile.
func checkProfile(p config.Profile) error {
	_, err := settings.Profile(string(p))
	return usage(err)
}

// load reads a manifest and finds its images. Files of packages may have at most the given number of MiB. It checks the paths of the images,
// and the other paths that a run would read and write.
func load(ctx context.Context, manifest string, only *choice, most int, opt *batch.Options, others ...paths.Use) ([]corpus.Item, error) {
	return loadLocked(ctx, manifest, &locked{}, only, most, opt, others...)
}

// loadLocked is load, and takes what the lock has if that is wanted.
func loadLocked(ctx context.Context, manifest string, l *locked, only *choice, most int, opt *batch.Options, others ...paths.Use) ([]corpus.Item, error) {
	m, err := readLocked(manifest, l, opt)
	if err != nil {
		return nil, err
	}
	return m.find(ctx, only, most, opt, others...)
}

// A lockedManifest is a manifest with its lock, if that is wanted.
type lockedManifest struct {
	*config.Manifest
	lock *locked
	path string
}

// readLocked reads a manifest, and its lock if that is wanted. It sets what the report says about them.
func readLocked(manifest string, l *locked, opt *batch.Options) (lockedManifest, error) {
	m, err := loadManifest(manifest)
	if err != nil {
		return lockedManifest{}, usage(err)
	}
	opt.Manifest = report.Manifest{Path: m.File, SHA256: m.SHA256}
	return lockedManifest{m, l, manifest}, l.pin(m, opt)
}

// find finds the images that are wanted; see load. If the context ends meanwhile, images in packages that were not looked at have the error of the
// context. A share of the images is not known then, and the error is that of the context.
func (m *lockedManifest) find(ctx context.Context, only *choice, most int, opt *batch.Options, others ...paths.Use) ([]corpus.Item, error) {
	for _, file := range m.Others {
		others = append(others, paths.Use{Path: file, Role: paths.Input, What: "the file that the manifest includes"})
	}
	if len(m.Images) > manyImages {
		collectOften() // a third more time, which keeps a plan of 100,000 images below 500 MiB
	}
	s := sourcesOf(ctx, most, only.client())
	if opt.Encoding.Disk > 0 { // a part of it is for files that wait
		s.Scratch = min(s.Scratch, opt.Encoding.Disk/4)
	}
	if only.memory != nil {
		s.Memory = only.memory()
	}
	s.Limits.Room = source.NewRoom(batch.PackageRoom(opt.Encoding.Memory))
	items := m.lock.match(m.Manifest, corpus.Resolve(ctx, m.Manifest, s))
	others = append(others, m.lock.uses(m.path)...)
	if err := batch.CheckPaths(m.path, items, opt, others...); err != nil {
		return nil, usage(err)
	}
	all := items
	items, err := only.of(all)
	if interrupted := ctx.Err(); interrupted != nil && (err != nil || only.share != nil) {
		return nil, interrupted
	}
	if err != nil {
		return nil, usage(err)
	}
	corpus.Forget(all, items)
	opt.Goldens.Outside, opt.Series.Outside = batch.Outside(all, items), batch.OutsideSeries(all, items)
	return items, nil
}

// command returns the command line as a shell takes it.
func command(args []string) string {
	words := make([]string, len(args))
	for i, word := range args {
		words[i] = escape.Shell(word)
	}
	if len(words) > 0 {
		words[0] = "btfbatch"
	}
	return strings.Join(words, " ")
}

// encoderWarnings returns the warnings about the image. Warnings about the BTF are only in the report.
func encoderWarnings(list []report.Warning) (own []report.Warning) {
	for _, w := range list {
		if !slices.Contains(verify.LintRules(), w.Rule) {
			own = append(own, w)
		}
	}
	return own
}

// shown is the maximum number of findings of a rule that are logged. A report contains more.
func shown(outlets []reports.Outlet) int {
	if outlets != nil {
		return 1
	}
	return 3
}

// batch runs a batch and prints its progress and results. The report is nil only if no batch was run. The error has the exit code.
func (a *app) batch(cmd *cobra.Command, jobs []batch.Job, opt batch.Options, outlets []reports.Outlet, how shape) (*report.Report, error) {
	if opt.Shard != nil {
		if err := reports.Remove(outlets); err != nil { // if this attempt is killed, no report says that it is done
			return nil, failed(err)
		}
	}
	total := int64(0)
	for i := range jobs {
		total += jobs[i].File.Size
	}
	opt.Events.Bytes, opt.Events.Differ = collectLater(a.console.Advance), a.console.Differ
	opt.Events.Row = func(row report.Row) {
		a.console.Warned(row.Name, encoderWarnings(row.Warnings), shown(outlets))
		a.console.Row(row)
	}
	opt.Events.Error = func(name string, err error) { a.console.Debug().Str("image", name).Msg(err.Error()) }
	opt.Events.Step = func(name string, s batch.Step) { a.console.Step(name, string(s)) }
	opt.Events.Reading, opt.Events.Done = a.console.Reading, a.console.Done
	if err := a.console.Begin(a.progress, console.Batch{Images: len(jobs), Bytes: total, Good: how.verbose}); err != nil {
		return nil, usage(err)
	}
	end := a.console.End
	a.interrupts.Clear.Store(&end)
	r := batch.Run(cmd.Context(), jobs, opt)
	a.console.End()
	r.Tool = thisBuild().tool()
	switch {
	case !opt.Hash:
	case opt.Cache != nil: // which needed the digest
		r.Tool.SHA256 = opt.Cache.Tool
	default:
		r.Tool.SHA256 = programSum(nil)
	}
	how.apply(r, cmd.OutOrStdout())
	return r, a.conclude(cmd, r, outlets)
}

// conclude writes a report. The error has the exit code that follows from it.
func (a *app) conclude(cmd *cobra.Command, r *report.Report, outlets []reports.Outlet) error {
	defer func() { a.console.Verdict(r.Verdict(), string(r.Status()), r.ExitCode()) }()
	if err := reports.Write(r, outlets, cmd.OutOrStdout()); err != nil {
		if r.Shard != nil && batch.Transient(err) {
			return &exit{exitcode.TryAgain, err}
		}
		return failed(err)
	}
	code := r.ExitCode()
	switch {
	case code == exitcode.OK:
		return nil
	case r.Status() == report.Interrupted:
		return &exit{code: code, cause: errInterrupted}
	}
	return &exit{code: code}
}

// annotate writes annotations in GitHub Actions. They are not JSON.
func (a *app) annotate(cmd *cobra.Command, r *report.Report, manifest string, most int) error {
	if r == nil || os.Getenv("GITHUB_ACTIONS") != "true" || !a.console.Human() {
		return nil
	}
	return failed(reports.Annotate(cmd.ErrOrStderr(), r, manifest, most))
}
