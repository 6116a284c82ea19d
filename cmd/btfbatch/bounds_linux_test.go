package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// zstdRun returns a Zstandard frame that expands to n times the same byte (RFC 8878). n is a multiple of 128 KiB.
func zstdRun(c byte, n uint64) []byte {
	const window, block = 10 << 3, 128 << 10 // 1 MiB
	b := append(binary.LittleEndian.AppendUint32(nil, 0xfd2fb528), 0, window)
	for ; n > 0; n -= block {
		head := uint32(block)<<3 | 1<<1
		if n == block {
			head |= 1 // the last one
		}
		b = append(b, byte(head), byte(head>>8), byte(head>>16), c)
	}
	return b
}

// zstdRaw returns a Zstandard frame that contains bytes uncompressed, followed by n times the same byte.
func zstdRaw(start []byte, c byte, n uint64) []byte {
	b := zstdRun(c, n)
	head := uint32(len(start)) << 3
	return append(append(append(bytes.Clone(b[:6]), byte(head), byte(head>>8), byte(head>>16)), start...), b[6:]...)
}

func deflated(zeros int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.CopyN(w, forever{}, int64(zeros)) // a buffer returns no error
	w.Close()
	return b.Bytes()
}

func gzipped(start []byte, zeros int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(start)
	_, _ = io.CopyN(w, forever{}, int64(zeros))
	w.Close()
	return b.Bytes()
}

// compressed returns an image with a compressed section that states this uncompressed size.
func compressed(name string, kind elf.CompressionType, size uint64, packed []byte) []byte {
	head := binary.LittleEndian.AppendUint32(nil, uint32(kind))
	head = binary.LittleEndian.AppendUint64(append(head, 0, 0, 0, 0), size)
	head = binary.LittleEndian.AppendUint64(head, 1)
	b := synth.New(synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5})
	b.CU("a.c", synth.C11)
	b.Section(name, elf.SHT_PROGBITS, elf.SHF_COMPRESSED, 0, append(head, packed...))
	return b.Bytes()
}

