package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/locking"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/cmd/internal/shard"
	"github.com/btfbatch/btfbatch/cmd/internal/submit"
	"github.com/btfbatch/btfbatch/config"
)

const submitText = `Submit a batch to a scheduler as a job array: a task for each shard, and a job that merges their reports when all are over.

With --engine slurm, the scripts, logs and reports are in --folder, which all nodes must see under the same path, as they must the
manifest, its files and btfbatch itself. --dry-run prints the scripts and submits nothing. --wait follows the tasks with one line of
progress, and submits a shard again if it ended with 75 or was lost with its node; its exit code is that of the merged report.
--missing submits only the shards whose reports do not exist, ask for another attempt, or are about the manifest before it changed.

For the engines kubernetes, gitlab and github, the job is only printed (--dry-run). A flag that an engine cannot apply is an error. See
docs/scale.md.`

// A submission is the flags of submit.
type submission struct {
	submit.Job
	engine    string
	dry, wait bool
	missing   bool
	poll      time.Duration
}

func newSubmit(a *app) *cobra.Command {
	s := submission{poll: 5 * time.Second}
	cmd := &cobra.Command{
		Use:   "submit [MANIFEST]",
		Short: "Submit the images of a manifest to a scheduler as a job array",
		Long:  submitText,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.prepare(cmd, args); err != nil {
				return usage(err)
			}
			if s.engine != "slurm" || s.dry {
				text, err := s.rendered()
				if err != nil {
					return usage(err)
				}
				_, err = io.WriteString(cmd.OutOrStdout(), text)
				return failed(err)
			}
			return s.slurm(cmd.Context(), a, cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.engine, "engine", "", "`ENGINE` to submit to: "+strings.Join(engines, ", "))
	flags.IntVar(&s.Shards, "shards", 0, "`N` shards")
	flags.StringVar(&s.Folder, "folder", "", "`FOLDER` for scripts, logs and reports (default MANIFEST.shards)")
	flags.IntVar(&s.CPUs, "cpus", 1, "`N` processors for each task; gitlab and github: N workers, by default one per processor of the runner")
	flags.Var(&size{bytes: &s.Memory}, "mem", "memory for each task, as `SIZE`; run plans for seven eighths of it")
	flags.DurationVar(&s.Time, "time", 0, "`DURATION` that a task may take; slurm tells it to leave a minute earlier")
	flags.IntVar(&s.Parallel, "max-parallel", 0, "at most `N` tasks at once; 0 is no limit (not gitlab)")
	flags.IntVar(&s.Retries, "retries", 2, "`N` more attempts at a shard that ended with 75 or was lost (slurm with --wait, kubernetes, gitlab)")
	flags.DurationVar(&s.Pause, "pause", time.Minute, "`DURATION` before a shard runs again (slurm with --wait)")
	flags.StringArrayVar(&s.Options, "option", nil, "`OPTION` for the scheduler, such as --partition=long; can be repeated (slurm)")
	flags.StringVar(&s.Image, "image", "", "container `IMAGE` with btfbatch (kubernetes), and with a shell (gitlab)")
	flags.StringVar(&s.Claim, "claim", "btfbatch", "persistent volume claim `NAME` with the manifest, the outputs and the cache (kubernetes)")
	flags.IntVar(&s.User, "user", submit.DefaultUser, "number `N` of the user and the group of the containers, who must be able to write to the claim (kubernetes)")
	flags.StringVar(&s.EnvSecret, "env-secret", "", "secret `NAME` with environment variables for the shards, such as AWS_ACCESS_KEY_ID (kubernetes)")
	flags.StringVar(&s.RegistrySecret, "registry-secret", "", "secret `NAME` with the login of a registry, of the type kubernetes.io/dockerconfigjson (kubernetes)")
	flags.StringVar(&s.Sums, "sums", "", "`FILE` for the SHA-256 of all outputs, which the merge writes")
	flags.StringVar(&s.Provenance, "provenance", "", "`FILE` for the statement about all outputs, which the merge writes")
	flags.BoolVar(&s.dry, "dry-run", false, "print the scripts or the job, and submit nothing")
	flags.BoolVar(&s.wait, "wait", false, "follow the tasks until all are over")
	flags.BoolVar(&s.missing, "missing", false, "submit only the shards without a final report")
	flags.StringArrayVar(&s.Flags, "with", nil, "`FLAG` for run, such as --with=--no-cache; can be repeated")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "wait")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "missing")
	return cmd
}

// engines are the values of --engine.
var engines = []string{"slurm", "kubernetes", "gitlab", "github"}

