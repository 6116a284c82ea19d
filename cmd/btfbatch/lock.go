package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/cmd/internal/locking"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A lockCommand has the flags of lock.
type lockCommand struct {
	*app
	update, check bool
	allowed       int
	format        string
	workers, most int
}

func newLock(a *app) *cobra.Command {
	l := lockCommand{app: a}
	cmd := &cobra.Command{
		Use:   "lock [MANIFEST] [NAME...]",
		Short: "Write down what the images of a manifest are today",
		Long: `Write down what the images of a manifest are today, in MANIFEST.lock: for each image its file or its package with version, size and SHA-256, and its
build ID, release and architecture; for globs and meta packages what they stand for. run --locked then takes exactly that.

If there is a lock, it is kept as far as the manifest still says the same: images that are new are added, and images that are gone are removed. A file that
changed is an error. With --update, all images are looked up again, or those whose names match a NAME (pattern), and the other images of the same
packages. What came, went and changed is printed.

A list of the manifest (a glob, or files of a package) that loses images is an error unless --allow-shrink allows it. After an error, the lock is as it
was. The exit code is 1 then, and 3 if --check finds a difference.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&l.update, "update", false, "look up all images again, or those whose names are given")
	flags.BoolVar(&l.check, "check", false, "write nothing; the exit code is 3 if the images are not what the lock has")
	flags.IntVar(&l.allowed, "allow-shrink", 0, "lists of the manifest may lose `N` images")
	flags.StringVar(&l.format, "format", "text", "`FORMAT`: text or json")
	flags.IntVarP(&l.workers, "jobs", "j", 0, "`N` images at once; 0 is one per processor")
	maxUnpacked(flags, &l.most)
	cmd.MarkFlagsMutuallyExclusive("update", "check")
	return cmd
}

// checkFlags returns an error for flags and arguments with wrong values, or without effect.
func (l *lockCommand) checkFlags(cmd *cobra.Command, manifest string, names []string) error {
	switch {
	case l.format != "text" && l.format != "json":
		return fmt.Errorf("format %q is none of text, json", l.format)
	case l.allowed < 0:
		return fmt.Errorf("--allow-shrink is %d; it must be 0 or more", l.allowed)
	case l.check && cmd.Flags().Changed("allow-shrink"):
		return errors.New("--allow-shrink has no effect with --check: every difference counts")
	case manifest == input.Stdin:
		return errors.New("the manifest is standard input, but a lock is a file beside its manifest: give the path of the manifest")
	case len(names) > 0 && !l.update:
		return errors.New("names of images require --update, which looks them up again")
	}
	return errors.Join(batch.CheckPatterns(names), checkUnpacked(l.most))
}

func (l *lockCommand) run(cmd *cobra.Command, manifest string, names []string) error {
	if err := l.checkFlags(cmd, manifest, names); err != nil {
		return usage(err)
	}
	ctx := cmd.Context()
	release, err := locking.Hold(ctx, manifest, func() { l.console.Note("waiting for another process, which locks the same manifest") })
	if err != nil {
		return err
	}
	defer release()
	m, err := loadManifest(manifest)
	if err != nil {
		return usage(err)
	}
	path := locking.Path(manifest)
	old, before, err := readLock(path)
	if err != nil {
		return err
	}
	if l.check && old == nil {
		return usage(fmt.Errorf("there is no %s to check; btfbatch lock writes it", path))
	}
	asked := l.asked(names)
	again := old.From(asked)
	maker := &locking.Maker{Manifest: m, Old: old, Workers: l.workers, Cache: knownDigests(), Fresh: func(from string) bool {
		return l.check || old == nil || again[from]
	}}
	if maker.Workers <= 0 {
		maker.Workers = runtime.GOMAXPROCS(0)
	}
	now, err := l.make(ctx, manifest, path, maker)
	if err != nil {
		return err
	}
	if err := known(names, old, now); err != nil {
		return usage(err)
	}
	o := locking.NewOutcome(path, old, now)
	refused := l.refused(o, manifest, maker, asked)
	text, err := now.Text()
	if err != nil {
		return failed(err)
	}
	if refused == nil && !l.check && !bytes.Equal(text, before) {
		var p publish.Publisher
		if err := p.File(path, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return failed(err)
		}
		o.Written = true
	}
	write := o.WriteText
	if l.format == "json" {
		write = o.WriteJSON
	}
	if err := write(cmd.OutOrStdout()); err != nil {
		return failed(err)
	}
	return refused
}

// asked returns whether an image of a name is to be looked up again.
func (l *lockCommand) asked(names []string) func(name string) bool {
	return func(name string) bool { return l.update && (len(names) == 0 || batch.Matches(names, name)) }
}

// make finds the images and what they are. What is wrong with them is printed.
func (l *lockCommand) make(ctx context.Context, manifest, path string, maker *locking.Maker) (*lock.File, error) {
	s := corpus.Sources{Finders: wholeFinders(ctx), Limits: sources(ctx, l.most).Limits}
	items := maker.Resolve(ctx, s)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := batch.CheckPaths(manifest, items, &batch.Options{}, paths.Use{Path: path, Role: paths.Output, What: "the lock"}); err != nil {
		return nil, usage(err)
	}
	now, failures, err := maker.Make(ctx, items)
	if err != nil {
		return nil, err
	}
	for _, f := range failures {
		l.console.Problem(f.Image+": "+f.Text(), console.Fields{"kind": "image", "image": f.Image})
	}
	if failures != nil {
		return nil, failed(fmt.Errorf("%s: %d of %d images cannot be locked; nothing is written", manifest, len(failures), len(items)))
	}
	return now, nil
}

// refused returns why a lock is not written, or why the check fails.
func (l *lockCommand) refused(o *locking.Outcome, manifest string, maker *locking.Maker, asked func(name string) bool) error {
	switch {
	case o.Old == nil:
		return nil
	case l.check:
		if o.None() && o.Old.Manifest == o.Now.Manifest {
			return nil
		}
		if o.None() {
			return withCode(exitcode.Differs, &locking.StaleError{Lock: o.Path, Manifest: manifest})
		}
		return withCode(exitcode.Differs, fmt.Errorf("%s is not what the images are now", o.Path))
	}
	unasked := o.Unasked(manifest, func(name string) bool {
		from := o.Now.Image(name).From
		return asked(name) || from != "" && maker.Fresh(from)
	})
	return failed(errors.Join(unasked, o.Shrunk(l.allowed)))
}

// readLock reads a lock if there is one, and returns its text too.
func readLock(path string) (*lock.File, []byte, error) {
	f, text, err := lock.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	return f, text, usage(err)
}

// known returns an error for a name that no image has.
func known(names []string, old, now *lock.File) error {
	var all []string
	for _, f := range []*lock.File{old, now} {
		for i := 0; f != nil && i < len(f.Images); i++ {
			all = append(all, f.Images[i].Name)
		}
	}
	return batch.CheckNames(names, all)
}

// knownDigests returns the cache of digests of files, or nil.
func knownDigests() *cache.Cache {
	folder, err := cache.Folder()
	if err != nil {
		return nil
	}
	c, err := cache.Open(folder)
	if err != nil {
		return nil // all files are read then
	}
	return c
}
