package elf

import (
	"debug/elf"
	"encoding/binary"
)

// A rawImage is an ELF file built byte by byte, with any oddity that a test needs.
type rawImage struct {
	l        *wordLayout
	order    binary.ByteOrder
	typ      elf.Type
	secs     []rawSection // without the null section and the names, which come last
	segments []span
	// spare is the number of empty sections that follow.
	spare int
	// tail is what follows the section headers.
	tail []byte
	// namesFlags are the flags of the section of names.
	namesFlags elf.SectionFlag
}

type rawSection struct {
	name  string
	typ   elf.SectionType
	flags elf.SectionFlag
	info  uint32
	data  []byte
}

// shapesOfFiles are both word sizes in both byte orders.
func shapesOfFiles() []rawImage {
	return []rawImage{
		{l: layout64, order: binary.LittleEndian}, {l: layout64, order: binary.BigEndian},
		{l: layout32, order: binary.LittleEndian}, {l: layout32, order: binary.BigEndian},
	}
}

func (r rawImage) name() string {
	s := "32-bit "
	if r.l == layout64 {
		s = "64-bit "
	}
	return s + r.order.String()
}

// bytes lays the file out: header, program headers, contents, names, section headers, tail.
func (r rawImage) bytes() []byte {
	l := r.l
	p := planner{f: &File{Order: r.order, Is64: l == layout64}, l: l}
	b := make([]byte, l.ehdr+len(r.segments)*l.phdr)
	copy(b, elf.ELFMAG)
	b[elf.EI_CLASS], b[elf.EI_DATA], b[elf.EI_VERSION] = 1, 1, 1
	if l == layout64 {
		b[elf.EI_CLASS] = 2
	}
	if r.order == binary.ByteOrder(binary.BigEndian) {
		b[elf.EI_DATA] = 2
	}
	r.order.PutUint16(b[16:], uint16(r.typ))
	r.order.PutUint16(b[18:], uint16(elf.EM_386))
	r.order.PutUint32(b[20:], 1)
	r.order.PutUint16(b[l.shstrndx-10:], uint16(l.ehdr))
	p.table = make([]byte, (len(r.secs)+2+r.spare)*l.shdr)
	names := []byte{0}
	secs := append(r.secs, rawSection{name: ".shstrtab", typ: elf.SHT_STRTAB, flags: r.namesFlags})
	for i, s := range secs {
		h := p.header(i + 1)
		p.put32(h, l.name, uint32(len(names)))
		names = append(append(names, s.name...), 0)
		if i == len(r.secs) {
			s.data = names
		}
		p.put32(h, l.kind, uint32(s.typ))
		p.put32(h, l.info, s.info)
		p.put(h, l.flags, uint64(s.flags))
		p.put(h, l.off, uint64(len(b)))
		p.put(h, l.size, uint64(len(s.data)))
		p.put(h, l.align, 1)
		if s.typ != elf.SHT_NOBITS {
			b = append(b, s.data...)
		}
	}
	if n := len(p.table) / l.shdr; n < int(elf.SHN_LORESERVE) {
		r.order.PutUint16(b[l.shnum:], uint16(n))
	} else {
		p.put(p.header(0), l.size, uint64(n))
	}
	r.order.PutUint16(b[l.shnum-2:], uint16(l.shdr))
	r.order.PutUint16(b[l.shstrndx:], uint16(len(secs)))
	p.put(b, l.shoff, uint64(len(b)))
	if len(r.segments) > 0 {
		p.put(b, l.phoff, uint64(l.ehdr))
		r.order.PutUint16(b[l.phentsize:], uint16(l.phdr))
		r.order.PutUint16(b[l.phnum:], uint16(len(r.segments)))
	}
	for i, s := range r.segments {
		h := b[l.ehdr+i*l.phdr:]
		p.put32(h, 0, uint32(elf.PT_LOAD))
		p.put(h, l.segOff, s.start)
		p.put(h, l.segSize, s.end-s.start)
	}
	b = append(b, p.table...)
	return append(b, r.tail...)
}

// contents returns the offset of the first section of a file with that many segments.
func (r rawImage) contents(segments int) uint64 { return uint64(r.l.ehdr + segments*r.l.phdr) }
