package encoder_test

import (
	"bytes"
	stdelf "debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

// TestEmbedKernels embeds the BTF of whole kernels: into one whose linker reserved an allocated .BTF, and into one without .BTF. All other bytes
// stay the same, except for the fields of the ELF header about sections.
func TestEmbedKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("copying whole kernels takes a while")
	}
	for _, kernel := range []string{"6.12-cloud-amd64", "6.1-s390x"} {
		t.Run(kernel, func(t *testing.T) {
			path := reference.Kernel(t, kernel)
			o := encode(t, path, encoder.Encoder{}).Object
			f, err := elf.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			wire := o.AppendWire(nil)
			reserved, has := f.Reserved(".BTF")
			if has {
				wire = btf.Pad(wire, f.Order, reserved)
			}
			out := filepath.Join(t.TempDir(), "vmlinux")
			if err := elf.Embed(path, []elf.EmbedSection{{Name: ".BTF", Data: wire}}, elf.NewCopy(out)); err != nil {
				t.Fatal(err)
			}
			from, to := uint64(0), uint64(0) // file offsets of .BTF
			if has {
				s := f.Section(".BTF")
				from, to = s.Off, s.Off+s.Size
			}
			sameBytes(t, path, out, from, to)
			sameSegments(t, path, out, from, to)
			if !bytes.Equal(sectionOf(t, out, ".BTF"), wire) {
				t.Error("section .BTF: got other bytes than were embedded")
			}
			if !has {
				return
			}
			tooLong := []elf.EmbedSection{{Name: ".BTF", Data: make([]byte, reserved+1)}}
			if err := elf.Embed(path, tooLong, elf.NewCopy(out+".2")); !errors.Is(err, elf.ErrNoRoom) {
				t.Errorf("one byte more than is reserved: got error %v, want %v", err, elf.ErrNoRoom)
			}
			if _, err := os.Stat(out + ".2"); err == nil {
				t.Error("one byte more than is reserved: there is a file")
			}
		})
	}
}

// sameBytes checks that, after the ELF header, the second file begins with the bytes of the first one, except for a range of offsets.
func sameBytes(t *testing.T, before, after string, from, to uint64) {
	t.Helper()
	a, err := os.Open(before)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := os.Open(after)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const piece = 1 << 20
	x, y := make([]byte, piece), make([]byte, piece)
	for off := uint64(0); ; off += piece {
		n, err := io.ReadFull(a, x)
		if n == 0 {
			return
		}
		if _, err := io.ReadFull(b, y[:n]); err != nil {
			t.Fatalf("at %#x: %v", off, err)
		}
		for i := range n {
			if at := off + uint64(i); x[i] != y[i] && at >= 64 && (at < from || at >= to) {
				t.Fatalf("byte %#x differs", at)
			}
		}
		if err != nil {
			return
		}
	}
}

// sameSegments checks that the program headers, and the sections except .BTF and the names, are the same.
func sameSegments(t *testing.T, before, after string, from, to uint64) {
	t.Helper()
	a, err := stdelf.Open(before)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := stdelf.Open(after)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if len(a.Progs) != len(b.Progs) || len(a.Progs) == 0 {
		t.Fatalf("got %d program headers, want %d", len(b.Progs), len(a.Progs))
	}
	for i := range a.Progs {
		if a.Progs[i].ProgHeader != b.Progs[i].ProgHeader {
			t.Errorf("program header %d: got %+v, want %+v", i, b.Progs[i].ProgHeader, a.Progs[i].ProgHeader)
		}
	}
	want := len(a.Sections) + 1
	if from != to {
		want--
	}
	if len(b.Sections) != want {
		t.Fatalf("got %d sections, want %d", len(b.Sections), want)
	}
	for i, s := range a.Sections {
		if s.Name != ".shstrtab" && s.SectionHeader != b.Sections[i].SectionHeader {
			t.Errorf("section %s: got %+v, want %+v", s.Name, b.Sections[i].SectionHeader, s.SectionHeader)
		}
	}
}
