package elf

import (
	"debug/elf"
	"encoding/binary"
)

// AsPeer is rule 01/1.2, 3: of relocatable files of little-endian 64-bit MIPS, whose r_info has a layout of its own, the
// reference reads the debug sections as they are stored: every name is the first of .debug_str, every address what the addend in
// place says. AsPeer is such a file with Data that leaves relocations alone; any other is returned as it is. Close f, not the
// result.
func (f *File) AsPeer() *File {
	if f.Type != elf.ET_REL || f.Machine != elf.EM_MIPS || !f.Is64 || f.Order != binary.ByteOrder(binary.LittleEndian) {
		return f
	}
	view := *f
	view.asStored = true
	return &view
}
