package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile/sides"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
	"github.com/btfbatch/btfbatch/golden/show"
)

// A diffFormat is an output format of a comparison.
type diffFormat struct {
	name  string
	write func(w io.Writer, c *cause.Comparison, opt show.Options) error
}

var diffFormats = []diffFormat{
	{"text", show.Text},
	{"brief", show.Brief},
	{"json", func(w io.Writer, c *cause.Comparison, _ show.Options) error { return show.JSON(w, c) }},
	{"markdown", show.Markdown},
}

// A diff holds the flags of the command.
type diff struct {
	base, oldBase, newBase string
	format, failOn         string
	only, ignore           []string
	limit                  int
	verbose, all, exact    bool
	inside                 packaged
}

func newDiff(a *app) *cobra.Command {
	var d diff
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare BTF and say what changed, and what only followed",
		Long: `Compare BTF declaration by declaration, whatever the ids. What a declaration itself says otherwise is a cause: a member
more, another type, another value. What only has another size or other offsets, because something that it holds or
that stands before it changed, is a consequence. Causes come first, those with most impact on top.

OLD and NEW are raw BTF, ELF files with a section .BTF, or raw dumps, all of them plain or compressed (gzip, zstd, xz,
bzip2, or a tar archive of one file), or files in packages (see --member). One of them may be - for the standard input.

--only and --ignore take kinds (struct, union, enum, typedef, int, float, func, var, section), rules (member-removed,
func-signature and so on, as the text shows them) and patterns of names (task_*); several with commas.

Two versions of an encoder can make different BTF of one kernel, and that is shown, too. Against the BTF that a distribution ships in a
kernel, compare in a manifest with the policy image, which accepts what older encoders are known to do.

Exits with 0 when both mean the same or what differs is allowed, 3 when they differ, 1 when a file cannot be read, and 2
for wrong usage.
` + orReferences,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return d.run(a, cmd, args[0], args[1]) },
	}
	flags := cmd.Flags()
	d.inside.flags(flags)
	flags.StringVar(&d.base, "base", "", "`FILE` with the BTF that both continue: raw BTF, ELF, a kernel as it boots or a package")
	d.inside.base.flags(flags)
	flags.StringVar(&d.oldBase, "old-base", "", "`FILE` with the BTF that OLD continues, if NEW continues another one")
	flags.StringVar(&d.newBase, "new-base", "", "`FILE` with the BTF that NEW continues")
	flags.StringVar(&d.format, "format", "text", "`FORMAT`: text, brief (a line for each cause), json or markdown")
	flags.BoolVarP(&d.verbose, "verbose", "v", false, "show all changes of each cause, and the consequences with what explains them")
	flags.BoolVar(&d.all, "all", false, "show everything: --verbose --limit 0")
	flags.StringSliceVar(&d.only, "only", nil, "show `WHAT` only: kinds, rules, patterns of names")
	flags.StringSliceVar(&d.ignore, "ignore", nil, "leave `WHAT` out: kinds, rules, patterns of names")
	flags.StringVar(&d.failOn, "fail-on", "any", "exit with 3 for `WHAT`: any difference, or break: one that programs can break on")
	flags.IntVar(&d.limit, "limit", show.DefaultLimit, "list at most `N` causes, and about half as many functions and variables; 0 lists all")
	flags.BoolVar(&d.exact, "exact", false, "count ids and the order of types too: equal means the same dump")
	cmd.MarkFlagsMutuallyExclusive("base", "old-base")
	cmd.MarkFlagsMutuallyExclusive("base", "new-base")
	return cmd
}

// run compares and reports.
func (d *diff) run(a *app, cmd *cobra.Command, old, new string) error {
	i := slices.IndexFunc(diffFormats, func(f diffFormat) bool { return f.name == d.format })
	if i < 0 {
		return usage(fmt.Errorf("format %q is none of %s", d.format, formatNames()))
	}
	if d.failOn != "any" && d.failOn != "break" {
		return usage(fmt.Errorf("--fail-on %q is none of any, break", d.failOn))
	}
	only, ignore, err := d.filters()
	if err != nil {
		return usage(err)
	}
	c, err := d.compare(cmd, &old, &new)
	if err != nil {
		return err
	}
	c.Select(only, ignore)
	if err := diffFormats[i].write(cmd.OutOrStdout(), c, d.options(cmd)); err != nil {
		return failed(err)
	}
	if !d.fails(c) {
		return nil
	}
	a.console.Verdict(old+" and "+new+" differ", "differs", exitcode.Differs)
	return &exit{code: exitcode.Differs}
}

func formatNames() string {
	var names []string
	for _, f := range diffFormats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func (d *diff) filters() (only, ignore *cause.Filter, err error) {
	if only, err = cause.ParseFilter(d.only); err == nil {
		ignore, err = cause.ParseFilter(d.ignore)
	}
	return only, ignore, err
}

// compare reads both sides and compares them.
func (d *diff) compare(cmd *cobra.Command, old, new *string) (*cause.Comparison, error) {
	if d.base != "" {
		d.oldBase, d.newBase = d.base, d.base
	}
	inputs := []string{*old, *new, d.oldBase}
	if d.newBase != d.oldBase {
		inputs = append(inputs, d.newBase)
	}
	if err := oneStdin(inputs...); err != nil {
		return nil, err
	}
	open, err := d.inside.openers(cmd, []*string{old, new}, []*string{&d.oldBase, &d.newBase})
	if err != nil {
		return nil, err
	}
	collectSeldom()
	o, err := sides.ToCompare(open, *old, d.oldBase)
	if err != nil {
		return nil, failed(err)
	}
	n, err := sides.ToCompare(open, *new, d.newBase)
	if err != nil {
		return nil, failed(err)
	}
	if o.Empty && n.Empty {
		return nil, failed(fmt.Errorf("%s and %s are empty: there is nothing to compare", *old, *new))
	}
	if err := golden.Reduce(&o.Side, &n.Side); err != nil {
		return nil, failed(err)
	}
	return cause.Compare(o.Input, n.Input, cause.Options{Exact: d.exact}), nil
}

// options returns the options of the formats for people. On a terminal, the output has the width of the terminal and is coloured, unless
// NO_COLOR is set.
func (d *diff) options(cmd *cobra.Command) show.Options {
	opt := show.Options{Verbose: d.verbose || d.all, Limit: d.limit}
	if !cmd.Flags().Changed("limit") {
		opt.Limit = 0 // each part has its own
	} else if d.limit == 0 {
		opt.Limit = -1
	}
	if d.all {
		opt.Limit = -1
	}
	out := cmd.OutOrStdout()
	if console.IsTerminal(out) {
		opt.Width = console.Columns(out)
		opt.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return opt
}

// fails reports whether the program exits with exitcode.Differs.
func (d *diff) fails(c *cause.Comparison) bool {
	if d.failOn == "break" {
		return c.Verdict.Break > 0
	}
	return len(c.Causes)+len(c.Consequences) > 0
}
