// Package judge verifies a file, for the command verify.
//
// Input: a path, and the flags. Output: that a kernel accepts the BTF, or its refusal, or the reason why there is no verdict; and
// warnings. Never: the package adds no rules to those of encoder/verify.
package judge

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// A Question says which kernel is asked, and how. Its values are those of the flags.
type Question struct {
	Kernel string
	Path   string // empty: it follows from the file
	Base   string // a file, or empty
	// PtrSize is the size of a pointer in that kernel in bytes, 4 or 8. 0 stands for that of the ELF file, or of a type that tells.
	PtrSize int

	Lint    bool
	Earlier string  // a file whose functions and per-CPU variables are counted for comparison; may be empty
	Loss    float64 // the share of them that may be missing
}

// An Answer is the message of a kernel that accepts the BTF, and the warnings.
type Answer struct {
	Told     string // one line
	Warnings []verify.Warning
}

// Ask verifies a file. The error wraps a *verify.Refusal, or says why there is no verdict. A refusal comes with an Answer for its warnings.
func (q *Question) Ask(open btffile.Openers, file string) (*Answer, error) {
	opt := verify.Options{Path: verify.Load}
	var err error
	if opt.Kernel, err = verify.ParseKernel(q.Kernel); err != nil {
		return nil, err
	}
	f, err := btffile.ReadAny(open.File, file)
	if err != nil {
		return nil, err
	}
	if err := q.path(open.Base, f, &opt); err != nil {
		return nil, err
	}
	if q.Path == "" && q.Base == "" { // with an explicit path the kernel's own message is wanted
		if err := f.Alone(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	blob := f.BTF
	switch opt.Path {
	case verify.Module:
		opt.Distilled = f.Distilled
	case verify.DistilledBase:
		if f.Order != nil { // a raw file is the base itself
			if blob = f.Distilled; blob == nil {
				return nil, errors.New(file + ": there is no section .BTF.base")
			}
		}
	}
	taken := q.assume(blob, &opt)
	a := &Answer{Told: fmt.Sprintf("%s: kernel %s accepts it, path %s%s", file, opt.Kernel, opt.Path, taken.told())}
	if q.Lint {
		if a.Warnings, err = q.lint(open.File, blob, f, &opt); err != nil {
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

// path finds out by which path the BTF reaches the kernel, and reads the base.
func (q *Question) path(open btffile.Opener, f *btffile.File, opt *verify.Options) (err error) {
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
	b, err := btffile.ReadBase(open, q.Base)
	if err != nil {
		return err
	}
	opt.Base = b.BTF
	return nil
}

// lint checks the same bytes for what a publisher should know.
func (q *Question) lint(open btffile.Opener, blob []byte, f *btffile.File, opt *verify.Options) ([]verify.Warning, error) {
	l := verify.LintOptions{Kernel: opt.Kernel, Module: opt.Path == verify.Module, Order: opt.Order, Base: opt.Base, SMP: f.PerCPU, Loss: q.Loss}
	if l.Module && opt.Distilled != nil {
		l.Base = opt.Distilled
	}
	if q.Earlier != "" {
		e, err := btffile.Read(open, q.Earlier)
		if err != nil {
			return nil, err
		}
		l.Earlier = e.BTF
	}
	return verify.Lint(blob, l), nil
}
