package synth

import (
	"debug/elf"
	"encoding/binary"
)

// A Section is one section of the image. Its exported fields may be changed until Bytes is called.
type Section struct {
	Name  string
	Type  elf.SectionType
	Flags elf.SectionFlag
	Addr  uint64
	Align uint64
	Size  uint64 // of a NOBITS section; others are as long as their data

	data    []byte
	fixups  []fixup
	index   int
	link    int
	info    int
	entsize uint64
}

// A fixup is a field that holds the address of a place: a relocation in ET_REL files, a plain value elsewhere.
type fixup struct {
	off  int // of the field, in its section
	size int
	to   *Section
	add  uint64
}

// A Place is an absolute address or an offset inside a section.
type Place struct {
	sec *Section
	off uint64
	set bool
}

// Nowhere is the zero Place: an address that is not written at all.
var Nowhere = Place{}

// Abs is a fixed address, never relocated.
func Abs(addr uint64) Place { return Place{off: addr, set: true} }

// At is the place at an offset inside the section.
func (s *Section) At(off uint64) Place { return Place{sec: s, off: off, set: true} }

// value is the address of the place in a linked file.
func (p Place) value() uint64 {
	if p.sec != nil {
		return p.sec.Addr + p.off
	}
	return p.off
}

// Section adds a section with contents.
func (b *Builder) Section(name string, typ elf.SectionType, flags elf.SectionFlag, addr uint64, data []byte) *Section {
	s := &Section{Name: name, Type: typ, Flags: flags, Addr: addr, Align: 1, data: data, Size: uint64(len(data))}
	b.sections = append(b.sections, s)
	return s
}

// Data adds an allocated, writable PROGBITS section of zeros.
func (b *Builder) Data(name string, addr uint64, size int) *Section {
	return b.Section(name, elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_WRITE, addr, make([]byte, size))
}

// Text adds an allocated, executable PROGBITS section of zeros.
func (b *Builder) Text(name string, addr uint64, size int) *Section {
	return b.Section(name, elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_EXECINSTR, addr, make([]byte, size))
}

// NoBits adds an allocated section that takes no space in the file.
func (b *Builder) NoBits(name string, flags elf.SectionFlag, addr, size uint64) *Section {
	s := b.Section(name, elf.SHT_NOBITS, flags|elf.SHF_ALLOC, addr, nil)
	s.Size = size
	return s
}

// Note adds a SHT_NOTE section with one note.
func (b *Builder) Note(section, owner string, typ uint32, desc []byte) *Section {
	pad := func(n int) int { return (n + 3) &^ 3 }
	e := &enc{order: b.target.Order}
	e.u32(uint32(len(owner) + 1))
	e.u32(uint32(len(desc)))
	e.u32(typ)
	e.cstr(owner)
	e.bytes(make([]byte, pad(len(owner)+1)-len(owner)-1))
	e.bytes(desc)
	e.bytes(make([]byte, pad(len(desc))-len(desc)))
	s := b.Section(section, elf.SHT_NOTE, elf.SHF_ALLOC, 0, e.b)
	s.Align = 4
	return s
}

// LTONote adds the note that says whether a kernel was built with link-time optimisation.
func (b *Builder) LTONote(on bool) *Section {
	desc := make([]byte, 4)
	if on {
		b.target.Order.PutUint32(desc, 1)
	}
	return b.Note(".note.Linux", "Linux", 0x101, desc)
}

// A Symbol is one entry of .symtab. Its fields may be changed until Bytes is called.
type Symbol struct {
	Name  string
	At    Place  // in ET_REL files the value is the offset in the section
	Index uint16 // st_shndx when At names no section: SHN_UNDEF, SHN_ABS, SHN_COMMON
	Size  uint64
	Type  elf.SymType
	Bind  elf.SymBind
	Vis   elf.SymVis

	number int
}

// Symbol adds a global symbol. An absolute place gives SHN_ABS, Nowhere gives SHN_UNDEF. ELF requires that local symbols
// come before global ones. Apart from that, the order of the calls is kept.
func (b *Builder) Symbol(name string, at Place, size uint64, typ elf.SymType) *Symbol {
	s := &Symbol{Name: name, At: at, Size: size, Type: typ, Bind: elf.STB_GLOBAL}
	if at.set && at.sec == nil {
		s.Index = uint16(elf.SHN_ABS)
	}
	b.symbols = append(b.symbols, s)
	return s
}

// Local adds a symbol of local binding.
func (b *Builder) Local(name string, at Place, size uint64, typ elf.SymType) *Symbol {
	s := b.Symbol(name, at, size, typ)
	s.Bind = elf.STB_LOCAL
	return s
}

// A lateReloc is a relocation that the caller added.
type lateReloc struct {
	section string
	off     uint64
	typ     uint32
	sym     *Symbol
	addend  int64
}

// Reloc adds a relocation of any type to the first section of that name. In files without addends in the relocation
// (REL) the addend is not written: put it into the section.
func (b *Builder) Reloc(section string, off uint64, typ uint32, sym *Symbol, addend int64) {
	b.relocs = append(b.relocs, lateReloc{section, off, typ, sym, addend})
}

// An enc appends values in the byte order of the image.
type enc struct {
	b      []byte
	fixups []fixup
	order  binary.ByteOrder
	addr   int // bytes of an address
	off    int // bytes of a section offset: 4 or 8
}

func (e *enc) u8(v uint8)     { e.b = append(e.b, v) }
func (e *enc) u16(v uint16)   { e.uint(2, uint64(v)) }
func (e *enc) u32(v uint32)   { e.uint(4, uint64(v)) }
func (e *enc) bytes(v []byte) { e.b = append(e.b, v...) }
func (e *enc) cstr(s string)  { e.b = append(append(e.b, s...), 0) }

// uint writes the low n bytes of v, n at most 8.
func (e *enc) uint(n int, v uint64) {
	var w [8]byte
	e.order.PutUint64(w[:], v<<(64-8*n)>>(64-8*n))
	if e.order.String() == "BigEndian" {
		e.b = append(e.b, w[8-n:]...)
	} else {
		e.b = append(e.b, w[:n]...)
	}
}

func (e *enc) uleb(v uint64) {
	for v >= 0x80 {
		e.u8(byte(v) | 0x80)
		v >>= 7
	}
	e.u8(byte(v))
}

func (e *enc) sleb(v int64) {
	for v < -64 || v > 63 {
		e.u8(byte(v)&0x7f | 0x80)
		v >>= 7
	}
	e.u8(byte(v) & 0x7f)
}

// place writes an address of n bytes.
func (e *enc) place(n int, p Place) {
	if p.sec == nil {
		e.uint(n, p.off)
		return
	}
	e.fixups = append(e.fixups, fixup{len(e.b), n, p.sec, p.off})
	e.uint(n, p.value())
}

// length appends a unit_length field and returns a function that sets it to the length of the bytes appended since.
func (e *enc) length() (end func()) {
	if e.off == 8 {
		e.u32(0xffffffff)
	}
	at := len(e.b)
	e.uint(e.off, 0)
	return func() {
		n := uint64(len(e.b) - at - e.off)
		if e.off == 8 {
			e.order.PutUint64(e.b[at:], n)
		} else {
			e.order.PutUint32(e.b[at:], uint32(n))
		}
	}
}

// appendEnc appends the bytes of another enc, and its fixups with their new offsets.
func (e *enc) appendEnc(o *enc) {
	for _, f := range o.fixups {
		f.off += len(e.b)
		e.fixups = append(e.fixups, f)
	}
	e.b = append(e.b, o.b...)
}
