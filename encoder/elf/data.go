package elf

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// HasData reports whether the section's bytes are in the file.
func (s *Section) HasData() bool { return s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL }

// raw reads the stored bytes of a section.
func (f *File) raw(s *Section) ([]byte, error) {
	if !s.HasData() {
		return nil, nil
	}
	if err := f.checkPlace(s); err != nil {
		return nil, err
	}
	b := buffer(s.Size)
	if err := f.readAt(b, s.Off, s.place()); err != nil {
		return nil, err
	}
	return b, nil
}

// checkPlace returns an error if the section exceeds the file, or is larger than the stored part of a sparse file allows.
func (f *File) checkPlace(s *Section) error {
	if s.Off > f.size || s.Size > f.size-s.Off {
		return &FormatError{s.place(), 0, fmt.Sprintf("%d bytes at file offset %#x reach past the end of the file (%d bytes)", s.Size, s.Off, f.size)}
	}
	if s.Size > f.most {
		return &FormatError{s.place(), 0, fmt.Sprintf("size of %d bytes is implausible: only %d bytes of the file are stored", s.Size, f.stored)}
	}
	return nil
}

func (s *Section) place() string {
	if s.Name == "" {
		return fmt.Sprintf("section %d", s.Index)
	}
	return s.Name
}

// Data reads all bytes of a section, decompressed, and relocated if the file is relocatable.
func (f *File) Data(s *Section) ([]byte, error) { return f.DataWithNames(s, nil) }

// DataWithNames is Data for a section that refers to strings. Relocations that refer to a string of names are set to the first string that
// equals it. With nil they are applied as they are.
func (f *File) DataWithNames(s *Section, names *MergedStrings) ([]byte, error) {
	b, err := f.raw(s)
	if err != nil {
		return nil, err
	}
	if b, err = f.decompress(s, b); err != nil {
		return nil, err
	}
	if f.Type == elf.ET_REL && !f.asStored {
		err = f.relocate(s, b, names)
	}
	return b, err
}

// Mapped is Data for a section of which only a part is read. The bytes are valid until Close; see input.File.Mapped.
func (f *File) Mapped(s *Section) ([]byte, error) {
	if f.in == nil || f.in.Packed != "" || !f.Plain(s) {
		return f.Data(s)
	}
	if err := f.checkPlace(s); err != nil {
		return nil, err
	}
	return f.in.Mapped(int64(s.Off), int64(s.Size))
}

// Relocated reports whether Data applies every relocation that the file has.
func (f *File) Relocated() bool { return !f.asStored && f.peer == nil }

// Plain reports whether the file stores a section's bytes as Data would return them, so that ReadAt may be used.
func (f *File) Plain(s *Section) bool {
	return f.uncompressed(s) && (f.Type != elf.ET_REL || f.asStored || f.unrelated(s))
}

// uncompressed reports whether a section is in the file, and not compressed.
func (f *File) uncompressed(s *Section) bool {
	return s.HasData() && !s.compressed()
}

// compressed reports whether a section says that its bytes are compressed, by its flags or by its name.
func (s *Section) compressed() bool {
	return s.Flags&elf.SHF_COMPRESSED != 0 || strings.HasPrefix(s.Name, ".zdebug_")
}

// unrelated reports whether a relocatable file has no relocations of a section, nor a damaged section that should have them.
func (f *File) unrelated(s *Section) bool {
	return f.checkRelocations(s) == nil && !slices.ContainsFunc(f.Sections, func(rel Section) bool { return rel.relocates(s.Index) })
}

// ReadAt reads bytes of a Plain section.
func (f *File) ReadAt(s *Section, b []byte, off uint64) error {
	if off > s.Size || uint64(len(b)) > s.Size-off {
		return &FormatError{s.place(), off, fmt.Sprintf("%d bytes reach past the end of the section (%d bytes)", len(b), s.Size)}
	}
	if s.Off > f.size || off > f.size-s.Off {
		return &FormatError{s.place(), off, fmt.Sprintf("lies past the end of the file (%d bytes)", f.size)}
	}
	if s.Size > f.most {
		return f.checkPlace(s)
	}
	return f.readAt(b, s.Off+off, s.place())
}
