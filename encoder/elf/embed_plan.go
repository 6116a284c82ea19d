package elf

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A planner computes a change. It reads only headers, not the sections that stay.
type planner struct {
	f     *File
	l     *wordLayout
	head  []byte // the ELF header
	table []byte // the section headers, with the changes made so far
	old   []byte // the section headers in the file
	shoff uint64

	segments []span
	missing  []span // parts of segments past the end of the file
	phdrs    span
	strIndex int
	strs     []byte // names of sections, with those added so far
	grown    bool   // strs is longer than in the file

	inserts []insert
	change
}

// An insert is content that goes to the end of the file.
type insert struct {
	index int // section index
	data  []byte
	old   span // where the section was; empty for a new one
}

// A span is a range of file offsets.
type span struct{ start, end uint64 }

func (s span) empty() bool { return s.start >= s.end }
func (s span) overlaps(o span) bool {
	return s.start < o.end && o.start < s.end && !s.empty() && !o.empty()
}
func spanOf(off, size uint64) span { return span{off, off + size} }
func (s *Section) span() span      { return spanOf(s.Off, s.Size) }

// embed plans the change that gives the file these sections.
func (f *File) embed(sections []EmbedSection) (*change, error) {
	p := &planner{f: f}
	if err := p.read(); err != nil {
		return nil, err
	}
	p.keep = f.size
	for i, s := range sections {
		if s.Name == "" || strings.Contains(s.Name, "\x00") {
			return nil, fmt.Errorf("%q is not a valid section name", s.Name)
		}
		if slices.ContainsFunc(sections[:i], func(o EmbedSection) bool { return o.Name == s.Name }) {
			return nil, fmt.Errorf("section %s is given twice", s.Name)
		}
		var err error
		if old := f.Section(s.Name); old != nil {
			err = p.replace(old, s.Data)
		} else {
			err = p.add(s)
		}
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", s.Name, err)
		}
	}
	return &p.change, p.finish()
}

// add appends a section header. The content goes to the end of the file.
func (p *planner) add(s EmbedSection) error {
	i := len(p.table) / p.l.shdr
	if err := p.notRelocated(i); err != nil {
		return err
	}
	name := bytes.Index(p.strs, append([]byte(s.Name), 0))
	if name < 0 {
		name = len(p.strs)
		p.strs = append(append(p.strs, s.Name...), 0)
		p.grown = true
	}
	p.table = append(p.table, make([]byte, p.l.shdr)...)
	h := p.header(i)
	p.put32(h, p.l.name, uint32(name))
	p.put32(h, p.l.kind, uint32(elf.SHT_PROGBITS))
	p.put(h, p.l.align, 1)
	p.put(h, p.l.size, uint64(len(s.Data)))
	p.inserts = append(p.inserts, insert{index: i, data: s.Data})
	return nil
}

// notRelocated returns an error if relocations would change the content of the section with that index. In a damaged file they can exist
// for an index that has no section yet.
func (p *planner) notRelocated(index int) error {
	for i := range p.f.Sections {
		if r := &p.f.Sections[i]; r.relocates(index) && r.Size > 0 {
			return fmt.Errorf("it has relocations in section %s", r.place())
		}
	}
	return nil
}

// replace gives a section new content, in place or at the end of the file.
func (p *planner) replace(s *Section, data []byte) error {
	f := p.f
	switch s.Index {
	case 0:
		return errors.New("section 0 has no content")
	case p.strIndex:
		return errors.New("it holds the names of the sections")
	}
	if s.Type != elf.SHT_PROGBITS {
		return fmt.Errorf("it is a section of type %s", s.Type)
	}
	if err := p.notRelocated(s.Index); err != nil {
		return err
	}
	h := p.header(s.Index)
	fits := uint64(len(data)) <= s.Size
	inPlace := fits && p.alone(s.span(), s.Index, !f.fixed(s))
	switch {
	case inPlace:
		if !s.span().empty() {
			p.edits = append(p.edits, edit{s.Off, data}, edit{s.Off + uint64(len(data)), make([]byte, s.Size-uint64(len(data)))})
		}
	case f.fixed(s) && !fits:
		return fmt.Errorf("%w: room for %d bytes, needs %d", ErrNoRoom, s.Size, len(data))
	case f.fixed(s):
		return &FormatError{s.Name, 0, "shares its bytes with other parts of the file"}
	default:
		p.inserts = append(p.inserts, insert{s.Index, data, s.span()})
	}
	p.put(h, p.l.size, uint64(len(data)))
	p.put(h, p.l.flags, uint64(s.Flags&^elf.SHF_COMPRESSED))
	return nil
}

