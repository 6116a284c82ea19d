package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// Sections are the contents of the sections of an image that hold its BTF.
type Sections struct {
	BTF    []byte      // .BTF, in the byte order of the image
	Base   []byte      // .BTF.base, the distilled base that BTF continues; nil: there is none
	Object *btf.Object // the types in BTF
}

// Sections are the bytes of the result: those of Object or, with the feature distilled_base, the pair of a distilled base and what
// continues it. Without a base there is nothing to distil, and the error wraps distill.ErrNoBase.
func (r *Result) Sections() (Sections, error) {
	if !r.opt.Features.Has(feature.DistilledBase) {
		return Sections{BTF: r.Object.AppendWire(nil), Object: r.Object}, nil
	}
	base, split, err := distill.Distill(r.Object)
	if err != nil {
		return Sections{}, fmt.Errorf("distilled base: %w", err)
	}
	if r.Sorted { // the base has the order of the whole one, but types of it were added to the split part
		split = sorted.ByName(split)
	}
	return Sections{BTF: split.AppendWire(nil), Base: base.AppendWire(nil), Object: split}, nil
}

// For are the sections as an image needs them: BTF fills the room that the linker reserved for it, if it did. The error is ErrStaleBase
// when the image keeps a distilled base of earlier BTF.
func (s Sections) For(f *elf.File) (Sections, error) {
	if s.Base == nil && f.Section(btf.SectionBase) != nil {
		return Sections{}, ErrStaleBase
	}
	if reserved, ok := f.Reserved(btf.SectionBTF); ok {
		s.BTF = btf.Pad(s.BTF, f.Order, reserved)
	}
	return s, nil
}

// List is what elf.Embed takes.
func (s Sections) List() []elf.EmbedSection {
	list := []elf.EmbedSection{{Name: btf.SectionBTF, Data: s.BTF}}
	if s.Base != nil {
		list = append(list, elf.EmbedSection{Name: btf.SectionBase, Data: s.Base})
	}
	return list
}
