package elf_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// names returns the sections that DebugSections finds.
func names(f *image.File, plain string) string {
	var list []string
	for _, s := range f.DebugSections(plain) {
		list = append(list, fmt.Sprintf("%d:%s", s.Index, s.Name))
	}
	return strings.Join(list, " ")
}

// TestDebugSections: which sections are debug sections of a name, and which of them pahole reads.
func TestDebugSections(t *testing.T) {
	const group = elf.SHF_GROUP
	type section struct {
		name  string
		flags elf.SectionFlag
	}
	for _, row := range []struct {
		name       string
		sections   []section // from index 1 on
		want, peer string
	}{
		{"none", []section{{".data", 0}}, "", ""},
		{"one", []section{{".debug_str", 0}, {".debug_info", 0}}, "2:.debug_info", "2:.debug_info"},
		{"the old way of compressing", []section{{".zdebug_info", 0}}, "1:.zdebug_info", "1:.zdebug_info"},
		{"several", []section{{".debug_info", 0}, {".debug_str", 0}, {".zdebug_info", 0}}, "1:.debug_info 3:.zdebug_info", "1:.debug_info"},
		{"groups", []section{{".debug_info", group}, {".debug_info", group}, {".debug_info", 0}}, "1:.debug_info 2:.debug_info 3:.debug_info", "3:.debug_info"},
		{"groups alone", []section{{".debug_info", group}}, "1:.debug_info", ""},
		{"what waits", []section{{".gnu.debuglto_.debug_info", 0}, {".gnu.debuglto_.debug_infos", 0}}, "1:.gnu.debuglto_.debug_info", "1:.gnu.debuglto_.debug_info"},
		{"what waits behind what does not", []section{{".gnu.debuglto_.debug_info", 0}, {".debug_info", 0}}, "2:.debug_info", "2:.debug_info"},
		{"what waits behind types", []section{{".gnu.debuglto_.debug_info", 0}, {".debug_types", 0}}, "", ""},
		{"what waits behind a text", []section{{".gnu.debuglto_.debug_info", 0}, {".debug_str", 0}}, "1:.gnu.debuglto_.debug_info", ""},
	} {
		b := synth.New(synth.Target{Type: elf.ET_REL})
		for _, s := range row.sections {
			b.Section(s.name, elf.SHT_PROGBITS, s.flags, 0, []byte{1})
		}
		f := mustOpen(t, b.Bytes())
		if got := names(f, ".debug_info"); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		if got := names(f.AsPeer(rules.Pahole), ".debug_info"); got != row.peer {
			t.Errorf("%s, as the peer: got %q, want %q", row.name, got, row.peer)
		}
	}
}

// TestJoined: sections of one name are read one after another, and references into them lead to their new places. For pahole each section
// starts at 0.
func TestJoined(t *testing.T) {
	for _, how := range []synth.Compression{synth.Plain, synth.Zlib} {
		b := synth.New(synth.Target{Type: elf.ET_REL, Compress: how})
		debug := func(name string, n int) *synth.Section {
			return b.Section(name, elf.SHT_PROGBITS, 0, 0, make([]byte, n))
		}
		debug(".debug_info", 16)
		debug(".debug_abbrev", 100)
		debug(".debug_str", 50)
		second := debug(".debug_abbrev", 20)
		third := debug(".debug_abbrev", 8)
		b.Reloc(".debug_info", 0, 1, b.Local("second", second.At(3), 0, elf.STT_NOTYPE), 4)
		b.Reloc(".debug_info", 8, 1, b.Local("third", third.At(1), 0, elf.STT_NOTYPE), 0)
		file := b.Bytes()
		for _, row := range []struct {
			f    *image.File
			want [2]uint64
		}{{mustOpen(t, file), [2]uint64{107, 121}}, {mustOpen(t, file).AsPeer(rules.Pahole), [2]uint64{7, 1}}} {
			data, err := row.f.Data(row.f.DebugSections(".debug_info")[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := [2]uint64{binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])}; got != row.want {
				t.Errorf("%v: got %v, want %v", how, got, row.want)
			}
		}
		f := mustOpen(t, file)
		if data, err := f.Joined(f.DebugSections(".debug_abbrev")); err != nil || len(data) != 128 {
			t.Errorf("%v: got %d bytes, %v, want 128", how, len(data), err)
		}
	}
}