// hole makes the last section of an image, and so the file, terabytes long and sparse.
func hole(t *testing.T, path string, data []byte, name string) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	shoff := binary.LittleEndian.Uint64(data[40:])
	for i, s := range f.Sections {
		if s.Name == name {
			binary.LittleEndian.PutUint64(data[shoff+64*uint64(i)+32:], 1<<40-s.Offset)
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
}

// TestNoInputFillsTheMemory: small files that claim to be large, and devices without an end, are reported in one line and need little memory.
func TestNoInputFillsTheMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the bounds are those of a program without the race detector")
	}
	const mib = 1 << 20
	image, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(strings.TrimSuffix(image, ".elf") + ".btf.golden")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(image, ".elf") + ".raw.golden")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	header := bytes.Clone(raw)
	for i := 8; i < 24; i += 4 { // lengths and offsets
		binary.LittleEndian.PutUint32(header[i:], 0xfffffff0)
	}
	start, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	bomb := "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "]\n"
	}
	for name, data := range map[string][]byte{
		"str.elf":       compressed(".debug_str", elf.COMPRESS_ZSTD, 3<<30, zstdRun(0, 3<<30)),
		"line.elf":      compressed(".debug_line_str", elf.COMPRESS_ZLIB, 256*mib, deflated(256*mib)),
		"btf.elf":       compressed(".BTF", elf.COMPRESS_ZSTD, 3<<30, zstdRun(0, 3<<30)),
		"lie.elf":       compressed(".debug_str", elf.COMPRESS_ZSTD, 1000, zstdRun(0, 3<<30)),
		"image.gz":      gzipped(start, 512*mib),
		"image.zst":     zstdRaw(start, 0, 3<<30),
		"raw.zst":       zstdRaw(raw[:100], 0, 3<<30),
		"raw.gz":        gzipped(raw, 512*mib),
		"header.btf":    header,
		"lines.zst":     zstdRun('\n', 700*mib),
		"longer.zst":    zstdRaw(text, '\n', 700*mib),
		"lines.raw":     bytes.Repeat([]byte("\n"), 16*mib),
		"m.yaml":        []byte("version: 1\nimages:\n- {path: " + image + ", kind: any, golden: g}\n"),
		"bomb.yaml":     []byte("version: 1\n" + bomb + "images: *j\n"),
		"deep.yaml":     []byte("version: 1\nimages: " + strings.Repeat("[", 500_000)),
		"wide.yaml":     []byte("version: 1\nimages: [" + strings.Repeat("{},", (8*mib-100)/3) + "]"),
		"keys.yaml":     []byte("version: 1\nimages: {" + strings.Repeat("a,", (8*mib-100)/2) + "}"),
		"comments.yaml": []byte("version: 1\nimages:\n" + strings.Repeat("- #\n", (8*mib-100)/4)),
		"dashes.yaml":   []byte("version: 1\nimages:\n" + strings.Repeat("-\n", 2_400_000)),
		"l.yaml":        []byte("version: 1\nimages:\n- {path: " + image + ", kind: any}\n"),
		"l.yaml.lock":   []byte("version: 1\nimages: [" + strings.Repeat("{},", 4*mib) + "]"),
		"wide":          []byte("[" + strings.Repeat("{},", (4*mib-100)/3) + "]"),
		"flow.yaml":     []byte("version: 1\nimages: " + strings.Repeat("- ", 500_000)),
		"exceptions":    []byte(bomb),
		"open.json":     []byte("{" + strings.Repeat(" ", 16*mib)),
		"deep.json":     []byte(`{"schema": 2, "images": ` + strings.Repeat("[", 16*mib)),
		"rows.json":     []byte(`{"schema": 2, "images": [` + strings.Repeat("{},", 300_000) + "{}]}"),
		"nested":        []byte(strings.Repeat("[", 4*mib-1)),
		"earlier/a.btf": zstdRaw(raw[:100], 0, 3<<30),
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile("sparse.btf", raw, 0o600), os.WriteFile("sparse.raw", text, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sparse.btf", "sparse.raw"} {
		if err := os.Truncate(name, 1<<40); err != nil {
			t.Skipf("no sparse files here: %v", err)
		}
	}
	hole(t, "hole.elf", compressed(".debug_str", elf.COMPRESS_ZSTD, 1000, nil), ".debug_str")
	hole(t, "info.elf", compressed("x", elf.COMPRESS_ZSTD, 1000, nil), ".debug_info")
	debug.FreeOSMemory() // the resource usage of a process begins with the memory of its parent
	b := synth.New(synth.Target{})
	b.Section(".BTF", elf.SHT_PROGBITS, 0, 0, raw)
	hole(t, "holebtf.elf", b.Bytes(), ".BTF")
	for _, tt := range []struct {
		args  string
		stdin string // a file, or empty
	}{
		{"encode str.elf -o out", ""}, {"encode line.elf -o out", ""}, {"encode lie.elf -o out", ""}, {"stats str.elf", ""}, {"explain str.elf f", ""},
		{"encode image.gz -o out", ""}, {"encode image.zst -o out", ""}, {"encode hole.elf -o out", ""}, {"encode info.elf -o out", ""},
		{"pahole -J str.elf", ""}, {"embed str.elf -o out", ""}, {"embed " + image + " --btf raw.zst -o out", ""},
		{"dump btf.elf", ""}, {"verify btf.elf", ""}, {"dump raw.zst", ""}, {"dump raw.gz", ""}, {"dump header.btf", ""}, {"verify header.btf", ""},
		{"diff raw.zst header.btf", ""}, {"diff lines.zst header.btf", ""}, {"dump sparse.btf", ""}, {"verify sparse.btf", ""}, {"dump holebtf.elf", ""},
		{"dump --base raw.zst header.btf", ""}, {"encode " + image + " --base sparse.btf -o out", ""}, {"verify --lint --earlier raw.zst header.btf", ""},
		{"dump /dev/zero", ""}, {"verify /dev/zero", ""}, {"diff /dev/zero /dev/zero", ""}, {"validate /dev/zero", ""}, {"encode /dev/zero -o out", ""},
		{"stats /dev/zero", ""}, {"run m.yaml --exceptions /dev/zero", ""}, {"dump -", "/dev/zero"}, {"verify -", "/dev/urandom"}, {"dump -", "sparse.btf"},
		{"encode - -o out", "/dev/zero"}, {"dump /proc/kcore", ""}, {"stats /proc/kcore", ""}, {"dump /proc/self/maps", ""}, {"verify /proc/self/mem", ""},
		{"report show /dev/zero", ""}, {"report show lines.zst", ""}, {"report show open.json", ""}, {"report show deep.json", ""}, {"report show rows.json", ""},
		{"validate bomb.yaml", ""}, {"validate deep.yaml", ""}, {"validate wide.yaml", ""}, {"validate keys.yaml", ""}, {"validate comments.yaml", ""},
		{"validate dashes.yaml", ""}, {"run l.yaml --locked", ""}, {"run m.yaml --exceptions wide", ""}, {"validate flow.yaml", ""}, {"run m.yaml --exceptions exceptions", ""}, {"run m.yaml --exceptions nested", ""},
		{"run m.yaml -g lines.zst", ""}, {"run m.yaml -g longer.zst", ""}, {"run m.yaml -g lines.raw", ""}, {"run m.yaml -g sparse.raw", ""}, {"run m.yaml -g /dev/zero", ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.Fields(tt.args)
			if len(args) > 3 && args[2] == "-g" { // the golden of the manifest
				_ = os.Remove("g")
				if err := os.Symlink(args[3], "g"); err != nil {
					t.Fatal(err)
				}
				args = args[:2]
			}
			var stderr bytes.Buffer
			cmd := exec.Command("btfbatch", args...)
			cmd.Stderr, cmd.Env = &stderr, append(os.Environ(), "CI=")
			if tt.stdin != "" {
				f, err := os.Open(tt.stdin)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				go func() {
					_, _ = io.Copy(w, f) // until nobody reads
					w.Close()
				}()
				cmd.Stdin = r
			}
			began := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			peak := peakOf(t, cmd)
			slow := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer slow.Stop()
			_ = cmd.Wait() // the test checks the exit code below
			code, mib := cmd.ProcessState.ExitCode(), peak()
			t.Logf("%d MiB, %v, exit code %d: %.300s", mib, time.Since(began).Round(time.Millisecond), code, &stderr)
			if code < exitcode.Failed || code > exitcode.Differs || stderr.Len() == 0 {
				t.Errorf("got exit code %d", code)
			}
			most := 250
			if tt.args == "validate dashes.yaml" { // as many values as a manifest of 100,000 images has
				most = 700
			}
			if mib > most {
				t.Errorf("took %d MiB of memory", mib)
			}
			if n := bytes.Count(stderr.Bytes(), []byte("\n")); n > 6 {
				t.Errorf("got %d lines", n)
			}
		})
	}
}
