package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// maxUnpacked adds the flag of commands that read packages.
func maxUnpacked(flags *pflag.FlagSet, most *int) {
	flags.IntVar(most, "max-unpacked", input.Highest>>20, "refuse to unpack a file of more than `N` MiB from a package")
}

// checkUnpacked returns an error for a limit that cannot be one.
func checkUnpacked(most int) error {
	if most < 0 || int64(most) > 1<<40 {
		return usage(fmt.Errorf("--max-unpacked %d is not a number of MiB", most))
	}
	return nil
}

// An origin is where the only image of a command comes from.
type origin struct {
	path   string // of the image, or of the package that it is in; for a package that is not a file, its reference
	from   string // as it is given: deb=PACKAGE
	member string
	most   int // MiB
	base   packagedBase

	ref source.Ref
}

func (o *origin) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.from, "from", "", "`KIND=WHERE`: take the image from a package, deb=FILE_OR_URL, rpm=FILE_OR_URL or apt=SUITE/ARCH/PACKAGE, or from a\nserver, url=URL or debuginfod=BUILD_ID; FILE may be - for the standard input")
	flags.StringVar(&o.member, "member", "", "`PATTERN` of the image's path in the package, such as '**/tun.ko'; several matches are an error")
	maxUnpacked(flags, &o.most)
}

// parse finds out the path.
func (o *origin) parse(cmd *cobra.Command, args []string, base string) (err error) {
	if err := errors.Join(needs(cmd, "member", "from"), inPackage("base-member", o.base.member, []*string{&base})); err != nil {
		return usage(err)
	}
	if cmd.Flags().Changed("max-unpacked") {
		if err := checkUnpacked(o.most); err != nil {
			return err
		}
		if o.from == "" && isPlain(base) {
			return usage(errors.New("--max-unpacked requires --from, or a package as --base"))
		}
	}
	switch {
	case len(args) == 1 && o.from != "":
		return usage(errors.New("give an image or --from, not both"))
	case len(args) == 1:
		o.path = args[0]
		return nil
	case o.from == "":
		return usage(errors.New("give an image, or a package with --from deb=PACKAGE"))
	}
	if o.ref, err = source.ParseRef(o.from); err != nil {
		return usage(fmt.Errorf("--from: %w", err))
	}
	if o.path = o.ref.Where; o.path == "" {
		o.path = o.ref.String()
	}
	if o.member != "" {
		if err := corpus.CheckMember(o.member); err != nil {
			return usage(fmt.Errorf("--member: %w", err))
		}
	}
	return nil
}

// name is the name of the image, which is its path. It has no password of a URL, because it is logged.
func (o *origin) name() string {
	if input.IsURL(o.path) {
		return http.Redacted(o.path)
	}
	return o.path
}

// open sets the file of a job. The returned function releases what was opened. An error of the image is one of the job.
func (o *origin) open(ctx context.Context, job *batch.Job) (done func(), err error) {
	from := sources(ctx, o.most)
	if !isPlain(job.BaseFile) {
		job.OpenBase = named([]*string{&job.BaseFile}).opener(ctx, o.base.member, from)
	}
	if o.from == "" {
		path := o.path
		done, err = spool(&path, &job.BaseFile)
		job.File = corpus.FileAt(path, corpus.Pins{})
		return done, err
	}
	if job.File, err = corpus.FileFrom(ctx, o.ref, o.member, from); err != nil {
		job.Err = err
	}
	return spool(&job.BaseFile)
}