// elsewhere says, for flags that an engine cannot apply, what to do there instead. All engines apply the flags that are not here.
var elsewhere = map[string]map[string]string{
	"max-parallel": {"gitlab": "GitLab has no limit for the jobs of a pipeline; set concurrent or limit of its runners"},
	"retries":      {"github": "GitHub runs no job again by itself; let it run the failed jobs again"},
	"pause": {"kubernetes": "Kubernetes chooses the pauses, from 10 seconds on", "gitlab": "GitLab runs a job again without a pause",
		"github": "GitHub runs no job again by itself"},
	"option": {"kubernetes": "edit the job that is printed", "gitlab": "edit the job that is printed", "github": "edit the workflow that is printed"},
	"image":  {"slurm": "tasks run the program that submits them", "github": "the action installs btfbatch on the runner"},
	"claim":  onlyPods, "user": onlyPods, "env-secret": onlyPods, "registry-secret": onlyPods,
}

var onlyPods = map[string]string{"slurm": "only pods have it", "gitlab": "only pods have it", "github": "only pods have it"}

// refused returns an error for a flag that the engine cannot apply.
func (s *submission) refused(cmd *cobra.Command) error {
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		if why := elsewhere[name][s.engine]; why != "" && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s cannot be used with --engine %s: %s", name, s.engine, why)
		}
	}
	for _, name := range []string{"pause", "retries"} {
		if s.engine == "slurm" && !s.wait && !s.dry && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s needs --wait: Slurm itself repeats only tasks of nodes that were lost", name)
		}
	}
	return nil
}

const (
	minMemory = 64 << 20        // of a task, in bytes: less than any image needs
	minTime   = 3 * time.Minute // of a task of Slurm, which counts minutes, and tells a task up to two minutes early to leave
)

// limits returns an error for limits of a task that no shard can keep.
func (s *submission) limits() error {
	switch {
	case s.CPUs < 1:
		return errors.New("--cpus is 0: a task needs at least one")
	case s.Memory > 0 && s.Memory < minMemory:
		return fmt.Errorf("--mem is %d bytes: a task needs at least 64MiB", s.Memory)
	case s.Time < 0 || s.Pause < 0:
		return errors.New("--time and --pause must not be negative")
	case s.Time > 0 && s.Time < minTime && s.engine == "slurm":
		return fmt.Errorf("--time is %v: Slurm tells a task to leave up to two minutes before its limit, so give at least %v", s.Time, minTime)
	case s.Time > 0 && s.Time < time.Minute:
		return fmt.Errorf("--time is %v: give at least a minute", s.Time)
	}
	return nil
}

// prepare checks the flags and completes the job.
func (s *submission) prepare(cmd *cobra.Command, args []string) error {
	switch {
	case s.engine == "":
		return errors.New("--engine is missing: use " + strings.Join(engines, ", "))
	case !slices.Contains(engines, s.engine):
		return fmt.Errorf("unknown engine %q: use %s", s.engine, strings.Join(engines, ", "))
	case s.engine != "slurm" && !s.dry:
		return fmt.Errorf("a job for %s is only printed: add --dry-run, and apply what it prints", s.engine)
	case s.Shards < 1 || s.Shards > shard.MaxCount:
		return fmt.Errorf("--shards is %d: it must be between 1 and %d", s.Shards, shard.MaxCount)
	}
	if err := cmp.Or(s.limits(), s.refused(cmd)); err != nil {
		return err
	}
	if (s.engine == "gitlab" || s.engine == "github") && !cmd.Flags().Changed("cpus") {
		s.CPUs = 0 // a runner has the processors that it has
	}
	s.Manifest = args[0]
	if err := checkRunFlags(s.Flags); err != nil {
		return err
	}
	m, err := loadManifest(s.Manifest)
	if err != nil {
		return err
	}
	s.Sum = m.SHA256
	if s.Folder == "" {
		s.Folder = s.Manifest + ".shards"
	}
	if s.Dir, err = os.Getwd(); err != nil {
		return err
	}
	if s.Program, err = os.Executable(); err != nil {
		return err
	}
	if err := cmp.Or(checkOptions(s.Options), s.places(m)); err != nil {
		return err
	}
	s.Again = command(append([]string{"btfbatch", "submit", s.Manifest, "--missing"}, flagsOf(cmd, "missing", "dry-run", "log-format", "log-level")...))
	if s.engine == "slurm" {
		if err := s.CheckFolder(); err != nil {
			return err
		}
	}
	return s.Check()
}

// places returns an error if the merge would write over files of the batch, which it finds out only when the work is done.
func (s *submission) places(m *config.Manifest) error {
	uses := []paths.Use{{Path: s.Manifest, Role: paths.Input, What: "the manifest"}, {Path: locking.Path(s.Manifest), Role: paths.Input, What: "the lock"},
		{Path: s.Merged(), Role: paths.Input, What: "the report of the merge"}}
	add := func(path, what string) {
		if path != "" && !config.Open(path) {
			uses = append(uses, paths.Use{Path: path, Role: paths.Input, What: what})
		}
	}
	for _, file := range m.Others {
		add(file, "the file that the manifest includes")
	}
	for i := range m.Images {
		im := &m.Images[i]
		if im.Glob == "" {
			add(im.Path, "the path of "+im.Label())
		}
		add(im.BasePath, "the base_path of "+im.Label())
		add(im.Golden, "the golden of "+im.Label())
		for _, o := range im.Outputs.List() {
			add(o.Path, o.Key+" of "+im.Label())
		}
	}
	sum := summary{sums: s.Sums, provenance: s.Provenance}
	return paths.Refuse(append(uses, sum.uses()...)...)
}

