// Package judge asks the verifier about a file.
//
// In come a path and the words of the command line; out come a kernel's yes, its refusal, or why nobody can tell, and warnings of
// what no kernel refuses. It adds no rule of its own.
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
	// PtrSize is the size of a pointer in that kernel, 4 or 8; 0 is that of the ELF file, or what the types tell.
	PtrSize int

	Lint    bool
	Earlier string  // a file to count functions and per-CPU variables against, or empty
	Loss    float64 // the share of them that may be missing
}

// An Answer is the kernel's yes, and what somebody may regret all the same.
type Answer struct {
	Told     string // one line
	Warnings []verify.Warning
}

// Ask asks about a file. An error is a *verify.Refusal or tells why there is no verdict. Warnings come with a refusal too.
func (q *Question) Ask(file string) (*Answer, error) {
	opt := verify.Options{Path: verify.Load}
	var err error
	if opt.Kernel, err = verify.ParseKernel(q.Kernel); err != nil {
		return nil, err
	}
	f, err := source.ReadAny(file)
	if err != nil {
		return nil, err
	}
	if err := q.path(f, &opt); err != nil {
		return nil, err
	}
	if q.Path == "" && q.Base == "" { // whoever names a path wants the kernel's own words
		if err := f.Alone(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	blob := f.BTF
	switch opt.Path {
	case verify.Module:
		opt.Distilled = f.Distilled
	case verify.DistilledBase:
		if f.Order != nil { // a raw file holds the base itself
			if blob = f.Distilled; blob == nil {
				return nil, errors.New(file + ": there is no section .BTF.base")
			}
		}
	}
	taken := q.assume(blob, &opt)
	a := &Answer{Told: fmt.Sprintf("%s: kernel %s accepts it, path %s%s", file, opt.Kernel, opt.Path, taken.told())}
	if q.Lint {
		if a.Warnings, err = q.lint(blob, f, &opt); err != nil {
			return nil, err
		}
	}
	err = verify.Check(blob, opt)
	var no *verify.Refusal
	switch {
	case err != nil && !errors.As(err, &no):
		err = fmt.Errorf("%s: %w", file, err)
	case no != nil && taken.matters(no):
		err = fmt.Errorf("%w; %s", err, taken.sentence())
	}
	return a, err
}

// path finds out how the file would reach the kernel, and reads the base.
func (q *Question) path(f *source.File, opt *verify.Options) (err error) {
	opt.Order, opt.PtrSize = f.Order, f.PtrSize
	switch {
	case q.Path != "":
		opt.Path, err = verify.ParsePath(q.Path)
	case q.Base != "":
		opt.Path = verify.Module
	case f.Order != nil:
		opt.Path = verify.Vmlinux
	}
	if err != nil || q.Base == "" {
		return err
	}
	if opt.Path != verify.Module {
		return fmt.Errorf("path %s takes no base", opt.Path)
	}
	b, err := source.ReadBase(q.Base)
	if err != nil {
		return err
	}
	opt.Base = b.BTF
	return nil
}

// lint looks at the same bytes with a publisher's eyes.
func (q *Question) lint(blob []byte, f *source.File, opt *verify.Options) ([]verify.Warning, error) {
	l := verify.LintOptions{Kernel: opt.Kernel, Module: opt.Path == verify.Module, Order: opt.Order, Base: opt.Base, SMP: f.PerCPU, Loss: q.Loss}
	if l.Module && opt.Distilled != nil {
		l.Base = opt.Distilled
	}
	if q.Earlier != "" {
		e, err := source.Read(q.Earlier)
		if err != nil {
			return nil, err
		}
		l.Earlier = e.BTF
	}
	return verify.Lint(blob, l), nil
}
