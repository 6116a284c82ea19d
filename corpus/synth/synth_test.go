package synth_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// open reads an image with the standard library, which is the oracle of these tests.
func open(t *testing.T, image []byte) (*elf.File, *dwarf.Data) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	return f, d
}

// entries reads all DIEs in order.
func entries(t *testing.T, d *dwarf.Data) (all []*dwarf.Entry) {
	t.Helper()
	r := d.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return all
		}
		if e.Tag != 0 {
			all = append(all, e)
		}
	}
}

func find(t *testing.T, d *dwarf.Data, name string) *dwarf.Entry {
	t.Helper()
	for _, e := range entries(t, d) {
		if e.Val(dwarf.AttrName) == name {
			return e
		}
	}
	t.Fatalf("no DIE named %q", name)
	return nil
}

func TestSample(t *testing.T) {
	for _, target := range synth.Targets() {
		for _, how := range []struct {
			name   string
			change func(*synth.Target)
		}{
			{"plain", func(*synth.Target) {}},
			{"zlib", func(t *synth.Target) { t.Compress = synth.Zlib }},
			{"zstd", func(t *synth.Target) { t.Compress = synth.Zstd }},
			{"zdebug", func(t *synth.Target) { t.Compress = synth.GNUZlib }},
			{"emit-relocs", func(t *synth.Target) { t.EmitRelocs = true }},
		} {
			target := target
			how.change(&target)
			t.Run(target.String()+"-"+how.name, func(t *testing.T) {
				f, d := open(t, synth.Sample(target).Bytes())
				checkHeader(t, f, target)
				checkTypes(t, d, target)
				checkSymbols(t, f)
			})
		}
	}
}

func checkHeader(t *testing.T, f *elf.File, target synth.Target) {
	t.Helper()
	if f.Class != target.Class || f.ByteOrder != target.Order || f.Machine != target.Machine || f.Type != target.Type {
		t.Errorf("header: got %v %v %v %v, want %v", f.Class, f.ByteOrder, f.Machine, f.Type, target)
	}
	if s := f.Section(".bss"); s == nil || s.Type != elf.SHT_NOBITS || s.Size != 0x100 {
		t.Errorf(".bss: got %+v, want NOBITS of 256 bytes", s)
	}
}

func checkTypes(t *testing.T, d *dwarf.Data, target synth.Target) {
	t.Helper()
	structure := func(name string) *dwarf.StructType {
		typ, err := d.Type(find(t, d, name).Offset)
		if err != nil {
			t.Fatal(err)
		}
		return typ.(*dwarf.StructType)
	}
	word := int64(8)
	if target.Class == elf.ELFCLASS32 {
		word = 4
	}
	list := structure("list_head")
	if got, want := list.Defn(), fmt.Sprintf("struct list_head {next *struct list_head@0; prev *struct list_head@%d}", word); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	fields := structure("task").Field
	if len(fields) != 6 {
		t.Fatalf("task: got %d members, want 6", len(fields))
	}
	for i, want := range map[int]int64{1: 32, 2: 35} {
		f := fields[i]
		got := f.DataBitOffset
		if target.DWARF < 4 { // counted from the most significant bit of the storage unit
			got = f.ByteOffset*8 + f.BitOffset
			if target.Order.String() == "LittleEndian" {
				got = f.ByteOffset*8 + 8*4 - f.BitOffset - f.BitSize
			}
		}
		if got != want {
			t.Errorf("task.%s: got bit %d, want %d", f.Name, got, want)
		}
	}
	if got := fields[4].Type.String(); got != "[2][2]int" {
		t.Errorf("task.grid: got %s, want [2][2]int", got)
	}
	if got, want := find(t, d, "start").Val(dwarf.AttrLowpc), uint64(0x10010); got != want {
		t.Errorf("start: got low_pc %#x, want %#x", got, want)
	}
	if find(t, d, "entry").Val(dwarf.AttrType) == nil {
		t.Error("entry: no type")
	}
}

