package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A FormatError reports where and how an image violates its format.
type FormatError struct {
	Section string // ".debug_info"; "ELF header" or "section headers" outside any section
	Offset  uint64 // from the start of the section, or of the file
	Problem string // "abbrev code 311 is not declared"
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s+%#x: %s", e.Section, e.Offset, e.Problem)
}

// A File is an open ELF image of either word size and byte order.
type File struct {
	Is64     bool
	Order    binary.ByteOrder
	Type     elf.Type
	Machine  elf.Machine
	Sections []Section // by section index; 0 is the null section
	Path     string    // the path given to Open, empty for a File in memory
	Packed   string    // how the file was compressed, see input.File; such a file is held in memory

	in      *input.File // nil for a File in memory
	r       io.ReaderAt
	size    uint64
	stored  uint64 // bytes of it that are stored; fewer in a sparse file
	most    uint64 // the largest size that a section may have, in bytes
	close   func() error
	base    []uint64 // ET_REL: the address that each section is laid out at; nil otherwise
	several bool     // debug sections of one name are laid out one after another
	waiting bool     // see Waiting
	symbols *Symbols // ET_REL: set by the first call of Symbols

	asPeer   rules.Set        // the rules given to AsPeer
	asStored bool             // see AsPeer
	peer     *peerRelocations // see AsPeer
}

// A Section is one section header.
type Section struct {
	Name      string
	Index     int
	Type      elf.SectionType
	Flags     elf.SectionFlag
	Addr      uint64 // in a relocatable file, whose sections have no addresses yet, a chosen one
	Off, Size uint64 // in the file
	Link      uint32
	Info      uint32
	Align     uint64
	EntSize   uint64
}

// maxSections exceeds every sane image. It bounds the memory that a damaged one can make the reader allocate.
const maxSections = 1 << 20

// Open opens the ELF image at path. A compressed image, or one that comes through a pipe, is read into memory. If the file is not an ELF
// image, the error names its format if that is known.
func Open(path string) (*File, error) {
	in, err := input.Open(path, input.ELF)
	if err != nil {
		return nil, err
	}
	file, err := FromInput(in)
	if err != nil {
		in.Close()
		return nil, err
	}
	file.Path = path
	return file, nil
}

// FromInput reads the headers of an open file. Closing the image closes the file.
func FromInput(in *input.File) (*File, error) {
	f, err := newFile(in.ReaderAt, uint64(in.Size), in.Stored())
	if err == nil && f.Type == elf.ET_CORE {
		err = &FormatError{headerPlace, typeOffset, "core dump, not an image: use the vmlinux or the program that dumped it"}
	}
	if err != nil {
		if in.Packed != "" {
			err = fmt.Errorf("in %s data: %w", in.Packed, err)
		}
		return nil, err
	}
	f.Packed, f.in, f.close = in.Packed, in, in.Close
	return f, nil
}

// typeOffset is where e_type stands in both classes of ELF headers.
const typeOffset = 16

// NewFile reads the headers of an image of the given size in bytes.
func NewFile(r io.ReaderAt, size uint64) (*File, error) {
	return newFile(r, size, size)
}

func newFile(r io.ReaderAt, size, stored uint64) (*File, error) {
	f := &File{r: r, size: size, stored: stored, most: input.Most(stored)}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	f.layOut()
	f.findWaiting()
	return f, nil
}

// Close releases the file. Slices with the data of sections stay valid.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Unchanged returns input.ErrChanged if the file was written to since it was opened.
func (f *File) Unchanged() error {
	if f.in == nil {
		return nil
	}
	return f.in.Unchanged()
}

// Guarded calls do, which reads sections that are mapped; see input.File.Guarded.
func (f *File) Guarded(do func() error) error {
	if f.in == nil {
		return do()
	}
	return f.in.Guarded(do)
}

// AddrSize returns the size of an address in bytes by the ELF class, 4 or 8. It is the value for verify.Options.PtrSize.
func (f *File) AddrSize() int {
	if f.Is64 {
		return 8
	}
	return 4
}

// Section returns the first section with that name, or nil.
func (f *File) Section(name string) *Section {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return &f.Sections[i]
		}
	}
	return nil
}

// readAt fills b from the file at off. where names the place in an error.
func (f *File) readAt(b []byte, off uint64, where string) error {
	if off > f.size || uint64(len(b)) > f.size-off {
		return &FormatError{where, off, fmt.Sprintf("%d bytes reach past the end of the file (%d bytes)", len(b), f.size)}
	}
	if len(b) == 0 { // a reader may return io.EOF here
		return nil
	}
	if _, err := f.r.ReadAt(b, int64(off)); err != nil {
		return fmt.Errorf("%s+%#x: %w", where, off, err)
	}
	return nil
}

const headerPlace = "ELF header"

