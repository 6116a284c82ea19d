// Package embed puts existing BTF into an image.
//
// Input: the names of files. Output: a copy of the image that contains the BTF, or the changed image. BTF that a kernel would refuse is
// not embedded. Never: the package encodes nothing.
package embed

import (
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A Job names the files of one embedding.
type Job struct {
	Open      btffile.Openers // of BTF and Distilled, and of Base
	OpenImage func() (*elf.File, error)
	Image     string
	Out       string // may be Image
	BTF       string // raw BTF, or an ELF file that has BTF and perhaps a distilled base
	Distilled string // a raw distilled base, the base of BTF; may be empty
	Base      string // the BTF of the kernel to which a module belongs; may be empty
	Kernels   []settings.Kernel
}

// Rules of warnings.
const (
	RuleIdentity = "identity"    // the BTF seems to be that of another image
	RuleFewer    = "fewer-types" // the image has BTF with more types
)

// Run embeds the BTF. It returns a sentence about what it embedded, and warnings.
func (j *Job) Run() (summary string, warnings []report.Warning, err error) {
	in, err := btffile.Open(j.Open.File, j.BTF)
	if err != nil {
		return "", nil, err
	}
	defer in.Close()
	f, err := btffile.From(in)
	if err != nil {
		return "", nil, input.Named(j.BTF, err)
	}
	if j.Distilled != "" {
		d, err := btffile.Read(j.Open.File, j.Distilled)
		if err != nil {
			return "", nil, err
		}
		f.Distilled = d.BTF
	}
	image, err := j.OpenImage()
	if err != nil {
		return "", nil, input.Named(j.Image, err)
	}
	defer image.Close()
	sections, err := encoder.Sections{BTF: f.BTF, Base: f.Distilled}.For(image)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", j.Image, err)
	}
	if warnings, err = j.judge(f, in, image, sections.BTF); err != nil {
		return "", nil, err
	}
	summary = fmt.Sprintf("%s: .BTF has %d bytes", j.Out, len(sections.BTF))
	if sections.Base != nil {
		summary += fmt.Sprintf(", .BTF.base %d", len(sections.Base))
	}
	set := new(publish.Publisher).Set()
	defer set.Discard()
	if err := image.Embed(sections.List(), set.Copy(j.Out)); err != nil {
		return "", nil, err
	}
	return summary, warnings, set.Commit()
}

// judge checks that the BTF fits the image, and that the kernels accept it. in is the file that it was read from. padded is the form in which
// the image gets it, and is verified as well.
func (j *Job) judge(f *btffile.File, in *input.File, image *elf.File, padded []byte) (warnings []report.Warning, err error) {
	opt := verify.Options{Path: verify.Vmlinux, Order: image.Order, PtrSize: image.AddrSize(), Distilled: f.Distilled}
	var base *btf.Object
	if j.Base != "" {
		if base, opt.Base, err = btffile.Base(j.Open.Base, j.Base); err != nil {
			return nil, err
		}
	} else if err := f.Alone(); err != nil {
		return nil, fmt.Errorf("%s: %w", j.BTF, err)
	}
	if opt.Base != nil || opt.Distilled != nil {
		opt.Path = verify.Module
	}
	check := func(wire []byte) error {
		for _, k := range j.Kernels {
			opt.Kernel = k.Kernel
			if err := verify.Check(wire, opt); err != nil {
				return fmt.Errorf("%s: %w", j.BTF, err)
			}
		}
		return nil
	}
	if warnings, err = j.fit(f, in, image, base); err != nil {
		return nil, fmt.Errorf("%s: %w", j.BTF, err)
	}
	if err := check(f.BTF); err != nil { // the unpadded form first, because padding rewrites the header and can hide errors in it
		return nil, err
	}
	if len(padded) != len(f.BTF) {
		err = check(padded)
	}
	return warnings, err
}

// fit checks whether the BTF can belong to the image, and returns warnings if it seems not to. It ignores errors in the BTF itself, which the
// kernels' checks report.
func (j *Job) fit(f *btffile.File, in *input.File, image *elf.File, base *btf.Object) (warnings []report.Warning, err error) {
	own := base
	if f.Distilled != nil {
		if own, err = btf.Parse(f.Distilled, nil); err != nil {
			return nil, nil //nolint:nilerr // see above
		}
	}
	var o *btf.Object
	if own == nil {
		o, err = btf.View(f.BTF)
	} else {
		o, err = btf.Parse(f.BTF, own)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	if err := fits(o, f, image); err != nil {
		return nil, err
	}
	list, err := doubts(o, in, image)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		warnings = append(warnings, report.Warning{Rule: RuleIdentity, Count: len(list), Examples: list})
	}
	if text := Fewer(image, o.Len(), own); text != "" {
		warnings = append(warnings, report.Warning{Rule: RuleFewer, Count: 1, Examples: []string{text}})
	}
	return warnings, nil
}
