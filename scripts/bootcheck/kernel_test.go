package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A typ is one type of a test's BTF.
type typ struct {
	kind btf.Kind
	name string
}

// blob is BTF with types that refer to nothing but type 1.
func blob(types ...typ) []byte {
	o := btf.New(binary.LittleEndian, nil)
	for _, t := range types {
		name := o.Strings.Add([]byte(t.name))
		switch t.kind {
		case btf.KindFunc, btf.KindTypedef:
			o.Append(name, btf.Info(t.kind, 0, false), 1)
		case btf.KindInt:
			o.Append(name, btf.Info(t.kind, 0, false), 4, 32)
		default:
			o.Append(name, btf.Info(t.kind, 0, false), 0)
		}
	}
	return o.AppendWire(nil)
}

var (
	proto = typ{btf.KindFuncProto, ""}
	fnA   = typ{btf.KindFunc, "a"}
	fnB   = typ{btf.KindFunc, "b"}
	fnC   = typ{btf.KindFunc, "c"}
	taskS = typ{btf.KindStruct, "task"}
	taskT = typ{btf.KindTypedef, "task"}
)

// old is the BTF that the test's kernel was built with: ids 1 to 6.
var old = []typ{proto, fnA, taskS, fnB, taskT, fnC}

// idWords is its .BTF_ids as the build left it: single ids, a set, and a set of pairs that was sorted by id.
var idWords = []uint32{
	3, 5, 0, // struct task, typedef task, one that was not found
	2, 2, 4, // set: count, a, b
	3, 7, 2, 20, 4, 40, 6, 60, // set8: count, flags, then a, b, c with theirs
}

// Where the symbols of idWords are; those inside of sets say nothing reliable about what lies there.
var idSymbols = []struct {
	name string
	word uint64
}{
	{"__BTF_ID__struct__task__1", 0}, {"__BTF_ID__typedef__task__2", 1}, {"__BTF_ID__func__gone__3", 2},
	{"__BTF_ID__set__two", 3}, {"__BTF_ID__func__b__4", 4}, {"__BTF_ID__func__a__5", 5},
	{"__BTF_ID__set8__three", 6}, {"__BTF_ID__func__c__6", 8}, {"__BTF_ID__func__a__7", 10}, {"__BTF_ID__func__b__8", 12},
	{"other", 1},
}

