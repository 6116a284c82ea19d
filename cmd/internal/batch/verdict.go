package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/report"
)

// verify checks the BTF by the rules of the kernels that must accept it, or of the newest kernel if there are none. The error is the first
// refusal.
func (t *target) verify() ([]report.Verification, error) {
	newest := []settings.Kernel{{Kernel: verify.Newest}}
	kernels := t.Settings.Kernels
	if kernels == nil {
		kernels = newest
	}
	list, err := t.verifyFor(kernels)
	if len(list) == 0 && err == nil { // none of these kernels reads this kind of BTF
		list, err = t.verifyFor(newest)
	}
	return list, err
}

// verifyFor checks the raw BTF and the BTF for the copy of the image by the rules of each kernel.
func (t *target) verifyFor(kernels []settings.Kernel) ([]report.Verification, error) {
	var list []report.Verification
	var first error
	for _, a := range kernels {
		k := a.Kernel
		f := &t.raw
		err := t.check(f, k)
		if errors.Is(err, verify.ErrNoPath) {
			continue
		}
		if err == nil && !bytes.Equal(t.inside.BTF, t.raw.BTF) {
			f = &t.inside
			err = t.check(f, k)
		}
		if refusal := (*verify.Refusal)(nil); t.refusal == nil && errors.As(err, &refusal) {
			t.refusal, t.refused = refusal, f
		}
		v := report.Verification{Kernel: k.String(), For: a.Releases, Accepted: err == nil, Required: true}
		if err != nil {
			v.Problem = strings.TrimPrefix(err.Error(), fmt.Sprintf("kernel %s, path %s: ", k, t.path()))
			if first == nil {
				first = fmt.Errorf("kernel %s refuses it: %s", k, v.Problem)
			}
		}
		list = append(list, v)
	}
	return list, first
}

func (t *target) check(f *encoder.Sections, k verify.Kernel) error {
	opt := verify.Options{Kernel: k, Path: t.path(), Order: t.order, PtrSize: t.ptrSize, Features: t.Settings.Features}
	if f == &t.raw {
		opt.Reading = &t.reading
	}
	if t.base != nil {
		opt.Distilled = f.Base
		var err error
		if opt.Checked, err = t.base.checked(k); err != nil {
			opt.Base = t.base.wire // verify.Check then returns ErrNoPath, or the reason why the kernel refuses the base
		}
	}
	return verify.Check(f.BTF, opt)
}

func (t *target) path() verify.Path {
	if t.base != nil {
		return verify.Module
	}
	return verify.Vmlinux
}

// examples is the maximum number of warnings of one rule that a row shows.
const examples = 20

// errLint is the error of an image that has warnings under --strict-lint.
var errLint = errors.New("there are warnings (--strict-lint)")

// lint returns warnings about the BTF, which no kernel refuses. Rules that depend on the kernel use the newest of those that the image
// must be accepted by.
func (b *batch) lint(t *target) ([]report.Warning, error) {
	opt := verify.LintOptions{Kernel: verify.Kernels()[0], Order: t.order, SMP: t.smp, Loss: b.opt.Lint.Loss, Reading: &t.reading}
	for _, k := range t.Settings.Kernels {
		opt.Kernel = max(opt.Kernel, k.Kernel) // kernels are numbered by age, and later ones have more rules
	}
	if own, err := verify.ParseKernel(t.File.Identity.Release); err == nil { // no later kernel looks up names in it
		opt.Kernel = min(opt.Kernel, own)
	}
	if t.base != nil {
		opt.Module, opt.Base = true, t.raw.Base
		if opt.Base == nil {
			var err error
			if opt.Checked, err = t.base.checked(verify.V7_2); err != nil {
				return nil, err
			}
		}
	}
	if file := b.opt.Lint.earlier(t.Name); file != "" {
		f, err := btffile.Read(btffile.Paths.File, file)
		if err != nil {
			return nil, fmt.Errorf("earlier BTF: %w", err)
		}
		opt.Earlier = f.BTF
	}
	return warnings(verify.Lint(t.raw.BTF, opt)), nil
}

// earlierNames lists the file name endings of BTF from an earlier run or from a BTF hub.
var earlierNames = []string{".btf", ".btf.zst", ".btf.gz", ".btf.xz", ".btf.bz2", ".btf.tar.xz"}

// earlier returns the file of an earlier run to compare an image with, or "".
func (l *Lint) earlier(name string) string {
	if l.Earlier == "" {
		return ""
	}
	for _, ending := range earlierNames {
		file := filepath.Join(l.Earlier, name+ending)
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
	return ""
}

// ruleNoEarlier warns that --earlier has no BTF of an image. A new image has none, so this does not count under --strict-lint.
const ruleNoEarlier = "no-earlier"

// noEarlier returns the warning of ruleNoEarlier, if it applies.
func (b *batch) noEarlier(name string) []report.Warning {
	l := &b.opt.Lint
	if l.Earlier == "" || l.earlier(name) != "" {
		return nil
	}
	return []report.Warning{{Rule: ruleNoEarlier, Count: 1,
		Examples: []string{filepath.Join(l.Earlier, name+".btf") + " does not exist: nothing was compared"}}}
}

// warnings groups warnings by rule.
func warnings(found []verify.Warning) []report.Warning {
	var list []report.Warning
	for _, w := range found { // warnings of one rule are adjacent
		n := len(list)
		if n == 0 || list[n-1].Rule != w.Rule {
			list = append(list, report.Warning{Rule: w.Rule})
			n++
		}
		last := &list[n-1]
		if last.Count++; last.Count <= examples {
			last.Examples = append(last.Examples, strings.TrimPrefix(w.String(), w.Rule+": "))
		}
	}
	return list
}
