package elf

import (
	"debug/elf"
	"fmt"
)

// layoutBase is the address of a relocatable file's first allocated section (rule 01/1.2).
const layoutBase = 0x10000

// layOut gives addresses to the allocated sections of a relocatable file, in the order of section indices. Each starts at the end of the
// section before, rounded up to its alignment. A section that has an address keeps it, and the next section then starts at the highest end
// so far.
func (f *File) layOut() {
	if f.Type != elf.ET_REL {
		return
	}
	f.base = make([]uint64, len(f.Sections))
	end := uint64(layoutBase)
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		if s.Addr == 0 {
			s.Addr = roundUp(end, s.Align)
		}
		end = max(end, s.Addr+s.Size)
		f.base[i] = s.Addr
	}
	f.layOutDebug()
}

func roundUp(v, align uint64) uint64 {
	if align <= 1 || align&(align-1) != 0 {
		return v
	}
	return (v + align - 1) &^ (align - 1)
}

// relocates reports whether a section holds relocations of the section with that index.
func (s *Section) relocates(index int) bool {
	return (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) && int(s.Info) == index
}

// relocate applies the relocations of a relocatable file to the bytes of a section. See DataWithNames for names.
func (f *File) relocate(target *Section, b []byte, names *MergedStrings) error {
	if err := f.checkRelocations(target); err != nil {
		return err
	}
	var list []*Section
	for i := range f.Sections {
		if rel := &f.Sections[i]; rel.relocates(target.Index) {
			list = append(list, rel)
		}
	}
	left := f.size
	return f.relocateBy(list, target, b, &left, names)
}

// relocateBy applies the relocations in list to the bytes of a section, and subtracts the size of each relocation section from left. It
// returns an error if left would become negative.
func (f *File) relocateBy(list []*Section, target *Section, b []byte, left *uint64, names *MergedStrings) error {
	for _, rel := range list {
		if rel.Size > *left { // sections that overlap can have any number of them
			return &FormatError{rel.place(), 0, fmt.Sprintf("relocations of %s up to this section are larger than the file (%d bytes)", target.place(), f.size)}
		}
		*left -= rel.Size
		if f.peer != nil {
			if err := f.peer.relocate(f, rel, b, names); err != nil {
				return err
			}
			continue
		}
		if err := f.apply(rel, target, b, names); err != nil {
			return err
		}
	}
	return nil
}

// unrelocated reads a section of a relocatable file without relocating it.
func (f *File) unrelocated(s *Section) ([]byte, error) {
	b, err := f.raw(s)
	if err != nil {
		return nil, err
	}
	return f.decompress(s, b)
}

// apply applies the relocations in rel to the bytes of a section.
func (f *File) apply(rel, target *Section, b []byte, names *MergedStrings) error {
	e, err := f.openEntries(rel)
	if err != nil {
		return err
	}
	kinds := kindsOf(f.Machine)
	for {
		at := e.at
		data, err := e.next()
		if err == nil {
			err = e.check(at, data)
		}
		if err != nil || len(data) == 0 {
			return err
		}
		for ; len(data) > 0; data, at = data[e.size:], at+uint64(e.size) {
			n := e.plain(data, b, 0, kinds, names)
			if data, at = data[n:], at+uint64(n); len(data) == 0 {
				break
			}
			r := e.parse(data)
			if uint64(r.kind) >= uint64(len(kinds)) || kinds[r.kind].op == relUnknown {
				return &FormatError{rel.place(), at, fmt.Sprintf("relocation type %d is not known for %s, at %s+%#x", r.kind, f.Machine, target.place(), r.off)}
			}
			k := kinds[r.kind]
			if k.op == relNone {
				continue
			}
			if uint64(r.sym) >= uint64(e.syms.n) {
				return &FormatError{rel.place(), at, fmt.Sprintf("symbol %d is not one of %d", r.sym, e.syms.n)}
			}
			if r.off > uint64(len(b)) || uint64(k.width()) > uint64(len(b))-r.off {
				return &FormatError{rel.place(), at, fmt.Sprintf("relocates offset %#x of a section of %d bytes", r.off, len(b))}
			}
			e.apply(b[r.off:], k, &r, e.symbol(r.sym), names)
			e.last = r.off
		}
	}
}

// symbolAddr returns the address of a symbol after layOut.
func (f *File) symbolAddr(s Symbol) uint64 {
	if uint64(s.Section) < uint64(len(f.base)) {
		return f.base[s.Section] + s.Value
	}
	return s.Value
}