// vmlinux makes an ELF file with one segment that holds .BTF, with room for more bytes, and .BTF_ids; debug information follows.
func vmlinux(t *testing.T, room int) string {
	t.Helper()
	const base, at = 0x1000, 0x200
	types, err := pad(blob(old...), len(blob(old...))+room)
	if err != nil {
		t.Fatal(err)
	}
	types = append(types, make([]byte, -len(types)&3)...)
	var ids bytes.Buffer
	put := func(w *bytes.Buffer, v any) {
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	put(&ids, idWords)
	names, secNames := bytes.NewBuffer([]byte{0}), bytes.NewBuffer([]byte{0})
	add := func(b *bytes.Buffer, s string) uint32 {
		at := b.Len()
		b.WriteString(s + "\x00")
		return uint32(at)
	}
	var symbols bytes.Buffer
	put(&symbols, elf.Sym64{})
	idsAt := uint64(at + len(types))
	for _, s := range idSymbols {
		put(&symbols, elf.Sym64{Name: add(names, s.name), Shndx: 2, Value: base + idsAt + 4*s.word})
	}
	body := slices.Concat(make([]byte, at), types, ids.Bytes())
	end := uint64(len(body))
	var headers bytes.Buffer
	section := func(name string, kind elf.SectionType, off, addr uint64, size int, link uint32) {
		put(&headers, elf.Section64{Name: add(secNames, name), Type: uint32(kind), Off: off, Addr: addr, Size: uint64(size), Link: link,
			Entsize: map[bool]uint64{true: elf.Sym64Size}[kind == elf.SHT_SYMTAB]})
	}
	put(&headers, elf.Section64{})
	section(".BTF", elf.SHT_PROGBITS, at, base+at, len(types), 0)
	section(".BTF_ids", elf.SHT_PROGBITS, idsAt, base+idsAt, ids.Len(), 0)
	section(".symtab", elf.SHT_SYMTAB, end, 0, symbols.Len(), 4)
	section(".strtab", elf.SHT_STRTAB, end+uint64(symbols.Len()), 0, names.Len(), 0)
	tables := slices.Concat(symbols.Bytes(), names.Bytes())
	secAt := end + uint64(len(tables))
	add(secNames, ".shstrtab")
	section(".shstrtab", elf.SHT_STRTAB, secAt, 0, secNames.Len()+len(".shstrtab")+1, 0)
	shoff := secAt + uint64(secNames.Len())
	var head bytes.Buffer
	put(&head, elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Phoff: 64, Shoff: shoff, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: 6, Shstrndx: 5})
	put(&head, elf.Prog64{Type: uint32(elf.PT_LOAD), Vaddr: base, Filesz: end, Memsz: end})
	copy(body, head.Bytes())
	path := filepath.Join(t.TempDir(), "vmlinux")
	if err := os.WriteFile(path, slices.Concat(body, tables, secNames.Bytes(), headers.Bytes()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, room int) *kernel {
	t.Helper()
	k, err := openKernel(vmlinux(t, room))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func words(b []byte) []uint32 {
	list := make([]uint32, len(b)/4)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return list
}

func TestInject(t *testing.T) {
	k := open(t, 64)
	given := blob(fnC, taskT, proto, fnB, typ{btf.KindInt, "int"}, fnA, taskS, fnA)
	done, err := k.inject(given)
	if err != nil {
		t.Fatal(err)
	}
	want := []uint32{7, 2, 0, 2, 4, 6, 3, 7, 1, 60, 4, 40, 6, 20}
	if got := words(k.ids); !slices.Equal(got, want) {
		t.Errorf("ids: got %v, want %v", got, want)
	}
	if !bytes.Equal(k.btf, done.blob) || len(done.missing) > 0 || done.ids != 7 || done.sets != 2 {
		t.Errorf("got %v", done)
	}
	o, err := btf.Parse(k.btf, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.Len() != 8 || !bytes.Contains(k.btf, given[btf.HeaderLen:]) {
		t.Errorf("got %d types, want 8, and the given bytes behind the header", o.Len())
	}
	// What is booted is an ELF file without sections, and no longer than what is loaded.
	e, err := elf.NewFile(bytes.NewReader(k.image))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Sections) != 0 || len(e.Progs) != 1 || uint64(len(k.image)) != e.Progs[0].Filesz {
		t.Errorf("got %d sections, %d segments, %d bytes", len(e.Sections), len(e.Progs), len(k.image))
	}
}

// TestInjectOwn: with its own BTF the image stays what it was.
func TestInjectOwn(t *testing.T) {
	k := open(t, 0)
	ids, own := bytes.Clone(k.ids), bytes.Clone(k.btf)
	if _, err := k.inject(bytes.Clone(k.btf)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(k.ids, ids) || !bytes.Equal(k.btf, own) {
		t.Error("the image changed")
	}
}

func TestInjectMissing(t *testing.T) {
	k := open(t, 0)
	done, err := k.inject(blob(proto, fnA, taskS))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"FUNC b", "FUNC b", "FUNC c", "TYPEDEF task"}; !slices.Equal(done.missing, want) {
		t.Errorf("got %v, want %v", done.missing, want)
	}
	if got := words(k.ids)[3:6]; !slices.Equal(got, []uint32{2, 0, 2}) {
		t.Errorf("set: got %v, want it sorted with a 0", got)
	}
}

func TestTooLong(t *testing.T) {
	k := open(t, 0)
	if _, err := k.inject(blob(append(slices.Clone(old), fnA)...)); !errors.Is(err, errTooLong) {
		t.Errorf("got %v, want %v", err, errTooLong)
	}
}

func TestPadNeedsStringsLast(t *testing.T) {
	b := append(blob(old...), 0, 0, 0, 0)
	if _, err := pad(b, len(b)+4); err == nil {
		t.Error("bytes behind the strings were taken for padding")
	}
}

func TestNotAKernel(t *testing.T) {
	for name, data := range map[string][]byte{"empty": nil, "text": []byte(strings.Repeat("no ELF file ", 20))} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openKernel(path); err == nil {
			t.Errorf("%s: taken for a kernel", name)
		}
	}
	if _, err := openKernel(filepath.Join("..", "..", "corpus", "images", "gcc12-s390x-dwarf5-based.elf")); err == nil {
		t.Error("s390x: taken for a kernel of x86-64")
	}
}

func TestTrim(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	add := func(s string) uint32 { return o.Strings.Add([]byte(s)) }
	o.Append(0, btf.Info(btf.KindFuncProto, 0, false), 0)                          // 1
	o.Append(add("kept_by_name"), btf.Info(btf.KindFunc, 0, false), 1)             // 2
	o.Append(add("stays"), btf.Info(btf.KindFunc, 0, false), 1)                    // 3
	o.Append(0, btf.Info(btf.KindFuncProto, 1, false), 0, add("only"), 6)          // 4: of the function that goes
	o.Append(add("goes"), btf.Info(btf.KindFunc, 0, false), 4)                     // 5
	o.Append(add("int"), btf.Info(btf.KindInt, 0, false), 4, 32)                   // 6
	o.Append(add("bpf_kfunc"), btf.Info(btf.KindDeclTag, 0, false), 5, 0xffffffff) // 7
	o.Append(add("counter"), btf.Info(btf.KindVar, 0, false), 6, 1)                // 8
	o.Append(add("last"), btf.Info(btf.KindFunc, 0, false), 1)                     // 9
	whole := o.AppendWire(nil)
	wanted := map[string]bool{"kept_by_name": true, "last": true}
	if out, n, err := trim(whole, len(whole), wanted); err != nil || n != 0 || !bytes.Equal(out, whole) {
		t.Fatalf("what fits: %d functions went, %v", n, err)
	}
	out, n, err := trim(whole, len(whole)-1, wanted)
	if err != nil || n != 1 {
		t.Fatalf("got %d functions gone, %v, want 1", n, err)
	}
	got, err := btf.Parse(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.CheckReferences(); err != nil {
		t.Error(err)
	}
	var names []string
	for _, r := range got.All() {
		names = append(names, got.Name(r.Name()))
	}
	if want := []string{"", "kept_by_name", "stays", "int", "counter", "last"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if r := got.At(5); r.Type() != 4 {
		t.Errorf("counter is of type %d, want 4", r.Type())
	}
	if bytes.Contains(out, []byte("only")) {
		t.Error("a string of nobody is left")
	}
	if _, _, err := trim(whole, 60, wanted); !errors.Is(err, errTooLong) {
		t.Errorf("got %v, want %v", err, errTooLong)
	}
}