// TestJoinedRelocations: each joined section has its own relocations.
func TestJoinedRelocations(t *testing.T) {
	b := synth.New(synth.Target{Type: elf.ET_REL})
	data := b.Data(".data", 0, 64)
	for range 2 {
		b.Section(".debug_types", elf.SHT_PROGBITS, elf.SHF_GROUP, 0, make([]byte, 8))
	}
	b.Section(".debug_else", elf.SHT_PROGBITS, 0, 0, make([]byte, 8))
	s := b.Symbol("s", data.At(8), 4, elf.STT_OBJECT)
	b.Reloc(".debug_types", 0, 1, s, 1)
	b.Reloc(".debug_else", 0, 1, s, 2)
	file := b.Bytes()
	f := mustOpen(t, file)
	types := f.DebugSections(".debug_types")
	// The relocations of the other section become those of the second section of that name.
	le := binary.LittleEndian
	header := func(name string) []byte { return file[le.Uint64(file[40:])+64*uint64(f.Section(name).Index):][:64] }
	other, own := header(".rela.debug_else"), header(".rela.debug_types")
	copy(other[:4], own[:4])
	le.PutUint32(other[44:], uint32(types[1].Index))
	f = mustOpen(t, file)
	got, err := f.Joined(f.DebugSections(".debug_types"))
	base := f.Section(".data").Addr + 8
	if err != nil || len(got) != 16 || le.Uint64(got) != base+1 || le.Uint64(got[8:]) != base+2 {
		t.Errorf("got %x, %v, want %x and %x", got, err, base+1, base+2)
	}
}

// TestJoinedDamage: impossible joined sections are errors.
func TestJoinedDamage(t *testing.T) {
	make2 := func(typ elf.Type, name string) []byte {
		b := synth.New(synth.Target{Type: typ})
		for range 2 {
			b.Section(name, elf.SHT_PROGBITS, 0, 0, make([]byte, 8))
		}
		return b.Bytes()
	}
	joined := func(b []byte, name string) error {
		f := mustOpen(t, b)
		_, err := f.Joined(f.DebugSections(name))
		return err
	}
	le := binary.LittleEndian
	header := func(b []byte, i int) []byte {
		return b[le.Uint64(b[40:])+64*uint64(mustOpen(t, b).DebugSections(".debug_types")[i].Index):][:64]
	}
	over, far := make2(elf.ET_REL, ".debug_types"), make2(elf.ET_REL, ".debug_types")
	copy(header(over, 1)[24:32], header(over, 0)[24:32])
	le.PutUint64(header(far, 1)[24:], 1<<40)
	for _, row := range []struct{ name, want, got string }{
		{"units of a linked image", "<nil>", fmt.Sprint(joined(make2(elf.ET_EXEC, ".debug_info"), ".debug_info"))},
		{"other sections of a linked image", "have the same name", fmt.Sprint(joined(make2(elf.ET_EXEC, ".debug_str"), ".debug_str"))},
		{"bytes of both", "overlap section .debug_types", fmt.Sprint(joined(over, ".debug_types"))},
		{"past the end", "reach past the end of the file", fmt.Sprint(joined(far, ".debug_types"))},
	} {
		if !strings.Contains(row.got, row.want) {
			t.Errorf("%s: got error %q, want %q", row.name, row.got, row.want)
		}
	}
}

// TestManyJoined: sixty thousand sections of one name are joined in a moment. Comparing each with each would take minutes.
func TestManyJoined(t *testing.T) {
	const n = 60_000
	b := synth.New(synth.Target{Type: elf.ET_REL})
	for range n {
		b.Section(".debug_types", elf.SHT_PROGBITS, elf.SHF_GROUP, 0, make([]byte, 8))
	}
	file := b.Bytes()
	begin := time.Now()
	f := mustOpen(t, file)
	if data, err := f.Joined(f.DebugSections(".debug_types")); err != nil || len(data) != 8*n {
		t.Fatalf("got %d bytes, %v, want %d", len(data), err, 8*n)
	}
	const limit = 5 * time.Second
	if took := time.Since(begin); took > limit {
		t.Errorf("%d sections: got %v, want less than %v", n, took, limit)
	}
}
