package main

import (
	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
)

// An app is what all subcommands share.
type app struct {
	logFormat, logLevel string
	console             *console.Console
	interrupts          *interrupter
}

func newRoot(interrupts *interrupter) *cobra.Command {
	a := &app{interrupts: interrupts}
	root := &cobra.Command{
		Use:   "btfbatch",
		Short: "Make BTF from the DWARF of kernel images",
		Long: `Make BTF from the DWARF of kernel images: many at once by a manifest, or one.

Exit codes: 0 all good, 1 an image failed, 2 usage or manifest, 3 golden difference, 130 interrupted.`,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			a.console, err = console.New(cmd.ErrOrStderr(), a.logFormat, a.logLevel)
			return usage(err)
		},
	}
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", "human", "`FORMAT` of log lines: human or json")
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "info", "least `LEVEL` to log: debug, info, warn or error")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(a), newEncode(a), newEmbed(a), newDump(), newDiff(), newValidate(), newPlan(), newExplain(a), newStats(), newVerify(), newPahole(), newVersion())
	return root
}