func checkSymbols(t *testing.T, f *elf.File) {
	t.Helper()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name != "counters" {
			continue
		}
		sec := f.Sections[s.Section]
		if sec.Name != ".data..percpu" || s.Value != sec.Addr+16 || s.Size != 16 || elf.ST_BIND(s.Info) != elf.STB_LOCAL {
			t.Errorf("symbol counters: got %+v in %s", s, sec.Name)
		}
		return
	}
	t.Error("no symbol counters")
}

// TestRelocatable checks ET_REL files for every machine that debug/elf can relocate. On machines with RELA the fields are zero, so strings and
// references are right only if the relocations are.
func TestRelocatable(t *testing.T) {
	for _, target := range []synth.Target{
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64},
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_AARCH64},
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_RISCV},
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_PPC64},
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_LOONGARCH},
		{Class: elf.ELFCLASS64, Order: binary.BigEndian, Machine: elf.EM_MIPS},
		{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_MIPS},
		{Class: elf.ELFCLASS64, Order: binary.BigEndian, Machine: elf.EM_S390},
		{Class: elf.ELFCLASS32, Order: binary.LittleEndian, Machine: elf.EM_386},
		{Class: elf.ELFCLASS32, Order: binary.LittleEndian, Machine: elf.EM_ARM},
	} {
		for _, version := range []int{2, 3, 4, 5} {
			target.Type, target.DWARF = elf.ET_REL, version
			t.Run(target.String(), func(t *testing.T) {
				f, d := open(t, synth.Sample(target).Bytes())
				checkSymbols(t, f)
				var names []string
				for _, e := range entries(t, d) {
					if e.Tag == dwarf.TagCompileUnit {
						names = append(names, fmt.Sprint(e.Val(dwarf.AttrName)))
					}
				}
				if got, want := strings.Join(names, " "), "kernel/a.c kernel/z.c kernel/entry.S"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				name := ".rela.debug_info"
				if target.Class == elf.ELFCLASS32 {
					name = ".rel.debug_info"
				}
				if s := f.Section(name); s == nil || f.Sections[s.Info].Name != ".debug_info" || f.Sections[s.Link].Name != ".symtab" {
					t.Errorf("%s: got %+v", name, s)
				}
			})
		}
	}
}

