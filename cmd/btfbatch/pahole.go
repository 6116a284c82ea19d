package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/pahole"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// standIn is the name by which kernel builds call the program.
const standIn = "pahole"

// arguments returns the arguments of the command line. If the program is called as pahole, they start with the subcommand pahole.
func arguments(argv []string) []string {
	if filepath.Base(argv[0]) == standIn {
		return append([]string{standIn}, argv[1:]...)
	}
	return argv[1:]
}

func newPahole() *cobra.Command {
	return &cobra.Command{
		Use:   standIn + " -J [OPTION...] FILE...",
		Short: "Replace pahole -J in kernel builds",
		Long: `Replace pahole -J in kernel builds, with pahole's options and exit codes. A link named pahole does the same.
btfbatch pahole --help lists the options.`,
		DisableFlagParsing: true, // package pahole parses the options
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPahole(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// runPahole runs the program as pahole. Kernel builds do that thousands of times, so it needs no other command.
func runPahole(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	name := os.Args[0]
	if filepath.Base(name) != standIn {
		name += " " + standIn
	}
	collectLate()
	if code := pahole.Run(ctx, name, args, stdout, stderr); code != exitcode.OK {
		return &exit{code: code}
	}
	return nil
}
