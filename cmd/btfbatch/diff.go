package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/source"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

func newDiff(a *app) *cobra.Command {
	var base string
	var most int
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare BTF type by type",
		Long: `Compare BTF type by type, whatever the ids. OLD and NEW are raw BTF, ELF files with a section .BTF, or raw dumps, all
of them plain or compressed (gzip, zstd, xz, bzip2, or a tar archive of one file), and one of them may be - for the
standard input. Exits with 0 when they hold the same types in the same order, 3 when not, and 1 when a file cannot be read.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneStdin(args[0], args[1], base); err != nil {
				return err
			}
			o, oldEmpty, err := source.ObjectOrDump(args[0], base)
			if err != nil {
				return failed(err)
			}
			n, newEmpty, err := source.ObjectOrDump(args[1], base)
			if err != nil {
				return failed(err)
			}
			if oldEmpty && newEmpty {
				return failed(fmt.Errorf("%s and %s are empty: there is nothing to compare", args[0], args[1]))
			}
			d := golden.Diff(o, n)
			if len(d.Changes) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "equal")
				return failed(err)
			}
			if _, err := cmd.OutOrStdout().Write(d.AppendText(nil, most)); err != nil {
				return failed(err)
			}
			a.console.Verdict(args[0]+" and "+args[1]+" differ", "differs", exitcode.Differs)
			return &exit{code: exitcode.Differs}
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "`FILE` with the BTF that both continue: raw BTF or ELF")
	cmd.Flags().IntVar(&most, "limit", 20, "list at most `N` changes of each kind; 0 lists all")
	return cmd
}
