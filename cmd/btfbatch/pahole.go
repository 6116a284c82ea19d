package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/standin"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// newPahole is the command for those who do not call the program by the name pahole, see package standin.
func newPahole() *cobra.Command {
	return &cobra.Command{
		Use:   atonce.Name + " -J [OPTION...] FILE...",
		Short: "Replace pahole -J in kernel builds",
		Long: `Replace pahole -J in kernel builds, with pahole's options and exit codes. A link named pahole does the same.
btfbatch pahole --help lists the options.`,
		DisableFlagParsing: true, // package pahole parses the options
		RunE: func(cmd *cobra.Command, args []string) error {
			if code, _ := standin.Run(cmd.Context(), os.Args[0]+" "+atonce.Name, args, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != exitcode.OK {
				return &exit{code: code}
			}
			return nil
		},
	}
}
