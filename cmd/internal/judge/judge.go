// Package judge asks the verifier about a file.
//
// In come a path and the words of the command line; out come a kernel's yes, its refusal, or why nobody can tell. It adds no rule
// of its own.
package judge

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/source"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// A Question says which kernel is asked, in words.
type Question struct {
	Kernel string
	Path   string // empty follows from the file
	Base   string // a file, or empty
}

// Ask asks about a file. The text is the kernel's yes; an error is a *verify.Refusal or tells why there is no verdict.
func (q *Question) Ask(file string) (told string, err error) {
	var opt verify.Options
	if opt.Kernel, err = verify.ParseKernel(q.Kernel); err != nil {
		return "", err
	}
	if q.Path != "" {
		if opt.Path, err = verify.ParsePath(q.Path); err != nil {
			return "", err
		}
	}
	f, err := source.Read(file)
	if err != nil {
		return "", err
	}
	opt.Order, opt.PtrSize = f.Order, f.PtrSize
	if q.Path == "" {
		switch {
		case q.Base != "":
			opt.Path = verify.Module
		case f.Order != nil:
			opt.Path = verify.Vmlinux
		}
	}
	if q.Base != "" {
		if opt.Path != verify.Module {
			return "", fmt.Errorf("path %s takes no base", opt.Path)
		}
		b, err := source.Read(q.Base)
		if err != nil {
			return "", err
		}
		opt.Base = b.BTF
	}
	blob := f.BTF
	switch opt.Path {
	case verify.Module:
		opt.Distilled = f.Distilled
	case verify.DistilledBase:
		if f.Order != nil { // a raw file holds the base itself
			if blob = f.Distilled; blob == nil {
				return "", errors.New(file + ": there is no section .BTF.base")
			}
		}
	}
	err = verify.Check(blob, opt)
	var no *verify.Refusal
	if err != nil && !errors.As(err, &no) {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return fmt.Sprintf("%s: kernel %s accepts it, path %s", file, opt.Kernel, opt.Path), err
}
