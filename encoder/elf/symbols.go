package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A Symbol is one entry of .symtab.
type Symbol struct {
	Value, Size uint64
	NameOff     uint32 // offset in the linked string table
	Section     uint32 // section index, with extended indices resolved; special indices are kept
	Info        uint8  // binding and type
}

// Type returns the symbol's type.
func (s Symbol) Type() elf.SymType { return elf.ST_TYPE(s.Info) }

// Bind returns the symbol's binding.
func (s Symbol) Bind() elf.SymBind { return elf.ST_BIND(s.Info) }

// Symbols is the symbol table, including the null symbol. In a linked image the entries stay in the file and are read in pieces, because a
// kernel has hundreds of thousands. In a relocatable file they are held in memory, because relocations refer to any of them.
type Symbols struct {
	f        *File
	s        *Section
	n        int    // entries
	size     int    // of an entry, in bytes
	swap     bool   // big endian
	holes    bool   // a section header is zeroed
	whole    []byte // all entries; nil if they are read from the file in pieces
	extended []byte // content of SHT_SYMTAB_SHNDX, nil if there is none
	strs     []byte // the string table
}

// Name returns the name of a symbol, as a slice of the string table. It is empty if the offset is out of range.
func (t *Symbols) Name(s *Symbol) []byte { return t.NameAt(s.NameOff) }

// NameAt returns the name at an offset of the string table.
func (t *Symbols) NameAt(off uint32) []byte {
	name, _ := cstring(t.strs, uint64(off))
	return name
}

// StartsWith reports whether the name at an offset of the string table is text, or starts with text followed by the byte end.
func (t *Symbols) StartsWith(off uint32, text []byte, end byte) bool {
	if len(text) == 0 { // also if the offset is out of range
		name := t.NameAt(off)
		return len(name) == 0 || name[0] == end
	}
	if uint64(off)+uint64(len(text)) >= uint64(len(t.strs)) {
		return false
	}
	b := t.strs[off:]
	next := b[len(text)]
	return (next == 0 || next == end) && string(b[:len(text)]) == string(text)
}

// Eight returns the eight bytes of the string table from off on as a big-endian number, so that numbers compare like the bytes. Bytes after
// the end of the table are zero.
func (t *Symbols) Eight(off uint64) uint64 {
	if off+8 <= uint64(len(t.strs)) {
		return binary.BigEndian.Uint64(t.strs[off:])
	}
	var b [8]byte
	copy(b[:], t.strs[min(off, uint64(len(t.strs))):])
	return binary.BigEndian.Uint64(b[:])
}

// Len returns the number of symbols.
func (t *Symbols) Len() int { return t.n }

// piece is the number of symbols that one read takes from the file.
const piece = 4096

// Each calls do for every symbol, in table order, up to the first damaged one, which it returns as an error. The symbol is valid until do
// returns.
func (t *Symbols) Each(do func(i int, s *Symbol)) error {
	var s Symbol
	var buf []byte
	null := false
	if t.whole == nil {
		buf = make([]byte, min(piece, t.n)*t.size)
	}
	for i := 0; i < t.n; {
		n := min(piece, t.n-i)
		b := buf[:min(n*t.size, len(buf))]
		if t.whole != nil {
			b = t.whole[i*t.size : (i+n)*t.size]
		} else if err := t.f.ReadAt(t.s, b, uint64(i*t.size)); err != nil {
			return err
		}
		for ; len(b) >= t.size; b = b[t.size:] {
			t.parse(&s, i, b)
			last := null
			null = s.Value|s.Size|uint64(s.NameOff)|uint64(s.Section)|uint64(s.Info) == 0
			if last && null || t.doubtful(&s) {
				if err := t.check(i, &s, last); err != nil {
					return err
				}
			}
			do(i, &s)
			i++
		}
	}
	return nil
}

// Named returns the first symbol with a name that the file defines. It compares only the name offsets of the entries, which is much faster
// than Each.
func (t *Symbols) Named(name string) (s Symbol, ok bool, err error) {
	offs := t.places(name)
	if len(offs) == 0 {
		return s, false, nil
	}
	var buf []byte
	for i := 0; i < t.n; i += piece {
		n := min(piece, t.n-i)
		b := t.whole
		if t.whole != nil {
			b = b[i*t.size : (i+n)*t.size]
		} else {
			if buf == nil {
				buf = make([]byte, n*t.size)
			}
			b = buf[:n*t.size]
			if err := t.f.ReadAt(t.s, b, uint64(i*t.size)); err != nil {
				return s, false, err
			}
		}
		for at := 0; at < len(b); at += t.size {
			off := binary.LittleEndian.Uint32(b[at:])
			if t.swap {
				off = bits.ReverseBytes32(off)
			}
			if off != offs[0] && (len(offs) == 1 || !slices.Contains(offs, off)) {
				continue
			}
			if t.parse(&s, i+at/t.size, b[at:]); s.Section != 0 {
				return s, true, nil
			}
		}
	}
	return Symbol{}, false, nil
}

