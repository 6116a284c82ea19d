package input_test

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// at puts a magic number at an offset of a small file.
func at(off int, magic string) string {
	b := make([]byte, max(off+len(magic), 600))
	for i := range b {
		b[i] = 0xa5
	}
	copy(b[off:], magic)
	return string(b)
}

// kernel is an EFI program with a magic number of a kernel.
func kernel(off int, magic string) string {
	b := []byte(at(off, magic))
	copy(b, "MZ")
	copy(b[0x3c:], "\x80\x00\x00\x00")
	copy(b[0x80:], "PE\x00\x00")
	copy(b[off:], magic)
	return string(b)
}

func TestRecognise(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "an empty file"},
		{"zeros", string(make([]byte, 100)), "a file of zeros"},
		{"ELF", "\x7fELF\x02\x01\x01", "an ELF file"},
		{"BTF", "\x9f\xeb\x01\x00", "raw BTF"},
		{"big-endian BTF", "\xeb\x9f\x01\x00", "raw BTF"},
		{"raw dump", "[1] INT 'long unsigned int' size=8 bits_offset=0 nr_bits=64 encoding=(none)\n", "a raw dump of BTF"},
		{"raw dump of a module", "[118340] PTR '(anon)' type_id=7\n", "a raw dump of BTF"},
		{"bzImage", kernel(0x202, "HdrS"), "bzImage"},
		{"arm64 Image", kernel(0x38, "ARM\x64"), "arm64 kernel"},
		{"RISC-V Image", kernel(0x38, "RSC\x05"), "RISC-V kernel"},
		{"LoongArch Image", at(0x38, "\xcd\x23\x82\x81"), "LoongArch kernel"},
		{"zboot", kernel(4, "zimg"), "EFI zboot"},
		{"zImage", at(0x24, "\x18\x28\x6f\x01"), "zImage"},
		{"big-endian zImage", at(0x24, "\x01\x6f\x28\x18"), "zImage"},
		{"uImage", "\x27\x05\x19\x56abc", "uImage"},
		{"device tree", "\xd0\x0d\xfe\xedabc", "FIT image"},
		{"PE", kernel(300, ""), "a PE file"},
		{"deb", "!<arch>\ndebian-binary   1703774000  0     0     100644  4         `\n2.0\n", "Debian package"},
		{"archive", "!<arch>\na.o/            0           0     0     644     1000      `\n", "an ar archive"},
		{"empty archive", "!<arch>\n", "an ar archive"},
		{"thin archive", "!<thin>\n//                                              40        `\n", "thin ar archive"},
		{"rpm", "\xed\xab\xee\xdb\x03\x00", "RPM package"},
		{"initramfs", "07070100000000", "cpio archive"},
		{"zip", "PK\x03\x04", "zip archive"},
		{"lz4", "\x04\x22\x4d\x18", "lz4"},
		{"lzma", "\x5d\x00\x00\x80\x00\xff\xff", "lzma"},
		{"Mach-O", "\xcf\xfa\xed\xfe\x07\x00\x00\x01", "Mach-O"},
		{"bitcode", "BC\xc0\xde", "LLVM bitcode"},
		{"kdump", "KDUMP   \x06\x00", "kernel dump"},
		{"C", "// SPDX-License-Identifier: GPL-2.0\n#include <linux/module.h>\n", "C source"},
		{"C without a comment", "struct a {\n\tint b;\n};\n", "C source"},
		{"vmlinux.h", "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n", "C source"},
		{"JSON", " {\"types\": []}\n", "JSON"},
		{"JSON list", "[{\"id\": 1}]", "JSON"},
		{"HTML", "\n<!DOCTYPE html>\n<html><title>404</title>", "an HTML page"},
		{"LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "Git LFS pointer"},
		{"script", "#!/bin/sh\nexit 0\n", "a script"},
		{"manifest", "# images\nversion: 1\nimages:\n  - path: a\n", "a manifest"},
		{"System.map", "ffffffff81000000 T _text\nffffffff81000000 T startup_64\n", "a list of symbols"},
		{"text", "Naïve text, as people write it.\n", "text"},
		{"cut text", strings.Repeat("é", 10)[:19], "text"},
		{"YAML", "a: [1, 2]\n", "text"},
		{"data", "\x01\x02\x03\xff\xfe", "unknown data"},
	} {
		if got := string(input.Recognise([]byte(tt.data))); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func archive(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, data := range files {
		h := &tar.Header{Name: string(rune('a'+i)) + ".btf", Typeflag: tar.TypeReg, Size: int64(len(data)), Mode: 0o444}
		if data == "/" {
			h = &tar.Header{Name: "folder/", Typeflag: tar.TypeDir, Mode: 0o755}
		}
		if err := errors.Join(w.WriteHeader(h), ignoreLength(w.Write([]byte(data)[:h.Size]))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ignoreLength(_ int, err error) error { return err }

func toXZ(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err == nil {
		err = errors.Join(ignoreLength(w.Write(data)), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pack(t *testing.T, packed string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := input.NewPacker(&b, packed)
	if err == nil {
		err = errors.Join(ignoreLength(w.Write(data)), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bzipped is "[1] INT 'int'\n", made by bzip2.
const bzipped = "425a68393141592653590a12dd53000004df800010408020000021040a002104002000220032040d0341ec75160413bde2ee48a70a1201425baa60"

func TestOpen(t *testing.T) {
	const text = "[1] INT 'int'\n"
	btf := "\x9f\xeb\x01\x00" + strings.Repeat("types and strings ", 1000)
	fromHex, err := hex.DecodeString(bzipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		packed string
		want   string
		kind   input.Kind
	}{
		{"plain", []byte(btf), "", btf, input.BTF},
		{"plain ELF", []byte("\x7fELF rest"), "", "\x7fELF rest", input.ELF},
		{"gzip", pack(t, "gzip", []byte(btf)), "gzip", btf, input.BTF},
		{"zstd", pack(t, "zstd", []byte(btf)), "zstd", btf, input.BTF},
		{"zstd behind a skippable frame", append([]byte("\x50\x2a\x4d\x18\x01\x00\x00\x00x"), pack(t, "zstd", []byte(btf))...), "zstd", btf, input.BTF},
		{"two zstd frames", append(pack(t, "zstd", []byte(btf[:10])), pack(t, "zstd", []byte(btf[10:]))...), "zstd", btf, input.BTF},
		{"two gzip members", append(pack(t, "gzip", []byte(btf[:10])), pack(t, "gzip", []byte(btf[10:]))...), "gzip", btf, input.BTF},
		{"xz", toXZ(t, []byte(btf)), "xz", btf, input.BTF},
		{"bzip2", fromHex, "bzip2", text, input.Dump},
		{"tar", archive(t, btf), "tar", btf, input.BTF},
		{"tar with a folder", archive(t, "/", btf), "tar", btf, input.BTF},
		{"tar.xz, as hubs have it", toXZ(t, archive(t, btf)), "xz, tar", btf, input.BTF},
		{"empty in gzip", pack(t, "gzip", nil), "gzip", "", input.Empty},
		{"ELF in zstd", pack(t, "zstd", []byte("\x7fELF rest")), "zstd", "\x7fELF rest", input.ELF},
	} {
		f, err := input.Open(write(t, "x", tt.data)) // the name says nothing
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := f.Bytes()
		if err != nil || string(got) != tt.want || f.Packed != tt.packed || f.Kind != tt.kind || f.Size != int64(len(tt.want)) {
			t.Errorf("%s: got %d bytes (%v), packed %q, kind %q", tt.name, len(got), err, f.Packed, f.Kind)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	folder := t.TempDir()
	btf := []byte("\x9f\xeb\x01\x00" + strings.Repeat("types and strings ", 1000))
	for _, tt := range []struct{ name, path, want string }{
		{"nothing there", filepath.Join(folder, "none"), "none: no such file or directory"},
		{"URL", "https://example.org/vmlinux", "this is a URL: download the file first"},
		{"URL joined to a folder", "dir/https:/example.org/vmlinux", "this is a URL: download the file first"},
		{"tilde", "~/vmlinux", "give the whole path"},
		{"pattern", folder + "/*.ko", "give one file"},
		{"folder", folder, " is not a regular file but a folder: give a file inside"},
		{"device", "/dev/zero", "/dev/zero is not a regular file but a device: "},
		{"null device", "/dev/null", "not an ELF file but an empty file"},
		{"other kind", write(t, "a.c", []byte("#include <a.h>\n")), "not an ELF file but C source: compile it with -g, and give the object file"},
		{"BTF", write(t, "a", btf), "not an ELF file but raw BTF: it is already encoded; dump, verify and diff read it, and --base takes it"},
		{"other kind in xz", write(t, "a", toXZ(t, []byte(kernel(0x38, "ARM\x64")))), "in xz data: not an ELF file but an Image (an arm64 kernel as it boots): it has no DWARF; give the vmlinux"},
		{"cut gzip", write(t, "a", pack(t, "gzip", btf)[:30]), "gzip data: unexpected EOF"},
		{"cut zstd", write(t, "a", pack(t, "zstd", btf)[:30]), "zstd data: unexpected EOF"},
		{"cut xz", write(t, "a", toXZ(t, btf)[:30]), "xz data: unexpected EOF"},
		{"two files", write(t, "a", archive(t, "\x7fELF", "\x7fELF")), `tar data: the archive holds several files: extract the one you want (it begins with "a.btf" and "b.btf")`},
		{"no file", write(t, "a", archive(t, "/")), "tar data: the archive holds no file"},
		{"packed for ever", write(t, "a", pack(t, "gzip", pack(t, "gzip", pack(t, "gzip", pack(t, "gzip", btf))))), "gzip data in gzip, gzip, gzip data: unpack it first"},
		{"unknown", write(t, "a", []byte("\x01\x02\xff\xff")), "not an ELF file but data that begins with 01 02 ff ff: give a vmlinux"},
	} {
		_, err := input.Open(tt.path, input.ELF)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if strings.HasPrefix(tt.want, "this is a URL") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is no error of a file that does not exist", tt.name, err)
		}
	}
}

// TestPipe: what cannot be sought in is read whole, once.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = was }()
	go func() {
		_, _ = io.WriteString(w, "\x7fELF"+strings.Repeat("x", 100_000)) // the reader counts
		w.Close()
	}()
	f, err := input.Open(input.Stdin, input.ELF)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := f.ReadAt(b, f.Size-5); err != nil || string(b) != "xxxxx" || f.Size != 100_004 {
		t.Errorf("got %q (%v) at the end of %d bytes", b, err, f.Size)
	}
}

// TestStandardInput: a file there is read, and what has no bytes to read is refused.
func TestStandardInput(t *testing.T) {
	was := os.Stdin
	defer func() { os.Stdin = was }()
	open := func(path string) (*input.File, error) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		os.Stdin = f
		return input.Open(input.Stdin, input.ELF)
	}
	f, err := open(write(t, "a", []byte("\x7fELF and more")))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := f.ReadAt(b, f.Size-4); err != nil || string(b) != "more" || f.Size != 13 {
		t.Errorf("got %q (%v) at the end of %d bytes", b, err, f.Size)
	}
	if _, err := open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("a folder: got %v, want an error about standard input", err)
	}
}

func TestWriter(t *testing.T) {
	data := []byte(strings.Repeat("types and strings ", 1000))
	for _, tt := range []struct{ name, packed string }{{"a.btf", ""}, {"a.btf.zst", "zstd"}, {"a.raw.gz", "gzip"}, {"a.GZ", "gzip"}} {
		var files [2]bytes.Buffer
		for i := range files {
			w, err := input.NewWriter(&files[i], tt.name)
			if err == nil {
				err = errors.Join(ignoreLength(w.Write(data[:7])), ignoreLength(w.Write(data[7:])), w.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
			t.Errorf("%s: the same data gave two files", tt.name)
		}
		f, err := input.Open(write(t, "x", files[0].Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Bytes(); err != nil || !bytes.Equal(got, data) || f.Packed != tt.packed {
			t.Errorf("%s: got %d bytes back (%v), packed %q", tt.name, len(got), err, f.Packed)
		}
	}
	for _, name := range []string{"a.btf.xz", "a.bz2", "a.btf.tar.xz", "a.tar", "a.LZ4"} {
		if _, err := input.NewWriter(io.Discard, name); err == nil || !strings.Contains(err.Error(), "outputs are compressed as .zst or .gz") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzOpen: nothing that a file holds makes the opener fail in other ways than by an error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x7fELF"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\x00\x00"))
	f.Add([]byte("\xfd7zXZ\x00\x00\x04"))
	f.Add([]byte("BZh91AY&SY"))
	f.Add([]byte(at(257, "ustar\x0000")))
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := input.Open(path)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without words")
			}
			return
		}
		defer file.Close()
		if b, err := file.Bytes(); err == nil && int64(len(b)) != file.Size {
			t.Errorf("%d bytes of %d", len(b), file.Size)
		}
	})
}
