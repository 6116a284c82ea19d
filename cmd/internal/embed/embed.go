// Package embed puts existing BTF into an image.
//
// Input: the names of files. Output: a copy of the image that contains the BTF, or the changed image. BTF that the kernel would refuse is
// not embedded. Never: the package encodes nothing.
package embed

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/cmd/internal/source"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A Job says what goes where.
type Job struct {
	Image     string
	Out       string // may be Image
	BTF       string // raw BTF, or an ELF file that has BTF and perhaps a distilled base
	Distilled string // a raw distilled base that BTF continues; may be empty
	Base      string // the BTF of the kernel that a module belongs to; may be empty
	Kernels   []verify.Kernel
}

// ErrStaleBase says that BTF would be put beside a distilled base that it does not continue.
var ErrStaleBase = errors.New("the image has a section .BTF.base, which the new BTF does not continue; embed a distilled base as well")

// Rules of warnings.
const (
	RuleIdentity = "identity"    // the BTF seems to be that of another image
	RuleFewer    = "fewer-types" // the image had more types
)

// Run does the job. It tells what it has embedded, and what is odd about that.
func (j *Job) Run() (told string, warnings []report.Warning, err error) {
	f, err := source.Read(j.BTF)
	if err != nil {
		return "", nil, err
	}
	if j.Distilled != "" {
		d, err := source.Read(j.Distilled)
		if err != nil {
			return "", nil, err
		}
		f.Distilled = d.BTF
	}
	image, err := elf.Open(j.Image)
	if err != nil {
		return "", nil, input.Named(j.Image, err)
	}
	defer image.Close()
	if warnings, err = j.judge(f, image); err != nil {
		return "", nil, err
	}
	sections := []elf.EmbedSection{{Name: btf.SectionBTF, Data: f.BTF}}
	told = fmt.Sprintf("%s: .BTF has %d bytes", j.Out, len(f.BTF))
	if f.Distilled != nil {
		sections = append(sections, elf.EmbedSection{Name: btf.SectionBase, Data: f.Distilled})
		told += fmt.Sprintf(", .BTF.base %d", len(f.Distilled))
	}
	set := new(publish.Publisher).Set()
	defer set.Discard()
	if err := image.Embed(sections, set.Copy(j.Out)); err != nil {
		return "", nil, err
	}
	return told, warnings, set.Commit()
}

// judge fits the BTF to the image and asks the kernels about it.
func (j *Job) judge(f *source.File, image *elf.File) (warnings []report.Warning, err error) {
	if f.Distilled == nil && image.Section(btf.SectionBase) != nil {
		return nil, fmt.Errorf("%s: %w", j.Image, ErrStaleBase)
	}
	opt := verify.Options{Path: verify.Vmlinux, Order: image.Order, PtrSize: image.AddrSize(), Distilled: f.Distilled}
	var base *btf.Object
	if j.Base != "" {
		if base, opt.Base, err = source.Base(j.Base); err != nil {
			return nil, err
		}
	} else if err := f.Alone(); err != nil {
		return nil, fmt.Errorf("%s: %w", j.BTF, err)
	}
	if opt.Base != nil || opt.Distilled != nil {
		opt.Path = verify.Module
	}
	check := func(wire []byte) error {
		for _, opt.Kernel = range j.Kernels {
			if err := verify.Check(wire, opt); err != nil {
				return fmt.Errorf("%s: %w", j.BTF, err)
			}
		}
		return nil
	}
	if warnings, err = j.fit(f, image, base); err != nil {
		return nil, fmt.Errorf("%s: %w", j.BTF, err)
	}
	if err := check(f.BTF); err != nil { // by itself first, because the padding needs a header to be right
		return nil, err
	}
	if reserved, _ := image.Reserved(btf.SectionBTF); reserved > uint64(len(f.BTF)) {
		f.BTF = btf.Pad(f.BTF, image.Order, reserved)
		err = check(f.BTF)
	}
	return warnings, err
}

// fit finds out whether the BTF can be the image's, and what speaks against it. What is wrong with the BTF itself is for the kernels
// to say.
func (j *Job) fit(f *source.File, image *elf.File, base *btf.Object) (warnings []report.Warning, err error) {
	own := base
	if f.Distilled != nil {
		if own, err = btf.Parse(f.Distilled, nil); err != nil {
			return nil, nil //nolint:nilerr // see above
		}
	}
	o, err := btf.Parse(f.BTF, own)
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	if err := fits(o, f, image); err != nil {
		return nil, err
	}
	list, err := j.doubts(o, f, image)
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
