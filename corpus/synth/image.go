package synth

import (
	"debug/elf"
	"fmt"
	"sort"
)

// An image is one file being built.
type image struct {
	target   Target
	sections []*Section          // in file order
	debug    map[string]*Section // those made by DWARF, added to sections at the end
	strings  map[string]uint64   // section name + string -> offset
	abbrevs  []*abbrevTable
	unitData map[string]*enc
}

// debugOrder is the order of debug sections in the file, similar to that of linkers.
var debugOrder = []string{".debug_info", ".debug_types", ".debug_abbrev", ".debug_str", ".debug_line_str",
	".debug_str_offsets", ".debug_addr", ".debug_loc", ".debug_loclists", ".debug_ranges", ".debug_rnglists"}

// debugSection returns a debug section, and creates it if there is none.
func (im *image) debugSection(name string) *Section {
	s := im.debug[name]
	if s == nil {
		s = &Section{Name: name, Type: elf.SHT_PROGBITS, Align: 1}
		if name == ".debug_str" || name == ".debug_line_str" {
			s.Flags, s.entsize = elf.SHF_MERGE|elf.SHF_STRINGS, 1
		}
		im.debug[name] = s
	}
	return s
}

func (im *image) section(name string) *Section {
	for _, s := range im.sections {
		if s.Name == name {
			return s
		}
	}
	panic(fmt.Sprintf("synth: no section %s", name))
}

// append adds bytes and their fixups to the end of the section.
func (s *Section) append(e *enc) {
	for _, f := range e.fixups {
		f.off += len(s.data)
		s.fixups = append(s.fixups, f)
	}
	s.data = append(s.data, e.b...)
}

// strp returns the offset of a string in a string section, which contains each string once.
func (im *image) strp(section, str string) Place { return im.ownString("", section, str) }

// ownString is strp for a string of one unit. A string section contains the strings of each owner once.
func (im *image) ownString(owner, section, str string) Place {
	s := im.debugSection(section)
	if im.strings == nil {
		im.strings = map[string]uint64{}
	}
	key := owner + "\x00" + section + "\x00" + str
	off, ok := im.strings[key]
	if !ok {
		off = uint64(len(s.data))
		im.strings[key] = off
		s.data = append(append(s.data, str...), 0)
	}
	return s.At(off)
}

// abbrevOffset returns the offset of the table in .debug_abbrev. It is correct from the second pass on.
func (im *image) abbrevOffset(t *abbrevTable) (off uint64) {
	for _, o := range im.abbrevs {
		if o == t {
			return off
		}
		off += uint64(len(o.body.b)) + 1
	}
	im.abbrevs = append(im.abbrevs, t)
	return off
}

// addDebugSections adds the sections that DWARF needs after the caller's sections.
func (im *image) addDebugSections() {
	for name, e := range im.unitData {
		im.debugSection(name).append(e)
	}
	for _, t := range im.abbrevs {
		s := im.debugSection(".debug_abbrev")
		s.data = append(append(s.data, t.body.b...), 0)
	}
	for _, name := range debugOrder {
		if s := im.debug[name]; s != nil {
			im.sections = append(im.sections, s)
		}
	}
}

// file writes the ELF file: header, section contents, section headers.
func (im *image) file(symbols []*Symbol, late []lateReloc) []byte {
	secs := append([]*Section{{}}, im.sections...)
	for i, s := range secs {
		s.index = i
	}
	user := len(secs)
	add := func(s *Section) *Section {
		s.index = len(secs)
		secs = append(secs, s)
		return s
	}
	rels := im.relocSections(secs, late)
	var symtab *Section
	if !im.target.NoSymtab {
		strtab := &Section{Name: ".strtab", Type: elf.SHT_STRTAB, Align: 1}
		symtab = add(&Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Align: 8})
		im.writeSymbols(symtab, strtab, symbols, secs[1:user], len(rels) > 0, add)
		symtab.link = add(strtab).index
	}
	for _, r := range rels {
		r.write(im, add(r.out), symtab)
	}
	for _, s := range secs[1:user] {
		im.compress(s)
	}
	names := add(&Section{Name: ".shstrtab", Type: elf.SHT_STRTAB, Align: 1})
	return im.write(secs, names)
}

