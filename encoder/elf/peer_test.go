package elf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// peerSections are relocated one after another, at two places each. A relocated place is "1", another "0".
var peerSections = []string{".data.a", ".debug_b", ".other.c", ".debug_d"}

// relocatedAs returns which of the eight places are relocated if the sections are read in the given order.
func relocatedAs(t *testing.T, f *image.File, order []int) string {
	t.Helper()
	out := []string{"", "", "", ""}
	for _, i := range order {
		b, err := f.Data(f.Section(peerSections[i]))
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < 16; at += 8 {
			if binary.LittleEndian.Uint64(b[at:]) != 0 {
				out[i] += "1"
			} else {
				out[i] += "0"
			}
		}
	}
	return strings.Join(out, " ")
}

// TestPeerStopsBefore: of a section that does not end with a whole entry nothing is applied, not even what is read before its end.
func TestPeerStopsBefore(t *testing.T) {
	const most = 2 * 2048 // entries, more than are read at once
	b := synth.New(synth.Target{Type: elf.ET_REL})
	b.Section(".debug_b", elf.SHT_PROGBITS, 0, 0, make([]byte, 8*most))
	s := b.Symbol("s", b.Data(".data", 0, 64).At(8), 4, elf.STT_OBJECT)
	for i := range most {
		b.Reloc(".debug_b", uint64(8*i), 1, s, 1)
	}
	file := b.Bytes()
	for _, cut := range []int{0, 1, 23} {
		f := mustOpen(t, file)
		f.Section(".rela.debug_b").Size -= uint64(cut)
		data, err := f.AsPeer(rules.Pahole).Data(f.Section(".debug_b"))
		if err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(data, []byte{9}) // 8 + 1
		if want := map[bool]int{true: most}[cut == 0]; n != want {
			t.Errorf("relocations cut by %d bytes: %d are applied, want %d", cut, n, want)
		}
	}
}

// TestPeerStops: what makes pahole stop, and what does not, as measured on x86-64, i386, s390x and MIPS.
func TestPeerStops(t *testing.T) {
	const entry = 24
	rel := func(b []byte, f *image.File, name string, i int) []byte {
		return b[f.Section(".rela"+name).Off+uint64(entry*i):][:entry]
	}
	header := func(b []byte, f *image.File, name string) []byte {
		return b[binary.LittleEndian.Uint64(b[40:])+64*uint64(f.Section(name).Index):][:64]
	}
	symbol := func(b []byte, f *image.File) []byte { // the last symbol
		s := f.Section(".symtab")
		return b[s.Off+s.Size-24:][:24]
	}
	le := binary.LittleEndian
	for _, row := range []struct {
		name   string
		change func(b []byte, f *image.File)
		want   string
	}{
		{"nothing", func([]byte, *image.File) {}, "11 11 11 11"},
		{"an unknown type", func(b []byte, f *image.File) { le.PutUint32(rel(b, f, ".debug_b", 0)[8:], 99) }, "11 01 11 11"},
		{"an unknown type of no symbol, at no place", func(b []byte, f *image.File) {
			r := rel(b, f, ".debug_b", 0)
			le.PutUint64(r, 1<<40)
			le.PutUint64(r[8:], 5000<<32|99)
		}, "11 01 11 11"},
		{"no symbol", func(b []byte, f *image.File) { le.PutUint32(rel(b, f, ".debug_b", 0)[12:], 5000) }, "11 00 00 00"},
		{"no symbol, later", func(b []byte, f *image.File) { le.PutUint32(rel(b, f, ".debug_b", 1)[12:], 5000) }, "11 10 00 00"},
		{"symbol 0", func(b []byte, f *image.File) { le.PutUint32(rel(b, f, ".debug_b", 0)[12:], 0) }, "11 11 11 11"},
		{"a place past the end", func(b []byte, f *image.File) { le.PutUint64(rel(b, f, ".other.c", 1), 16) }, "11 11 10 00"},
		{"a place half past the end", func(b []byte, f *image.File) { le.PutUint64(rel(b, f, ".other.c", 1), 9) }, "11 11 10 00"},
		{"a place far away", func(b []byte, f *image.File) { le.PutUint64(rel(b, f, ".other.c", 1), 1<<63) }, "11 11 10 00"},
		{"in a loaded section", func(b []byte, f *image.File) { le.PutUint64(rel(b, f, ".data.a", 1), 16) }, "10 00 00 00"},
		{"in the last section", func(b []byte, f *image.File) { le.PutUint64(rel(b, f, ".debug_d", 1), 16) }, "11 11 11 10"},
		{"an undefined symbol", func(b []byte, f *image.File) { le.PutUint16(symbol(b, f)[6:], 0) }, "00 00 00 00"},
		{"an absolute symbol", func(b []byte, f *image.File) { le.PutUint16(symbol(b, f)[6:], 0xfff1) }, "11 11 11 11"},
		{"a symbol of a section that is not there", func(b []byte, f *image.File) { le.PutUint16(symbol(b, f)[6:], 300) }, "00 00 00 00"},
		{"a symbol of a section of the machine", func(b []byte, f *image.File) { le.PutUint16(symbol(b, f)[6:], 0xff20) }, "00 00 00 00"},
		{"relocations of a section that is not there", func(b []byte, f *image.File) { le.PutUint32(header(b, f, ".rela.data.a")[44:], 300) }, "00 00 00 00"},
		{"relocations of no section", func(b []byte, f *image.File) { le.PutUint32(header(b, f, ".rela.data.a")[44:], 0) }, "00 11 11 11"},
		{"relocations of an odd size", func(b []byte, f *image.File) { le.PutUint64(header(b, f, ".rela.debug_b")[32:], 40) }, "11 00 00 00"},
		{"relocations outside of the file", func(b []byte, f *image.File) { le.PutUint64(header(b, f, ".rela.debug_b")[24:], 1<<40) }, "11 00 00 00"},
		{"no relocations", func(b []byte, f *image.File) { le.PutUint64(header(b, f, ".rela.debug_b")[32:], 0) }, "11 00 11 11"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := synth.New(synth.Target{Type: elf.ET_REL})
			for i, name := range peerSections {
				flags := elf.SectionFlag(0)
				if i == 0 {
					flags = elf.SHF_ALLOC
				}
				b.Section(name, elf.SHT_PROGBITS, flags, 0, make([]byte, 16))
			}
			s := b.Symbol("s", b.Data(".data", 0, 64).At(8), 4, elf.STT_OBJECT)
			for _, name := range peerSections {
				b.Reloc(name, 0, 1, s, 1)
				b.Reloc(name, 8, 1, s, 2)
			}
			file := b.Bytes()
			row.change(file, mustOpen(t, file))
			for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}} {
				if got := relocatedAs(t, mustOpen(t, file).AsPeer(rules.Pahole), order); got != row.want {
					t.Errorf("read in the order %v: got %s, want %s", order, got, row.want)
				}
			}
		})
	}
}

