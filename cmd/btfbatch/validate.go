package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// mostImages is the maximum number of images whose errors validate prints.
const mostImages = 100

func newValidate(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [MANIFEST]",
		Short: "Check a manifest and the images it names",
		Long: `Check a manifest and its images: that they exist, and have the architectures, digests, build IDs and releases that the manifest states. All
errors are reported in one run. The exit code is 2 if the manifest has errors, and 1 if an image has.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			items, err := load(cmd.Context(), args[0], &choice{}, input.Highest>>20, &batch.Options{})
			if err != nil {
				return err
			}
			bad := batch.Check(cmd.Context(), items)
			if err := cmd.Context().Err(); err != nil { // the interruption itself may have caused the errors
				return err
			}
			for i, p := range bad {
				if i == mostImages {
					text := fmt.Sprintf("and %d more", len(bad)-i)
					a.console.Problem(text, console.Fields{"kind": "image"})
					break
				}
				a.console.Problem(p.Image+": "+p.Problem, console.Fields{"kind": "image", "image": p.Image})
			}
			if len(bad) > 0 {
				return failed(fmt.Errorf("%s: %d of %d images cannot be encoded", args[0], len(bad), len(items)))
			}
			for _, note := range append(batch.Notes(items, ""), batch.Doubts(items)...) {
				a.console.Note(note)
			}
			images := "images"
			if len(items) == 1 {
				images = "image"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d %s ok\n", escape.Line(args[0]), len(items), images)
			return failed(err)
		},
	}
}
