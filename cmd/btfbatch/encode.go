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
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
)

func newEncode(a *app) *cobra.Command {
	var (
		opt      batch.Options
		want     settings.Flags
		job      = batch.Job{Base: -1}
		excluded bool
		timed    bool
		from     origin
	)
	cmd := &cobra.Command{
		Use:   "encode {IMAGE | --from KIND=WHERE} -o OUT",
		Short: "Encode one image",
		Long: `Encode one image. The BTF is written once the rules of the newest kernel accept it, as BTF of the kernel itself or, with --base, of a
module. IMAGE may be compressed, a pipe, or - for the standard input.

With --from, the image is a file in a Debian or RPM package, which is not unpacked. Without --member it is the kernel of a debug package:
usr/lib/debug/boot/vmlinux-*, or vmlinux in usr/lib/debug/lib/modules. The file of
--base may be a package, too, or be written as a value of --from.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := from.parse(cmd, args, job.BaseFile); err != nil {
				return err
			}
			if job.Settings, err = want.Settings(); err != nil {
				return usage(err)
			}
			if job.Outputs.Base != "" && (job.BaseFile == "" || !job.Settings.Features.Has(feature.DistilledBase)) {
				return usage(errors.New("--distilled requires --base, and distilled_base in --btf-features"))
			}
			if excluded {
				list := explain.List{W: cmd.OutOrStdout()}
				opt.Encoding.OnFunc, opt.Encoding.OnVar = list.Func, list.Var
			}
			if err := encodeOutputs(cmd, &job.Outputs, &opt, excluded); err != nil {
				return err
			}
			if err := paths.Refuse(encodeFiles(from.path, &job, &opt)...); err != nil {
				return usage(err)
			}
			job.Name = from.name()
			done, err := from.open(cmd.Context(), &job)
			if err != nil {
				return err
			}
			defer done()
			var phases []encoder.Phase
			if timed {
				opt.Events.Phases = func(_ string, p []encoder.Phase) { phases = p }
			}
			a.interrupts.Batch.Lock()
			defer a.interrupts.Batch.Unlock()
			_, err = a.batch(cmd, []batch.Job{job}, opt, nil, shape{})
			return errors.Join(err, failed(a.console.Phases(phases)))
		},
	}
	a.batchFlags(cmd, &opt)
	profileFlag(cmd, &want.Profile)
	encoderFlags(cmd, &want)
	flags := cmd.Flags()
	flags.StringVarP(&job.Outputs.BTF, "output", "o", "", "`FILE` to write, compressed if its name ends in .zst or .gz; - is the standard output")
	from.flags(flags)
	flags.StringVar(&job.BaseFile, "base", "", "`FILE` with the base, such as the BTF of the kernel: raw BTF, ELF, a kernel as it boots or a package")
	from.base.flags(flags)
	flags.BoolVar(&want.SortByName, "sort-by-name", false, "sort types by name, for kernels that use binary search")
	flags.BoolVar(&want.LikeKernel, "like-kernel", false, "change the BTF as the build of the image's kernel does: kfuncs with implicit arguments, order of types")
	flags.StringVar(&job.Outputs.Base, "distilled", "", "`FILE` to write the distilled base to, which OUT then has as its base; requires the feature distilled_base")
	flags.BoolVar(&timed, "timings", false, "print the time and memory of each pass")
	flags.BoolVar(&excluded, "list-excluded", false, "print every function and variable that is left out, and why")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(fmt.Sprint("encode: ", err))
	}
	return cmd
}

// encodeOutputs sets the outputs of encode, and returns an error for those that cannot be written.
func encodeOutputs(cmd *cobra.Command, out *config.Outputs, opt *batch.Options, excluded bool) error {
	if standardOutput(out.BTF) {
		out.BTF = input.Stdin
	}
	switch {
	case out.Base == input.Stdin:
		return usage(errors.New("--distilled requires a file; only --output can be the standard output"))
	case out.BTF != input.Stdin:
		for _, path := range []string{out.BTF, out.Base} {
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
		opt.Outputs.Out, out.BTF = cmd.OutOrStdout(), ""
	}
	return nil
}

// encodeFiles lists the files that encode reads and writes.
func encodeFiles(image string, job *batch.Job, opt *batch.Options) []paths.Use {
	list := []paths.Use{
		{Path: image, Role: paths.Input, What: "the image"},
		{Path: localFile(job.BaseFile), Role: paths.Input, What: "the file of --base"},
	}
	for _, o := range []struct{ flag, path string }{{"--output", job.Outputs.BTF}, {"--distilled", job.Outputs.Base}} {
		list = append(list, paths.Use{Path: o.path, Role: paths.Output, What: o.flag})
		if o.path != "" {
			list = append(list, batch.RejectedUse(o.path, o.flag, opt))
		}
	}
	return list
}

// profileFlag adds the flag for the rules of commands that encode without a manifest.
func profileFlag(cmd *cobra.Command, profile *string) {
	cmd.Flags().StringVar(profile, "profile", string(config.Default), "`PROFILE` of rules: default or pahole")
}

// encoderFlags adds the flags of all commands that encode without a manifest.
func encoderFlags(cmd *cobra.Command, want *settings.Flags) {
	cmd.Flags().StringVar(&want.Features, "btf-features", "default", "`LIST` of features, by the names that pahole uses, or none")
	cmd.Flags().StringSliceVar(&want.LangExclude, "lang-exclude", nil, "`LANGUAGES` whose CUs are left out, such as rust")
}
