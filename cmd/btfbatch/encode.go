package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/explain"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
)

func newEncode(a *app) *cobra.Command {
	var (
		opt      batch.Options
		image    = config.Image{Profile: config.Default}
		features string
		excluded bool
		timed    bool
	)
	cmd := &cobra.Command{
		Use:   "encode IMAGE -o OUT",
		Short: "Encode one image",
		Long: `Encode one image. The BTF is published after the newest kernel has accepted it, as the kernel's own BTF or, with --base, as
that of a module. IMAGE may be compressed, a pipe, or - for the standard input.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			parsed, err := encoderOptions(opt.Profile, features, image.LangExclude)
			if err != nil {
				return err
			}
			image.Features = parsed.Features
			if image.Outputs.Base != "" && (image.BasePath == "" || !image.Features.Has(feature.DistilledBase)) {
				return usage(errors.New("--distilled takes a --base, and distilled_base in --btf-features"))
			}
			if excluded {
				list := explain.List{W: cmd.OutOrStdout()}
				opt.OnFunc, opt.OnVar = list.Func, list.Var
			}
			if standardOutput(image.Outputs.BTF) {
				image.Outputs.BTF = input.Stdin
			}
			switch {
			case image.Outputs.Base == input.Stdin:
				return usage(errors.New("--distilled takes a file; only --output can be the standard output"))
			case image.Outputs.BTF != input.Stdin:
				for _, path := range []string{image.Outputs.BTF, image.Outputs.Base} {
					if err := input.CheckWritable(path); err != nil {
						return usage(fmt.Errorf("%s: %w", path, err))
					}
				}
			case excluded:
				return usage(errors.New("--list-excluded and -o - would both write to the standard output"))
			default:
				if err := binaryTo(cmd.OutOrStdout()); err != nil {
					return err
				}
				opt.Out, image.Outputs.BTF = cmd.OutOrStdout(), ""
			}
			image.Name, image.Path = args[0], args[0]
			if err := paths.Refuse(encodeFiles(&image, &opt)...); err != nil {
				return usage(err)
			}
			done, err := spool(&image.Path, &image.BasePath)
			if err != nil {
				return err
			}
			defer done()
			var phases []encoder.Phase
			if timed {
				opt.OnPhases = func(_ string, p []encoder.Phase) { phases = p }
			}
			items := corpus.Resolve(&config.Manifest{Images: []config.Image{image}})
			a.interrupts.batch.Lock()
			defer a.interrupts.batch.Unlock()
			_, err = a.batch(cmd, items, opt, nil)
			return errors.Join(err, failed(a.console.Phases(phases)))
		},
	}
	batchFlags(cmd, &opt)
	encoderFlags(cmd, &features, &image.LangExclude)
	flags := cmd.Flags()
	flags.StringVarP(&image.Outputs.BTF, "output", "o", "", "`FILE` to write, compressed where it ends in .zst or .gz; - is the standard output")
	flags.StringVar(&image.BasePath, "base", "", "`FILE` with the BTF to continue: raw BTF or ELF")
	flags.BoolVar(&image.SortByName, "sort-by-name", false, "put types in the order of their names, for kernels that search by bisection")
	flags.BoolVar(&image.LikeKernel, "like-kernel", false, "change the BTF as the build of the image's kernel does: kfuncs with implicit arguments, order of types")
	flags.StringVar(&image.Outputs.Base, "distilled", "", "`FILE` to write the distilled base to, with the feature distilled_base; OUT then continues it")
	flags.BoolVar(&timed, "timings", false, "tell what each pass took")
	flags.BoolVar(&excluded, "list-excluded", false, "print every function and variable that is left out, with the reason")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(fmt.Sprint("encode: ", err))
	}
	return cmd
}

// encodeFiles are the files of encode.
func encodeFiles(image *config.Image, opt *batch.Options) []paths.Use {
	list := []paths.Use{
		{Path: image.Path, Role: paths.Input, What: "the image"},
		{Path: image.BasePath, Role: paths.Input, What: "the file of --base"},
	}
	for _, o := range []struct{ flag, path string }{{"--output", image.Outputs.BTF}, {"--distilled", image.Outputs.Base}} {
		list = append(list, paths.Use{Path: o.path, Role: paths.Output, What: o.flag})
		if o.path != "" {
			list = append(list, batch.RejectedUse(o.path, o.flag, opt))
		}
	}
	return list
}

// encoderOptions are what those flags and the profile say.
func encoderOptions(profile config.Profile, features string, langs []string) (opt encoder.Options, err error) {
	flags := settings.Flags{Profile: string(profile), Features: features, LangExclude: langs}
	s, err := flags.Settings()
	return s.Options, usage(err)
}

// encoderFlags are those of the commands that encode without a manifest.
func encoderFlags(cmd *cobra.Command, features *string, langs *[]string) {
	cmd.Flags().StringVar(features, "btf-features", "default", "`LIST` of optional parts of BTF, by pahole's names, or none")
	cmd.Flags().StringSliceVar(langs, "lang-exclude", nil, "`LANGUAGES` whose units are left out, such as rust")
}
