package elf

import (
	"debug/elf"
	"fmt"
	"math"
)

// A wordLayout holds the offsets of header fields for one word size.
type wordLayout struct {
	word int // bytes of an offset

	ehdr, phoff, shoff, phentsize, phnum, shnum, shstrndx int
	phdr, segOff, segSize                                 int
	shdr, name, kind, flags, off, size, link, info, align int
}

var (
	layout32 = &wordLayout{word: 4,
		ehdr: 52, phoff: 28, shoff: 32, phentsize: 42, phnum: 44, shnum: 48, shstrndx: 50,
		phdr: 32, segOff: 4, segSize: 16,
		shdr: 40, name: 0, kind: 4, flags: 8, off: 16, size: 20, link: 24, info: 28, align: 32}
	layout64 = &wordLayout{word: 8,
		ehdr: 64, phoff: 32, shoff: 40, phentsize: 54, phnum: 56, shnum: 60, shstrndx: 62,
		phdr: 56, segOff: 8, segSize: 32,
		shdr: 64, name: 0, kind: 4, flags: 8, off: 24, size: 32, link: 40, info: 44, align: 48}
)

// phnumInSection0 is the number of program headers that means: the number is in section 0.
const phnumInSection0 = 0xffff

// read reads the headers. File has checked that the section headers are in the file. Here every section must be in it too: if one reached
// past the end, appended bytes would become part of it.
func (p *planner) read() error {
	f := p.f
	p.l = layout32
	if f.Is64 {
		p.l = layout64
	}
	p.head = make([]byte, p.l.ehdr)
	if err := f.readAt(p.head, 0, headerPlace); err != nil {
		return err
	}
	p.shoff = p.get(p.head, p.l.shoff)
	p.old = make([]byte, len(f.Sections)*p.l.shdr)
	if err := f.readAt(p.old, p.shoff, "section headers"); err != nil {
		return err
	}
	p.table = append([]byte(nil), p.old...)
	for i := range f.Sections {
		if s := &f.Sections[i]; s.HasData() && (s.Off > f.size || s.Size > f.size-s.Off) {
			return &FormatError{s.place(), 0, fmt.Sprintf("%d bytes at file offset %#x reach past the end of the file (%d bytes)", s.Size, s.Off, f.size)}
		}
	}
	if err := p.readNames(); err != nil {
		return err
	}
	return p.readSegments()
}

func (p *planner) readNames() error {
	p.strIndex = int(p.f.Order.Uint16(p.head[p.l.shstrndx:]))
	if p.strIndex == int(elf.SHN_XINDEX) {
		p.strIndex = int(p.f.Order.Uint32(p.header(0)[p.l.link:]))
	}
	s := &p.f.Sections[p.strIndex]
	if p.f.fixed(s) {
		return fmt.Errorf("the section names are in a segment (section %s), so no name can be added", s.place())
	}
	strs, err := p.f.raw(s)
	if err != nil {
		return err
	}
	if len(strs) > 0 && strs[len(strs)-1] != 0 {
		return &FormatError{s.place(), s.Size, "the last name is not terminated"}
	}
	p.strs = strs
	return nil
}

// readSegments records which bytes are loaded. In a file that holds only debug information, a segment may reach past the end.
func (p *planner) readSegments() error {
	n := uint64(p.f.Order.Uint16(p.head[p.l.phnum:]))
	if n == phnumInSection0 {
		n = uint64(p.f.Order.Uint32(p.header(0)[p.l.info:]))
	}
	if n == 0 {
		return nil
	}
	const place = "program headers"
	if size := int(p.f.Order.Uint16(p.head[p.l.phentsize:])); size != p.l.phdr {
		return &FormatError{headerPlace, 0, fmt.Sprintf("program headers of %d bytes, want %d", size, p.l.phdr)}
	}
	off, size := p.get(p.head, p.l.phoff), n*uint64(p.l.phdr)
	if off > p.f.size || size > p.f.size-off {
		return &FormatError{place, off, fmt.Sprintf("%d of them reach past the end of the file (%d bytes)", n, p.f.size)}
	}
	p.phdrs = spanOf(off, size)
	raw := make([]byte, size)
	if err := p.f.readAt(raw, off, place); err != nil {
		return err
	}
	for ; len(raw) > 0; raw = raw[p.l.phdr:] {
		off, size := p.get(raw, p.l.segOff), p.get(raw, p.l.segSize)
		if off < p.f.size {
			p.segments = append(p.segments, spanOf(off, min(size, p.f.size-off)))
		}
		if end := off + size; end > p.f.size || end < off {
			if end < off {
				end = math.MaxUint64
			}
			p.missing = append(p.missing, span{max(off, p.f.size), end})
		}
	}
	return nil
}

// header returns the section header with that index, with the changes made so far.
func (p *planner) header(i int) []byte { return p.table[i*p.l.shdr : (i+1)*p.l.shdr] }

// get reads a word-sized field.
func (p *planner) get(h []byte, at int) uint64 {
	if p.l.word == 8 {
		return p.f.Order.Uint64(h[at:])
	}
	return uint64(p.f.Order.Uint32(h[at:]))
}

// put writes a word-sized field.
func (p *planner) put(h []byte, at int, v uint64) {
	if p.l.word == 8 {
		p.f.Order.PutUint64(h[at:], v)
	} else {
		p.f.Order.PutUint32(h[at:], uint32(v))
	}
}

func (p *planner) put32(h []byte, at int, v uint32) { p.f.Order.PutUint32(h[at:], v) }
