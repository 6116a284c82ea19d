// Package dwarf walks .debug_info in place: units, compiled abbreviations, DIEs with the attributes that the rules read,
// location expressions and lists.
//
// Input: an open ELF file. Output: units and, for each DIE, a tag and a few numbers. Every access is checked against the bounds of the
// section. Never: the package does not allocate per DIE, and does not decide what a DIE means for BTF.
package dwarf

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// ErrNoDWARF says that an image has no .debug_info.
var ErrNoDWARF = errors.New("no DWARF: .debug_info is missing or empty (give the file as it was before it was stripped, or put its debug file beside it)")

// A span is the bytes from a position on. Eight bytes can be loaded at any offset that fits a byte, and the one check that all
// are there is made when it is taken.
type span = *[spanSize]byte

const spanSize = 272

// slack is how many bytes behind the last one a section's buffer holds, so that a span may be taken anywhere, and also behind the code
// and the short name of a DIE that turns out to be cut short.
const slack = spanSize + 16

// spanAt is the span at a position, which is less than 1 << 31. (That the number is one of 32 bits saves half of the instructions.)
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
	tables *tables // of abbrev
	addr   []byte
	strOff []byte
	loc    section // .debug_loc
	lists  section // .debug_loclists

	Strings Strings
	keys    *Strings          // gives the keys: Strings, or that of the image whose supplementary file this is
	sup     *Data             // what DW_FORM_GNU_ref_alt and DW_FORM_ref_sup lead into, or nil
	sigs    map[uint64]uint64 // where TypeUnits was called: the local ids of their types
	sigMax  uint64            // the highest of them
	split   bool              // of a .dwo or .dwp file
}

// A section is a debug section that is read from the file piece by piece, or held whole where its stored bytes are not its
// bytes.
type section struct {
	s     *elf.Section
	file  *elf.File
	whole []byte // with slack; nil when read from the file
	size  uint64
	base  uint64 // where it starts in that of the file, of which it may be a part
	all   uint64 // bytes that that has, of .debug_abbrev
}

// Open finds the debug sections of an image. The error is ErrNoDWARF when there are none.
func Open(f *elf.File) (*Data, error) {
	d := &Data{File: f, order: f.Order, swap: f.Order == binary.ByteOrder(binary.BigEndian)}
	d.keys = &d.Strings
	var err error
	open := func(name string) (s section) {
		if err == nil {
			s, err = openSection(f, name)
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
	d.info, d.types = open(".debug_info"), open(".debug_types")
	if err == nil && d.info.size == 0 && d.types.size == 0 {
		return nil, ErrNoDWARF
	}
	d.abbrev, d.tables = open(".debug_abbrev"), &tables{}
	d.abbrev.all = d.abbrev.size
	d.Strings.str = whole(".debug_str")
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

func openSection(f *elf.File, name string) (section, error) {
	list := f.DebugSections(name)
	switch len(list) {
	case 0:
		return section{s: &elf.Section{Name: name}, whole: make([]byte, slack)}, nil
	case 1:
		return openOne(f, list[0])
	}
	data, err := f.Joined(list)
	if err != nil {
		return section{}, err
	}
	return section{s: list[0], whole: append(data, make([]byte, slack)...), size: uint64(len(data))}, nil
}

func openOne(f *elf.File, s *elf.Section) (section, error) {
	if err := f.Sound(s); err != nil {
		return section{}, err
	}
	sec := section{s: s, file: f, size: s.Size}
	if f.Plain(s) {
		return sec, f.ReadAt(s, nil, s.Size) // it lies in the file
	}
	return sec, sec.load()
}

// load reads the section whole.
func (s *section) load() error {
	if s.whole != nil || s.file == nil {
		return nil
	}
	if s.file.Plain(s.s) {
		b := make([]byte, s.size+slack)
		s.whole = b
		return s.file.ReadAt(s.s, b[:s.size], 0)
	}
	data, err := s.file.Data(s.s)
	if err != nil {
		return err
	}
	s.size = uint64(len(data))
	s.whole = append(data, make([]byte, slack)...)
	return nil
}

// cacheLine is what processors copy at once where source and destination lie alike.
const cacheLine = 64

// at reads the n bytes at off, and slack behind them, into a buffer, which grows as needed; a section held whole gives a window
// instead. Bytes behind the section's end are zero.
func (s *section) at(buf *[]byte, off, n uint64) ([]byte, error) {
	if off > s.size || n > s.size-off {
		return nil, s.err(off, "%d bytes reach past the end of the section (%d bytes)", n, s.size)
	}
	if s.whole != nil {
		return s.whole[off : off+n+slack], nil
	}
	want := int(n + slack)
	if len(*buf) < want+cacheLine {
		*buf = make([]byte, want+want/2+cacheLine)
	}
	b := (*buf)[(s.s.Off+off)%cacheLine:][:want] // as it lies in the file
	have := min(n+slack, s.size-off)
	clear(b[have:])
	return b, s.file.ReadAt(s.s, b[:have], off)
}

// A window is a part of a section that is read ahead, for sequential access.
type window struct {
	sec  *section
	off  uint64 // of data in the section
	data []byte
	buf  []byte
}

// at is the section from an offset in it on: want bytes or more, unless it ends before. Where it has to be read, ahead bytes are.
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
