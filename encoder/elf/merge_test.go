package elf_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestMergedStrings: relocations refer to the first of equal strings, on machines with REL and RELA and of both byte orders, by pahole's rules
// and by ours. Offsets at which no string starts, and other sections, are left alone.
func TestMergedStrings(t *testing.T) {
	const text = "ab\x00c\x00ab\x00\x00longer than eight\x00c\x00b\x00\x00longer than eight\x00longer than eighT\x00"
	first := map[int64]uint64{0: 0, 3: 3, 5: 0, 8: 8, 9: 9, 27: 3, 29: 29, 31: 8, 32: 9, 50: 50, 1: 1, 6: 6, 33: 33, 67: 67, 68: 68, 500: 500}
	le, be := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
	for _, row := range []struct {
		machine elf.Machine
		class   elf.Class
		order   binary.ByteOrder
		typ     uint32
		rel     bool
	}{
		{elf.EM_X86_64, elf.ELFCLASS64, le, 10, false}, {elf.EM_X86_64, elf.ELFCLASS64, le, 1, false}, {elf.EM_S390, elf.ELFCLASS64, be, 4, false},
		{elf.EM_PPC, elf.ELFCLASS32, be, 1, false}, {elf.EM_386, elf.ELFCLASS32, le, 1, true}, {elf.EM_MIPS, elf.ELFCLASS32, be, 2, true},
	} {
		width := int64(4)
		if row.typ == 1 && row.machine == elf.EM_X86_64 {
			width = 8
		}
		b := synth.New(synth.Target{Class: row.class, Order: row.order, Machine: row.machine, Type: elf.ET_REL})
		str := b.Section(".debug_str", elf.SHT_PROGBITS, 0, 0, []byte(text))
		other := b.Section(".debug_line_str", elf.SHT_PROGBITS, 0, 0, []byte(text))
		names, lines := b.Symbol("names", str.At(0), 0, elf.STT_OBJECT), b.Symbol("lines", other.At(0), 0, elf.STT_OBJECT)
		var offs []int64
		for off := range first {
			offs = append(offs, off)
		}
		data := make([]byte, 2*width*int64(len(offs)))
		for i, off := range offs {
			for k, sym := range []*synth.Symbol{names, lines} {
				at := width * int64(2*i+k)
				if row.rel {
					row.order.PutUint32(data[at:], uint32(off))
					b.Reloc(".debug_info", uint64(at), row.typ, sym, 0)
				} else {
					b.Reloc(".debug_info", uint64(at), row.typ, sym, off)
				}
			}
		}
		b.Section(".debug_info", elf.SHT_PROGBITS, 0, 0, data)
		file := b.Bytes()
		for _, f := range []*image.File{mustOpen(t, file), mustOpen(t, file).AsPeer(rules.Pahole)} {
			merged := f.MergeStrings(f.Section(".debug_str"), []byte(text))
			got, err := f.DataWithNames(f.Section(".debug_info"), merged)
			if err != nil {
				t.Fatal(err)
			}
			for i, off := range offs {
				for k, want := range []uint64{first[off], uint64(off)} {
					at := width * int64(2*i+k)
					have := uint64(row.order.Uint32(got[at:]))
					if width == 8 {
						have = row.order.Uint64(got[at:])
					}
					if have != want {
						t.Errorf("%v: offset %d of section %d becomes %d, want %d", row.machine, off, k, have, want)
					}
				}
			}
		}
	}
}

// TestMergedEach: Each and Distinct have every string once, for any range.
func TestMergedEach(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		var all []string
		for range r.IntN(300) {
			all = append(all, strings.Repeat(fmt.Sprint(r.IntN(40)), r.IntN(9)))
		}
		data := []byte(strings.Join(all, "\x00") + "\x00")
		b := synth.New(synth.Target{Type: elf.ET_REL})
		b.Section(".debug_str", elf.SHT_PROGBITS, 0, 0, data)
		f := mustOpen(t, b.Bytes())
		merged := f.MergeStrings(f.Section(".debug_str"), data)
		cut := uint64(r.IntN(len(data) + 1))
		var want, got []string
		seen, at := map[string]bool{}, 0
		for s := range strings.SplitSeq(string(data[:len(data)-1]), "\x00") {
			if !seen[s] {
				want = append(want, fmt.Sprintf("%d %s", at, s))
			}
			seen[s] = true
			at += len(s) + 1
		}
		add := func(off uint64, text []byte) { got = append(got, fmt.Sprintf("%d %s", off, text)) }
		merged.Each(0, cut, add)
		merged.Each(cut, uint64(len(data)), add)
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Fatalf("Each, cut at %d: got %q, want %q", cut, got, want)
		}
		if n := strings.Count(string(merged.Distinct()), "\x00"); n != len(want) {
			t.Errorf("Distinct has %d strings, want %d", n, len(want))
		}
	}
}

// TestMergedNothing: sections that cannot be merged.
func TestMergedNothing(t *testing.T) {
	for _, row := range []struct {
		name string
		typ  elf.Type
		data string
	}{
		{"linked", elf.ET_EXEC, "a\x00a\x00"}, {"empty", elf.ET_REL, ""}, {"cut short", elf.ET_REL, "a\x00a"},
	} {
		b := synth.New(synth.Target{Type: row.typ})
		b.Section(".debug_str", elf.SHT_PROGBITS, 0, 0, []byte(row.data))
		f := mustOpen(t, b.Bytes())
		if m := f.MergeStrings(f.Section(".debug_str"), []byte(row.data)); m != nil {
			t.Errorf("%s: it was merged", row.name)
		}
	}
}
