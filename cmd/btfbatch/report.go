package main

import (
	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/reports"
)

func newReport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Work with stored reports",
		Long: `Work with stored reports.

btfbatch run MANIFEST --report json=FILE stores the report of a run. These commands need only such files.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newReportShow(), newReportMerge(a))
	return cmd
}

func newReportShow() *cobra.Command {
	var format string
	var shape shape
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print a stored report in another format",
		Long: `Print a stored report in another format. FILE is a report in JSON; it may be compressed, a pipe, or - for the standard input. It must be of
the version of the schema that this btfbatch writes, and must agree with itself: a report whose status does not follow from its images is
refused.

Exits with 0 when the report was printed, whatever it says.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := shape.check(); err != nil {
				return err
			}
			write, err := reports.As(format)
			if err != nil {
				return usage(err)
			}
			r, err := reports.Load(args[0])
			if err != nil {
				return failed(err)
			}
			shape.apply(r, cmd.OutOrStdout())
			return failed(write(r, cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text, json, junit, markdown or html")
	shape.flags(cmd)
	return cmd
}