// Parts of a file that are not sections.
const (
	headerPart = -1 - iota
	tablePart
)

// alone reports whether no other part of the file shares bytes with s. Segments count as such parts if segments is true. index is the
// section that s belongs to, or one of the parts above.
func (p *planner) alone(s span, index int, segments bool) bool {
	if index != headerPart && s.overlaps(p.fileHeader()) || index != tablePart && s.overlaps(p.oldTable()) || s.overlaps(p.phdrs) {
		return false
	}
	for i := range p.f.Sections {
		if o := &p.f.Sections[i]; i != index && o.HasData() && s.overlaps(o.span()) {
			return false
		}
	}
	return !segments || !slices.ContainsFunc(p.segments, s.overlaps)
}

func (p *planner) fileHeader() span { return spanOf(0, uint64(len(p.head))) }
func (p *planner) oldTable() span   { return spanOf(p.shoff, uint64(len(p.old))) }

// finish lays out the end of the file: content, names, section headers. If nothing was moved or added, it only edits the section headers.
func (p *planner) finish() error {
	if len(p.inserts) == 0 {
		if bytes.Equal(p.table, p.old) {
			return nil
		}
		if p.alone(p.oldTable(), tablePart, true) {
			p.edits = append(p.edits, edit{p.shoff, p.table})
			return nil
		}
	}
	if !p.alone(p.fileHeader(), headerPart, false) {
		return &FormatError{headerPlace, 0, "shares its bytes with other parts of the file"}
	}
	p.reclaim()
	for _, in := range p.inserts {
		h := p.header(in.index)
		p.put(h, p.l.off, p.append(in.data, 8))
	}
	if p.grown {
		h := p.header(p.strIndex)
		p.put(h, p.l.off, p.append(p.strs, 1))
		p.put(h, p.l.size, uint64(len(p.strs)))
	}
	head := bytes.Clone(p.head)
	n := uint64(len(p.table) / p.l.shdr)
	if p.f.Order.Uint16(head[p.l.shnum:]) == 0 || n >= uint64(elf.SHN_LORESERVE) {
		p.f.Order.PutUint16(head[p.l.shnum:], 0)
		p.put(p.header(0), p.l.size, n)
	} else {
		p.f.Order.PutUint16(head[p.l.shnum:], uint16(n))
	}
	p.put(head, p.l.shoff, p.append(p.table, 8))
	p.edits = append(p.edits, edit{0, head})
	end := p.keep + uint64(len(p.tail))
	if !p.f.Is64 && end > math.MaxUint32 {
		return fmt.Errorf("%d bytes are too many for a 32-bit ELF file", end)
	}
	if slices.ContainsFunc(p.missing, span{p.keep, end}.overlaps) {
		return &FormatError{"program headers", p.phdrs.start, "a segment reaches past the end of the file, and added sections would become part of it"}
	}
	return nil
}

// append adds data to the tail and returns its offset in the file.
func (p *planner) append(data []byte, align uint64) uint64 {
	end := p.keep + uint64(len(p.tail))
	at := roundUp(end, align)
	p.tail = append(p.tail, make([]byte, at-end)...)
	p.tail = append(p.tail, data...)
	return at
}

// reclaim shortens a file in which a longer section replaces another. It cuts off unused bytes at the end: the section's old content, the
// old names, the old section headers. So the file does not grow each time it gets other BTF.
func (p *planner) reclaim() {
	dead := []span{p.oldTable(), p.f.Sections[p.strIndex].span()}
	moved := map[int]bool{p.strIndex: true}
	for _, in := range p.inserts {
		if !in.old.empty() {
			dead = append(dead, in.old)
			moved[in.index] = true
		}
	}
	if len(dead) == 2 {
		return
	}
	live := max(uint64(len(p.head)), p.phdrs.end)
	for _, s := range p.segments {
		live = max(live, s.end)
	}
	for i := range p.f.Sections {
		if s := &p.f.Sections[i]; !moved[i] && s.HasData() {
			live = max(live, s.Off+s.Size)
		}
	}
	for i := 0; i < len(dead); i++ {
		if s := dead[i]; s.start >= live && s.end <= p.keep && !s.empty() && p.padding(span{s.end, p.keep}) {
			p.keep, p.grown = s.start, true
			i = -1
		}
	}
}

// padding reports whether a range only aligns the next part: it is empty or a few zeros.
func (p *planner) padding(s span) bool {
	var b [16]byte
	n := s.end - s.start
	return n == 0 || n < uint64(len(b)) && p.f.readAt(b[:n], s.start, "padding") == nil && b == [16]byte{}
}
