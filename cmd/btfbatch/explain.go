package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/explain"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
)

func newExplain(a *app) *cobra.Command {
	var (
		workers  int
		want     settings.Flags
		excluded bool
		inside   packaged
	)
	cmd := &cobra.Command{
		Use:   "explain IMAGE {SYMBOL | --list-excluded}",
		Short: "Explain what was decided about a function or variable",
		Long: `Explain what was decided about a function or variable, and by which rule, and whether the profile pahole differs from the default one. The
image is encoded with both profiles, or with --profile only with that one. In a large image, the second profile reads only units that mention
the symbol. With --list-excluded and without SYMBOL, list everything that is left out. IMAGE may be a package, of which --member chooses the file. The exit code is 1 if the symbol is unknown.
` + orReferences,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if excluded != (len(args) == 1) {
				return usage(fmt.Errorf("explain requires an image, and either a symbol or --list-excluded"))
			}
			asked, err := want.Settings()
			if err != nil {
				return usage(err)
			}
			enc := encoder.Encoder{Options: asked.Options, Workers: workers}
			enc.OnProgress = collectWhenReading()
			path := args[0]
			done, err := spool(&path)
			if err != nil {
				return err
			}
			defer done()
			if _, err := inside.openers(cmd, []*string{&args[0], &path}, nil); err != nil {
				return err
			}
			image, err := inside.image(cmd.Context(), path)
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
	inside.flags(flags)
	flags.StringVar(&want.Profile, "profile", "", "use only this `PROFILE`: default or pahole")
	flags.IntVarP(&workers, "jobs", "j", 0, "`N` workers; 0 is one per processor")
	flags.BoolVar(&excluded, "list-excluded", false, "list every function and variable that is left out, and why")
	encoderFlags(cmd, &want)
	return cmd
}
