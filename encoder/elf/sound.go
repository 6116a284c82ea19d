package elf

import (
	"debug/elf"
	"fmt"
	"strings"
)

// Much damage leaves what can still be read, and part of it missing: zeroed blocks of a disk, sizes and links that are wrong. Here is
// asked what holds for every sound file, and what a reader who does not ask would lose functions or types by.

// Sound reports whether a section lies in the file, and shares no byte with another one.
func (f *File) Sound(s *Section) error {
	if err := f.checkPlace(s); err != nil {
		return err
	}
	if s.Size == 0 {
		return nil
	}
	for i := range f.Sections {
		if o := &f.Sections[i]; i != s.Index && o.HasData() && o.Size != 0 && s.span().overlaps(o.span()) {
			return overlap(s, o)
		}
	}
	return nil
}

func overlap(s, o *Section) error {
	return &FormatError{s.place(), 0, fmt.Sprintf("%d bytes at file offset %#x overlap section %s", s.Size, s.Off, o.place())}
}

// isZero reports whether all bytes are 0.
func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// checkRelocations reports whether what is named after a section relocates it, or one of its name.
func (f *File) checkRelocations(target *Section) error {
	if name, _ := debugName(target.Name); name == "" || strings.HasPrefix(target.Name, ".z") {
		return nil
	}
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Name != ".rela"+target.Name && s.Name != ".rel"+target.Name || s.Size == 0 {
			continue
		}
		if s.Type != elf.SHT_REL && s.Type != elf.SHT_RELA {
			return &FormatError{s.place(), 0, fmt.Sprintf("type %v is not a type of relocation sections", s.Type)}
		}
		if uint64(s.Info) >= uint64(len(f.Sections)) || f.Sections[s.Info].Name != target.Name {
			return &FormatError{s.place(), 0, fmt.Sprintf("relocates section %d, whose name is not %s", s.Info, target.Name)}
		}
	}
	return nil
}

// checkEntries reports whether a table of relocations consists of whole entries, none of them lost: of two neighbours that are 0 one does
// nothing that the other has not done.
func (s *Section) checkEntries(data []byte, size int) error {
	if len(data)%size != 0 || s.EntSize != 0 && s.EntSize != uint64(size) {
		return &FormatError{s.place(), uint64(len(data) / size * size), fmt.Sprintf("%d bytes in entries of %d bytes, want entries of %d bytes", len(data), s.EntSize, size)}
	}
	for at := 0; at+2*size <= len(data); at += size {
		if isZero(data[at : at+2*size]) {
			return &FormatError{s.place(), uint64(at), "entries are zeroed"}
		}
	}
	return nil
}

// checkTable reports whether a symbol table has its first entry, and as many as it says it has; n is 0 for none.
func (t *Symbols) checkTable() error {
	s := t.s
	if s.Size%uint64(t.size) != 0 || s.EntSize != 0 && s.EntSize != uint64(t.size) {
		return &FormatError{s.place(), uint64(t.n * t.size), fmt.Sprintf("%d bytes in entries of %d bytes, want entries of %d bytes", s.Size, s.EntSize, t.size)}
	}
	if t.n == 0 {
		return nil
	}
	if uint64(s.Info) > uint64(t.n) {
		return &FormatError{s.place(), s.Size, fmt.Sprintf("table of %d symbols is cut short: the first that is not local is number %d", t.n, s.Info)}
	}
	first := make([]byte, t.size)
	if err := t.f.readAt(first, s.Off, s.place()); err != nil {
		return err
	}
	if !isZero(first) {
		return &FormatError{s.place(), 0, "the first symbol is not the null symbol"}
	}
	return nil
}

// checkStrings reports whether a string table can be one.
func (f *File) checkStrings(s *Section, strs []byte) error {
	switch n := len(strs); {
	case s.Type != elf.SHT_STRTAB:
		return &FormatError{s.place(), 0, fmt.Sprintf("type %v is not the type of a string table", s.Type)}
	case n == 0:
	case strs[0] != 0:
		return &FormatError{s.place(), 0, "string table does not start with the empty string"}
	case strs[n-1] != 0:
		return &FormatError{s.place(), uint64(n - 1), "last string is not terminated"}
	}
	return nil
}

// doubtful reports whether check has to look at a symbol: its name lies outside or is empty, or there are sections without a header.
func (t *Symbols) doubtful(s *Symbol) bool {
	return uint64(s.NameOff) >= uint64(len(t.strs)) || t.strs[s.NameOff] == 0 && s.NameOff != 0 || t.holes
}

// check tells what is wrong with symbol i; last says that the one in front of it is the null symbol.
func (t *Symbols) check(i int, s *Symbol, last bool) error {
	problem := ""
	switch name := uint64(s.NameOff); {
	case name >= uint64(len(t.strs)) && name != 0:
		problem = fmt.Sprintf("name of symbol %d at %#x lies outside the string table (%d bytes)", i, name, len(t.strs))
	case name != 0 && t.strs[name] == 0 && (s.Type() == elf.STT_FUNC || s.Type() == elf.STT_OBJECT):
		problem = fmt.Sprintf("symbol %d has an empty name, at %#x of the string table", i, name)
	case s.Section != 0 && uint64(s.Section) < uint64(len(t.f.Sections)) && t.f.Sections[s.Section].Type == elf.SHT_NULL:
		problem = fmt.Sprintf("symbol %d lies in section %d, whose header is zeroed", i, s.Section)
	case last && *s == Symbol{}:
		problem = fmt.Sprintf("symbols from number %d on are zeroed", i-1)
	}
	if problem == "" {
		return nil
	}
	return &FormatError{t.s.place(), uint64(i) * uint64(t.size), problem}
}
