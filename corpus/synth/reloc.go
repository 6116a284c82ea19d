package synth

import (
	"debug/elf"
	"fmt"
)

// absRelocs are the relocation types that store an absolute address of 4 and of 8 bytes.
var absRelocs = map[elf.Machine]struct{ word, long uint32 }{
	elf.EM_X86_64:    {10, 1},
	elf.EM_386:       {1, 0},
	elf.EM_ARM:       {2, 0},
	elf.EM_AARCH64:   {258, 257},
	elf.EM_S390:      {4, 22},
	elf.EM_PPC:       {1, 0},
	elf.EM_PPC64:     {1, 38},
	elf.EM_RISCV:     {1, 2},
	elf.EM_MIPS:      {2, 18},
	elf.EM_LOONGARCH: {1, 2},
}

// inPlace reports whether the machine keeps addends in the relocated field (REL) instead of in the relocation (RELA).
func (t Target) inPlace() bool {
	switch t.Machine {
	case elf.EM_386, elf.EM_ARM:
		return true
	case elf.EM_MIPS:
		return t.Class == elf.ELFCLASS32
	}
	return false
}

// A relocSection has the relocations of one section.
type relocSection struct {
	of   *Section
	late []lateReloc
	out  *Section
}

// relocSections lists the sections that need relocations. In ET_REL files it also sets the relocated fields: to the addend with REL, to zero
// with RELA.
func (im *image) relocSections(secs []*Section, late []lateReloc) (rels []*relocSection) {
	relocatable := im.target.Type == elf.ET_REL
	for _, s := range secs[1:] {
		r := &relocSection{of: s}
		for _, l := range late {
			if l.section == s.Name {
				r.late = append(r.late, l)
			}
		}
		if !relocatable && !im.target.EmitRelocs {
			s.fixups = nil
		}
		if len(s.fixups) == 0 && len(r.late) == 0 {
			continue
		}
		for _, f := range s.fixups {
			if !relocatable {
				continue
			}
			e := &enc{order: im.target.Order}
			add := f.add
			if !im.target.inPlace() {
				add = 0
			}
			e.uint(f.size, add)
			copy(s.data[f.off:], e.b)
		}
		prefix, typ := ".rela", elf.SHT_RELA
		if im.target.inPlace() {
			prefix, typ = ".rel", elf.SHT_REL
		}
		r.out = &Section{Name: prefix + s.Name, Type: typ, Flags: elf.SHF_INFO_LINK, Align: 8}
		rels = append(rels, r)
	}
	return rels
}

// write writes the section of relocations. The section symbol of section i is symbol i.
func (r *relocSection) write(im *image, out, symtab *Section) {
	if symtab == nil {
		panic("synth: relocations without .symtab")
	}
	word := im.target.addrSize()
	e := &enc{order: im.target.Order}
	emit := func(off uint64, sym uint32, typ uint32, addend uint64) {
		e.uint(word, off)
		switch {
		case word == 4:
			e.u32(sym<<8 | typ)
		case im.target.Machine == elf.EM_MIPS:
			// 64-bit MIPS has a 32-bit symbol, a byte for a special symbol and three one-byte types, in file order.
			e.u32(sym)
			e.bytes([]byte{0, 0, 0, byte(typ)})
		default:
			e.uint(8, uint64(sym)<<32|uint64(typ))
		}
		if out.Type == elf.SHT_RELA {
			e.uint(word, addend)
		}
	}
	abs, known := absRelocs[im.target.Machine]
	for _, f := range r.of.fixups {
		typ := abs.long
		if f.size == 4 {
			typ = abs.word
		}
		if !known || typ == 0 {
			panic(fmt.Sprintf("synth: no %d-byte relocation is known for %v", f.size, im.target.Machine))
		}
		emit(r.of.Addr*im.linked()+uint64(f.off), uint32(f.to.index), typ, f.add)
	}
	for _, l := range r.late {
		emit(r.of.Addr*im.linked()+l.off, uint32(l.sym.number), l.typ, uint64(l.addend))
	}
	out.data, out.link, out.info = e.b, symtab.index, r.of.index
	out.entsize = uint64(3 * word)
	if out.Type == elf.SHT_REL {
		out.entsize = uint64(2 * word)
	}
}

// linked is 1 in linked files, in which relocations have addresses, and 0 in ET_REL files, in which they have section offsets.
func (im *image) linked() uint64 {
	if im.target.Type == elf.ET_REL {
		return 0
	}
	return 1
}
