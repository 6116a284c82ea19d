package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/embed"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

func newEmbed(a *app) *cobra.Command {
	var (
		opt     batch.Options
		want    settings.Flags
		job     embed.Job
		inPlace bool
		inside  packaged
	)
	cmd := &cobra.Command{
		Use:   "embed IMAGE {-o OUT | --in-place}",
		Short: "Put BTF into an image",
		Long: `Put BTF into the section .BTF of a copy of an ELF image, or of the image itself. With the feature distilled_base, a distilled base goes
into .BTF.base. The BTF is encoded from the DWARF of the image, or read from the file of --btf. Nothing is written if a kernel of --as
refuses the BTF, or if the BTF is for another machine. BTF that seems to belong to another image, or that has fewer types than the BTF it
replaces, is embedded with a warning.

Every segment, section and byte of the image stays where it is; new data is appended to the file. If the linker reserved .BTF in a
segment, as in a kernel, the BTF is put there and padded; it is an error if it does not fit. The file is written completely or not at all.
With --in-place it is replaced by a rename, and keeps its mode and owner.
` + orReferences,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			job.Image = args[0]
			switch {
			case job.Out == input.Stdin, inPlace && job.Image == input.Stdin:
				return usage(errors.New("embed writes to a file: - cannot be used"))
			case inPlace == (job.Out != ""):
				return usage(errors.New("embed takes either --output or --in-place"))
			case inPlace:
				job.Out = job.Image
			}
			if err := checkEmbed(&job, inPlace); err != nil {
				return err
			}
			if err := openEmbed(cmd, &inside, &job, &args[0]); err != nil {
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
				return usage(errors.New("--distilled requires --btf; to encode a distilled base, use the feature distilled_base"))
			}
			encoded := batch.Job{Name: args[0], Settings: wanted, Base: -1, BaseFile: job.Base, Outputs: config.Outputs{ELF: job.Out}}
			inside.job(cmd.Context(), &encoded, job.Image)
			a.interrupts.Batch.Lock()
			defer a.interrupts.Batch.Unlock()
			_, err = a.batch(cmd, []batch.Job{encoded}, opt, nil, shape{})
			return err
		},
	}
	a.batchFlags(cmd, &opt)
	profileFlag(cmd, &want.Profile)
	encoderFlags(cmd, &want)
	flags := cmd.Flags()
	inside.flags(flags)
	flags.StringVarP(&job.Out, "output", "o", "", "`FILE` to write")
	flags.BoolVar(&inPlace, "in-place", false, "replace the image")
	flags.StringVar(&job.BTF, "btf", "", "`FILE` with the BTF, raw, ELF, a kernel as it boots or a package, instead of encoding it")
	flags.StringVar(&job.Distilled, "distilled", "", "`FILE` with the raw distilled base of the BTF of --btf")
	flags.StringVar(&job.Base, "base", "", "`FILE` with the BTF of the kernel that a module belongs to: raw BTF, ELF, a kernel as it boots or a package")
	inside.base.flags(flags)
	flags.StringSliceVar(&want.Kernels, "as", []string{"newest"}, "`VERSIONS` of the kernels that must accept the BTF, as in verify --as")
	flags.BoolVar(&want.SortByName, "sort-by-name", false, "sort types by name, for kernels that use binary search")
	flags.BoolVar(&want.LikeKernel, "like-kernel", false, "change the BTF as the build of the image's kernel does: kfuncs with implicit arguments, order of types")
	return cmd
}

// openEmbed sets how the files of a job are opened. image is the name of the image in messages.
func openEmbed(cmd *cobra.Command, inside *packaged, job *embed.Job, image *string) error {
	open, err := inside.openers(cmd, []*string{image, &job.Image}, []*string{&job.Base})
	job.Open = btffile.Openers{File: inside.opener(cmd.Context(), ""), Base: open.Base}
	job.OpenImage = func() (*elf.File, error) { return inside.image(cmd.Context(), job.Image) }
	return err
}

// checkEmbed checks the paths of embed before any file is written.
func checkEmbed(job *embed.Job, inPlace bool) error {
	if inPlace && !isPlain(job.Image) {
		return usage(fmt.Errorf("%s is not a file of its own: --in-place cannot change it; name the copy with --output", job.Image))
	}
	if err := input.CheckWritable(job.Out); err != nil || input.Compression(job.Out) != "" {
		return usage(fmt.Errorf("%s: the copy of an image is not compressed", job.Out))
	}
	if err := paths.Refuse(embedFiles(job, inPlace)...); err != nil {
		return usage(err)
	}
	return oneStdin(job.Image, job.BTF, job.Distilled, job.Base)
}

// embedFiles lists the files that embed reads and writes.
func embedFiles(job *embed.Job, inPlace bool) []paths.Use {
	list := []paths.Use{
		{Path: job.BTF, Role: paths.Input, What: "the file of --btf"},
		{Path: job.Distilled, Role: paths.Input, What: "the file of --distilled"},
		{Path: localFile(job.Base), Role: paths.Input, What: "the file of --base"},
	}
	if inPlace {
		return append(list, paths.Use{Path: job.Image, Role: paths.Output, What: "--in-place"})
	}
	return append(list, paths.Use{Path: localFile(job.Image), Role: paths.Input, What: "the image"},
		paths.Use{Path: job.Out, Role: paths.Output, What: "--output"})
}

// embedFile embeds existing BTF.
func (a *app) embedFile(cmd *cobra.Command, job *embed.Job) error {
	for _, name := range []string{"profile", "btf-features", "lang-exclude", "sort-by-name", "like-kernel", "jobs", "verify-dedup", "paranoid", "keep-rejected"} {
		if cmd.Flags().Changed(name) {
			return usage(fmt.Errorf("--%s cannot be used with --btf, which is already encoded", name))
		}
	}
	collectSeldom()
	told, warnings, err := job.Run()
	a.console.Warned(job.Out, warnings, shown(nil))
	if err != nil {
		return failed(err)
	}
	a.console.Info().Msg(told)
	return nil
}
