package elf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A placed is a relocation of a test image.
type placed struct {
	off    uint64
	typ    uint32
	names  bool
	addend int64
}

// withRelocations returns an image with the given relocations of .debug_info, which has size bytes.
func withRelocations(target synth.Target, size int, list []placed) []byte {
	target.Type = elf.ET_REL
	b := synth.New(target)
	str := b.Section(".debug_str", elf.SHT_PROGBITS, 0, 0, []byte("ab\x00c\x00ab\x00c\x00"))
	text := b.Section(".text", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0, make([]byte, 64))
	names, other := b.Symbol("names", str.At(0), 0, elf.STT_OBJECT), b.Symbol("f", text.At(8), 0, elf.STT_OBJECT)
	data := bytes.Repeat([]byte{0x11}, size)
	b.Section(".debug_info", elf.SHT_PROGBITS, 0, 0, data)
	for _, r := range list {
		sym := other
		if r.names {
			sym = names
		}
		b.Reloc(".debug_info", r.off, r.typ, sym, r.addend)
	}
	return b.Bytes()
}

// inPieces reads .debug_info piece by piece, cut at the given offsets, in a random order.
func inPieces(t *testing.T, f *image.File, size int, cuts []int) ([]byte, error) {
	t.Helper()
	s := f.Section(".debug_info")
	p, err := f.Pieces(s, f.MergeStrings(f.Section(".debug_str"), mustData(t, f, ".debug_str")))
	if err != nil || p == nil {
		t.Fatalf("no pieces: %v", err)
	}
	cuts = append(append([]int{0}, cuts...), size)
	all := make([]byte, size)
	for _, i := range rand.Perm(len(cuts) - 1) {
		from, to := cuts[i], cuts[i+1]
		b := make([]byte, min(size-from, to-from+20))
		if err := p.ReadAt(b, uint64(from), uint64(to-from)); err != nil {
			return nil, err
		}
		copy(all[from:to], b)
	}
	return all, nil
}

func mustData(t *testing.T, f *image.File, name string) []byte {
	t.Helper()
	b, err := f.Data(f.Section(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPieces: pieces in any order have the bytes of the whole section, by pahole's rules and by ours, with entries of every format.
func TestPieces(t *testing.T) {
	const size = 4000
	le, be := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
	random := rand.New(rand.NewPCG(1, 2))
	for _, row := range []struct {
		target synth.Target
		types  []uint32
	}{
		{synth.Target{Class: elf.ELFCLASS64, Order: le, Machine: elf.EM_X86_64}, []uint32{10, 10, 10, 1, 12, 0}},
		{synth.Target{Class: elf.ELFCLASS64, Order: be, Machine: elf.EM_S390}, []uint32{4, 4, 22, 1}},
		{synth.Target{Class: elf.ELFCLASS32, Order: be, Machine: elf.EM_PPC}, []uint32{1, 1, 3}},
		{synth.Target{Class: elf.ELFCLASS32, Order: le, Machine: elf.EM_386}, []uint32{1, 1, 20}},
		{synth.Target{Class: elf.ELFCLASS64, Order: le, Machine: elf.EM_RISCV}, []uint32{1, 2, 35, 39, 51}},
		{synth.Target{Class: elf.ELFCLASS64, Order: be, Machine: elf.EM_MIPS}, []uint32{2, 18}},
	} {
		for range 20 {
			var list []placed
			for at := uint64(0); at+8 <= size; at += 8 {
				if random.IntN(3) > 0 {
					list = append(list, placed{at, row.types[random.IntN(len(row.types))], random.IntN(3) > 0, int64(random.IntN(8))})
				}
			}
			var cuts []int
			for at := 8 * (1 + random.IntN(40)); at < size; at += 8 * (1 + random.IntN(40)) {
				cuts = append(cuts, at)
			}
			file := withRelocations(row.target, size, list)
			for i, f := range []*image.File{mustOpen(t, file), mustOpen(t, file).AsPeer(rules.Pahole)} {
				names := f.MergeStrings(f.Section(".debug_str"), mustData(t, f, ".debug_str"))
				want, err := f.DataWithNames(f.Section(".debug_info"), names)
				if err != nil {
					t.Fatal(err)
				}
				got, err := inPieces(t, f, size, cuts)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%v, view %d: pieces differ from the whole section (%v)", row.target.Machine, i, err)
				}
			}
		}
	}
}

// TestPiecesRefused: relocations that are not in order, or cannot be applied, or reach over the end of a piece, are no matter for pieces.
func TestPiecesRefused(t *testing.T) {
	const size, word, long = 400, 10, 1
	good := []placed{{0, word, true, 3}, {8, word, true, 5}, {100, word, false, 0}, {200, long, false, 1}, {396, word, true, 0}}
	for _, row := range []struct {
		name string
		at   int // where the entry is put in
		bad  placed
	}{
		{"not in order", 4, placed{150, word, true, 0}},
		{"not in order, from another piece", 2, placed{300, word, true, 0}},
		{"over the end of a piece", 3, placed{196, long, true, 0}},
		{"over the end of the section", 5, placed{397, word, true, 0}},
		{"outside of the section", 5, placed{1000, word, true, 0}},
	} {
		for _, cuts := range [][]int{{200}, {100, 200, 300}} {
			file := withRelocations(synth.Target{}, size, slices.Insert(slices.Clone(good), row.at, row.bad))
			for _, f := range []*image.File{mustOpen(t, file), mustOpen(t, file).AsPeer(rules.Pahole)} {
				for range 5 { // the order of the pieces is random
					if _, err := inPieces(t, f, size, cuts); !errors.Is(err, image.ErrPieces) {
						t.Errorf("%s, cut at %d: got error %v, want %v", row.name, cuts, err, image.ErrPieces)
					}
				}
			}
		}
	}
	f := mustOpen(t, withRelocations(synth.Target{}, size, good))
	if _, err := inPieces(t, f, size, []int{100, 200}); err != nil {
		t.Errorf("without the bad entry: %v", err)
	}
	unknown := withRelocations(synth.Target{}, size, append(slices.Clone(good), placed{396, 200, true, 0}))
	if _, err := inPieces(t, mustOpen(t, unknown), size, nil); !errors.Is(err, image.ErrPieces) {
		t.Errorf("a relocation type that is not known: got error %v", err)
	}
	if _, err := inPieces(t, mustOpen(t, unknown).AsPeer(rules.Pahole), size, nil); err != nil {
		t.Errorf("a relocation type that pahole ignores: %v", err)
	}
}
