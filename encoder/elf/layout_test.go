package elf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// Rule 01/1.2: the addresses of the allocated sections of a relocatable file.
func TestLayout(t *testing.T) {
	type section struct {
		name        string
		flags       elf.SectionFlag
		addr, align uint64
		size        int
		nobits      bool
		want        uint64
	}
	const a = elf.SHF_ALLOC
	rows := []struct {
		name     string
		typ      elf.Type
		sections []section
	}{
		{"one after another", elf.ET_REL, []section{{".text", a, 0, 16, 0x21, false, 0x10000}, {".note", 0, 0, 4, 8, false, 0},
			{".data", a, 0, 32, 5, false, 0x10040}, {".tbss", a | elf.SHF_TLS, 0, 8, 0x10, true, 0x10048}, {".bss", a, 0, 1, 7, true, 0x10058}, {".end", a, 0, 0, 1, false, 0x1005f}}},
		{"an address of its own stays", elf.ET_REL, []section{{".text", a, 0, 16, 0x20, false, 0x10000}, {".data", a, 0x68, 8, 0x10, false, 0x68},
			{".after", a, 0, 16, 1, false, 0x10020}}},
		{"and moves the end when it is beyond", elf.ET_REL, []section{{".text", a, 0, 16, 0x20, false, 0x10000}, {".data", a, 0x20000, 8, 0x10, false, 0x20000},
			{".after", a, 0, 16, 1, false, 0x20010}}},
		{"odd alignments are none", elf.ET_REL, []section{{".text", a, 0, 1, 3, false, 0x10000}, {".data", a, 0, 3, 1, false, 0x10003}}},
		{"a linked file is as it is", elf.ET_EXEC, []section{{".percpu", a, 0, 16, 0x20, false, 0}, {".data", a, 0x5000, 16, 0x20, false, 0x5000}}},
		{"so is a shared object", elf.ET_DYN, []section{{".data", a, 0, 16, 0x20, false, 0}}},
	}
	for _, r := range rows {
		b := synth.New(synth.Target{Type: r.typ})
		for _, s := range r.sections {
			var sec *synth.Section
			if s.nobits {
				sec = b.NoBits(s.name, s.flags, s.addr, uint64(s.size))
			} else {
				sec = b.Section(s.name, elf.SHT_PROGBITS, s.flags, s.addr, make([]byte, s.size))
			}
			sec.Align = s.align
		}
		f := mustOpen(t, b.Bytes())
		for _, s := range r.sections {
			sec := f.Section(s.name)
			if sec.Addr != s.want {
				t.Errorf("%s: %s: got address %#x, want %#x", r.name, s.name, sec.Addr, s.want)
			}
			if base := f.SymbolBase(sec); r.typ == elf.ET_REL && base != 0 || r.typ != elf.ET_REL && base != sec.Addr {
				t.Errorf("%s: %s: got symbol base %#x", r.name, s.name, base)
			}
		}
	}
}

// A relocation test: the bytes before, the relocation of offset 0, and the bytes after. The symbol's address is 0x10010.
type relocation struct {
	typ    uint32
	addend int64
	before string
	after  string
}

