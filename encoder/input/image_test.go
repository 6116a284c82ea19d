package input

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// types returns BTF with many types.
func types(n int) []byte {
	o := btf.New(binary.LittleEndian, nil)
	for i := range n {
		o.Append(o.Strings.Add(fmt.Appendf(nil, "int%d", i)), btf.Info(btf.KindInt, 0, false), 4, 32)
	}
	return o.AppendWire(nil)
}

// compressed compresses data.
func compressed(t *testing.T, format string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	if format == "xz" {
		w, err = xz.NewWriter(&b)
	} else {
		w, err = NewPacker(&b, format)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestImage: the BTF in a kernel of arm64 or RISC-V as it boots is read if BTF is wanted, plain, compressed, or as an EFI program that unpacks itself.
func TestImage(t *testing.T) {
	want := types(5000)
	arm, riscv := synth.Image("arm64", want), synth.Image("riscv64", want)
	place := bytes.Index(arm, want)
	none := bytes.Clone(arm)
	copy(none[place:], "\x00\x00")
	damaged := bytes.Clone(arm)
	damaged[place+btf.HeaderLen+7] = 0x7f // the kind of the first type
	zstd := synth.Zboot("zstd", compressed(t, "zstd", arm), len(arm))
	far := bytes.Clone(zstd)
	binary.LittleEndian.PutUint32(far[8:], 1<<30)
	for name, row := range map[string]struct {
		data         []byte
		packed, fail string
	}{
		"arm64":         {arm, "arm64 Image", ""},
		"riscv64":       {riscv, "RISC-V Image", ""},
		"gzip":          {compressed(t, "gzip", arm), "gzip, arm64 Image", ""},
		"zboot, gzip":   {synth.Zboot("gzip", compressed(t, "gzip", riscv), len(riscv)), "EFI zboot, RISC-V Image", ""},
		"zboot, zstd":   {zstd, "EFI zboot, arm64 Image", ""},
		"zboot, xz":     {synth.Zboot("xz", compressed(t, "xz", arm), len(arm)), "EFI zboot, arm64 Image", ""},
		"no BTF":        {none, "", "arm64 Image data: there is no BTF in its"},
		"damaged":       {damaged, "", "arm64 Image data: what looks like BTF at 0x"},
		"cut":           {arm[:0x2000], "", "arm64 Image data: there is no BTF in its 8192 bytes"},
		"zboot, cut":    {zstd[:len(zstd)/2], "", "EFI zboot data: unexpected EOF"},
		"zboot, far":    {far, "", "EFI zboot data: unexpected EOF"},
		"zboot, header": {zstd[:0x3c], "", "EFI zboot data: unexpected EOF"},
		"zboot, other":  {synth.Zboot("brotli", []byte("abcdefgh"), 4), "", "EFI zboot data: the payload at 0x400 (brotli): the kernel is compressed in an unknown format"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vmlinuz")
			if err := os.WriteFile(path, row.data, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path, BTF, ELF)
			if row.fail != "" {
				if err == nil || !strings.HasPrefix(err.Error(), row.fail) {
					t.Errorf("got %v, want %s", err, row.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got, err := f.Bytes(); !bytes.Equal(got, want) || err != nil || f.Packed != row.packed || f.Kind != BTF {
				t.Errorf("got %d bytes, %v, %s in %q, want %d in %q", len(got), err, f.Kind, f.Packed, len(want), row.packed)
			}
			_, err = Open(path, ELF)
			if k, ok := errors.AsType[*KindError](err); !ok || !strings.Contains(k.Error(), "kernel as it boots): it has no DWARF") {
				t.Errorf("as an image: got %v", err)
			}
		})
	}
}

// TestImageMemory: an Image takes the memory of its BTF, however large it is, and as many bytes as are plausible for what is stored.
func TestImageMemory(t *testing.T) {
	want := types(5000)
	with, without := synth.Image("arm64", want), synth.Image("arm64", nil)
	space := make([]byte, 64<<20)
	for i := range space { // not sparse
		space[i] = byte(i)
	}
	for name, row := range map[string]struct {
		data []byte
		fail string
	}{
		"BTF in front": {append(with, space...), ""},
		"BTF behind":   {append(without, append(space, want...)...), ""},
		"no BTF":       {append(without, space...), "arm64 Image data: there is no BTF in its"},
		"dense":        {compressed(t, "gzip", append(without, make([]byte, 64<<20)...)), "arm64 Image data: "},
	} {
		path := filepath.Join(t.TempDir(), "Image")
		if err := os.WriteFile(path, row.data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := OpenUnread(path, BTF, ELF)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
			t.Errorf("%s: %d bytes of memory for %d bytes of BTF", name, took, len(want))
		}
		if row.fail != "" {
			if err == nil || !strings.HasPrefix(err.Error(), row.fail) || name == "dense" && !strings.Contains(err.Error(), "bytes of contents are too many for") {
				t.Errorf("%s: got %v, want %s", name, err, row.fail)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := f.Bytes(); !bytes.Equal(got, want) || err != nil {
			t.Errorf("%s: got %d bytes, %v, want %d", name, len(got), err, len(want))
		}
		f.Close()
	}
}
