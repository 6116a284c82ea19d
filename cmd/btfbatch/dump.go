package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/source"
	"github.com/btfbatch/btfbatch/golden/dump"
)

func newDump() *cobra.Command {
	var format, base string
	cmd := &cobra.Command{
		Use:   "dump FILE",
		Short: "Print BTF as bpftool does",
		Long: `Print BTF as bpftool does. FILE is raw BTF or an ELF file with a section .BTF; a split one continues the file of --base, or else
the section .BTF.base of its own file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "raw" && format != "json" && format != "json-pretty" {
				return usage(fmt.Errorf("format %q is none of raw, json, json-pretty", format))
			}
			o, err := source.Object(args[0], base)
			if err != nil {
				return failed(err)
			}
			if format == "raw" {
				return failed(dump.WriteRaw(cmd.OutOrStdout(), o))
			}
			return failed(dump.WriteJSON(cmd.OutOrStdout(), o, format == "json-pretty"))
		},
	}
	cmd.Flags().StringVar(&format, "format", "raw", "`FORMAT`: raw, json or json-pretty")
	cmd.Flags().StringVar(&base, "base", "", "`FILE` with the BTF that FILE continues: raw BTF or ELF")
	return cmd
}
