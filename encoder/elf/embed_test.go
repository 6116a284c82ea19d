package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// apply applies a change to the bytes of a file.
func (c *change) apply(file []byte) []byte {
	out := append(bytes.Clone(file[:c.keep]), c.tail...)
	for _, e := range c.edits {
		copy(out[e.off:], e.data)
	}
	return out
}

// embedded embeds and checks that nothing is lost.
func embedded(t *testing.T, file []byte, sections ...EmbedSection) []byte {
	t.Helper()
	out, err := embedBytes(file, sections)
	if err != nil {
		t.Fatal(err)
	}
	if problem := lost(file, out, sections); problem != "" {
		t.Fatal(problem)
	}
	return out
}

func embedBytes(file []byte, sections []EmbedSection) ([]byte, error) {
	f, err := NewFile(bytes.NewReader(file), uint64(len(file)))
	if err != nil {
		return nil, err
	}
	c, err := f.embed(sections)
	if err != nil {
		return nil, err
	}
	return c.apply(file), nil
}

// lost returns what is wrong with a file in which sections were embedded. It does not depend on the method of embedding.
func lost(before, after []byte, sections []EmbedSection) string {
	f, err := NewFile(bytes.NewReader(before), uint64(len(before)))
	if err != nil {
		return err.Error()
	}
	g, err := NewFile(bytes.NewReader(after), uint64(len(after)))
	if err != nil {
		return "the result cannot be read: " + err.Error()
	}
	for _, s := range sections {
		got := g.Section(s.Name)
		if got == nil {
			return fmt.Sprintf("%s is not in the result", s.Name)
		}
		if data, err := g.raw(got); err != nil || !bytes.Equal(data, s.Data) {
			return fmt.Sprintf("%s: got %d bytes, %v, want %d others", s.Name, len(data), err, len(s.Data))
		}
	}
	if problem := lostSections(f, g, sections); problem != "" {
		return problem
	}
	return lostBytes(f, before, after, sections)
}

// replaced reports whether embedding changes a section: the first one of each requested name.
func replaced(f *File, i int, sections []EmbedSection) bool {
	s := &f.Sections[i]
	return slices.ContainsFunc(sections, func(e EmbedSection) bool { return e.Name == s.Name }) && f.Section(s.Name).Index == i
}

func lostSections(f, g *File, sections []EmbedSection) string {
	if len(g.Sections) < len(f.Sections) {
		return fmt.Sprintf("got %d sections, want at least %d", len(g.Sections), len(f.Sections))
	}
	names := nameSection(f)
	if nameSection(g) != names {
		return "the section of names is another one"
	}
	for i := range f.Sections {
		was, is := f.Sections[i], g.Sections[i]
		switch {
		case i == 0: // may hold the number of sections
			is.Size = was.Size
		case replaced(f, i, sections):
			is.Off, is.Size, was.Flags = was.Off, was.Size, was.Flags&^elf.SHF_COMPRESSED
		case i == names:
			a, err1 := f.raw(&was)
			b, err2 := g.raw(&is)
			if err1 != nil || err2 != nil || !bytes.HasPrefix(b, a) {
				return "names of sections are lost"
			}
			is.Off, is.Size = was.Off, was.Size
		default:
			a, err1 := f.raw(&was)
			b, err2 := g.raw(&is)
			if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
				return fmt.Sprintf("section %d (%s) has another content", i, was.Name)
			}
		}
		if f.Type == elf.ET_REL { // later sections are laid out elsewhere when a section grows
			is.Addr = was.Addr
		}
		if !reflect.DeepEqual(was, is) {
			return fmt.Sprintf("section %d: got %+v, want %+v", i, is, was)
		}
	}
	return ""
}

func nameSection(f *File) int {
	p := &planner{f: f}
	if p.read() != nil {
		return -1
	}
	return p.strIndex
}

