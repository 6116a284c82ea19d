package corpus

import (
	stdelf "debug/elf"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

const (
	maxNotes   = 1 << 20 // bytes of one note section; kernels have some hundred
	ntBuildID  = 3       // NT_GNU_BUILD_ID
	noteHeader = 12
)

// buildID is the GNU build id of a file in hex, or empty.
func buildID(f *elf.File) (string, error) {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != stdelf.SHT_NOTE {
			continue
		}
		if s.Size > maxNotes {
			return "", &elf.FormatError{Section: s.Name, Problem: fmt.Sprintf("note section of %d bytes", s.Size)}
		}
		notes := make([]byte, s.Size)
		if err := f.ReadAt(s, notes, 0); err != nil {
			return "", err
		}
		id, err := scanNotes(f, s, notes)
		if id != "" || err != nil {
			return id, err
		}
	}
	return "", nil
}

// scanNotes looks for the build id in the notes of one section. Each is a header of three words, a name and a
// descriptor, the latter two padded to the section's alignment.
func scanNotes(f *elf.File, s *elf.Section, notes []byte) (string, error) {
	align := uint64(4)
	if s.Align == 8 {
		align = 8
	}
	pad := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	size := uint64(len(notes))
	for off := uint64(0); off < size; {
		bad := func(problem string) error { return &elf.FormatError{Section: s.Name, Offset: off, Problem: problem} }
		if size-off < noteHeader {
			if strings.Trim(string(notes[off:]), "\x00") == "" {
				return "", nil // padding
			}
			return "", bad("note is cut short")
		}
		nameSize := uint64(f.Order.Uint32(notes[off:]))
		descSize := uint64(f.Order.Uint32(notes[off+4:]))
		kind := f.Order.Uint32(notes[off+8:])
		name := off + noteHeader
		desc := off + pad(noteHeader+nameSize) // the sizes are 32 bits wide, the sums cannot wrap
		if nameSize > size-name || desc > size || descSize > size-desc {
			return "", bad(fmt.Sprintf("note with a name of %d and a descriptor of %d bytes reaches past the section", nameSize, descSize))
		}
		if kind == ntBuildID && string(notes[name:name+nameSize]) == "GNU\x00" {
			return hex.EncodeToString(notes[desc : desc+descSize]), nil
		}
		off = desc + pad(descSize)
	}
	return "", nil
}
