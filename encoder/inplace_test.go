package encoder_test

import (
	"bytes"
	stdelf "debug/elf"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// segments returns the program headers of an image, and the bytes that they load.
func segments(t *testing.T, path string) (heads []stdelf.ProgHeader, bytes [][]byte) {
	t.Helper()
	f, err := stdelf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		data, err := io.ReadAll(p.Open())
		if err != nil {
			t.Fatal(err)
		}
		heads, bytes = append(heads, p.ProgHeader), append(bytes, data)
	}
	return heads, bytes
}

// TestInPlace: if pahole replaces the BTF of a program in place, the program no longer runs. btfbatch keeps the program intact in both profiles. A
// segment contains the ELF header too, whose fields about sections may differ.
func TestInPlace(t *testing.T) {
	before := filepath.Join(unusualFolder, "program.elf")
	heads, want := segments(t, before)
	if _, got := segments(t, filepath.Join(unusualFolder, "program.inplace.golden")); bytes.Equal(got[1], want[1]) {
		t.Error("pahole keeps the segment with the code; the difference that is documented is gone")
	}
	golden := read(t, filepath.Join(unusualFolder, "program.btf.golden"))
	for _, size := range []int{len(golden) - 8, len(golden), 4 * len(golden)} {
		data := make([]byte, size)
		copy(data, golden)
		after := filepath.Join(t.TempDir(), "program")
		if err := elf.Embed(before, []elf.EmbedSection{{Name: ".BTF", Data: data}}, elf.NewCopy(after)); err != nil {
			t.Fatal(err)
		}
		newHeads, got := segments(t, after)
		for i := range heads {
			if newHeads[i] != heads[i] {
				t.Errorf("%d bytes of BTF: program header %d: got %+v, want %+v", size, i, newHeads[i], heads[i])
			}
			const fields = 64 // size of the ELF header
			if from := max(0, fields-int(heads[i].Off)); len(want[i]) > from && !bytes.Equal(got[i][from:], want[i][from:]) {
				t.Errorf("%d bytes of BTF: segment %d has other content", size, i)
			}
		}
		if !bytes.Equal(sectionOf(t, after, ".BTF"), data) {
			t.Errorf("%d bytes of BTF: they are not in the section", size)
		}
		if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
			out, err := exec.Command(after).Output()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 42 || string(out) != "embedded\n" {
				t.Errorf("%d bytes of BTF: the program prints %q and ends with %v, want exit status 42", size, out, err)
			}
		}
	}
}
