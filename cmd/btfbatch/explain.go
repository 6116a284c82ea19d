package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/explain"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

func newExplain(a *app) *cobra.Command {
	var (
		workers  int
		want     settings.Flags
		excluded bool
	)
	cmd := &cobra.Command{
		Use:   "explain IMAGE SYMBOL",
		Short: "Tell what was decided about a function or variable",
		Long: `Tell what was decided about a function or variable, by which rule, and whether profile pahole decides otherwise than the
default one, or gives no BTF at all. For that the image is encoded twice, once by each; with --profile it is encoded once, and only that profile is told
of. With --list-excluded no SYMBOL is given, and everything that is left out is listed. Exits with 1 when the symbol is unknown.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if excluded != (len(args) == 1) {
				return usage(fmt.Errorf("explain takes an image, and a symbol or --list-excluded"))
			}
			asked, err := want.Settings()
			if err != nil {
				return usage(err)
			}
			enc := encoder.Encoder{Options: asked.Options, Workers: workers}
			path := args[0]
			done, err := spool(&path)
			if err != nil {
				return err
			}
			defer done()
			image, err := elf.Open(path)
			if err != nil {
				return failed(fmt.Errorf("%s: %w", args[0], err))
			}
			defer image.Close()
			var warnings []encoder.Warning
			if excluded {
				warnings, err = explain.Excluded(cmd.Context(), cmd.OutOrStdout(), image, enc)
			} else {
				warnings, err = explain.Symbol(cmd.Context(), cmd.OutOrStdout(), image, args[1], enc, want.Profile == "")
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", args[0], err)
			}
			a.console.Warned(args[0], batch.Warnings(warnings), shown(nil))
			return failed(err)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&want.Profile, "profile", "", "`PROFILE` of rules, default or pahole; it alone is told of")
	flags.IntVarP(&workers, "jobs", "j", 0, "`N` workers; 0 is one per processor")
	flags.BoolVar(&excluded, "list-excluded", false, "list every function and variable that is left out, with the reason")
	encoderFlags(cmd, &want)
	return cmd
}