// TestPeerKinds: relocation types and machines that pahole does not know.
func TestPeerKinds(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	for _, row := range []struct {
		machine elf.Machine
		class   elf.Class
		order   binary.ByteOrder
		relocation
	}{
		{elf.EM_RISCV, elf.ELFCLASS64, le, relocation{35, 1, "01000000", "12000100"}},
		{elf.EM_RISCV, elf.ELFCLASS64, le, relocation{53, 0, "c1", "c1"}},
		{elf.EM_RISCV, elf.ELFCLASS64, le, relocation{60, 0, "808000", "808000"}},
		{elf.EM_LOONGARCH, elf.ELFCLASS64, le, relocation{50, 1, "01000000", "12000100"}},
		{elf.EM_LOONGARCH, elf.ELFCLASS64, le, relocation{107, 0, "818000", "818000"}},
		{elf.EM_PPC, elf.ELFCLASS32, be, relocation{3, 1, "0000", "0000"}},
		{elf.EM_SH, elf.ELFCLASS32, le, relocation{1, 2, "03000000", "12000100"}},
		{elf.EM_SH, elf.ELFCLASS32, le, relocation{33, 2, "0300", "0300"}},
		{elf.EM_68K, elf.ELFCLASS32, be, relocation{1, 2, "00000003", "00010012"}},
		{elf.EM_PARISC, elf.ELFCLASS32, be, relocation{1, 2, "00000002", "00000002"}},
		{elf.EM_XTENSA, elf.ELFCLASS32, le, relocation{1, 0, "03000000", "03000000"}},
		{elf.EM_MIPS, elf.ELFCLASS64, le, relocation{18, 1, "0000000000000000", "0000000000000000"}},
		{elf.EM_AVR, elf.ELFCLASS32, le, relocation{1, 1, "05000000", "05000000"}},
	} {
		b := synth.New(synth.Target{Class: row.class, Order: row.order, Machine: row.machine, Type: elf.ET_REL})
		data := b.Data(".data", 0, 64)
		b.Section(".debug_test", elf.SHT_PROGBITS, 0, 0, unhex(t, row.before))
		b.Reloc(".debug_test", 0, row.typ, b.Symbol("s", data.At(0x10), 4, elf.STT_OBJECT), row.addend)
		f := mustOpen(t, b.Bytes()).AsPeer(rules.Pahole)
		got, err := f.Data(f.Section(".debug_test"))
		if want := unhex(t, row.after); err != nil || string(got) != string(want) {
			t.Errorf("%v, type %d: got %x, %v, want %x", row.machine, row.typ, got, err, want)
		}
	}
}
