package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// An origin is where the only image of a command comes from.
type origin struct {
	path   string // of the image, or of the package that it is in
	from   string // as it is given: deb=PACKAGE
	member string
	most   int // MiB
}

func (o *origin) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.from, "from", "", "`deb=PACKAGE`: take the image out of a Debian package (.deb or .ddeb)")
	flags.StringVar(&o.member, "member", "", "`PATTERN` of the image's path in the package, such as '**/tun.ko'; several matches are an error")
	flags.IntVar(&o.most, "max-unpacked", input.Highest>>20, "refuse to unpack a file of more than `N` MiB from a package")
}

// parse finds out the path.
func (o *origin) parse(cmd *cobra.Command, args []string) error {
	if err := errors.Join(needs(cmd, "member", "from"), needs(cmd, "max-unpacked", "from")); err != nil {
		return usage(err)
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
	path, ok := strings.CutPrefix(o.from, "deb=")
	switch {
	case !ok, path == "":
		return usage(fmt.Errorf("--from %s is not deb=PACKAGE", o.from))
	case path == input.Stdin:
		return usage(errors.New("--from requires a file: a package is not read from a pipe"))
	}
	o.path = path
	if err := corpus.CheckMember(o.member); err != nil {
		return usage(fmt.Errorf("--member: %w", err))
	}
	return nil
}

// open sets the file of a job. The returned function releases what was opened.
func (o *origin) open(job *batch.Job) (done func(), err error) {
	if o.from == "" {
		path := o.path
		done, err = spool(&path, &job.BaseFile)
		job.File = corpus.FileAt(path, corpus.Pins{})
		return done, err
	}
	job.File = corpus.FileInDeb(o.path, o.member, int64(o.most)<<20, corpus.Pins{})
	return spool(&job.BaseFile)
}
