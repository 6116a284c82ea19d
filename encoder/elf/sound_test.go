package elf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
)

// TestDamagedTables: missing entries in a readable table are an error at their place. Each row damages the headers or the contents of
// sections.
func TestDamagedTables(t *testing.T) {
	le := binary.LittleEndian
	symbols := func(f *image.File) error {
		syms, err := f.Symbols()
		if err == nil && syms != nil {
			err = syms.Each(func(int, *image.Symbol) {})
		}
		return err
	}
	info := func(f *image.File) error { _, err := f.Data(f.Section(".debug_info")); return err }
	const off, size, link, infoAt, entSize, typ = 24, 32, 40, 44, 56, 4
	type damage struct {
		b       []byte
		headers func(name string) []byte // of a section
		data    func(name string) []byte
	}
	for _, r := range []struct {
		name    string
		target  synth.Target
		damage  func(d damage)
		read    func(f *image.File) error
		section string
		problem string
	}{
		{"size of the table", synth.Target{}, func(d damage) { le.PutUint64(d.headers(".symtab")[size:], 24*3+8) }, symbols, ".symtab", "80 bytes in entries of 24"},
		{"entries of the table", synth.Target{}, func(d damage) { le.PutUint64(d.headers(".symtab")[entSize:], 16) }, symbols, ".symtab", "in entries of 16 bytes, want entries of 24 bytes"},
		{"fewer symbols than are local", synth.Target{}, func(d damage) { le.PutUint32(d.headers(".symtab")[infoAt:], 1000) }, symbols, ".symtab", "is cut short"},
		{"another place", synth.Target{}, func(d damage) {
			h := d.headers(".symtab")
			le.PutUint64(h[off:], le.Uint64(h[off:])+24)
			le.PutUint64(h[size:], le.Uint64(h[size:])-24)
		}, symbols, ".symtab", "the first symbol is not the null symbol"},
		{"zeroed symbols", synth.Target{}, func(d damage) { clear(d.data(".symtab")[24:72]) }, symbols, ".symtab", "symbols from number 0 on are zeroed"},
		{"zeroed symbols at the end", synth.Target{}, func(d damage) {
			b := d.data(".symtab")
			clear(b[len(b)-48:])
		}, symbols, ".symtab", "are zeroed"},
		{"name outside", synth.Target{}, func(d damage) { le.PutUint32(d.data(".symtab")[48:], 1<<20) }, symbols, ".symtab", "name of symbol 2 at 0x100000 lies outside"},
		{"names zeroed", synth.Target{}, func(d damage) { clear(d.data(".strtab")) }, symbols, ".symtab", "has an empty name"},
		{"another table of strings", synth.Target{}, func(d damage) { le.PutUint32(d.headers(".symtab")[link:], 0) }, symbols, "section 0", "type SHT_NULL is not the type of a string table"},
		{"strings start elsewhere", synth.Target{}, func(d damage) { d.data(".strtab")[0] = 'x' }, symbols, ".strtab", "does not start with the empty string"},
		{"strings are cut", synth.Target{}, func(d damage) {
			h := d.headers(".strtab")
			le.PutUint64(h[size:], le.Uint64(h[size:])-1)
		}, symbols, ".strtab", "last string is not terminated"},
		{"zeroed header of a section with symbols", synth.Target{}, func(d damage) { le.PutUint32(d.headers(".text")[typ:], 0) }, symbols, ".symtab", "whose header is zeroed"},
		{"shared bytes", synth.Target{}, func(d damage) { copy(d.headers(".symtab")[off:off+8], d.headers(".debug_info")[off:]) }, symbols, ".symtab",
			"overlap section .debug_info"},
		{"relocations of another section", synth.Target{Type: elf.ET_REL}, func(d damage) { le.PutUint32(d.headers(".rela.debug_info")[infoAt:], 1) }, info, ".rela.debug_info",
			"relocates section 1, whose name is not .debug_info"},
		{"relocations of no section", synth.Target{Type: elf.ET_REL}, func(d damage) { le.PutUint32(d.headers(".rela.debug_info")[infoAt:], 9999) }, info, ".rela.debug_info",
			"relocates section 9999"},
		{"relocations of another type", synth.Target{Type: elf.ET_REL}, func(d damage) { le.PutUint32(d.headers(".rela.debug_info")[typ:], 1) }, info, ".rela.debug_info",
			"type SHT_PROGBITS is not a type of relocation sections"},
		{"relocations zeroed", synth.Target{Type: elf.ET_REL}, func(d damage) { clear(d.data(".rela.debug_info")[24:96]) }, info, ".rela.debug_info", "entries are zeroed"},
		{"relocations cut", synth.Target{Type: elf.ET_REL}, func(d damage) {
			h := d.headers(".rela.debug_info")
			le.PutUint64(h[size:], le.Uint64(h[size:])-5)
		}, info, ".rela.debug_info", "in entries of 24"},
	} {
		b := bytes.Clone(synth.Sample(r.target).Bytes())
		good, err := newFile(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.read(good); err != nil {
			t.Fatalf("%s: the good image: %v", r.name, err)
		}
		headers := func(name string) []byte {
			s := good.Section(name)
			if s == nil {
				t.Fatalf("%s: no section %s", r.name, name)
			}
			return b[le.Uint64(b[40:])+64*uint64(s.Index):][:64]
		}
		r.damage(damage{b, headers, func(name string) []byte {
			h := headers(name)
			return b[le.Uint64(h[off:]):][:le.Uint64(h[size:])]
		}})
		f, err := newFile(b)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		wantFormat(t, r.name, r.read(f), r.section, r.problem)
	}
}

// TestEmptyTable: a symbol table without entries counts as absent.
func TestEmptyTable(t *testing.T) {
	b := bytes.Clone(synth.Sample(synth.Target{}).Bytes())
	f, err := newFile(b)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	le.PutUint64(b[le.Uint64(b[40:])+64*uint64(f.Section(".symtab").Index)+32:], 0)
	if f, err = newFile(b); err != nil {
		t.Fatal(err)
	}
	if syms, err := f.Symbols(); syms != nil || err != nil {
		t.Errorf("got %s and error %v, want neither", fmt.Sprint(syms), err)
	}
}
