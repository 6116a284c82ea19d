package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/config"
)

func newPlan() *cobra.Command {
	var profile config.Profile
	var only []string
	cmd := &cobra.Command{
		Use:   "plan MANIFEST",
		Short: "Show what run would do",
		Long: `Show what run would do with a manifest, in the order of the run. Nothing is encoded or written. The exit code is 2 if the manifest has
errors, and 1 if an image cannot be encoded.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkProfile(profile); err != nil {
				return err
			}
			items, err := load(args[0], only, &batch.Options{})
			if err != nil {
				return err
			}
			bad, err := batch.WritePlan(cmd.Context(), cmd.OutOrStdout(), items, profile)
			if err != nil {
				return failed(err)
			}
			if bad > 0 {
				return failed(fmt.Errorf("%s: %d of %d images cannot be encoded", args[0], bad, len(items)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar((*string)(&profile), "profile", "", "`PROFILE` of rules, as for run")
	cmd.Flags().StringSliceVar(&only, "only", nil, "show only the images of these `NAMES` (patterns) and their bases")
	return cmd
}
