package judge

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// rawFile writes BTF with a struct of 4 bytes that holds a pointer, and an int of some name in front.
func rawFile(t *testing.T, order binary.AppendByteOrder, name string) string {
	t.Helper()
	strs := "\x00" + name + "\x00p\x00"
	word := func(b []byte, vs ...uint32) []byte {
		for _, v := range vs {
			b = order.AppendUint32(b, v)
		}
		return b
	}
	types := word(nil, 1, 1<<24, 4, 32, 0, 2<<24, 0, 0, 4<<24|1, 4, uint32(len(name)+2), 2, 0)
	b := append(order.AppendUint16(nil, btf.Magic), 1, 0)
	b = word(b, 24, 0, uint32(len(types)), uint32(len(types)), uint32(len(strs)))
	file := filepath.Join(t.TempDir(), "raw.btf")
	if err := os.WriteFile(file, append(append(b, types...), strs...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAssumptions: what raw BTF does not say of its kernel is said where it matters.
func TestAssumptions(t *testing.T) {
	le, be := binary.AppendByteOrder(binary.LittleEndian), binary.AppendByteOrder(binary.BigEndian)
	for _, tc := range []struct {
		name  string
		order binary.AppendByteOrder
		first string
		ptr   int
		want  string // the end of what is told, or of the error
	}{
		{"a type tells", le, "long unsigned int", 0, "path load, pointers of 4 bytes"},
		{"a type tells, big-endian", be, "long unsigned int", 0, "path load, big-endian, pointers of 4 bytes"},
		{"given", le, "int", 4, "path load"},
		{"given, against the type", le, "long int", 8, "after the end of its struct"},
		{"no type tells", le, "int", 0, "; pointers are assumed to have 8 bytes, because no type tells their size; if the kernel has others, give --pointer-size 4"},
	} {
		q := Question{Kernel: "newest", PtrSize: tc.ptr}
		answer, err := q.Ask(btffile.Paths, rawFile(t, tc.order, tc.first))
		got := answer.Told
		if err != nil {
			got = err.Error()
			if no := (*verify.Refusal)(nil); !errors.As(err, &no) {
				t.Errorf("%s: %v is no refusal", tc.name, err)
			}
		}
		if !strings.HasSuffix(got, tc.want) {
			t.Errorf("%s: got %q, want the end %q", tc.name, got, tc.want)
		}
	}
}

// TestPointersOfFiles: an ELF file says how large pointers are, and only somebody who names a size knows better.
func TestPointersOfFiles(t *testing.T) {
	raw, err := os.ReadFile(rawFile(t, binary.LittleEndian, "int"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		class elf.Class
		ptr   int
		takes bool
	}{{elf.ELFCLASS32, 0, true}, {elf.ELFCLASS32, 4, true}, {elf.ELFCLASS32, 8, false}, {elf.ELFCLASS64, 0, false}, {elf.ELFCLASS64, 4, true}} {
		b := synth.New(synth.Target{Class: tc.class, Machine: map[elf.Class]elf.Machine{elf.ELFCLASS32: elf.EM_ARM, elf.ELFCLASS64: elf.EM_X86_64}[tc.class]})
		b.Section(".BTF", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x1000, raw)
		file := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		q := Question{Kernel: "newest", Path: "load", PtrSize: tc.ptr}
		_, err := q.Ask(btffile.Paths, file)
		if no := (*verify.Refusal)(nil); err != nil && !errors.As(err, &no) {
			t.Fatal(err)
		}
		if (err == nil) != tc.takes {
			t.Errorf("%v, pointer size %d: got %v, want it taken: %v", tc.class, tc.ptr, err, tc.takes)
		}
	}
}

// TestNoBase: a base that cannot be read is an error, and no module without a base.
func TestNoBase(t *testing.T) {
	q := Question{Kernel: "newest", Base: filepath.Join(t.TempDir(), "missing")}
	_, err := q.Ask(btffile.Paths, rawFile(t, binary.LittleEndian, "int"))
	if no := (*verify.Refusal)(nil); err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v, want an error about the base", err)
	}
}
