package elf_test

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
)

func newFile(data []byte) (*image.File, error) {
	return image.NewFile(bytes.NewReader(data), uint64(len(data)))
}

func mustOpen(t testing.TB, data []byte) *image.File {
	t.Helper()
	f, err := newFile(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHeaders: headers agree with debug/elf, for both word sizes and byte orders.
func TestHeaders(t *testing.T) {
	for _, target := range synth.Targets() {
		t.Run(target.String(), func(t *testing.T) {
			data := synth.Sample(target).Bytes()
			got := mustOpen(t, data)
			want, err := elf.NewFile(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got.Is64 != (want.Class == elf.ELFCLASS64) || got.Order != want.ByteOrder || got.Type != want.Type || got.Machine != want.Machine {
				t.Errorf("got %v %v %v %v, want %v %v %v %v", got.Is64, got.Order, got.Type, got.Machine, want.Class, want.ByteOrder, want.Type, want.Machine)
			}
			if size := map[bool]int{false: 4, true: 8}[got.Is64]; got.AddrSize() != size {
				t.Errorf("address size: got %d, want %d", got.AddrSize(), size)
			}
			if len(got.Sections) != len(want.Sections) {
				t.Fatalf("got %d sections, want %d", len(got.Sections), len(want.Sections))
			}
			for i, w := range want.Sections {
				s := &got.Sections[i]
				if s.Name != w.Name || s.Index != i || s.Type != w.Type || s.Flags != w.Flags || s.Addr != w.Addr || s.Off != w.Offset ||
					s.Size != w.FileSize && s.Type != elf.SHT_NOBITS || s.Link != w.Link || s.Info != w.Info || s.Align != w.Addralign || s.EntSize != w.Entsize {
					t.Errorf("section %d: got %+v, want %+v", i, *s, w.SectionHeader)
				}
			}
			checkSymbols(t, got, want)
		})
	}
}

func symbolList(t *testing.T, syms *image.Symbols) (list []image.Symbol) {
	t.Helper()
	err := syms.Each(func(i int, s *image.Symbol) {
		if i != len(list) {
			t.Errorf("got symbol %d, want %d", i, len(list))
		}
		list = append(list, *s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func checkSymbols(t *testing.T, f *image.File, std *elf.File) {
	t.Helper()
	got, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	want, err := std.Symbols() // without the null symbol
	if err != nil {
		t.Fatal(err)
	}
	list := symbolList(t, got)
	if len(list) != len(want)+1 || got.Len() != len(list) {
		t.Fatalf("got %d symbols of %d, want %d", len(list), got.Len(), len(want)+1)
	}
	for i, w := range want {
		s := &list[i+1]
		if name := string(got.Name(s)); name != w.Name || s.Value != w.Value || s.Size != w.Size || s.Section != uint32(w.Section) || s.Info != w.Info {
			t.Errorf("symbol %d: got %s %+v, want %+v", i+1, name, *s, w)
		}
		if s.Type() != elf.ST_TYPE(w.Info) || s.Bind() != elf.ST_BIND(w.Info) {
			t.Errorf("symbol %d: got type %v, binding %v", i+1, s.Type(), s.Bind())
		}
	}
}

// TestCompression: debug sections read the same in every form of storage.
func TestCompression(t *testing.T) {
	for _, target := range synth.Targets() {
		plain := mustOpen(t, synth.Sample(target).Bytes())
		for how, name := range map[synth.Compression]string{synth.Zlib: "zlib", synth.Zstd: "zstd", synth.GNUZlib: "zdebug"} {
			target := target
			target.Compress = how
			f := mustOpen(t, synth.Sample(target).Bytes())
			for i := range plain.Sections {
				s := &plain.Sections[i]
				if !strings.HasPrefix(s.Name, ".debug_") {
					continue
				}
				list := f.DebugSections(s.Name)
				if len(list) != 1 {
					t.Errorf("%v, %s: got %d sections %s, want 1", target, name, len(list), s.Name)
					continue
				}
				packed := list[0]
				if f.Plain(packed) || !plain.Plain(s) {
					t.Errorf("%v, %s: %s is plain: got %v and %v, want false and true", target, name, s.Name, f.Plain(packed), plain.Plain(s))
				}
				got, err := f.Data(packed)
				if err != nil {
					t.Errorf("%v, %s: %v", target, name, err)
				}
				want, err := plain.Data(s)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%v, %s: %s: got %d bytes, want %d others (%v)", target, name, s.Name, len(got), len(want), err)
				}
			}
		}
	}
}

// TestDamagedCompression: wrong sizes and kinds in the header, and truncated data.
func TestDamagedCompression(t *testing.T) {
	target := synth.Target{Compress: synth.Zlib}
	good := synth.Sample(target).Bytes()
	at := mustOpen(t, good).DebugSections(".debug_info")[0].Off
	rows := []struct {
		name   string
		damage func(b []byte)
		want   string
	}{
		{"unknown kind", func(b []byte) { b[at] = 9 }, "compression type 9 is unknown"},
		{"absurd size", func(b []byte) { b[at+15] = 0x7f }, "is implausible"},
		{"size too big", func(b []byte) { b[at+8]++ }, "compressed data: unexpected EOF"},
		{"broken stream", func(b []byte) { b[at+24] ^= 0xff }, "compressed data: "},
	}
	for _, r := range rows {
		data := bytes.Clone(good)
		r.damage(data)
		f := mustOpen(t, data)
		_, err := f.Data(f.DebugSections(".debug_info")[0])
		wantFormat(t, r.name, err, ".debug_info", r.want)
	}
	b := synth.New(synth.Target{})
	b.Section(".short", elf.SHT_PROGBITS, elf.SHF_COMPRESSED, 0, make([]byte, 23))
	f := mustOpen(t, b.Bytes())
	_, err := f.Data(f.Section(".short"))
	wantFormat(t, "short header", err, ".short", "cut short")
}

// wantFormat checks that an error is a FormatError of a section.
func wantFormat(t *testing.T, what string, err error, section, problem string) {
	t.Helper()
	var bad *image.FormatError
	if !errors.As(err, &bad) || bad.Section != section || !strings.Contains(bad.Problem, problem) {
		t.Errorf("%s: got error %v, want one of %s with %q", what, err, section, problem)
		return
	}
	if want := fmt.Sprintf("%s+%#x: ", section, bad.Offset); !strings.HasPrefix(bad.Error(), want) {
		t.Errorf("%s: got text %q, want it to begin with %q", what, bad, want)
	}
}

// TestGzip: a compressed file reads like its content.
func TestGzip(t *testing.T) {
	data := synth.Sample(synth.Target{}).Bytes()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(data)
	w.Close()
	dir := t.TempDir()
	files := map[string][]byte{"plain": data, "packed.gz": packed.Bytes(), "cut.gz": packed.Bytes()[:packed.Len()/2], "nothing.gz": {0x1f, 0x8b, 1, 2}, "empty": nil}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"plain", "packed.gz"} {
		f, err := image.Open(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := len(f.Sections); got != len(mustOpen(t, data).Sections) {
			t.Errorf("%s: got %d sections", name, got)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"cut.gz", "nothing.gz", "empty", "absent", "."} {
		if f, err := image.Open(filepath.Join(dir, name)); err == nil {
			f.Close()
			t.Errorf("%s: opened, want an error", name)
		}
	}
}

// bigImage is a linked file of n empty sections, with one symbol in the last one.
func bigImage(n int) []byte {
	le := binary.LittleEndian
	names := []byte("\x00.symtab\x00.strtab\x00.xindex\x00.last\x00")
	strs := []byte("\x00v\x00")
	symtab := make([]byte, 48)
	le.PutUint32(symtab[24:], 1)
	symtab[28] = 0x11
	le.PutUint16(symtab[30:], 0xffff)
	le.PutUint64(symtab[32:], 0x42)
	xindex := make([]byte, 8)
	le.PutUint32(xindex[4:], uint32(n-1))
	out := make([]byte, 64)
	copy(out, elf.ELFMAG+"\x02\x01\x01")
	le.PutUint16(out[16:], uint16(elf.ET_EXEC))
	le.PutUint16(out[18:], uint16(elf.EM_X86_64))
	le.PutUint16(out[58:], 64)
	le.PutUint16(out[60:], 0)      // in section 0
	le.PutUint16(out[62:], 0xffff) // in section 0
	headers := make([]byte, 64*n)
	section := func(i int, name uint32, typ elf.SectionType, link uint32, data []byte) {
		h := headers[64*i:]
		le.PutUint32(h, name)
		le.PutUint32(h[4:], uint32(typ))
		le.PutUint64(h[24:], uint64(len(out)))
		le.PutUint64(h[32:], uint64(len(data)))
		le.PutUint32(h[40:], link)
		out = append(out, data...)
	}
	le.PutUint64(headers[32:], uint64(n))
	le.PutUint32(headers[40:], uint32(n-2))
	section(1, 1, elf.SHT_SYMTAB, 2, symtab)
	section(2, 9, elf.SHT_STRTAB, 0, strs)
	section(3, 17, elf.SHT_SYMTAB_SHNDX, 1, xindex)
	section(n-2, 0, elf.SHT_STRTAB, 0, names)
	section(n-1, 25, elf.SHT_PROGBITS, 0, []byte("data"))
	le.PutUint64(out[40:], uint64(len(out)))
	return append(out, headers...)
}

// TestManySections: counts and indices above 16 bits are stored elsewhere.
func TestManySections(t *testing.T) {
	const n = 70000
	f := mustOpen(t, bigImage(n))
	if len(f.Sections) != n {
		t.Fatalf("got %d sections, want %d", len(f.Sections), n)
	}
	last := f.Section(".last")
	if last == nil || last.Index != n-1 {
		t.Fatalf("got section %+v, want the last one", last)
	}
	if b, err := f.Data(last); string(b) != "data" || err != nil {
		t.Errorf("got %q, %v, want the section's data", b, err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	if s := symbolList(t, syms)[1]; s.Section != n-1 || s.Value != 0x42 || string(syms.Name(&s)) != "v" {
		t.Errorf("got symbol %+v, want v in section %d", s, n-1)
	}
}

// TestExtendedIndices: every symbol's section index in a table of its own.
func TestExtendedIndices(t *testing.T) {
	for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
		plain, x := mustOpen(t, synth.Sample(synth.Target{Class: class}).Bytes()), mustOpen(t, synth.Sample(synth.Target{Class: class, XIndex: true}).Bytes())
		want, err := plain.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		gotList := symbolList(t, got)
		for i, w := range symbolList(t, want) {
			if gotList[i].Section != w.Section {
				t.Errorf("%v: symbol %d: got section %d, want %d", class, i, gotList[i].Section, w.Section)
			}
		}
	}
}

// note is a note of SHT_NOTE, with padding of owner and value to the given alignment.
func note(align int, owner string, kind uint32, value ...byte) []byte {
	pad := func(b []byte) []byte { return append(b, make([]byte, (align-len(b)%align)%align)...) }
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(owner)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	return pad(append(pad(append(append(b, owner...), 0)), value...))
}

// TestNotes: notes are found one after another, by the alignment of their section.
func TestNotes(t *testing.T) {
	for align, padded := range map[uint64]int{0: 4, 1: 4, 4: 4, 8: 8, 16: 4} {
		b := synth.New(synth.Target{})
		s := b.Section(".note", elf.SHT_NOTE, elf.SHF_ALLOC, 0, slices.Concat(note(padded, "Linux", 1, 1), note(padded, "stapsdt", 3, 2, 3, 4, 5, 6),
			note(padded, "GNU", 1, 7), note(padded, "GNU", 3, 0xab, 0xcd), note(padded, "GNU", 3, 0xef)))
		s.Align = align
		f := mustOpen(t, b.Bytes())
		var got []string
		if err := f.Notes(func(owner string, kind uint32, value []byte) bool {
			got = append(got, fmt.Sprintf("%s %d %x", owner, kind, value))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"Linux 1 01", "stapsdt 3 0203040506", "GNU 1 07", "GNU 3 abcd", "GNU 3 ef"}; !slices.Equal(got, want) {
			t.Errorf("aligned to %d: got %q, want %q", align, got, want)
		}
		if id, err := f.BuildID(); err != nil || fmt.Sprintf("%x", id) != "abcd" {
			t.Errorf("aligned to %d: got build id %x (%v), want abcd", align, id, err)
		}
	}
}

// TestMalformedNotes: a malformed note ends its section and is reported with its place. Later sections are still read.
func TestMalformedNotes(t *testing.T) {
	good := note(4, "GNU", 1, 7)
	for _, tt := range []struct {
		name    string
		notes   []byte
		problem string // of .bad, "" if it is sound
		at      uint64
	}{
		{"padding", slices.Concat(good, make([]byte, 8)), "", 0},
		{"an empty note", make([]byte, 12), "", 0},
		{"padding that is none", slices.Concat(good, []byte{0, 0, 1}), "note is cut short", 20},
		{"half a header", good[:11], "note is cut short", 0},
		{"value past the end", slices.Concat(good, good[:16]), "note with an owner of 4 and a value of 1 bytes", 20},
		{"value up to the end", good[:17], "", 0},
		{"owner past the end", slices.Concat(good, []byte{9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}), "note with an owner of 9 and a value of 0 bytes", 20},
		{"sizes that add up to more than 32 bits", bytes.Repeat([]byte{0xff}, 16), "note with an owner of 4294967295", 0},
		{"too many", make([]byte, 1<<20+1), "note section of 1048577 bytes", 0},
	} {
		b := synth.New(synth.Target{})
		b.Section(".bad", elf.SHT_NOTE, elf.SHF_ALLOC, 0, tt.notes)
		b.Section(".good", elf.SHT_NOTE, elf.SHF_ALLOC, 0, note(4, "GNU", 3, 0xab))
		f := mustOpen(t, b.Bytes())
		err := f.Notes(func(string, uint32, []byte) bool { return true })
		if bad := (*image.FormatError)(nil); tt.problem == "" && err != nil {
			t.Errorf("%s: got %v, want no error", tt.name, err)
		} else if tt.problem != "" && (!errors.As(err, &bad) || bad.Section != ".bad" || bad.Offset != tt.at || !strings.Contains(bad.Problem, tt.problem)) {
			t.Errorf("%s: got %v, want .bad+%#x: %s", tt.name, err, tt.at, tt.problem)
		}
		if id, err := f.BuildID(); err != nil || !bytes.Equal(id, []byte{0xab}) {
			t.Errorf("%s: got build id %x (%v), want ab from the section behind", tt.name, id, err)
		}
	}
}

func TestNoSymbols(t *testing.T) {
	f := mustOpen(t, synth.Sample(synth.Target{NoSymtab: true}).Bytes())
	if s, err := f.Symbols(); s != nil || err != nil {
		t.Errorf("got %v, %v, want none and no error", s, err)
	}
	if f.Section(".no such") != nil || f.DebugSections(".debug_nothing") != nil {
		t.Error("found a section that is not there")
	}
}

// TestDamagedHeaders: every wrong field of a header is found, and the error says where it is.
func TestDamagedHeaders(t *testing.T) {
	good := synth.Sample(synth.Target{}).Bytes()
	le := binary.LittleEndian
	shoff := le.Uint64(good[40:])
	index := func(name string) uint64 { return shoff + 64*uint64(mustOpen(t, good).Section(name).Index) }
	strs := shoff + 64*uint64(le.Uint16(good[62:]))
	rows := []struct {
		name    string
		damage  func(b []byte)
		section string
		problem string
	}{
		{"magic", func(b []byte) { b[0] = 0 }, "ELF header", "not an ELF file"},
		{"class", func(b []byte) { b[4] = 3 }, "ELF header", "class 3"},
		{"byte order", func(b []byte) { b[5] = 0 }, "ELF header", "byte order 0"},
		{"no section headers", func(b []byte) { le.PutUint64(b[40:], 0) }, "section headers", "no section headers"},
		{"headers past the end", func(b []byte) { le.PutUint64(b[40:], 1<<40) }, "section headers", "past the end of the file"},
		{"headers at the last address", func(b []byte) { le.PutUint64(b[40:], ^uint64(0)) }, "section headers", "past the end of the file"},
		{"size of a header", func(b []byte) { le.PutUint16(b[58:], 40) }, "ELF header", "section headers of 40 bytes, want 64"},
		{"too many sections", func(b []byte) { le.PutUint16(b[60:], 0xff00) }, "section headers", "do not fit"},
		{"no sections", func(b []byte) { le.PutUint16(b[60:], 0) }, "section headers", "0 sections do not fit"},
		{"no name table", func(b []byte) { le.PutUint16(b[62:], 0) }, "ELF header", "the sections have no names"},
		{"name table", func(b []byte) { le.PutUint16(b[62:], 0xff00) }, "ELF header", "section name table 65280"},
		{"names past the end", func(b []byte) { le.PutUint64(b[strs+24:], 1<<30) }, fmt.Sprintf("section %d", le.Uint16(good[62:])), "past the end of the file"},
		{"a name outside", func(b []byte) { le.PutUint32(b[shoff+64:], 1<<20) }, "section headers", "name at 0x100000 lies outside"},
	}
	for _, r := range rows {
		data := bytes.Clone(good)
		r.damage(data)
		_, err := newFile(data)
		wantFormat(t, r.name, err, r.section, r.problem)
	}

	// Damage that shows only when a section is read.
	for _, r := range []struct {
		name   string
		damage func(b []byte)
		read   func(f *image.File) error
		where  string
		want   string
	}{
		{"section past the end", func(b []byte) { le.PutUint64(b[index(".debug_info")+32:], 1<<40) },
			func(f *image.File) error { _, err := f.Data(f.Section(".debug_info")); return err }, ".debug_info", "past the end of the file"},
		{"section at the last address", func(b []byte) { le.PutUint64(b[index(".debug_info")+24:], ^uint64(0)) },
			func(f *image.File) error { _, err := f.Data(f.Section(".debug_info")); return err }, ".debug_info", "past the end of the file"},
		{"piece of such a section", func(b []byte) { le.PutUint64(b[index(".debug_info")+24:], 1<<40) },
			func(f *image.File) error { return f.ReadAt(f.Section(".debug_info"), make([]byte, 4), 0) }, ".debug_info", "past the end of the file"},
		{"piece past the end of the section", func([]byte) {},
			func(f *image.File) error { return f.ReadAt(f.Section(".debug_info"), make([]byte, 4), 1<<20) }, ".debug_info", "past the end of the section"},
		{"strings of symbols", func(b []byte) { le.PutUint32(b[index(".symtab")+40:], 1<<20) },
			func(f *image.File) error { _, err := f.Symbols(); return err }, ".symtab", "string table 1048576"},
	} {
		data := bytes.Clone(good)
		r.damage(data)
		f, err := newFile(data)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		wantFormat(t, r.name, r.read(f), r.where, r.want)
	}
}

// TestTruncated: every prefix of an image gives an error or can be read, and never yields more bytes than it has.
func TestTruncated(t *testing.T) {
	for _, target := range []synth.Target{{}, {Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC}, {Compress: synth.Zlib}} {
		data := synth.Sample(target).Bytes()
		for n := range data {
			f, err := newFile(data[:n:n])
			if err != nil {
				continue
			}
			t.Errorf("%v: opened from %d of %d bytes: %d sections", target, n, len(data), len(f.Sections))
		}
	}
}

// readAll reads all sections, notes and symbols of an image.
func readAll(f *image.File) {
	f.Symbols()
	for i := range f.Sections {
		s := &f.Sections[i]
		f.Data(s)
		f.DebugSections(s.Name)
		if f.Plain(s) {
			f.ReadAt(s, make([]byte, 8), s.Size/2)
		}
		f.SymbolBase(s)
	}
	if syms, _ := f.Symbols(); syms != nil {
		syms.Each(func(_ int, s *image.Symbol) { syms.Name(s) })
	}
}

func FuzzOpen(f *testing.F) {
	for _, seed := range synth.Seeds() {
		f.Add(seed)
	}
	for _, target := range []synth.Target{{Type: elf.ET_REL}, {Type: elf.ET_REL, Class: elf.ELFCLASS32}, {Compress: synth.Zlib}, {Compress: synth.Zstd},
		{Compress: synth.GNUZlib}, {XIndex: true}, {EmitRelocs: true}} {
		f.Add(synth.Sample(target).Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if f, err := newFile(data); err == nil {
			readAll(f)
		}
	})
}
