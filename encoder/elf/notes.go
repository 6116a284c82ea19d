package elf

import (
	"debug/elf"
	"fmt"
)

// Notes calls visit for every note of every SHT_NOTE section, in file order, until it returns false. The owner comes without
// the NUL byte that ends it. A section ends where its notes end to make sense.
func (f *File) Notes(visit func(owner string, kind uint32, value []byte) bool) error {
	const header = 12 // sizes of owner and value, kind
	all := uint64(0)
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != elf.SHT_NOTE {
			continue
		}
		if all += s.Size; all > f.size { // sections that overlap can have any number of them
			return &FormatError{s.place(), 0, fmt.Sprintf("notes have %d bytes, more than the file (%d bytes)", all, f.size)}
		}
		b, err := f.Data(s)
		if err != nil {
			return err
		}
		align := uint64(4)
		if s.Align == 8 {
			align = 8
		}
		for len(b) >= header {
			owner, size := uint64(f.Order.Uint32(b)), uint64(f.Order.Uint32(b[4:]))
			at := roundUp(header+owner, align)
			if at+size > uint64(len(b)) {
				break
			}
			if !visit(noteOwner(b[header:header+owner]), f.Order.Uint32(b[8:]), b[at:at+size]) {
				return nil
			}
			b = b[min(roundUp(at+size, align), uint64(len(b))):]
		}
	}
	return nil
}

func noteOwner(b []byte) string {
	if n := len(b); n > 0 && b[n-1] == 0 {
		b = b[:n-1]
	}
	return string(b)
}

// BuildID is the value of the GNU build id note, nil without one.
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
