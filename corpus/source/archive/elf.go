package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A Sink is what a file is written to.
type Sink interface {
	io.Writer
	io.ReaderAt
}

// Copy writes the contents of the current entry to dst, if they have at most the given number of bytes. Before anything is written, check is
// called with up to 64 KiB from their beginning. Of an ELF file, bytes after the end that its headers state are left out. After an error, the
// contents of dst are undefined.
func (r *Reader) Copy(dst Sink, most int64, check func(head []byte) error) error {
	err := Allowed(r.last.Size, most)
	if err == nil && r.s.size >= 0 {
		err = r.contained(&r.last)
	}
	if plausible := r.mostUnpacked(); err == nil && r.last.Size > plausible {
		err = fmt.Errorf("the file states %d bytes, too many for an archive that has at most %d", r.last.Size, plausible)
	}
	if err == nil {
		err = copyMember(dst, r, r.last.Size, check)
	}
	if err != nil {
		return r.Broken(err)
	}
	return nil
}

// mostUnpacked returns the largest plausible size of a file in the archive.
func (r *Reader) mostUnpacked() int64 {
	if r.s.size >= 0 {
		return r.s.size
	}
	if r.p.Size < 0 {
		return 1 << 62 // the stream is bounded as it is read
	}
	return Most(r.p.Size)
}

// copyMember writes a member of the given size to dst. Of an ELF file, it writes only the parts that the headers of that file describe.
func copyMember(dst Sink, r io.Reader, size int64, check func(head []byte) error) error {
	c := copier{dst: dst, r: r}
	c.space, _ = dst.(Space)
	head, err := c.read(min(size, window))
	if err != nil {
		return err
	}
	if check != nil {
		if err := check(head); err != nil {
			return err
		}
	}
	table, err := sectionTable(head)
	if err != nil {
		return err
	}
	if table.end() > size {
		return fmt.Errorf("the ELF file is truncated: its section headers end at %d of %d bytes", table.end(), size)
	}
	if err := c.write(head); err != nil {
		return err
	}
	if err := c.upTo(table.end()); err != nil {
		return err
	}
	end, err := table.claim(dst)
	if err != nil {
		return err
	}
	return c.upTo(min(end, size))
}

// Allowed returns an error for a file that has more than the given number of bytes.
func Allowed(size, most int64) error {
	if size > most {
		return fmt.Errorf("the file has %d bytes, and %d are allowed", size, most)
	}
	return nil
}

// A Space is a Sink in memory. Grow appends bytes, which the caller fills before it calls other methods.
type Space interface{ Grow(n int) []byte }

// A copier copies from a reader to a sink.
type copier struct {
	dst   Sink
	space Space // dst, or nil if it is not one
	r     io.Reader
	buf   []byte // unless there is space
	n     int64  // bytes in dst
}

const copyStep = 256 << 10

// read reads n bytes. They have to be written before others are read.
func (c *copier) read(n int64) (b []byte, err error) {
	if c.space != nil {
		b = c.space.Grow(int(n))
	} else {
		if c.buf == nil {
			c.buf = make([]byte, copyStep)
		}
		b = c.buf[:n]
	}
	_, err = io.ReadFull(c.r, b)
	return b, err
}

// write writes what was read.
func (c *copier) write(b []byte) (err error) {
	if c.n += int64(len(b)); c.space == nil {
		_, err = c.dst.Write(b)
	}
	return err
}