// places returns the offsets at which a name is in the string table: usually one, more if other names end with it.
func (t *Symbols) places(name string) (offs []uint32) {
	text := append([]byte(name), 0)
	for at := 0; ; at++ {
		i := bytes.Index(t.strs[at:], text)
		if i < 0 {
			return offs
		}
		at += i
		offs = append(offs, uint32(at))
	}
}

// at returns a symbol of a relocatable file.
func (t *Symbols) at(i uint32) (s Symbol) {
	t.parse(&s, int(i), t.whole[int(i)*t.size:][:t.size])
	return s
}

// parse decodes entry i, which is at the start of b.
func (t *Symbols) parse(s *Symbol, i int, b []byte) {
	le := binary.LittleEndian
	var shndx uint16
	if t.size == symSize64 {
		b = b[:symSize64]
		*s = Symbol{Value: le.Uint64(b[8:]), Size: le.Uint64(b[16:]), NameOff: le.Uint32(b), Info: b[4]}
		shndx = le.Uint16(b[6:])
		if t.swap {
			s.Value, s.Size = bits.ReverseBytes64(s.Value), bits.ReverseBytes64(s.Size)
		}
	} else {
		b = b[:symSize32]
		value, size := le.Uint32(b[4:]), le.Uint32(b[8:])
		if t.swap {
			value, size = bits.ReverseBytes32(value), bits.ReverseBytes32(size)
		}
		*s = Symbol{Value: uint64(value), Size: uint64(size), NameOff: le.Uint32(b), Info: b[12]}
		shndx = le.Uint16(b[14:])
	}
	if t.swap {
		s.NameOff, shndx = bits.ReverseBytes32(s.NameOff), bits.ReverseBytes16(shndx)
	}
	s.Section = uint32(shndx)
	if shndx == uint16(elf.SHN_XINDEX) && 4*i+4 <= len(t.extended) {
		s.Section = t.f.Order.Uint32(t.extended[4*i:])
	}
}

// Sizes of an entry in bytes.
const (
	symSize32 = 16
	symSize64 = 24
)

// Symbols returns the symbol table in the section .symtab and reads its strings. It returns nil if the section does not exist or is empty.
func (f *File) Symbols() (*Symbols, error) {
	if f.symbols != nil {
		return f.symbols, nil
	}
	s := f.Section(".symtab")
	if s == nil || !s.HasData() {
		return nil, nil
	}
	if err := f.Sound(s); err != nil {
		return nil, err
	}
	if uint64(s.Link) >= uint64(len(f.Sections)) {
		return nil, &FormatError{s.place(), 0, fmt.Sprintf("string table %d is not one of %d sections", s.Link, len(f.Sections))}
	}
	t := &Symbols{f: f, s: s, size: symSize32, swap: f.Order == binary.ByteOrder(binary.BigEndian)}
	if f.Is64 {
		t.size = symSize64
	}
	t.n = int(s.Size / uint64(t.size))
	for i := 1; i < len(f.Sections); i++ {
		t.holes = t.holes || f.Sections[i].Type == elf.SHT_NULL
	}
	err := t.checkTable()
	if err != nil {
		return nil, err
	}
	if t.n == 0 {
		return nil, nil
	}
	if err := f.Sound(&f.Sections[s.Link]); err != nil {
		return nil, err
	}
	if t.strs, err = f.raw(&f.Sections[s.Link]); err != nil {
		return nil, err
	}
	if err := f.checkStrings(&f.Sections[s.Link], t.strs); err != nil {
		return nil, err
	}
	if t.extended, err = f.extendedIndices(s); err != nil {
		return nil, err
	}
	if f.Type == elf.ET_REL {
		if t.whole, err = f.raw(s); err != nil {
			return nil, err
		}
		f.symbols = t
	}
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

// SymbolBase returns the address from which values of symbols in a section count: the section's address in a linked file, 0 in a
// relocatable one.
func (f *File) SymbolBase(s *Section) uint64 {
	if f.Type == elf.ET_REL {
		return 0
	}
	return s.Addr
}