// writeSymbols fills .symtab: the null symbol, one per section if relocations need them, local ones, global ones.
func (im *image) writeSymbols(symtab, strtab *Section, symbols []*Symbol, secs []*Section, withSections bool, add func(*Section) *Section) {
	all := []*Symbol{{}}
	if withSections {
		for _, s := range secs {
			all = append(all, &Symbol{At: s.At(0), Type: elf.STT_SECTION, Bind: elf.STB_LOCAL})
		}
	}
	user := append([]*Symbol(nil), symbols...)
	sort.SliceStable(user, func(i, j int) bool {
		return user[i].Bind == elf.STB_LOCAL && user[j].Bind != elf.STB_LOCAL
	})
	all = append(all, user...)
	e := &enc{order: im.target.Order}
	names := &enc{}
	names.u8(0)
	xindex := &enc{order: im.target.Order}
	for i, s := range all {
		s.number = i
		if s.Bind == elf.STB_LOCAL {
			symtab.info = i + 1
		}
		var name uint32
		if s.Name != "" {
			name = uint32(len(names.b))
			names.cstr(s.Name)
		}
		xindex.u32(im.symbol(e, s, name))
	}
	symtab.data, strtab.data = e.b, names.b
	symtab.entsize = uint64(len(e.b) / len(all))
	if im.target.XIndex {
		add(&Section{Name: ".symtab_shndx", Type: elf.SHT_SYMTAB_SHNDX, Align: 4, entsize: 4, link: symtab.index, data: xindex.b})
	}
}

// symbol writes one entry and returns its value in the table of extended indexes.
func (im *image) symbol(e *enc, s *Symbol, name uint32) (extended uint32) {
	value, shndx := s.At.value(), s.Index
	if s.At.sec != nil {
		shndx = uint16(s.At.sec.index)
		if im.target.Type == elf.ET_REL {
			value = s.At.off
		}
		if im.target.XIndex {
			shndx, extended = uint16(elf.SHN_XINDEX), uint32(s.At.sec.index)
		}
	}
	info, other := byte(s.Bind)<<4|byte(s.Type), byte(s.Vis)
	e.u32(name)
	if im.target.Class == elf.ELFCLASS32 {
		e.u32(uint32(value))
		e.u32(uint32(s.Size))
		e.u8(info)
		e.u8(other)
		e.u16(shndx)
		return extended
	}
	e.u8(info)
	e.u8(other)
	e.u16(shndx)
	e.uint(8, value)
	e.uint(8, s.Size)
	return extended
}

// write joins the parts. NOBITS sections have no bytes in the file.
func (im *image) write(secs []*Section, shstrtab *Section) []byte {
	names := &enc{}
	nameAt := make([]uint32, len(secs))
	for i, s := range secs {
		nameAt[i] = uint32(len(names.b))
		names.cstr(s.Name)
	}
	shstrtab.data = names.b

	ehsize := 64
	if im.target.Class == elf.ELFCLASS32 {
		ehsize = 52
	}
	body := &enc{order: im.target.Order}
	align := func(n int) {
		for (ehsize+len(body.b))%n != 0 {
			body.u8(0)
		}
	}
	offset := make([]uint64, len(secs))
	for i, s := range secs[1:] {
		if s.Type != elf.SHT_NOBITS {
			align(max(int(s.Align), 1))
		}
		offset[i+1] = uint64(ehsize + len(body.b))
		if s.Type != elf.SHT_NOBITS {
			body.bytes(s.data)
			s.Size = uint64(len(s.data))
		}
	}
	align(8)

	e := &enc{order: im.target.Order, addr: im.target.addrSize()}
	im.header(e, uint64(ehsize+len(body.b)), len(secs), shstrtab.index)
	e.bytes(body.b)
	for i, s := range secs {
		e.u32(nameAt[i])
		e.u32(uint32(s.Type))
		e.uint(e.addr, uint64(s.Flags))
		e.uint(e.addr, s.Addr)
		e.uint(e.addr, offset[i])
		e.uint(e.addr, s.Size)
		e.u32(uint32(s.link))
		e.u32(uint32(s.info))
		e.uint(e.addr, s.Align)
		e.uint(e.addr, s.entsize)
	}
	return e.b
}

// header writes the ELF header.
func (im *image) header(e *enc, shoff uint64, shnum, shstrndx int) {
	ehsize, shentsize := 64, 64
	if im.target.Class == elf.ELFCLASS32 {
		ehsize, shentsize = 52, 40
	}
	e.bytes([]byte(elf.ELFMAG))
	e.u8(byte(im.target.Class))
	e.u8(elfData(im.target))
	e.u8(byte(elf.EV_CURRENT))
	e.bytes(make([]byte, 9))
	e.u16(uint16(im.target.Type))
	e.u16(uint16(im.target.Machine))
	e.u32(uint32(elf.EV_CURRENT))
	e.uint(e.addr, 0) // e_entry
	e.uint(e.addr, 0) // e_phoff
	e.uint(e.addr, shoff)
	e.u32(0) // e_flags
	e.u16(uint16(ehsize))
	e.u16(0) // e_phentsize
	e.u16(0) // e_phnum
	e.u16(uint16(shentsize))
	e.u16(uint16(shnum))
	e.u16(uint16(shstrndx))
}

func elfData(t Target) byte {
	if t.Order.String() == "BigEndian" {
		return byte(elf.ELFDATA2MSB)
	}
	return byte(elf.ELFDATA2LSB)
}