// upTo copies until dst has end bytes.
func (c *copier) upTo(end int64) error {
	for c.n < end {
		b, err := c.read(min(end-c.n, copyStep))
		if err == nil {
			err = c.write(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// headers says where the section headers of an ELF file are. The zero value is for other files, and for ELF files without sections.
type headers struct {
	order   binary.ByteOrder
	is64    bool
	off     int64
	n, each int64
}

func (h headers) end() int64 { return h.off + h.n*h.each }

// sectionTable finds the section headers of an ELF file. head has the beginning of the file.
func sectionTable(head []byte) (h headers, err error) {
	if len(head) < 64 || string(head[:4]) != "\x7fELF" {
		return h, nil
	}
	if h.order = binary.ByteOrder(binary.LittleEndian); head[5] == 2 {
		h.order = binary.BigEndian
	}
	var off uint64
	if h.is64 = head[4] == 2; h.is64 {
		off, h.each, h.n = h.order.Uint64(head[40:]), int64(h.order.Uint16(head[58:])), int64(h.order.Uint16(head[60:]))
	} else {
		off, h.each, h.n = uint64(h.order.Uint32(head[32:])), int64(h.order.Uint16(head[46:])), int64(h.order.Uint16(head[48:]))
	}
	least := int64(40)
	if h.is64 {
		least = 64
	}
	switch {
	case off > 1<<48:
		return headers{}, fmt.Errorf("the ELF header states section headers at %d", off)
	case off == 0, h.n == 0: // no sections, or too many for the header to state their number
		return headers{}, nil
	case h.each < least:
		return headers{}, fmt.Errorf("the ELF header states section headers of %d bytes", h.each)
	}
	h.off = int64(off)
	return h, nil
}

// claim returns the end of the last section. r must contain the section headers.
func (h headers) claim(r io.ReaderAt) (int64, error) {
	if h.off == 0 {
		return 1 << 62, nil // other files are bounded only by their size
	}
	end := h.end()
	list := make([]byte, h.n*h.each)
	if _, err := r.ReadAt(list, h.off); err != nil {
		return 0, err
	}
	for s := list; len(s) > 0; s = s[h.each:] {
		kind, off, size := h.section(s)
		if kind != nobits && off < 1<<62 && size < 1<<62-off {
			end = max(end, int64(off+size))
		}
	}
	return end, nil
}

// unread are sections of debug information that nobody reads to encode an image, because they say nothing about types.
var unread = []string{
	".debug_line", ".debug_frame", ".debug_rnglists", ".debug_ranges", ".debug_aranges", ".debug_names", ".debug_pubnames", ".debug_pubtypes",
	".debug_gnu_pubnames", ".debug_gnu_pubtypes", ".debug_macro", ".debug_macinfo", ".comment",
}

// first are the names of sections in the order in which an encoder begins to read them, after what is not debug information.
var first = []string{".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_addr", ".debug_abbrev", ".debug_types", ".debug_info"}

// rank returns the place of a section among those that are read to encode an image, by its name and type; -1 for others. Of what is loaded into memory,
// code and data, only BTF and notes are read as a whole. Whatever else is read is little.
func rank(name string, kind uint32, alloc bool) int {
	switch i := slices.Index(first, name); {
	case alloc && kind != note && name != btf.SectionBTF && name != btf.SectionIDs, slices.Contains(unread, name):
		return -1
	case alloc:
		return 0
	case i >= 0:
		return 2 + i
	case strings.HasPrefix(name, ".debug_"):
		return 2 + len(first)
	}
	return 1
}

// WantSections tells a view of an ELF file, which begins with head, which parts of it are worth decoding ahead, in the order in which an encoder begins
// to read them. Section headers past the end
// of the file are an error.
func WantSections(v View, head []byte, size int64) error {
	t, err := sectionTable(head)
	if err != nil || t.off == 0 {
		return err
	}
	if t.end() > size {
		return fmt.Errorf("the ELF file is truncated: its section headers end at %d of %d bytes", t.end(), size)
	}
	list := make([]byte, t.n*t.each)
	if _, err := v.ReadAt(list, t.off); err != nil {
		return err
	}
	names := t.names(v, list, head)
	ranks := make([][]int64, 3+len(first)) // indices of sections
	info := int64(-1)                      // index of .debug_info, which is translated unit by unit
	for i := range t.n {
		kind, off, n := t.section(list[i*t.each:])
		if kind == nobits || kind == 0 || off > uint64(size) || n > uint64(size)-off || n == 0 {
			continue
		}
		of := i // relocations are read with what they belong to
		if to := t.info(list[i*t.each:]); (kind == rela || kind == rel) && to < t.n {
			of = to
		}
		h := list[of*t.each:]
		var text []byte
		if name := t.order.Uint32(h); uint64(name) < uint64(len(names)) {
			text, _, _ = bytes.Cut(names[name:], []byte{0})
		}
		kindOf, _, _ := t.section(h)
		if string(text) == ".debug_info" && of == i {
			info = i
		}
		if k := rank(string(text), kindOf, t.alloc(h)); k >= 0 {
			ranks[k] = append(ranks[k], i)
		}
	}
	for _, i := range slices.Concat(ranks...) {
		_, off, n := t.section(list[i*t.each:])
		if i == info {
			v.WantOnce(int64(off), int64(n))
		} else {
			v.Want(int64(off), int64(n))
		}
	}
	return nil
}

// Types of sections.
const (
	rela   = 4
	note   = 7
	nobits = 8
	rel    = 9
)

// alloc reports whether a section is loaded into memory.
func (h headers) alloc(s []byte) bool {
	const flag = 2
	if h.is64 {
		return h.order.Uint64(s[8:])&flag != 0
	}
	return h.order.Uint32(s[8:])&flag != 0
}

// info returns the field sh_info of a section, which of relocations is the index of the section that they belong to.
func (h headers) info(s []byte) int64 {
	if h.is64 {
		return int64(h.order.Uint32(s[44:]))
	}
	return int64(h.order.Uint32(s[28:]))
}

// section returns the type of a section, and its place in the file.
func (h headers) section(s []byte) (kind uint32, off, size uint64) {
	if kind = h.order.Uint32(s[4:]); h.is64 {
		return kind, h.order.Uint64(s[24:]), h.order.Uint64(s[32:])
	}
	return kind, uint64(h.order.Uint32(s[16:])), uint64(h.order.Uint32(s[20:]))
}

// names returns the names of the sections, or nil if they cannot be read.
func (h headers) names(r io.ReaderAt, list, head []byte) []byte {
	i := int64(h.order.Uint16(head[50:]))
	if h.is64 {
		i = int64(h.order.Uint16(head[62:]))
	}
	if i >= h.n {
		return nil
	}
	_, off, size := h.section(list[i*h.each:])
	if size > 1<<20 || off > 1<<48 {
		return nil
	}
	b := make([]byte, size)
	if n, _ := r.ReadAt(b, int64(off)); n < len(b) {
		return nil
	}
	return b
}
