package elf_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
)

// TestNamed: a defined symbol is found by its whole name, also one far from the start of the table.
func TestNamed(t *testing.T) {
	for name, target := range map[string]synth.Target{
		"64-bit":            {},
		"32-bit big-endian": {Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC},
		"relocatable":       {Type: elf.ET_REL},
	} {
		t.Run(name, func(t *testing.T) {
			b := synth.New(target)
			data := b.Data(".data", 0x1000, 64)
			b.Symbol("not_wanted", data.At(0), 4, elf.STT_OBJECT) // ends with the wanted name
			const fillers = 9000
			for i := range fillers {
				b.Symbol("filler", data.At(uint64(i%8)), 1, elf.STT_OBJECT)
			}
			b.Symbol("wanted", synth.Nowhere, 4, elf.STT_OBJECT) // not defined in this file
			b.Symbol("wanted", data.At(16), 8, elf.STT_OBJECT)
			b.Symbol("wanted", data.At(32), 16, elf.STT_OBJECT)
			f, err := newFile(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			syms, err := f.Symbols()
			if err != nil {
				t.Fatal(err)
			}
			s, ok, err := syms.Named("wanted")
			if err != nil || !ok || s.Size != 8 || s.Value%0x1000 != 16 {
				t.Errorf("got %+v, %v, %v, want the first that is defined", s, ok, err)
			}
			for _, name := range []string{"want", "anted", "_wanted", "no such name"} {
				if s, ok, err := syms.Named(name); ok || err != nil {
					t.Errorf("%s: got %+v, %v, %v, want none", name, s, ok, err)
				}
			}
		})
	}
}

// TestStartsWith: a name matches if it is the text, or the text followed by the end byte and more.
func TestStartsWith(t *testing.T) {
	b := synth.New(synth.Target{})
	data := b.Data(".data", 0x1000, 64)
	for _, name := range []string{"plain", "plain.cold", "plainly"} {
		b.Symbol(name, data.At(0), 4, elf.STT_OBJECT)
	}
	syms, err := mustOpen(t, b.Bytes()).Symbols()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	err = syms.Each(func(_ int, s *image.Symbol) {
		got[string(syms.Name(s))] = syms.StartsWith(s.NameOff, []byte("plain"), '.')
	})
	if err != nil || !got["plain"] || !got["plain.cold"] || got["plainly"] || got[""] {
		t.Errorf("names that start with plain: %v, error %v", got, err)
	}
	if syms.StartsWith(1<<31, []byte("plain"), '.') {
		t.Error("a name out of range starts with plain")
	}
}

// TestSymbolBase: symbols of a linked file have addresses, even in one that can be loaded anywhere, such as an arm64 kernel.
func TestSymbolBase(t *testing.T) {
	for typ, want := range map[elf.Type]uint64{elf.ET_EXEC: 0x1000, elf.ET_DYN: 0x1000, elf.ET_REL: 0} {
		b := synth.New(synth.Target{Type: typ})
		b.Data(".data", 0x1000, 64)
		f := mustOpen(t, b.Bytes())
		if got := f.SymbolBase(f.Section(".data")); got != want {
			t.Errorf("%v: got %#x, want %#x", typ, got, want)
		}
	}
}
