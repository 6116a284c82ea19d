package main

import (
	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/config"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of manifests",
		Long: `Print the JSON Schema of manifests. Editors use it to complete keys and words, and to underline mistakes. The program checks more:
btfbatch validate.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := config.Schema()
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return failed(err)
		},
	}
}
