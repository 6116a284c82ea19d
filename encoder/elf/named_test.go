package elf_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestNamed: a symbol that the file defines is found by its whole name, far behind the first ones too.
func TestNamed(t *testing.T) {
	for name, target := range map[string]synth.Target{
		"64-bit":            {},
		"32-bit big-endian": {Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC},
		"relocatable":       {Type: elf.ET_REL},
	} {
		t.Run(name, func(t *testing.T) {
			b := synth.New(target)
			data := b.Data(".data", 0x1000, 64)
			b.Symbol("not_wanted", data.At(0), 4, elf.STT_OBJECT) // whose end is the wanted name
			const fillers = 9000
			for i := range fillers {
				b.Symbol("filler", data.At(uint64(i%8)), 1, elf.STT_OBJECT)
			}
			b.Symbol("wanted", synth.Nowhere, 4, elf.STT_OBJECT) // only used in this file
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
