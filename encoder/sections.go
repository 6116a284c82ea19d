package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// Sections are the contents of the sections of an image that contain its BTF.
type Sections struct {
	BTF    []byte      // .BTF, in the byte order of the image
	Base   []byte      // .BTF.base, the distilled base that BTF continues; nil if there is none
	Object *btf.Object // the types in BTF
}

// Wire returns Object in the wire format.
func (r *Result) Wire() []byte { return r.Object.AppendWireIn(r.opt.parallel, nil) }

// Sections returns the bytes of the result: those of Object or, with the feature distilled_base, a distilled base and the BTF that continues
// it. If that feature is on and there is no base, the error wraps distill.ErrNoBase.
func (r *Result) Sections() (Sections, error) {
	if !r.opt.Features.Has(feature.DistilledBase) {
		return Sections{BTF: r.Wire(), Object: r.Object}, nil
	}
	base, split, err := distill.Distill(r.Object)
	if err != nil {
		return Sections{}, fmt.Errorf("distilled base: %w", err)
	}
	if r.Sorted { // the distilled base keeps the order of the full base, but some of its types were added to the split part
		split = sorted.ByName(split)
	}
	return Sections{BTF: split.AppendWire(nil), Base: base.AppendWire(nil), Object: split}, nil
}

// For returns the sections for a given image. If the linker reserved space for .BTF, BTF is padded to that size. The error is ErrStaleBase
// if the image has a distilled base of earlier BTF that would remain in it.
func (s Sections) For(f *elf.File) (Sections, error) {
	if s.Base == nil && f.Section(btf.SectionBase) != nil {
		return Sections{}, ErrStaleBase
	}
	if reserved, ok := f.Reserved(btf.SectionBTF); ok {
		s.BTF = btf.Pad(s.BTF, f.Order, reserved)
	}
	return s, nil
}

// List returns the sections in the form that elf.Embed takes.
func (s Sections) List() []elf.EmbedSection {
	list := []elf.EmbedSection{{Name: btf.SectionBTF, Data: s.BTF}}
	if s.Base != nil {
		list = append(list, elf.EmbedSection{Name: btf.SectionBase, Data: s.Base})
	}
	return list
}