// TestRelocations is the table of rule 01/1.2, machine by machine.
func TestRelocations(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	c32, c64 := elf.ELFCLASS32, elf.ELFCLASS64
	rows := []struct {
		machine elf.Machine
		class   elf.Class
		order   binary.ByteOrder
		relocs  []relocation
	}{
		{elf.EM_X86_64, c64, le, []relocation{
			{0, 5, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"},
			{1, 2, "aaaaaaaaaaaaaaaabb", "1200010000000000bb"},
			{10, 2, "aaaaaaaabb", "12000100bb"},
			{11, -0x10, "aaaaaaaabb", "00000100bb"},
			{17, 2, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"},
			{21, 2, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_386, c32, le, []relocation{
			{0, 0, "aaaaaaaa", "aaaaaaaa"},
			{1, 0, "0300000099", "1300010099"},
			{1, 0, "f0ffffff", "00000100"}}},
		{elf.EM_ARM, c32, le, []relocation{
			{2, 0, "03000000", "13000100"},
			{104, 0, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_AARCH64, c64, le, []relocation{
			{257, 1, "0000000000000000", "1100010000000000"},
			{258, 1, "00000000bb", "11000100bb"}}},
		{elf.EM_S390, c64, be, []relocation{
			{22, 1, "0000000000000000", "0000000000010011"},
			{4, 1, "00000000bb", "00010011bb"}}},
		{elf.EM_PPC64, c64, be, []relocation{
			{38, 1, "0000000000000000", "0000000000010011"},
			{1, 1, "00000000", "00010011"}}},
		{elf.EM_PPC64, c64, le, []relocation{{38, 1, "0000000000000000", "1100010000000000"}}},
		{elf.EM_PPC, c32, be, []relocation{{1, 1, "00000000", "00010011"}}},
		{elf.EM_MIPS, c64, be, []relocation{
			{18, 1, "0000000000000000", "0000000000010011"},
			{2, 1, "00000000", "00010011"}}},
		{elf.EM_MIPS, c64, le, []relocation{{18, 1, "0000000000000000", "1100010000000000"}}},
		{elf.EM_MIPS, c32, be, []relocation{{2, 0, "00000003", "00010013"}}},
		{elf.EM_RISCV, c64, le, []relocation{
			{1, 1, "00000000", "11000100"},
			{2, 1, "0000000000000000", "1100010000000000"},
			{33, 0, "f1bb", "01bb"}, {34, 0, "f1ff", "0100"}, {35, 0, "01000000", "11000100"}, {36, 0, "0100000000000000", "1100010000000000"},
			{37, 0, "11", "01"}, {38, 0, "1100", "0100"}, {39, 0, "12000100", "02000000"}, {40, 0, "1200010000000000", "0200000000000000"},
			{52, 0, "d1", "c1"}, {53, 0, "c1", "d0"},
			{54, 0, "aa", "10"}, {55, 0, "aaaa", "1000"}, {56, 0, "aaaaaaaa", "10000100"},
			{60, 0, "808000bb", "908004bb"}, {61, 0, "928004bb", "828000bb"}}},
		{elf.EM_LOONGARCH, c64, le, []relocation{
			{1, 1, "00000000", "11000100"},
			{2, 1, "0000000000000000", "1100010000000000"},
			{47, 0, "f1bb", "01bb"}, {48, 0, "f1ff", "0100"}, {49, 0, "010000bb", "110001bb"}, {50, 0, "01000000", "11000100"}, {51, 0, "0100000000000000", "1100010000000000"},
			{52, 0, "11", "01"}, {53, 0, "1100", "0100"}, {54, 0, "120001bb", "020000bb"}, {55, 0, "12000100", "02000000"}, {56, 0, "1200010000000000", "0200000000000000"},
			{105, 0, "c1", "d1"}, {106, 0, "d1", "c1"},
			{107, 0, "818000bb", "918004bb"}, {108, 0, "928004bb", "828000bb"}}},
		{elf.EM_386, c32, le, []relocation{{20, 0, "0300bb", "1300bb"}, {22, 0, "03bb", "13bb"}}},
		{elf.EM_ARM, c32, le, []relocation{{5, 0, "0300bb", "1300bb"}, {8, 0, "03bb", "13bb"}, {18, 0, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_PPC, c32, be, []relocation{{3, 1, "000000", "001100"}, {24, 1, "00000000", "00010011"}, {25, 1, "0000bb", "0011bb"}}},
		{elf.EM_PPC64, c64, be, []relocation{{3, 1, "0000bb", "0011bb"}, {24, 1, "00000000", "00010011"}, {25, 1, "0000bb", "0011bb"},
			{43, 1, "0000000000000000", "0000000000010011"}}},
		{elf.EM_MIPS, c32, be, []relocation{{1, 0, "0003bb", "0013bb"}, {39, 0, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_68K, c32, be, []relocation{
			{1, 1, "aaaaaaaabb", "00010011bb"}, {2, 1, "aaaabb", "0011bb"}, {3, 1, "aabb", "11bb"}, {31, 1, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_ALPHA, c64, le, []relocation{{1, 1, "aaaaaaaabb", "11000100bb"}, {2, 1, "aaaaaaaaaaaaaaaabb", "1100010000000000bb"}}},
		{elf.EM_SPARC, c32, be, []relocation{{3, 1, "aaaaaaaabb", "00010011bb"}, {23, 1, "aaaaaaaabb", "00010011bb"}}},
		{elf.EM_SPARCV9, c64, be, []relocation{
			{1, 1, "aabb", "11bb"}, {2, 1, "aaaabb", "0011bb"}, {3, 1, "aaaaaaaabb", "00010011bb"}, {55, 1, "aaaabb", "0011bb"},
			{23, 1, "aaaaaaaabb", "00010011bb"}, {32, 1, "aaaaaaaaaaaaaaaabb", "0000000000010011bb"},
			{54, 1, "aaaaaaaaaaaaaaaabb", "0000000000010011bb"}, {77, 1, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"}}},
		{elf.EM_PARISC, c32, be, []relocation{{1, 1, "00000001bb", "00010011bb"}, {41, 1, "00000001bb", "00010011bb"}}},
		{elf.EM_PARISC, c64, be, []relocation{{41, 1, "00000001bb", "00010011bb"}, {80, 1, "aaaaaaaaaaaaaaaabb", "0000000000010011bb"}}},
		{elf.EM_ARC_COMPACT2, c32, le, []relocation{{1, 1, "aabb", "11bb"}, {2, 1, "aaaabb", "1100bb"}, {4, 1, "aaaaaaaabb", "11000100bb"}, {67, 1, "aaaaaaaa", "aaaaaaaa"}}},
		{elf.EM_SH, c32, le, []relocation{{1, 0, "03000000bb", "13000100bb"}, {1, 3, "00000000bb", "13000100bb"}, {33, 3, "0000bb", "1300bb"}, {34, 0, "03bb", "13bb"}}},
		{elf.EM_SH, c32, be, []relocation{{1, 0, "00000003bb", "00010013bb"}}},
		{elf.EM_XTENSA, c32, le, []relocation{{1, 0, "03000000bb", "13000100bb"}, {19, 0, "03000000bb", "03000000bb"}}},
		{elf.EM_OPENRISC, c32, be, []relocation{{1, 1, "aaaaaaaabb", "00010011bb"}, {2, 1, "aaaabb", "0011bb"}, {3, 1, "aabb", "11bb"}}},
		{elf.EM_MICROBLAZE, c32, be, []relocation{{1, 1, "aaaaaaaabb", "00010011bb"}}},
		{elf.EM_ALTERA_NIOS2, c32, le, []relocation{{12, 1, "aaaaaaaabb", "11000100bb"}, {13, 1, "aaaabb", "1100bb"}, {14, 1, "aabb", "11bb"}}},
		{elf.EM_QDSP6, c32, le, []relocation{{6, 1, "aaaaaaaabb", "11000100bb"}, {7, 1, "aaaabb", "1100bb"}, {8, 1, "aabb", "11bb"}}},
		{elf.Machine(252), c32, le, []relocation{{1, 1, "aaaaaaaabb", "11000100bb"}}},
		{elf.EM_IA_64, c64, le, []relocation{{0x25, 1, "aaaaaaaabb", "11000100bb"}, {0x27, 1, "aaaaaaaaaaaaaaaabb", "1100010000000000bb"}}},
	}
	for _, row := range rows {
		for _, r := range row.relocs {
			b := synth.New(synth.Target{Class: row.class, Order: row.order, Machine: row.machine, Type: elf.ET_REL})
			data := b.Data(".data", 0, 64)
			b.Section(".debug_test", elf.SHT_PROGBITS, 0, 0, unhex(t, r.before))
			b.Reloc(".debug_test", 0, r.typ, b.Symbol("s", data.At(0x10), 4, elf.STT_OBJECT), r.addend)
			f := mustOpen(t, b.Bytes())
			got, err := f.Data(f.Section(".debug_test"))
			if want := unhex(t, r.after); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v %v, type %d: got %x, %v, want %x", row.machine, row.order, r.typ, got, err, want)
			}
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	out := make([]byte, len(text)/2)
	for i := range out {
		hi, lo := strings.IndexByte("0123456789abcdef", text[2*i]), strings.IndexByte("0123456789abcdef", text[2*i+1])
		if hi < 0 || lo < 0 {
			t.Fatalf("%q is not hexadecimal", text)
		}
		out[i] = byte(hi<<4 | lo)
	}
	return out
}

// TestLinkedFilesKeepTheirBytes: relocations that a linker left in the file are not applied again.
func TestLinkedFilesKeepTheirBytes(t *testing.T) {
	for _, machine := range []elf.Machine{elf.EM_X86_64, elf.EM_386} {
		class := map[elf.Machine]elf.Class{elf.EM_X86_64: elf.ELFCLASS64, elf.EM_386: elf.ELFCLASS32}[machine]
		plain := mustOpen(t, synth.Sample(synth.Target{Class: class, Machine: machine}).Bytes())
		kept := mustOpen(t, synth.Sample(synth.Target{Class: class, Machine: machine, EmitRelocs: true}).Bytes())
		for _, name := range []string{".debug_info", ".debug_addr", ".debug_loclists"} {
			s := kept.Section(name)
			if s == nil {
				continue
			}
			got, err := kept.Data(s)
			if err != nil {
				t.Fatal(err)
			}
			want, err := plain.Data(plain.Section(name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %s differs from that of a file without relocations (%v)", machine, name, err)
			}
		}
		if kept.Section(".rela.debug_info") == nil && kept.Section(".rel.debug_info") == nil {
			t.Errorf("%v: the image has no relocations", machine)
		}
	}
}

// TestRelocatableEqualsLinked: the content of a relocatable file after relocation equals that of the linked file.
func TestRelocatableEqualsLinked(t *testing.T) {
	for _, row := range []struct {
		machine elf.Machine
		class   elf.Class
		order   binary.ByteOrder
	}{{elf.EM_X86_64, elf.ELFCLASS64, binary.LittleEndian}, {elf.EM_386, elf.ELFCLASS32, binary.LittleEndian}, {elf.EM_S390, elf.ELFCLASS64, binary.BigEndian},
		{elf.EM_MIPS, elf.ELFCLASS64, binary.LittleEndian}, {elf.EM_MIPS, elf.ELFCLASS32, binary.BigEndian}, {elf.EM_RISCV, elf.ELFCLASS64, binary.LittleEndian}} {
		build := func(typ elf.Type) *synth.Builder {
			b := synth.New(synth.Target{Class: row.class, Order: row.order, Machine: row.machine, Type: typ})
			addr := uint64(0x10000)
			if typ == elf.ET_REL {
				addr = 0
			}
			data := b.Data(".data", addr, 64)
			cu := b.CU("a.c", synth.C11)
			cu.Var("v", cu.Struct("long enough", 4), data.At(8))
			return b
		}
		rel, exec := mustOpen(t, build(elf.ET_REL).Bytes()), mustOpen(t, build(elf.ET_EXEC).Bytes())
		got, err := rel.Data(rel.Section(".debug_info"))
		if err != nil {
			t.Errorf("%v: %v", row.machine, err)
			continue
		}
		want, err := exec.Data(exec.Section(".debug_info"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: got\n%x, want\n%x (%v)", row.machine, got, want, err)
		}
	}
}

// TestBadRelocations: unknown types, symbols and places are errors in the relocation section.
func TestBadRelocations(t *testing.T) {
	build := func(typ uint32, off uint64) []byte {
		b := synth.New(synth.Target{Type: elf.ET_REL})
		data := b.Data(".data", 0, 64)
		b.Section(".debug_test", elf.SHT_PROGBITS, 0, 0, make([]byte, 8))
		b.Reloc(".debug_test", off, typ, b.Symbol("s", data.At(0), 4, elf.STT_OBJECT), 0)
		return b.Bytes()
	}
	const rela = ".rela.debug_test"
	data := func(b []byte) error {
		f := mustOpen(t, b)
		_, err := f.Data(f.Section(".debug_test"))
		return err
	}
	wantFormat(t, "type", data(build(200, 0)), rela, "relocation type 200 is not known for EM_X86_64, at .debug_test+0x0")
	wantFormat(t, "place", data(build(1, 1)), rela, "relocates offset 0x1 of a section of 8 bytes")
	wantFormat(t, "place far away", data(build(1, ^uint64(0))), rela, "relocates offset")
	image := build(1, 0)
	at := mustOpen(t, image).Section(rela).Off
	binary.LittleEndian.PutUint32(image[at+12:], 1000)
	wantFormat(t, "symbol", data(image), rela, "symbol 1000 is not one of")
}
