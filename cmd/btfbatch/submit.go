package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
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

For the engines kubernetes, gitlab and github, the job is only printed (--dry-run). See docs/scale.md.`

// A submission is the flags of submit.
type submission struct {
	submit.Job
	engine      string
	dry, wait   bool
	missing     bool
	pause, poll time.Duration
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
	flags.IntVar(&s.CPUs, "cpus", 1, "`N` processors for each task")
	flags.Var(&size{bytes: &s.Memory}, "mem", "memory for each task, as `SIZE`; run plans for seven eighths of it")
	flags.DurationVar(&s.Time, "time", 0, "`DURATION` that a task may take; it is told to leave a minute earlier")
	flags.IntVar(&s.Parallel, "max-parallel", 0, "at most `N` tasks at once; 0 is no limit")
	flags.IntVar(&s.Retries, "retries", 2, "`N` more attempts at a shard that ended with 75 or was lost (slurm: with --wait)")
	flags.DurationVar(&s.pause, "pause", time.Minute, "`DURATION` before a shard runs again")
	flags.StringArrayVar(&s.Options, "option", nil, "`OPTION` for the scheduler, such as --partition=long; can be repeated (slurm)")
	flags.StringVar(&s.Image, "image", "", "container `IMAGE` with btfbatch, and with a shell for gitlab")
	flags.StringVar(&s.Claim, "claim", "btfbatch", "persistent volume claim `NAME` with the manifest, the outputs and the cache (kubernetes)")
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
	case s.CPUs < 1:
		return errors.New("--cpus is 0: a task needs at least one")
	case s.Time < 0 || s.pause < 0:
		return errors.New("--time and --pause must not be negative")
	}
	if s.engine != "slurm" && len(s.Options) > 0 {
		return errors.New("--option is for slurm")
	}
	s.Manifest = args[0]
	if err := checkRunFlags(s.Flags); err != nil {
		return err
	}
	m, err := config.Load(s.Manifest)
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
	s.Again = command(append([]string{"btfbatch", "submit", s.Manifest, "--missing"}, flagsOf(cmd, "missing", "dry-run", "log-format", "log-level")...))
	return s.Check()
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
	for _, name := range []string{"shard", "only", "only-from", "part", "retry-failed", "report", "jobs", "memory", "progress"} {
		if run.Flags().Changed(name) {
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
	job := submit.Slurm{Job: &s.Job, Poll: s.poll, Pause: s.pause, Note: a.console.Note}
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
