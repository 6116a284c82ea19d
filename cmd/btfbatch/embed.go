package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/embed"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/input"
)

func newEmbed(a *app) *cobra.Command {
	var (
		opt     batch.Options
		want    settings.Flags
		job     embed.Job
		inPlace bool
	)
	cmd := &cobra.Command{
		Use:   "embed IMAGE {-o OUT | --in-place}",
		Short: "Put BTF into an image",
		Long: `Put BTF into the section .BTF of a copy of an ELF image, or of the image itself; with the feature distilled_base also a distilled
base into .BTF.base. The BTF is encoded from the image's DWARF, or taken from the file of --btf. Nothing is written that the
kernels of --as would refuse, and no BTF for another machine. BTF that seems to be another image's, or has fewer types than the image
had, is embedded with a warning.

Every segment, section and byte that the image had stays where it was; what is added goes to the end of the file. Where the linker
reserved .BTF in a segment, as in a kernel, the BTF is put there and fills it; it fails when there is too little room. The file
appears whole or not at all: with --in-place it is replaced by a rename, and keeps its mode and owner.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			job.Image = args[0]
			switch {
			case job.Out == input.Stdin, inPlace && job.Image == input.Stdin:
				return usage(errors.New("embed writes a file; - is none"))
			case inPlace == (job.Out != ""):
				return usage(errors.New("embed takes either --output or --in-place"))
			case inPlace:
				job.Out = job.Image
			}
			if err := checkEmbed(&job, inPlace); err != nil {
				return err
			}
			if !inPlace {
				done, err := spool(&job.Image, &job.Base)
				if err != nil {
					return err
				}
				defer done()
			}
			wanted, err := want.Settings()
			if err != nil {
				return usage(err)
			}
			job.Kernels = wanted.Kernels
			a.noteKernels(want.Kernels...)
			if job.BTF != "" {
				return a.embedFile(cmd, &job)
			}
			if job.Distilled != "" {
				return usage(errors.New("--distilled is of use with --btf only; else there is the feature distilled_base"))
			}
			encoded := batch.Job{Name: args[0], File: corpus.FileAt(job.Image, corpus.Pins{}), Settings: wanted, Base: -1, BaseFile: job.Base,
				Outputs: config.Outputs{ELF: job.Out}}
			a.interrupts.batch.Lock()
			defer a.interrupts.batch.Unlock()
			_, err = a.batch(cmd, []batch.Job{encoded}, opt, nil, false)
			return err
		},
	}
	batchFlags(cmd, &opt, &want.Profile)
	encoderFlags(cmd, &want)
	flags := cmd.Flags()
	flags.StringVarP(&job.Out, "output", "o", "", "`FILE` to write")
	flags.BoolVar(&inPlace, "in-place", false, "replace the image")
	flags.StringVar(&job.BTF, "btf", "", "`FILE` to take the BTF from, raw or ELF, instead of encoding it")
	flags.StringVar(&job.Distilled, "distilled", "", "`FILE` with the raw distilled base that the BTF of --btf continues")
	flags.StringVar(&job.Base, "base", "", "`FILE` with the BTF of the kernel that a module belongs to: raw BTF or ELF")
	flags.StringSliceVar(&want.Kernels, "as", []string{"newest"}, "`VERSIONS` of the kernels that must accept the BTF, as verify takes them")
	flags.BoolVar(&want.SortByName, "sort-by-name", false, "put types in the order of their names, for kernels that search by bisection")
	flags.BoolVar(&want.LikeKernel, "like-kernel", false, "change the BTF as the build of the image's kernel does: kfuncs with implicit arguments, order of types")
	return cmd
}

// checkEmbed looks at the files of embed before any is touched.
func checkEmbed(job *embed.Job, inPlace bool) error {
	if err := input.CheckWritable(job.Out); err != nil || input.Compression(job.Out) != "" {
		return usage(fmt.Errorf("%s: the copy of an image is not compressed", job.Out))
	}
	if err := paths.Refuse(embedFiles(job, inPlace)...); err != nil {
		return usage(err)
	}
	return oneStdin(job.Image, job.BTF, job.Distilled, job.Base)
}

// embedFiles are the files of embed.
func embedFiles(job *embed.Job, inPlace bool) []paths.Use {
	list := []paths.Use{
		{Path: job.BTF, Role: paths.Input, What: "the file of --btf"},
		{Path: job.Distilled, Role: paths.Input, What: "the file of --distilled"},
		{Path: job.Base, Role: paths.Input, What: "the file of --base"},
	}
	if inPlace {
		return append(list, paths.Use{Path: job.Image, Role: paths.Output, What: "--in-place"})
	}
	return append(list, paths.Use{Path: job.Image, Role: paths.Input, What: "the image"},
		paths.Use{Path: job.Out, Role: paths.Output, What: "--output"})
}

// embedFile embeds BTF that is there already.
func (a *app) embedFile(cmd *cobra.Command, job *embed.Job) error {
	for _, name := range []string{"profile", "btf-features", "lang-exclude", "sort-by-name", "like-kernel", "jobs", "verify-dedup", "paranoid", "keep-rejected"} {
		if cmd.Flags().Changed(name) {
			return usage(fmt.Errorf("--%s is about encoding, and --btf is encoded already", name))
		}
	}
	told, warnings, err := job.Run()
	a.console.Warned(job.Out, warnings, shown(nil))
	if err != nil {
		return failed(err)
	}
	a.console.Info().Msg(told)
	return nil
}