func (f *File) readHeader() error {
	var h [64]byte
	if f.size < 52 {
		return &FormatError{headerPlace, 0, fmt.Sprintf("%d bytes are too few for an ELF file", f.size)}
	}
	if err := f.readAt(h[:min(64, f.size)], 0, headerPlace); err != nil {
		return err
	}
	if string(h[:4]) != elf.ELFMAG {
		return &FormatError{headerPlace, 0, "not an ELF file"}
	}
	switch elf.Class(h[elf.EI_CLASS]) {
	case elf.ELFCLASS32:
	case elf.ELFCLASS64:
		f.Is64 = true
	default:
		return &FormatError{headerPlace, elf.EI_CLASS, fmt.Sprintf("class %d is unknown", h[elf.EI_CLASS])}
	}
	switch elf.Data(h[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.Order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.Order = binary.BigEndian
	default:
		return &FormatError{headerPlace, elf.EI_DATA, fmt.Sprintf("byte order %d is unknown", h[elf.EI_DATA])}
	}
	f.Type, f.Machine = elf.Type(f.Order.Uint16(h[16:])), elf.Machine(f.Order.Uint16(h[18:]))
	var shoff uint64
	var counts []byte // e_shentsize, e_shnum, e_shstrndx
	if f.Is64 {
		if f.size < 64 {
			return &FormatError{headerPlace, 0, fmt.Sprintf("%d bytes are too few for a 64-bit ELF file", f.size)}
		}
		shoff, counts = f.Order.Uint64(h[40:]), h[58:]
	} else {
		shoff, counts = uint64(f.Order.Uint32(h[32:])), h[46:]
	}
	return f.readSections(shoff, int(f.Order.Uint16(counts)), uint64(f.Order.Uint16(counts[2:])), uint32(f.Order.Uint16(counts[4:])))
}

// readSections reads the section headers. In files with more than 65,279 sections, the count is 0 and the index of the name table is
// SHN_XINDEX; section 0 then holds the values.
func (f *File) readSections(shoff uint64, entSize int, n uint64, strIndex uint32) error {
	const place = "section headers"
	want := 40
	if f.Is64 {
		want = 64
	}
	if shoff == 0 {
		return &FormatError{place, 0, "the file has no section headers"}
	}
	if entSize != want {
		return &FormatError{headerPlace, 0, fmt.Sprintf("section headers of %d bytes, want %d", entSize, want)}
	}
	first := make([]byte, want)
	if err := f.readAt(first, shoff, place); err != nil {
		return err
	}
	null := f.parseSection(first)
	if n == 0 {
		n = null.Size
	}
	if strIndex == uint32(elf.SHN_XINDEX) {
		strIndex = null.Link
	}
	if n == 0 || n > maxSections || n*uint64(want) > f.size {
		return &FormatError{place, shoff, fmt.Sprintf("%d sections do not fit a file of %d bytes", n, f.size)}
	}
	raw := make([]byte, n*uint64(want))
	if err := f.readAt(raw, shoff, place); err != nil {
		return err
	}
	f.Sections = make([]Section, n)
	names := make([]uint32, n)
	for i := range f.Sections {
		h := raw[i*want:]
		f.Sections[i] = f.parseSection(h)
		f.Sections[i].Index = i
		names[i] = f.Order.Uint32(h)
	}
	if strIndex == uint32(elf.SHN_UNDEF) {
		return &FormatError{headerPlace, 0, "the sections have no names (section name table 0)"}
	}
	if uint64(strIndex) >= n {
		return &FormatError{headerPlace, 0, fmt.Sprintf("section name table %d is not one of %d sections", strIndex, n)}
	}
	strs, err := f.raw(&f.Sections[strIndex])
	if err != nil {
		return err
	}
	for i := range f.Sections {
		name, ok := cstring(strs, uint64(names[i]))
		if !ok {
			return &FormatError{place, shoff + uint64(i*want), fmt.Sprintf("name at %#x lies outside the name table", names[i])}
		}
		f.Sections[i].Name = string(name)
	}
	return nil
}

func (f *File) parseSection(h []byte) Section {
	o := f.Order
	if f.Is64 {
		return Section{Type: elf.SectionType(o.Uint32(h[4:])), Flags: elf.SectionFlag(o.Uint64(h[8:])), Addr: o.Uint64(h[16:]),
			Off: o.Uint64(h[24:]), Size: o.Uint64(h[32:]), Link: o.Uint32(h[40:]), Info: o.Uint32(h[44:]), Align: o.Uint64(h[48:]), EntSize: o.Uint64(h[56:])}
	}
	w := func(i int) uint64 { return uint64(o.Uint32(h[i:])) }
	return Section{Type: elf.SectionType(w(4)), Flags: elf.SectionFlag(w(8)), Addr: w(12), Off: w(16), Size: w(20),
		Link: uint32(w(24)), Info: uint32(w(28)), Align: w(32), EntSize: w(36)}
}

// cstring returns the NUL-terminated string at off.
func cstring(b []byte, off uint64) ([]byte, bool) {
	if off >= uint64(len(b)) {
		return nil, false
	}
	s := b[off:]
	n := bytes.IndexByte(s, 0)
	if n < 0 {
		return nil, false
	}
	return s[:n], true
}
