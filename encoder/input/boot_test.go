package input

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// lz4Of packs data with references to what came before.
func lz4Of(data []byte) []byte {
	out := []byte(lz4Magic)
	for len(data) > 0 {
		part := data[:min(len(data), lz4Block)]
		data = data[len(part):]
		var b []byte
		length := func(n int) {
			for n -= 15; n >= 0; n -= 255 {
				b = append(b, byte(min(n, 255)))
			}
		}
		sequence := func(literals []byte, back, n int) {
			b = append(b, byte(min(len(literals), 15)<<4|max(min(n-4, 15), 0)))
			length(len(literals))
			b = append(b, literals...)
			if n > 0 {
				b = append(b, byte(back), byte(back>>8))
				length(n - 4)
			}
		}
		start := 0
		for i := 8; i < len(part); {
			n := 0
			for i+n < len(part) && part[i+n] == part[i+n-8] {
				n++
			}
			if n < 4 {
				i++
				continue
			}
			sequence(part[start:i], 8, n)
			i += n
			start = i
		}
		sequence(part[start:], 0, 0)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(b)))
		out = append(out, b...)
	}
	return out
}

// vmlinux returns an ELF file with text like instructions of x86.
func vmlinux(n int) []byte {
	b := append(make([]byte, 0, n), "\x7fELF"...)
	for r := rand.New(rand.NewPCG(1, 2)); len(b) < n; {
		switch r.IntN(4) {
		case 0:
			b = append(b, 0xe8, byte(r.Uint32()), byte(r.Uint32()), byte(r.IntN(3)-1), byte(r.IntN(2)*0xff))
		case 1:
			b = append(b, "the same text "...)
		case 2:
			b = append(b, make([]byte, r.IntN(400))...)
		case 3:
			b = append(b, byte(0xe9-r.IntN(2)), byte(r.Uint32()))
		}
	}
	return b[:n]
}

// TestBoot: the ELF file in a bzImage is read if BTF is wanted, however it is compressed.
func TestBoot(t *testing.T) {
	kernel := vmlinux(1 << 20)
	payloads := map[string][]byte{"plain": kernel, "lz4": lz4Of(kernel)}
	for name, args := range map[string][]string{
		"gzip": {"gzip", "-n", "-9"}, "bzip2": {"bzip2", "-9"}, "zstd": {"zstd", "-3"}, "lzma": {"xz", "--format=lzma", "-1"},
		"xz": {"xz", "--check=crc32", "--lzma2=dict=1MiB"}, "xz, x86": {"xz", "--check=crc32", "--x86", "--lzma2=preset=1,dict=32MiB"},
	} {
		if _, err := exec.LookPath(args[0]); err != nil {
			t.Logf("%s is not installed: %s is not tested", args[0], name)
			continue
		}
		cmd := exec.Command(args[0], append(args[1:], "-c")...)
		cmd.Stdin = bytes.NewReader(kernel)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		payloads[name] = out
	}
	for name, payload := range payloads {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vmlinuz")
			if err := os.WriteFile(path, synth.BzImage(payload, len(kernel)), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path, BTF, ELF)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Bytes()
			if !bytes.Equal(got, kernel) || err != nil || f.Packed != "bzImage" || f.Kind != ELF {
				t.Errorf("got %d bytes, %v, %s in %q", len(got), err, f.Kind, f.Packed)
			}
			f.Close()
			if _, err := Open(path, ELF); err == nil || !strings.Contains(err.Error(), "it has no DWARF") {
				t.Errorf("as an image: got %v", err)
			}
			if err := os.Truncate(path, int64(len(payload)/2)); err != nil {
				t.Fatal(err)
			}
			if f, err := Open(path, BTF, ELF); err == nil {
				t.Errorf("cut in the middle: got %d bytes", f.Size)
			}
		})
	}
}

// TestLZ4: several blocks.
func TestLZ4(t *testing.T) {
	want := vmlinux(lz4Block + 1000)
	if got, err := io.ReadAll(&lz4{r: bytes.NewReader(lz4Of(want))}); !bytes.Equal(got, want) || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestBootErrors(t *testing.T) {
	old := synth.BzImage([]byte("\x7fELF"), 4)
	old[bzVersion] = 7
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"old":     {old, "bzImage data: boot protocol 2.07 does not say where the kernel is"},
		"lzop":    {synth.BzImage([]byte("\x89LZO\x00\x0d\x0a"), 4), "bzImage data: the kernel is compressed by lzop, which is not supported"},
		"unknown": {synth.BzImage([]byte("abcdefgh"), 4), "bzImage data: the kernel is compressed in an unknown format, which begins with 61 62 63 64 65 66"},
		"no end":  {synth.BzImage([]byte("abc"), 4)[:0x800], "bzImage data: unexpected EOF"},
	} {
		path := filepath.Join(t.TempDir(), "vmlinuz")
		if err := os.WriteFile(path, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, BTF, ELF); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// TestLZ4Damage: blocks that lead out of their bounds are errors.
func TestLZ4Damage(t *testing.T) {
	for name, block := range map[string]string{
		"literals past the end":  "\x50abc",
		"no length":              "\xf0",
		"no offset":              "\x14a\x01",
		"offset 0":               "\x14a\x00\x00",
		"offset before the data": "\x14a\x02\x00",
		"match without end":      "\x1fa\x01\x00\xff\xff",
	} {
		data := append([]byte(lz4Magic), 0, 0, 0, 0)
		binary.LittleEndian.PutUint32(data[4:], uint32(len(block)))
		if _, err := io.ReadAll(&lz4{r: bytes.NewReader(append(data, block...))}); !errors.Is(err, errLZ4) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if out, ok := decodeLZ4(make([]byte, 0, 8), []byte("\x1fa\x01\x00\x00")); ok {
		t.Errorf("19 bytes in a block of 8: got %q", out)
	}
	if _, err := io.ReadAll(&lz4{r: strings.NewReader(lz4Magic + "\xff\xff\xff\xff")}); !errors.Is(err, errLZ4) {
		t.Errorf("a block of 4 GiB: got %v", err)
	}
}

func FuzzLZ4(f *testing.F) {
	f.Add(lz4Of(vmlinux(1000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = io.Copy(io.Discard, io.LimitReader(&lz4{r: bytes.NewReader(b)}, 1<<26))
	})
}
