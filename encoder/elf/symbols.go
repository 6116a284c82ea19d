package elf

import (
	"debug/elf"
	"fmt"
)

// A Symbol is one entry of .symtab.
type Symbol struct {
	Value, Size uint64
	NameOff     uint32 // in the linked string table
	Section     uint32 // section index, extended indices resolved; special indices as they are
	Info        uint8  // binding and type
}

// Type is the symbol's type.
func (s Symbol) Type() elf.SymType { return elf.ST_TYPE(s.Info) }

// Bind is the symbol's binding.
func (s Symbol) Bind() elf.SymBind { return elf.ST_BIND(s.Info) }

// Symbols is the symbol table, in table order, the null symbol included.
type Symbols struct {
	List []Symbol
	strs []byte
}

// Name is the name of a symbol, as a window into the string table; empty where its offset is out of range.
func (t *Symbols) Name(s *Symbol) []byte { return t.NameAt(s.NameOff) }

// Bytes is n bytes of the string table at an offset where NameAt found at least as many; none where it found none.
func (t *Symbols) Bytes(off, n uint32) []byte {
	if n == 0 {
		return nil
	}
	return t.strs[off : off+n]
}

// NameAt is the name at an offset of the string table.
func (t *Symbols) NameAt(off uint32) []byte {
	name, _ := cstring(t.strs, uint64(off))
	return name
}

// Symbols reads the section named .symtab, once; a file without one gives nil.
func (f *File) Symbols() (*Symbols, error) {
	if f.symbols != nil {
		return f.symbols, nil
	}
	s := f.Section(".symtab")
	if s == nil || !s.HasData() {
		return nil, nil
	}
	data, err := f.raw(s)
	if err != nil {
		return nil, err
	}
	if uint64(s.Link) >= uint64(len(f.Sections)) {
		return nil, &FormatError{s.place(), 0, fmt.Sprintf("string table %d is not one of %d sections", s.Link, len(f.Sections))}
	}
	strs, err := f.raw(&f.Sections[s.Link])
	if err != nil {
		return nil, err
	}
	extended, err := f.extendedIndices(s)
	if err != nil {
		return nil, err
	}
	t := &Symbols{strs: strs}
	if f.Is64 {
		t.List = f.symbols64(data, extended)
	} else {
		t.List = f.symbols32(data, extended)
	}
	f.symbols = t
	return t, nil
}

// extendedIndices reads the SHT_SYMTAB_SHNDX section linked to a symbol table.
func (f *File) extendedIndices(symtab *Section) ([]byte, error) {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type == elf.SHT_SYMTAB_SHNDX && int(s.Link) == symtab.Index {
			return f.raw(s)
		}
	}
	return nil, nil
}

func (f *File) symbols64(data, extended []byte) []Symbol {
	list := make([]Symbol, len(data)/24)
	for i := range list {
		e := data[24*i : 24*i+24]
		list[i] = Symbol{Value: f.Order.Uint64(e[8:]), Size: f.Order.Uint64(e[16:]), NameOff: f.Order.Uint32(e), Info: e[4],
			Section: f.sectionIndex(i, f.Order.Uint16(e[6:]), extended)}
	}
	return list
}

func (f *File) symbols32(data, extended []byte) []Symbol {
	list := make([]Symbol, len(data)/16)
	for i := range list {
		e := data[16*i : 16*i+16]
		list[i] = Symbol{Value: uint64(f.Order.Uint32(e[4:])), Size: uint64(f.Order.Uint32(e[8:])), NameOff: f.Order.Uint32(e), Info: e[12],
			Section: f.sectionIndex(i, f.Order.Uint16(e[14:]), extended)}
	}
	return list
}

func (f *File) sectionIndex(i int, shndx uint16, extended []byte) uint32 {
	if shndx == uint16(elf.SHN_XINDEX) && 4*i+4 <= len(extended) {
		return f.Order.Uint32(extended[4*i:])
	}
	return uint32(shndx)
}

// SymbolBase is what the values of symbols in a section count from: its address in a linked file, 0 in a relocatable one.
func (f *File) SymbolBase(s *Section) uint64 {
	if f.Type == elf.ET_REL {
		return 0
	}
	return s.Addr
}