// lostBytes compares every byte of the old file. Only bytes that no reader uses any more may differ.
func lostBytes(f *File, before, after []byte, sections []EmbedSection) string {
	p := &planner{f: f}
	if err := p.read(); err != nil {
		return err.Error()
	}
	free := []span{spanOf(uint64(p.l.shoff), uint64(p.l.word)), spanOf(uint64(p.l.shnum), 2)} // in the ELF header
	inSegment := func(at uint64) bool { return slices.ContainsFunc(p.segments, spanOf(at, 1).overlaps) }
	dead := []span{p.oldTable(), f.Sections[p.strIndex].span()}
	for i := range f.Sections {
		s := &f.Sections[i]
		if !replaced(f, i, sections) {
			continue
		}
		if f.fixed(s) {
			free = append(free, s.span())
		} else {
			dead = append(dead, s.span())
		}
	}
	for i, b := range before {
		at := uint64(i)
		here := spanOf(at, 1).overlaps
		switch {
		case i < len(after) && after[i] == b, slices.ContainsFunc(free, here):
		case slices.ContainsFunc(dead, here) && !inSegment(at):
		case b == 0 && !inSegment(at): // alignment; sections in it are compared elsewhere
		default:
			return fmt.Sprintf("byte %#x is lost", i)
		}
	}
	return ""
}

// content returns n bytes that differ for each seed.
func content(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i*7)
	}
	return b
}

func TestEmbedNew(t *testing.T) {
	for _, img := range shapesOfFiles() {
		for _, typ := range []elf.Type{elf.ET_REL, elf.ET_EXEC, elf.ET_DYN} {
			t.Run(img.name()+" "+typ.String(), func(t *testing.T) {
				img := img
				img.typ = typ
				img.secs = []rawSection{{name: ".text", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: content(1, 99)},
					{name: ".bss", typ: elf.SHT_NOBITS, flags: elf.SHF_ALLOC, data: make([]byte, 5000)}}
				if typ != elf.ET_REL {
					img.segments = []span{{0, img.contents(1) + 99}}
				}
				file := img.bytes()
				btf, base := EmbedSection{".BTF", content(2, 301)}, EmbedSection{".BTF.base", content(3, 17)}
				out := embedded(t, file, btf, base)
				if n := len(file); !bytes.Equal(out[img.l.ehdr:n], file[img.l.ehdr:]) {
					t.Error("bytes after the ELF header changed")
				}
				f, err := NewFile(bytes.NewReader(out), uint64(len(out)))
				if err != nil {
					t.Fatal(err)
				}
				for i, name := range []string{".BTF", ".BTF.base"} {
					s := f.Section(name)
					got := Section{Name: s.Name, Index: s.Index, Type: s.Type, Flags: s.Flags, Addr: s.Addr, Align: s.Align, Link: s.Link}
					want := Section{Name: name, Index: 4 + i, Type: elf.SHT_PROGBITS, Align: 1}
					if got != want {
						t.Errorf("got %+v, want %+v", got, want)
					}
				}
				// The same content again changes nothing. Less content stays in place. More content leaves nothing of the old one.
				if again := embedded(t, out, btf, base); !bytes.Equal(again, out) {
					t.Error("embedding the same again changes the file")
				}
				btf.Data = btf.Data[:200]
				if less := embedded(t, out, btf); len(less) != len(out) {
					t.Errorf("embedding less: got %d bytes, want %d", len(less), len(out))
				}
				btf.Data, base.Data = content(4, 404), content(5, 18)
				if more, want := embedded(t, out, btf, base), embedded(t, file, btf, base); !bytes.Equal(more, want) {
					t.Errorf("embedding more: got %d bytes, want the %d that a fresh file gets", len(more), len(want))
				}
			})
		}
	}
}

// Space that the linker reserved in a segment is filled, never moved.
func TestEmbedReserved(t *testing.T) {
	for _, img := range shapesOfFiles() {
		t.Run(img.name(), func(t *testing.T) {
			img.typ = elf.ET_EXEC
			img.secs = []rawSection{{name: ".text", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: content(1, 40)},
				{name: ".BTF", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: content(2, 100)},
				{name: ".data", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: content(3, 40)}}
			img.segments = []span{spanOf(img.contents(1), 180)}
			file := img.bytes()
			out := embedded(t, file, EmbedSection{".BTF", content(4, 90)})
			if len(out) != len(file) {
				t.Errorf("got %d bytes, want %d", len(out), len(file))
			}
			if room := out[img.contents(1)+40:][:100]; !bytes.Equal(room, append(content(4, 90), make([]byte, 10)...)) {
				t.Errorf("got %x in the segment, want the content and zeros", room)
			}
			if _, err := embedBytes(file, []EmbedSection{{".BTF", content(4, 101)}}); !errors.Is(err, ErrNoRoom) {
				t.Errorf("one byte too many: got error %v, want %v", err, ErrNoRoom)
			}
			f, err := NewFile(bytes.NewReader(file), uint64(len(file)))
			if err != nil {
				t.Fatal(err)
			}
			if n, ok := f.Reserved(".BTF"); n != 100 || !ok {
				t.Errorf("Reserved: got %d, %t, want 100, true", n, ok)
			}
			if n, ok := f.Reserved(".BTF.base"); ok {
				t.Errorf("Reserved of a section that is not there: got %d", n)
			}
		})
	}
}