// ownOptions are the options of sbatch that submit sets itself, with what to give instead, if there is something.
var ownOptions = []struct{ name, short, instead string }{
	{"array", "a", "--shards and --max-parallel"}, {"chdir", "D", ""}, {"cpus-per-task", "c", "--cpus"}, {"dependency", "d", ""}, {"job-name", "J", ""},
	{"mem", "", "--mem"}, {"no-requeue", "", ""}, {"open-mode", "", ""}, {"output", "o", "--folder"}, {"parsable", "", ""}, {"requeue", "", ""},
	{"signal", "", "--time"}, {"test-only", "", "--dry-run"}, {"time", "t", "--time"}, {"wait", "W", "--wait"}, {"wrap", "", ""},
}

// checkOptions refuses options of sbatch that would take the place of those that submit sets. sbatch accepts the beginning of a name for it.
func checkOptions(options []string) error {
	for _, option := range options {
		for word := range strings.FieldsSeq(option) {
			name, isLong := strings.CutPrefix(word, "--")
			name, _, _ = strings.Cut(name, "=")
			for _, own := range ownOptions {
				short := !isLong && own.short != "" && strings.HasPrefix(word, "-"+own.short)
				if !short && (!isLong || name == "" || !strings.HasPrefix(own.name, name)) {
					continue
				}
				instead := ""
				if own.instead != "" {
					instead = "; use " + own.instead
				}
				return fmt.Errorf("--option %s: submit sets --%s itself%s", word, own.name, instead)
			}
		}
	}
	return nil
}

// checkRunFlags refuses what run does not accept, and what a shard is given anyway.
func checkRunFlags(list []string) error {
	run := newRun(&app{})
	for _, flag := range list {
		if !strings.HasPrefix(flag, "--") {
			return fmt.Errorf("--with %s: write a flag of run as one word, such as --with=--profile=pahole", flag)
		}
		if err := run.ParseFlags([]string{flag}); err != nil {
			return fmt.Errorf("--with: %w", err)
		}
	}
	for _, name := range []string{"shard", "only", "only-from", "part", "retry-failed", "report", "jobs", "memory", "progress", "sums", "provenance"} {
		if run.Flags().Changed(name) {
			if name == "sums" || name == "provenance" {
				return fmt.Errorf("--with: each shard would write its own --%[1]s; give --%[1]s without --with, and the merge writes it", name)
			}
			return fmt.Errorf("--with: shards cannot run with --%s of your own", name)
		}
	}
	return nil
}

// rendered returns the job as text.
func (s *submission) rendered() (string, error) {
	switch s.engine {
	case "kubernetes":
		return s.Kubernetes()
	case "gitlab":
		return s.GitLab()
	case "github":
		return s.GitHub()
	}
	return s.Rendered(), nil
}

// slurm submits to Slurm.
func (s *submission) slurm(ctx context.Context, a *app, cmd *cobra.Command) error {
	job := submit.Slurm{Job: &s.Job, Poll: s.poll, Note: a.console.Note}
	shards := s.All()
	if s.missing {
		shards = s.Missing()
	}
	if err := job.Submit(ctx, shards); err != nil {
		return failed(err)
	}
	arrays, merge := job.Jobs()
	if len(shards) == 0 {
		a.console.Note("every shard has a report with a verdict; only the merge of their reports is submitted, as " + merge)
	} else {
		a.console.Note(fmt.Sprintf("%d of %d shards are submitted as %s, and the merge of their reports as %s", len(shards), s.Shards, strings.Join(arrays, ", "), merge))
	}
	if !s.wait {
		return nil
	}
	line := newLine(cmd.ErrOrStderr(), a)
	job.Show = line.show
	job.Note = func(text string) { line.end(); a.console.Note(text) }
	r, err := job.Wait(ctx)
	line.end()
	if ctx.Err() != nil {
		a.console.Note("the tasks go on; submit --missing submits what is missing when they are over")
		return ctx.Err()
	}
	if err != nil {
		return failed(err)
	}
	outlets, err := reports.Parse([]string{"text"})
	if err != nil {
		return failed(err)
	}
	return a.conclude(cmd, r, outlets)
}

// A line is one line of progress, which is drawn again on a terminal, and written again elsewhere when it changes.
type line struct {
	out  io.Writer
	a    *app
	draw bool
	last string
}

func newLine(out io.Writer, a *app) *line {
	return &line{out: out, a: a, draw: a.console.Human() && console.IsTerminal(out)}
}

func (l *line) show(text string) {
	if text == l.last {
		return
	}
	l.last = text
	if l.draw {
		fmt.Fprintf(l.out, "\r%s\x1b[K", text)
		return
	}
	l.a.console.Note(text)
}

func (l *line) end() {
	if l.draw && l.last != "" {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
	l.last = ""
}
