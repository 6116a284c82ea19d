package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
	"github.com/btfbatch/btfbatch/golden/show"
)

func newGolden() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "golden",
		Short: "Review and accept new goldens",
		Long: `Review and accept new goldens.

btfbatch run MANIFEST --new-goldens FOLDER writes what the goldens of images that differ would become, on this machine or in CI.
These commands show the differences, and put new goldens in the places of the old ones. They need the manifest and the
FOLDER, and no images.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGoldenStatus(), newGoldenShow(), newGoldenAccept(), newGoldenReview(), newGoldenPrune(), newGoldenWhy())
	return cmd
}

// A proposals is what the golden commands have in common.
type proposals struct {
	tree string
	only []string

	items []corpus.Item
	all   []*goldens.Golden
	stray []string
}

// flags adds the flags that choose new goldens.
func (p *proposals) flags(cmd *cobra.Command, required bool) {
	cmd.Flags().StringVar(&p.tree, "new-goldens", "", "`FOLDER` that run --new-goldens has filled")
	cmd.Flags().StringSliceVar(&p.only, "only", nil, "only the goldens of the images of these `NAMES` (patterns)")
	if required {
		_ = cmd.MarkFlagRequired("new-goldens")
	}
}

// load reads the manifest and finds its goldens.
func (p *proposals) load(ctx context.Context, manifest string) error {
	m, err := loadManifest(manifest)
	if err != nil {
		return usage(err)
	}
	p.items = corpus.Resolve(ctx, m, sources(ctx, input.Highest>>20))
	p.all, p.stray, err = goldens.List(p.items, filepath.Dir(manifest), p.tree)
	if err != nil {
		return failed(err)
	}
	if p.only == nil {
		return nil
	}
	for _, pattern := range p.only {
		if _, err := cause.ParseFilter([]string{pattern}); err != nil {
			return usage(err)
		}
		if !slices.ContainsFunc(p.all, func(g *goldens.Golden) bool { return has(g, pattern) }) {
			return usage(fmt.Errorf("no image with a golden matches %q", pattern))
		}
	}
	p.all = slices.DeleteFunc(p.all, func(g *goldens.Golden) bool {
		return !slices.ContainsFunc(p.only, func(pattern string) bool { return has(g, pattern) })
	})
	return nil
}

func has(g *goldens.Golden, pattern string) bool {
	return slices.ContainsFunc(g.Images, func(name string) bool { return cause.Matches(pattern, name) })
}

// fresh are the goldens that have a proposal.
func (p *proposals) fresh() []*goldens.Golden {
	return slices.DeleteFunc(slices.Clone(p.all), func(g *goldens.Golden) bool { return g.New == "" })
}

// undecided is the exit of a command that leaves something to decide.
func undecided(is bool) error {
	if is {
		return &exit{code: exitcode.Differs}
	}
	return nil
}

func newGoldenStatus() *cobra.Command {
	var p proposals
	cmd := &cobra.Command{
		Use:   "status [MANIFEST]",
		Short: "List goldens, and which of them are missing or have a new one",
		Long: `List goldens, and which of them are missing or have a new one. Exits with 0 when there is nothing to decide, 3 when a golden is missing or
has a new one, 1 when the folder cannot be read, and 2 for wrong usage or a wrong manifest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.load(cmd.Context(), args[0]); err != nil {
				return err
			}
			open := false
			for _, g := range p.all {
				word := "present"
				switch {
				case g.New != "" && g.There:
					word = "new"
				case g.New != "":
					word = "new, was missing"
				case !g.There:
					word = "missing"
				}
				open = open || word != "present"
				for _, image := range g.Images {
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: %s\n", escape.Line(image), escape.Line(g.Path), word); err != nil {
						return failed(err)
					}
				}
			}
			for _, path := range p.stray {
				word := "the golden of no image"
				if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
					word = "a link or no regular file, which is ignored"
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", escape.Line(path), word); err != nil {
					return failed(err)
				}
			}
			return undecided(open)
		},
	}
	p.flags(cmd, false)
	return cmd
}

