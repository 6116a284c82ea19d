package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/costs"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
)

func newStats() *cobra.Command {
	var (
		workers      int
		want         settings.Flags
		base, format string
		inside       packaged
	)
	cmd := &cobra.Command{
		Use:   "stats IMAGE",
		Short: "Show what variables cost",
		Long: `Show the size of the BTF of an image without variables, with per-CPU variables, and with all variables; what each section adds; and the
number of types of each kind. The image is encoded once, with all variables. IMAGE may be a package, of which --member chooses the file.

Sizes are the bytes of types and strings. ADDED is what variables add to the BTF without them, in bytes and in per cent. A string counts for
the first section that needs it, or for none if types or functions need it anyway.
` + orReferences,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if format != "text" && format != "json" {
				return usage(fmt.Errorf("format %q is none of text, json", format))
			}
			asked, err := want.Settings()
			if err != nil {
				return usage(err)
			}
			enc := encoder.Encoder{Options: asked.Options, Workers: workers}
			enc.OnProgress = collectWhenReading()
			path := args[0]
			done, err := spool(&path, &base)
			if err != nil {
				return err
			}
			defer done()
			open, err := inside.openers(cmd, []*string{&args[0], &path}, []*string{&base})
			if err != nil {
				return err
			}
			if base != "" {
				o, _, err := btffile.Base(open.Base, base)
				if err != nil {
					return failed(err)
				}
				enc.Base = encoder.NewBase(o)
			}
			f, err := inside.image(cmd.Context(), path)
			if err != nil {
				return failed(fmt.Errorf("%s: %w", args[0], err))
			}
			defer f.Close()
			c, err := enc.VariableCosts(cmd.Context(), f)
			if err != nil {
				return failed(fmt.Errorf("%s: %w", args[0], err))
			}
			r := costs.Report{Image: args[0], Profile: want.Profile, Costs: c}
			if format == "json" {
				return failed(r.WriteJSON(cmd.OutOrStdout()))
			}
			return failed(r.WriteText(cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	inside.flags(flags)
	profileFlag(cmd, &want.Profile)
	flags.IntVarP(&workers, "jobs", "j", 0, "`N` workers; 0 is one per processor")
	flags.StringVar(&format, "format", "text", "`FORMAT`: text or json")
	flags.StringVar(&base, "base", "", "`FILE` with the base, such as the BTF of the kernel: raw BTF, ELF, a kernel as it boots or a package")
	inside.base.flags(flags)
	encoderFlags(cmd, &want)
	return cmd
}
