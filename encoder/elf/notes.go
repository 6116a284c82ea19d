package elf

import (
	"bytes"
	"debug/elf"
	"fmt"
)

const (
	noteHeader = 12      // bytes: size of the owner, size of the value, kind
	maxNotes   = 1 << 20 // the largest size of a section, in bytes; those of kernels have a few hundred
)

// Notes calls visit for every note of every SHT_NOTE section, in file order, until it returns false. owner does not include the NUL byte at
// its end.
//
// Owner and value are padded to 4 bytes, or to 8 in a section that is aligned to 8, as the ELF specification and the kernel define it. A
// malformed note ends the reading of its section, because the start of the next note is unknown. Later sections are still read. The first
// such error is returned at the end, unless visit returned false before. It is a *FormatError.
func (f *File) Notes(visit func(owner string, kind uint32, value []byte) bool) (err error) {
	all := uint64(0)
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != elf.SHT_NOTE {
			continue
		}
		if all += s.Size; all > f.size { // sections that overlap can have any number of them
			return &FormatError{s.place(), 0, fmt.Sprintf("notes of %d bytes are larger than the file (%d bytes)", all, f.size)}
		}
		more, bad := f.notesOf(s, visit)
		if !more {
			return nil
		}
		if err == nil {
			err = bad
		}
	}
	return err
}

// notesOf visits the notes of one section. more is false once visit has returned false.
func (f *File) notesOf(s *Section, visit func(owner string, kind uint32, value []byte) bool) (more bool, err error) {
	if s.Size > maxNotes {
		return true, &FormatError{s.place(), 0, fmt.Sprintf("note section of %d bytes", s.Size)}
	}
	b, err := f.Data(s)
	if err != nil {
		return true, err
	}
	align := uint64(4)
	if s.Align == 8 {
		align = 8
	}
	size := uint64(len(b))
	for at := uint64(0); at < size; {
		if size-at < noteHeader {
			if len(bytes.Trim(b[at:], "\x00")) == 0 {
				break // padding
			}
			return true, &FormatError{s.place(), at, "note is cut short"}
		}
		// The sizes have 32 bits, so no sum of them wraps.
		ownerSize, valueSize, kind := uint64(f.Order.Uint32(b[at:])), uint64(f.Order.Uint32(b[at+4:])), f.Order.Uint32(b[at+8:])
		owner := at + noteHeader
		value := at + roundUp(noteHeader+ownerSize, align)
		if owner+ownerSize > size || value+valueSize > size {
			return true, &FormatError{s.place(), at, fmt.Sprintf("note with an owner of %d and a value of %d bytes reaches past the section", ownerSize, valueSize)}
		}
		if !visit(string(bytes.TrimSuffix(b[owner:owner+ownerSize], []byte{0})), kind, b[value:value+valueSize]) {
			return false, nil
		}
		at = roundUp(value+valueSize, align)
	}
	return true, nil
}

// BuildID returns the value of the first GNU build id note, or nil if there is none. If a malformed note may be the reason why none was
// found, the error says where that note is.
func (f *File) BuildID() (id []byte, err error) {
	const buildID = 3 // NT_GNU_BUILD_ID
	err = f.Notes(func(owner string, kind uint32, value []byte) bool {
		if owner == "GNU" && kind == buildID {
			id = value
		}
		return id == nil
	})
	return id, err
}