func newGoldenShow() *cobra.Command {
	var p proposals
	var verbose bool
	cmd := &cobra.Command{
		Use:   "show [MANIFEST]",
		Short: "Show what new goldens would change",
		Long: `Show what new goldens would change, as btfbatch diff does. Exits with 0 when there are no new goldens, 3 when there are, 1 when a file
cannot be read, and 2 for wrong usage or a wrong manifest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.load(cmd.Context(), args[0]); err != nil {
				return err
			}
			list := p.fresh()
			for i, g := range list {
				if err := showGolden(cmd, g, i+1, len(list), verbose); err != nil {
					return failed(err)
				}
			}
			return undecided(len(list) > 0)
		},
	}
	p.flags(cmd, true)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show all changes of each cause, and the consequences with what explains them")
	return cmd
}

// showGolden writes what a new golden would change.
func showGolden(cmd *cobra.Command, g *goldens.Golden, n, of int, verbose bool) error {
	w := cmd.OutOrStdout()
	was := ""
	if !g.There {
		was = ", which does not exist"
	}
	if _, err := fmt.Fprintf(w, "[%d of %d] %s%s, of %s\n", n, of, escape.Line(g.Path), was, escape.Line(fmt.Sprint(g.Images))); err != nil {
		return err
	}
	if g.Digest {
		_, err := fmt.Fprintf(w, "new sums\n\n")
		return err
	}
	c, err := g.Compare()
	if _, damaged := errors.AsType[*goldens.DamagedError](err); damaged || errors.Is(err, goldens.ErrBase) { // the others can be shown, and this one accepted
		_, err = fmt.Fprintf(w, "cannot be compared: %s\n\n", escape.Line(err.Error()))
		return err
	}
	if err != nil {
		return err
	}
	d := diff{verbose: verbose}
	if err := show.Text(w, c, d.options(cmd)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w)
	return err
}

func newGoldenAccept() *cobra.Command {
	var p proposals
	cmd := &cobra.Command{
		Use:   "accept [MANIFEST]",
		Short: "Put new goldens in the places of the old ones",
		Long: `Put new goldens in the places of the old ones: all, or with --only those of some images. They leave the folder of new goldens. Refused
where CI=true. Exits with 0 when all are in place, 1 when one is damaged or cannot be put there, and 2 for wrong usage or a wrong manifest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.load(cmd.Context(), args[0]); err != nil {
				return err
			}
			var files publish.Publisher
			var problems []error
			n := 0
			for _, g := range p.fresh() {
				if err := g.Accept(&files); err != nil {
					problems = append(problems, err)
					continue
				}
				n++
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "accepted %s\n", escape.Line(g.Path)); err != nil {
					return failed(err)
				}
			}
			if n == 0 && problems == nil {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "there are no new goldens")
				return failed(err)
			}
			return failed(errors.Join(problems...))
		},
	}
	p.flags(cmd, true)
	return cmd
}

func newGoldenPrune() *cobra.Command {
	var p proposals
	var remove bool
	cmd := &cobra.Command{
		Use:   "prune [MANIFEST]",
		Short: "List goldens that no image has any more",
		Long: `List goldens that no image has any more: the raw dumps in the folders of the manifest's goldens that no image names, neither as a
golden nor as an output. With --delete they are deleted. Exits with 0 when there are none left, 3 when there are, 1 when a
folder cannot be read or a file cannot be deleted, and 2 for wrong usage or a wrong manifest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.load(cmd.Context(), args[0]); err != nil {
				return err
			}
			unused, err := goldens.Unused(p.all, p.items)
			if err != nil {
				return failed(err)
			}
			for _, path := range unused {
				word := "unused"
				if remove {
					if err := goldens.Delete(path); err != nil {
						return failed(err)
					}
					word = "deleted"
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", word, escape.Line(path)); err != nil {
					return failed(err)
				}
			}
			return undecided(len(unused) > 0 && !remove)
		},
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "delete them; refused where CI=true")
	return cmd
}
