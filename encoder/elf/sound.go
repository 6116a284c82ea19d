package elf

import (
	"debug/elf"
	"fmt"
	"strings"
)

// A damaged file can often still be read, with parts missing: a disk has zeroed blocks, or a size or link is wrong. Without checks, a
// reader would silently lose functions or types. The checks in this file test what holds for every intact file, and report the place of the
// damage.

// Sound returns an error if a section exceeds the file or overlaps another one.
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

// checkRelocations returns an error if a section named as the relocations of target has another type, or relocates a section with another
// name.
func (f *File) checkRelocations(target *Section) error {
	if name, _ := debugName(target.Name); name == "" || strings.HasPrefix(target.Name, ".z") {
		return nil
	}
	for i := range f.Sections {
		s := &f.Sections[i]
		if of, ok := strings.CutPrefix(s.Name, ".rel"); !ok || of != target.Name && strings.TrimPrefix(of, "a") != target.Name || s.Size == 0 {
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

// checkTable returns an error if a symbol table lacks the null symbol or has fewer entries than its header implies. n is 0 if the table is
// empty.
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

// checkStrings returns an error if a section cannot be a string table.
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

// doubtful reports whether check has to examine a symbol: its name is outside of the table or empty, or a section header is zeroed.
func (t *Symbols) doubtful(s *Symbol) bool {
	return uint64(s.NameOff) >= uint64(len(t.strs)) || t.strs[s.NameOff] == 0 && s.NameOff != 0 || t.holes
}

// check returns what is wrong with symbol i. last reports whether the symbol before it is zero in all fields.
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
