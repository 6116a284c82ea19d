package judge

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		{"given, against the type", le, "long int", 8, "behind the end of its struct"},
		{"no type tells", le, "int", 0, "; pointers are taken to have 8 bytes, since no type tells how many they have: for a kernel of another size give --pointer-size 4"},
	} {
		q := Question{Kernel: "newest", PtrSize: tc.ptr}
		answer, err := q.Ask(rawFile(t, tc.order, tc.first))
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