// TestMixedUnits writes a file with units of all versions and both formats, some of which share abbreviations.
func TestMixedUnits(t *testing.T) {
	b := synth.New(synth.Target{})
	first := b.CU("v2.c", synth.C89, synth.Version(2))
	b.CU("v3.c", synth.C99, synth.Version(3), synth.Dwarf64)
	b.CU("v4.c", synth.C99, synth.Version(4), synth.FirstAbbrev(1000), synth.Producer("clang version 19"))
	b.CU("shared.c", synth.C89, synth.Version(2), synth.ShareAbbrevs(first))
	b.CU("v5.c", synth.C11, synth.Dwarf64, synth.AddrSize(8)).DIE(dwarf.TagLexDwarfBlock).EmptyChildren()
	b.CU("part.c", synth.C11, synth.Partial)
	b.CU("skel.c", synth.C11, synth.Skeleton(7))
	_, d := open(t, b.Bytes())
	var got []string
	for _, e := range entries(t, d) {
		got = append(got, fmt.Sprintf("%v %v", e.Tag, e.Val(dwarf.AttrName)))
	}
	want := "CompileUnit v2.c,CompileUnit v3.c,CompileUnit v4.c,CompileUnit shared.c,CompileUnit v5.c,LexDwarfBlock <nil>,PartialUnit part.c,SkeletonUnit skel.c"
	if g := strings.Join(got, ","); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

// TestSymbolTable covers the special section indexes, the order of symbols and the extended index table.
func TestSymbolTable(t *testing.T) {
	for _, extended := range []bool{false, true} {
		b := synth.New(synth.Target{XIndex: extended})
		data := b.Data(".data", 0x1000, 16)
		b.Symbol("global", data.At(4), 4, elf.STT_OBJECT)
		b.Symbol("abs", synth.Abs(5), 0, elf.STT_NOTYPE)
		b.Symbol("undef", synth.Nowhere, 0, elf.STT_FUNC).Bind = elf.STB_WEAK
		b.Local("local", data.At(8), 4, elf.STT_OBJECT)
		b.CU("a.c", synth.C11)
		f, _ := open(t, b.Bytes())
		syms, err := f.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range syms {
			got = append(got, fmt.Sprintf("%s %v %#x %v", s.Name, elf.ST_BIND(s.Info), s.Value, s.Section))
		}
		place := elf.SectionIndex(1)
		if extended {
			place = elf.SHN_XINDEX
			raw, err := f.Section(".symtab_shndx").Data()
			if err != nil || len(raw) != 4*5 || raw[4] != 1 {
				t.Errorf(".symtab_shndx: got %v, %v", raw, err)
			}
		}
		want := fmt.Sprintf("local STB_LOCAL 0x1008 %[1]v,global STB_GLOBAL 0x1004 %[1]v,abs STB_GLOBAL 0x5 SHN_ABS,undef STB_WEAK 0x0 SHN_UNDEF", place)
		if g := strings.Join(got, ","); g != want {
			t.Errorf("got  %s\nwant %s", g, want)
		}
	}
	b := synth.New(synth.Target{NoSymtab: true})
	b.CU("a.c", synth.C11)
	f, _ := open(t, b.Bytes())
	if _, err := f.Symbols(); err == nil {
		t.Error("NoSymtab: got a symbol table")
	}
}

func TestNotePatchReloc(t *testing.T) {
	b := synth.New(synth.Target{Order: binary.BigEndian, Machine: elf.EM_S390})
	b.LTONote(true)
	data := b.Data(".data", 0x1000, 8)
	sym := b.Symbol("v", data.At(0), 8, elf.STT_OBJECT)
	b.CU("a.c", synth.C11)
	b.Patch(".data", 2, 0xaa, 0xbb)
	b.Reloc(".data", 4, 4, sym, -2)
	f, _ := open(t, b.Bytes())
	number := 0
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range syms {
		if s.Name == "v" {
			number = i + 1
		}
	}
	for _, r := range []struct{ section, want string }{
		{".note.Linux", "00000006" + "00000004" + "00000101" + "4c696e757800" + "0000" + "00000001"},
		{".data", "0000aabb00000000"},
		{".rela.data", "0000000000001004" + fmt.Sprintf("%08x", number) + "00000004" + "fffffffffffffffe"},
	} {
		got, err := f.Section(r.section).Data()
		if err != nil || fmt.Sprintf("%x", got) != r.want {
			t.Errorf("%s: got %x, %v, want %s", r.section, got, err, r.want)
		}
	}
}

func TestMisusePanics(t *testing.T) {
	for _, r := range []struct {
		name string
		do   func(b *synth.Builder, u *synth.CU)
	}{
		{"loose target", func(b *synth.Builder, u *synth.CU) {
			u.DIE(dwarf.TagPointerType, synth.Type(synth.NewDIE(dwarf.TagBaseType)))
		}},
		{"too wide", func(b *synth.Builder, u *synth.CU) { u.DIE(dwarf.TagVariable, synth.Num(1, synth.FormData1, 256)) }},
		{"other unit", func(b *synth.Builder, u *synth.CU) {
			u.Pointer(b.CU("z.c", synth.C11).Base("int", 4, synth.Signed))
		}},
		{"twice in the tree", func(b *synth.Builder, u *synth.CU) { u.Add(u.Base("int", 4, synth.Signed)) }},
		{"twice", func(b *synth.Builder, u *synth.CU) { b.Bytes() }},
	} {
		t.Run(r.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			b := synth.New(synth.Target{})
			r.do(b, b.CU("a.c", synth.C11))
			b.Bytes()
		})
	}
}

func TestSameBytes(t *testing.T) {
	for _, target := range synth.Targets() {
		if !bytes.Equal(synth.Sample(target).Bytes(), synth.Sample(target).Bytes()) {
			t.Errorf("%v: two builds differ", target)
		}
	}
	if got, want := len(synth.Seeds()), len(synth.Targets()); got != want {
		t.Errorf("got %d seeds, want %d", got, want)
	}
}