// The number of sections no longer fits its field.
func TestEmbedManySections(t *testing.T) {
	for _, img := range shapesOfFiles()[:2] {
		for _, n := range []int{int(elf.SHN_LORESERVE) - 2, int(elf.SHN_LORESERVE) - 1, int(elf.SHN_LORESERVE), 70000} {
			img.spare = n - 2
			file := img.bytes()
			out := embedded(t, file, EmbedSection{".BTF", content(1, 50)})
			f, err := elf.NewFile(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Sections) != n+1 || f.Sections[n].Name != ".BTF" {
				t.Errorf("%s, %d sections: got %d, the last %s", img.name(), n, len(f.Sections), f.Sections[n].Name)
			}
			if got := img.order.Uint16(out[img.l.shnum:]); (got == 0) != (n+1 >= int(elf.SHN_LORESERVE)) {
				t.Errorf("%s, %d sections: got %d in the ELF header", img.name(), n, got)
			}
		}
	}
}

// Bytes after the section headers, such as a signature, are not part of the file for a reader of ELF, and stay.
func TestEmbedKeepsTail(t *testing.T) {
	img := shapesOfFiles()[0]
	img.secs = []rawSection{{name: ".BTF", typ: elf.SHT_PROGBITS, data: content(1, 30)}}
	img.tail = []byte("~Module signature appended~\n")
	file := img.bytes()
	out := embedded(t, file, EmbedSection{".BTF", content(2, 31)})
	if !bytes.Equal(out[len(file)-len(img.tail):len(file)], img.tail) {
		t.Error("what followed the section headers is gone")
	}
}

// A section's old bytes are not overwritten if another part of the file shares them.
func TestEmbedShared(t *testing.T) {
	img := shapesOfFiles()[0]
	img.secs = []rawSection{{name: ".BTF", typ: elf.SHT_PROGBITS, data: content(1, 30)}, {name: ".other", typ: elf.SHT_PROGBITS, data: content(2, 30)}}
	file := img.bytes()
	other := file[img.order.Uint64(file[img.l.shoff:])+2*uint64(img.l.shdr):]
	img.order.PutUint64(other[img.l.off:], img.contents(0)+10)
	out := embedded(t, file, EmbedSection{".BTF", content(3, 20)})
	if len(out) == len(file) {
		t.Error("the section was replaced in place")
	}
}

