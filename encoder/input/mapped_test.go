//go:build unix

package input_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// TestMapped: a mapped part of a file has the bytes of that part, whether the file is plain or packed.
func TestMapped(t *testing.T) {
	content := append([]byte{0x9f, 0xeb, 1, 0}, bytes.Repeat([]byte("0123456789"), 2000)...)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(content)
	_ = z.Close()
	for name, stored := range map[string][]byte{"plain": content, "packed": packed.Bytes()} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, stored, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := input.OpenUnread(path, input.BTF)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][2]int{{0, len(content)}, {4, 10}, {5000, 9000}, {len(content), 0}, {0, 0}} {
			got, err := f.Mapped(int64(part[0]), int64(part[1]))
			if want := content[part[0]:][:part[1]]; err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: part %v: got %d bytes (%v)", name, part, len(got), err)
			}
		}
		for _, part := range [][2]int64{{1, int64(len(content))}, {-1, 2}, {2, -1}, {1 << 62, 1 << 62}} {
			if _, err := f.Mapped(part[0], part[1]); err == nil {
				t.Errorf("%s: part %v: got no error", name, part)
			}
		}
		if got, err := f.Bytes(); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: got %d bytes (%v)", name, len(got), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := input.OpenUnread(filepath.Join(t.TempDir(), "none"), input.BTF); err == nil {
		t.Error("a file that does not exist was opened")
	}
}

// TestMappedCut: reading the mapped part of a file that was cut short is a panic, and Unchanged says why.
func TestMappedCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(path, append([]byte{0x9f, 0xeb, 1, 0}, make([]byte, 50000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := input.OpenUnread(path, input.BTF)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.Mapped(0, f.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4); err != nil {
		t.Fatal(err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r, ok := recover().(error); !ok || !strings.Contains(r.Error(), "memory") {
			t.Errorf("got panic %v", r)
		}
		if err := f.Unchanged(); !errors.Is(err, input.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	}()
	t.Errorf("byte 40000 of a file of 4 bytes is %d", data[40000])
}
