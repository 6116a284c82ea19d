// Package dwarf walks .debug_info in place: units, compiled abbreviations, DIEs with the attributes that the rules read,
// location expressions and lists.
//
// Input: an open ELF file. Output: units and, for each DIE, a tag and a few numbers. Every access is checked against the bounds of the
// section. Never: the package does not allocate per DIE, and does not decide what a DIE means for BTF.
package dwarf

import (
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// ErrNoDWARF says that an image has no .debug_info.
var ErrNoDWARF = errors.New("no DWARF: .debug_info is missing or empty")

// A span is the bytes from a position on. Its length is checked once, when it is taken. After that, eight bytes can be loaded at any offset
// that fits a byte, without another check.
type span = *[spanSize]byte

const spanSize = 272

// slack is the number of bytes in a buffer after the end of its section. With it, a span can be taken at any position in the section, and also
// after the code and the short name of a DIE that is cut short.
const slack = spanSize + 16

// spanAt returns the span at a position, which must be less than 1 << 31. The conversion to 32 bits saves half of the instructions.
func spanAt(data []byte, pos int) span {
	at := uint(uint32(pos))
	return span(data[at : at+spanSize])
}

// Data is the DWARF of one image. It may be read by several goroutines at once.
type Data struct {
	File  *elf.File
	order binary.ByteOrder
	swap  bool // big endian

	info   section // .debug_info
	types  section // .debug_types, DWARF 4
	abbrev section
	tables *tables // parsed tables of abbrev
	addr   []byte
	strOff []byte
	loc    section // .debug_loc
	lists  section // .debug_loclists

	Strings Strings
	keys    *Strings          // creates the keys: Strings, or in a supplementary file the Strings of its image
	sup     *Data             // the supplementary file, for DW_FORM_GNU_ref_alt and DW_FORM_ref_sup, or nil
	sigs    map[uint64]uint64 // after TypeUnits: the local ids of types, by signature
	sigMax  uint64            // the highest of these ids
	split   bool              // it is from a .dwo or .dwp file
}

// A section is a debug section. It is read from the file piece by piece, or kept in memory if the bytes in the file must be changed first, for
// example decompressed.
type section struct {
	s      *elf.Section
	file   *elf.File
	pieces *elf.Pieces // if the section is read from the file and relocated; or nil

	whole []byte // the whole section and slack; nil if it is read from the file
	size  uint64
	base  uint64 // its offset in the section of the file, if it is a part of that
	all   uint64 // size of the section of the file, in bytes; only for .debug_abbrev
}

// Open finds the debug sections of an image. The error is ErrNoDWARF if there are none.
func Open(f *elf.File) (*Data, error) { return OpenAs(f, Opening{}) }

// An Opening says how a relocatable file is opened.
type Opening struct {
	Merge    uint64 // names are merged only if .debug_info has at least so many bytes
	InPieces bool   // .debug_info is relocated unit by unit if possible; see Data.InPieces
}

// OpenAs is Open with a choice for relocatable files. Close must not be called before the strings are no longer needed.
func OpenAs(f *elf.File, how Opening) (*Data, error) {
	d := &Data{File: f, order: f.Order, swap: f.Order == binary.ByteOrder(binary.BigEndian)}
	d.keys = &d.Strings
	var err error
	d.Strings.merged = mergeNames(f, how.Merge)
	d.Strings.several = f.Type == stdelf.ET_REL && d.Strings.merged == nil
	open := func(name string) (s section) {
		if err == nil {
			s, err = openSection(f, name, d.Strings.merged)
		}
		return s
	}
	whole := func(name string) []byte {
		s := open(name)
		if err == nil {
			err = s.load()
		}
		return s.whole[:min(s.size, uint64(len(s.whole)))]
	}
	strs := func() []byte { // a relocatable file has many strings that nothing refers to
		list := f.DebugSections(".debug_str")
		if err != nil || f.Type != stdelf.ET_REL || len(list) != 1 || !f.Plain(list[0]) || f.Sound(list[0]) != nil {
			return whole(".debug_str")
		}
		var b []byte
		b, err = f.Mapped(list[0])
		return b
	}
	if how.InPieces {
		if d.info, err = openPieces(f, d.Strings.merged); err != nil {
			return nil, err
		}
	}
	if d.info.pieces == nil {
		d.info = open(".debug_info")
	}
	d.types = open(".debug_types")
	if err == nil && d.info.size == 0 && d.types.size == 0 {
		return nil, ErrNoDWARF
	}
	d.abbrev, d.tables = open(".debug_abbrev"), &tables{}
	d.abbrev.all = d.abbrev.size
	if d.Strings.merged != nil {
		d.Strings.str = d.Strings.merged.Data()
	} else {
		d.Strings.str = strs()
	}
	d.Strings.line = whole(".debug_line_str")
	d.strOff, d.addr = whole(".debug_str_offsets"), whole(".debug_addr")
	d.loc, d.lists = open(".debug_loc"), open(".debug_loclists")
	if err != nil {
		return nil, err
	}
	if n := len(d.Strings.str); n > 0 && d.Strings.str[n-1] != 0 {
		return nil, &elf.FormatError{Section: ".debug_str", Offset: uint64(n - 1), Problem: "last string is not terminated"}
	}
	return d, nil
}

// mergeNames finds equal names in a relocatable file. It returns nil if the names of the file need not or cannot be merged.
func mergeNames(f *elf.File, least uint64) *elf.MergedStrings {
	info := f.DebugSections(".debug_info")
	if f.Type != stdelf.ET_REL || len(info) != 1 || info[0].Size < least {
		return nil
	}
	list := f.DebugSections(".debug_str")
	if len(list) != 1 || f.Sound(list[0]) != nil {
		return nil
	}
	data, err := f.Mapped(list[0])
	if err != nil {
		return nil // reading the section again gives the error
	}
	return f.MergeStrings(list[0], data)
}

// InPieces reports whether .debug_info is relocated unit by unit. After an error, the file must then be opened again without it: the reason may be
// that the relocations are not in order, and units that could be read may have been relocated in another way than the profile demands.
func (d *Data) InPieces() bool { return d.info.pieces != nil }

// openPieces opens .debug_info to relocate it piece by piece. The result has no pieces if that is not possible.
func openPieces(f *elf.File, names *elf.MergedStrings) (section, error) {
	list := f.DebugSections(".debug_info")
	if len(list) != 1 || f.Sound(list[0]) != nil {
		return section{}, nil //nolint:nilerr // whoever reads it as a whole gets the error
	}
	p, err := f.Pieces(list[0], names)
	return section{s: list[0], file: f, pieces: p, size: list[0].Size}, err
}

// openSection opens a debug section by its plain name. names has the merged names that it refers to, or is nil.
func openSection(f *elf.File, name string, names *elf.MergedStrings) (section, error) {
	list := f.DebugSections(name)
	switch len(list) {
	case 0:
		return section{s: &elf.Section{Name: name}, whole: make([]byte, slack)}, nil
	case 1:
		return openOne(f, list[0], names)
	}
	data, err := f.Joined(list)
	if err != nil {
		return section{}, err
	}
	return section{s: list[0], whole: append(data, make([]byte, slack)...), size: uint64(len(data))}, nil
}

func openOne(f *elf.File, s *elf.Section, names *elf.MergedStrings) (section, error) {
	if err := f.Sound(s); err != nil {
		return section{}, err
	}
	sec := section{s: s, file: f, size: s.Size}
	if f.Plain(s) {
		return sec, f.ReadAt(s, nil, s.Size) // an error if the file ends before the section
	}
	return sec, sec.loadWith(names)
}

// load reads the whole section into memory.
func (s *section) load() error {
	if s.whole != nil || s.file == nil {
		return nil
	}
	if s.pieces != nil || s.file.Plain(s.s) {
		b := make([]byte, s.size+slack)
		s.whole = b
		return s.read(b[:s.size], 0, s.size)
	}
	return s.loadWith(nil)
}

// read reads bytes from an offset on, and relocates the first n of them.
func (s *section) read(b []byte, off, n uint64) error {
	if s.pieces != nil {
		return s.pieces.ReadAt(b, off, n)
	}
	return s.file.ReadAt(s.s, b, off)
}

// loadWith reads a section that the file does not store as it is.
func (s *section) loadWith(names *elf.MergedStrings) error {
	data, err := s.file.DataWithNames(s.s, names)
	if err != nil {
		return err
	}
	s.size = uint64(len(data))
	s.whole = append(data, make([]byte, slack)...)
	return nil
}

// cacheLine is the size of a cache line. Copies are fastest if source and destination have the same offset in it.
const cacheLine = 64

// Sizes in bytes: of what is not a unit, such as a header, and of most units of a kernel.
const (
	fewBytes  = 4 << 10
	usualUnit = 256 << 10
)

// at returns the n bytes at off, followed by slack. It reads them into the buffer, which grows as needed. If the section is in memory, it
// returns a part of that instead. Bytes after the end of the section are zero.
func (s *section) at(buf *[]byte, off, n uint64) ([]byte, error) { return s.into(buf, off, n, n) }

// stored is at for bytes that no relocation changes.
func (s *section) stored(buf *[]byte, off, n uint64) ([]byte, error) { return s.into(buf, off, n, 0) }

// into is at, but relocates only some of the bytes of a section that is read in pieces.
func (s *section) into(buf *[]byte, off, n, relocated uint64) ([]byte, error) {
	if off > s.size || n > s.size-off {
		return nil, s.err(off, "%d bytes reach past the end of the section (%d bytes)", n, s.size)
	}
	if s.whole != nil {
		return s.whole[off : off+n+slack], nil
	}
	want := int(n + slack)
	if len(*buf) < want+cacheLine {
		size := want + want/2 + cacheLine
		if want > fewBytes { // a page that is never written costs no memory, and a buffer that grows does
			size = max(size, usualUnit)
		}
		*buf = make([]byte, size)
	}
	b := (*buf)[(s.s.Off+off)%cacheLine:][:want] // the same offset in a cache line as in the file
	have := min(n+slack, s.size-off)
	clear(b[have:])
	if relocated == 0 {
		return b, s.file.ReadAt(s.s, b[:have], off)
	}
	return b, s.read(b[:have], off, relocated)
}

// A window is a part of a section that was read ahead, for sequential access.
type window struct {
	sec  *section
	off  uint64 // offset of data in the section
	data []byte
	buf  []byte
}

// at returns the bytes of a section from an offset on: at least want bytes, or fewer at the end of the section. If it has to read the file, it
// reads ahead bytes.
func (w *window) at(sec *section, off, want, ahead uint64) ([]byte, error) {
	if sec.whole != nil && off <= sec.size {
		return sec.whole[off:sec.size], nil
	}
	left := sec.size - min(off, sec.size)
	want = min(want, left)
	if w.sec != sec || off < w.off || off+want > w.off+uint64(len(w.data)) {
		n := max(want, min(ahead, left))
		b, err := sec.at(&w.buf, off, n)
		if err != nil {
			w.data = nil
			return nil, err
		}
		w.sec, w.off, w.data = sec, off, b[:n]
	}
	return w.data[off-w.off:], nil
}

func (s *section) err(off uint64, format string, args ...any) error {
	return &elf.FormatError{Section: s.s.Name, Offset: off, Problem: fmt.Sprintf(format, args...)}
}