func TestEmbedErrors(t *testing.T) {
	whole := shapesOfFiles()[0]
	whole.secs = []rawSection{{name: ".BTF", typ: elf.SHT_PROGBITS, data: content(1, 30)}, {name: ".bss", typ: elf.SHT_NOBITS}}
	btf := []EmbedSection{{".BTF", content(2, 40)}}
	for _, tt := range []struct {
		name     string
		change   func(r *rawImage)
		damage   func(b []byte) []byte
		sections []EmbedSection
		want     string
	}{
		{"no section headers", nil, func(b []byte) []byte { clear(b[40:48]); return b }, btf, "the file has no section headers"},
		{"section past the end", nil, func(b []byte) []byte {
			h := b[binary.LittleEndian.Uint64(b[40:])+64:]
			binary.LittleEndian.PutUint64(h[32:], 1<<20)
			return b
		}, btf, ".BTF+0x0: 1048576 bytes at file offset 0x40 reach past the end"},
		{"no ELF", nil, func(b []byte) []byte { return []byte("\x1f\x8b") }, btf, "too few"},
		{"names in a segment", func(r *rawImage) { r.typ, r.namesFlags = elf.ET_DYN, elf.SHF_ALLOC }, nil, btf, "no name can be added"},
		{"relocated", func(r *rawImage) {
			r.secs = append(r.secs, rawSection{name: ".rel.BTF", typ: elf.SHT_REL, info: 1, data: make([]byte, 16)})
		}, nil, btf, "section .BTF: it has relocations in section .rel.BTF"},
		{"relocated before it is there", func(r *rawImage) {
			r.secs = []rawSection{{name: ".rel", typ: elf.SHT_REL, info: 3, data: make([]byte, 16)}}
		}, nil, btf, "section .BTF: it has relocations in section .rel"},
		{"without bytes", nil, nil, []EmbedSection{{".bss", nil}}, "SHT_NOBITS"},
		{"the names", nil, nil, []EmbedSection{{".shstrtab", nil}}, "it holds the names"},
		{"twice", nil, nil, append(btf, btf...), "section .BTF is given twice"},
		{"no name", nil, nil, []EmbedSection{{}}, "not a valid section name"},
		{"NUL in a name", nil, nil, []EmbedSection{{Name: "a\x00b"}}, "not a valid section name"},
	} {
		img := whole
		if tt.change != nil {
			tt.change(&img)
		}
		file := img.bytes()
		if tt.damage != nil {
			file = tt.damage(file)
		}
		if _, err := embedBytes(file, tt.sections); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A copy has the mode of the image and never replaces a file. An incomplete copy is removed.
func TestNewCopy(t *testing.T) {
	dir := t.TempDir()
	path, out := filepath.Join(dir, "image"), filepath.Join(dir, "out")
	img := shapesOfFiles()[0]
	img.secs = []rawSection{{name: ".text", typ: elf.SHT_PROGBITS, data: content(1, 30)}}
	file := img.bytes()
	if err := os.WriteFile(path, file, 0o700); err != nil {
		t.Fatal(err)
	}
	sections := []EmbedSection{{".BTF", content(2, 40)}}
	if err := Embed(path, []EmbedSection{{"", nil}}, NewCopy(out)); err == nil {
		t.Error("a section without a name: got no error")
	}
	bad := errors.New("bad")
	err := NewCopy(out)(stat(t, path), func(*os.File) error { return bad })
	if _, there := os.Stat(out); !errors.Is(err, bad) || there == nil {
		t.Errorf("got %v, and the file is there: %t", err, there == nil)
	}
	if err := Embed(path, sections, NewCopy(out)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if problem := lost(file, got, sections); problem != "" {
		t.Error(problem)
	}
	if st, err := os.Stat(out); err != nil || st.Mode() != 0o700 {
		t.Errorf("got mode %v, %v, want 0700", st.Mode(), err)
	}
	for _, out := range []string{path, out, dir, filepath.Join(dir, "none", "out")} {
		if err := Embed(path, sections, NewCopy(out)); err == nil {
			t.Errorf("into %s: got no error", out)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, file) {
		t.Errorf("the image is another one (%v)", err)
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// FuzzEmbed: every readable ELF file is either refused or keeps all its content.
func FuzzEmbed(f *testing.F) {
	for i, img := range shapesOfFiles() {
		img.typ = []elf.Type{elf.ET_REL, elf.ET_EXEC}[i/2]
		img.secs = []rawSection{{name: ".text", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: content(1, 40)},
			{name: ".BTF", typ: elf.SHT_PROGBITS, flags: elf.SectionFlag(i%2) * elf.SHF_ALLOC, data: content(2, 40)}}
		img.segments = []span{{0, img.contents(1) + 80}}
		f.Add(img.bytes(), []byte("short"), []byte(nil))
		f.Add(img.bytes(), content(3, 60), []byte("base"))
		img.secs = img.secs[:1]
		img.segments = nil
		f.Add(img.bytes(), content(3, 60), []byte("base"))
	}
	f.Fuzz(func(t *testing.T, file, btf, base []byte) {
		sections := []EmbedSection{{".BTF", btf}, {".BTF.base", base}}
		out, err := embedBytes(file, sections)
		if err != nil {
			return
		}
		if problem := lost(file, out, sections); problem != "" {
			t.Fatal(problem)
		}
		again, err := embedBytes(out, sections)
		if err != nil {
			t.Fatalf("the result is refused: %v", err)
		}
		if !bytes.Equal(again, out) {
			t.Fatal("embedding the same again changes the file")
		}
	})
}

// TestEmbedCopies: the operating system can copy an image that was opened by its path, and share its extents where the file system can.
func TestEmbedCopies(t *testing.T) {
	f, err := Open(filepath.Join("..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-based.elf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if osFile(f.r) == nil {
		t.Errorf("the reader of a file is a %T, which hides the file", f.r)
	}
}
