package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

const hostileKernel = "usr/lib/debug/boot/vmlinux-1"

// A hostile package is one that does harm, or claims to.
type hostilePackage struct {
	name string
	file string // p.deb or p.rpm
	data []byte
	want string // the message, after the path of the package; * stands for a number that depends on a compressor
}

// packedBy compresses data.
func packedBy(data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func zstdOf(data []byte) []byte {
	return packedBy(data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

func gzipOf(data []byte) []byte {
	return packedBy(data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// sized sets the size in the first header of a tar archive.
func sized(archive []byte, size uint64) []byte {
	field := archive[124:136]
	clear(field)
	field[0] = 0x80 // base 256
	binary.BigEndian.PutUint64(field[4:], size)
	copy(archive[148:], "        ")
	sum := 0
	for _, b := range archive[:512] {
		sum += int(b)
	}
	copy(archive[148:], fmt.Sprintf("%06o\x00 ", sum))
	return archive
}

// flipped changes a byte, counted from the end if the place is negative.
func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x55
	return data
}

// hostilePackages lists them.
func hostilePackages(image []byte) []hostilePackage {
	good := synth.Entry{Name: "./" + hostileKernel, Body: image}
	deb := func(data []byte) []byte { return synth.DebOf(synth.Sums(good), "data.tar", data) }
	tar := synth.Tar(good)
	zeros := make([]byte, 20<<20)
	copy(zeros, "\x7fELF")
	bomb := synth.Tar(synth.Entry{Name: "./" + hostileKernel, Body: zeros})
	small := zstdOf(zeros)
	longSections := bytes.Clone(image)
	binary.LittleEndian.PutUint64(longSections[40:], 1<<40)
	cpio := synth.Cpio(good)
	cut := func(data []byte, n int) []byte { return data[:len(data)-n] }
	return []hostilePackage{
		{"absolute name", "p.deb", deb(synth.Tar(synth.Entry{Name: "/etc/passwd", Body: image}, good)),
			"/etc/passwd: offset 0x200 of the unpacked data.tar: its name leads out of the package"},
		{"parent", "p.deb", deb(synth.Tar(synth.Entry{Name: "./usr/../../etc/passwd", Body: image}, good)),
			"./usr/../../etc/passwd: offset 0x200 of the unpacked data.tar: its name leads out of the package"},
		{"absolute name in cpio", "p.rpm", synth.RPM(bytes.Replace(cpio, []byte("./usr"), []byte("//usr"), 1), good),
			"//usr/lib/debug/boot/vmlinux-1: offset 0x90 of the unpacked archive: its name leads out of the package"},
		{"link out of the package", "p.deb", synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./" + hostileKernel, Link: "../../../../../../etc/passwd"})),
			"usr/lib/debug/boot/vmlinux-1: the link leads out of the package, to ../../etc/passwd"},
		{"links in a circle", "p.deb", synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./" + hostileKernel, Link: "vmlinux-2"}, synth.Entry{Name: "./usr/lib/debug/boot/vmlinux-2", Link: "vmlinux-1"})),
			"usr/lib/debug/boot/vmlinux-1: the link leads in a circle"},
		{"device", "p.deb", synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./" + hostileKernel, Type: '3'})),
			"usr/lib/debug/boot/vmlinux-1: it is not a file but a device, a pipe or unknown"},
		{"device in cpio", "p.rpm", synth.RPM(synth.Cpio(synth.Entry{Name: "./" + hostileKernel, Type: '3'}), synth.Entry{Name: "./" + hostileKernel, Type: '3'}),
			"usr/lib/debug/boot/vmlinux-1: it is not a file but a device, a pipe or unknown"},
		{"two files of one name", "p.deb", deb(synth.Tar(synth.Entry{Name: "./a", Body: image}, synth.Entry{Name: "a", Body: image}, good)),
			"a: offset 0x5200 of the unpacked data.tar: two members have this name"},
		{"2^60 bytes", "p.deb", deb(sized(bytes.Clone(tar), 1<<60)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the file has 1152921504606846976 bytes, and 4294967296 are allowed"},
		{"2^60 bytes, in blocks", "p.deb", deb(synth.XZ(sized(bytes.Clone(tar), 1<<60), 4096)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the file has 1152921504606846976 bytes, and 4294967296 are allowed"},
		{"2^60 bytes, in order", "p.deb", deb(zstdOf(sized(bytes.Clone(tar), 1<<60))),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the file has 1152921504606846976 bytes, and 4294967296 are allowed"},
		{"4 GiB in cpio", "p.rpm", synth.RPM(zstdOf(bytes.Replace(cpio, fmt.Appendf(nil, "%08x", len(image)), []byte("fffffff0"), 1)), good),
			"usr/lib/debug/boot/vmlinux-1: offset 0x90 of the unpacked archive: the file states 4294967280 bytes, too many for an archive that has at most *"},
		{"bomb, xz", "p.deb", deb(synth.XZ(bomb, 8<<20)),
			"offset 0xcc0: data.tar unpacks to 20973056 bytes, too many for *"},
		{"bomb, zstd", "p.deb", deb(zstdOf(bomb)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the file states 20971520 bytes, too many for an archive that has at most *"},
		{"bomb, gzip", "p.deb", deb(gzipOf(bomb)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the file states 20971520 bytes, too many for an archive that has at most *"},
		{"bomb in a package that is not compressed", "p.deb", deb(synth.Tar(synth.Entry{Name: "./" + hostileKernel, Body: small})),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: * bytes of contents are too many for * stored bytes"},
		{"bomb in cpio", "p.rpm", synth.RPM(zstdOf(synth.Cpio(synth.Entry{Name: "./" + hostileKernel, Body: zeros})), synth.Entry{Name: "./" + hostileKernel, Body: zeros}),
			"usr/lib/debug/boot/vmlinux-1: offset 0x90 of the unpacked archive: the file states 20971520 bytes, too many for an archive that has at most *"},
		{"section headers past the end", "p.deb", deb(synth.Tar(synth.Entry{Name: "./" + hostileKernel, Body: longSections})),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the ELF file is truncated: its section headers end at 1099511629120 of 19840 bytes"},
		{"section headers past the end, in order", "p.deb", deb(zstdOf(synth.Tar(synth.Entry{Name: "./" + hostileKernel, Body: longSections}))),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: the ELF file is truncated: its section headers end at 1099511629120 of 19840 bytes"},
		{"cut, plain", "p.deb", cut(deb(tar), 3000),
			"offset 0xcc0: data.tar has 21504 bytes, but the package ends after 18504: it is truncated"},
		{"cut, states all", "p.deb", deb(cut(tar, 3000)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x200 of the unpacked data.tar: it has 19840 bytes, and the archive ends after 17992 of them: it is truncated"},
		{"cut, xz", "p.deb", deb(cut(synth.XZ(tar, 4096), 3000)),
			"offset 0x*: the xz stream has no footer: it is truncated or damaged"},
		{"cut, zstd", "p.deb", deb(cut(zstdOf(tar), 3000)),
			"offset 0x* of the unpacked data.tar: the archive is truncated"},
		{"cut, gzip", "p.deb", deb(cut(gzipOf(tar), 3000)),
			"./usr/lib/debug/boot/vmlinux-1: offset 0x* of the unpacked data.tar: the archive is truncated"},
		{"cut in control.tar", "p.deb", deb(tar)[:600],
			"offset 0x84: control.tar has 3072 bytes, but the package ends after 468: it is truncated"},
		{"cut in the header", "p.rpm", synth.RPM(cpio, good)[:150],
			"offset 0x96: the package is truncated"},
		{"cut, cpio", "p.rpm", cut(synth.RPM(cpio, good), 3000),
			"usr/lib/debug/boot/vmlinux-1: offset 0x90 of the unpacked archive: it has 19840 bytes, and the archive ends after 16964 of them: it is truncated"},
		{"index of xz damaged", "p.deb", deb(flipped(synth.XZ(tar, 4096), -16)),
			"offset 0x*: the index of the xz stream is damaged"},
		{"footer of xz damaged", "p.deb", deb(flipped(synth.XZ(tar, 4096), -6)),
			"offset 0x*: the footer of the xz stream is damaged"},
		{"block of xz damaged", "p.deb", deb(flipped(synth.XZ(tar, 4096), 400)),
			"offset 0x*: xz block: LZMA2 data is damaged"},
		{"header of a block of xz damaged", "p.deb", deb(flipped(synth.XZ(tar, 4096), 14)),
			"offset 0x*: the header of an xz block is damaged"},
		{"tar damaged", "p.deb", deb(flipped(tar, 150)),
			"offset 0x200 of the unpacked data.tar: the header of an entry is damaged"},
		{"cpio damaged", "p.rpm", synth.RPM(flipped(cpio, 3), good),
			"offset 0x190: archive is neither a cpio archive nor compressed by xz, zstd, gzip or bzip2"},
		{"member of the container damaged", "p.deb", flipped(deb(tar), 8+58),
			"offset 0x8: the header of a member of the ar container is damaged"},
		{"no archive", "p.deb", deb([]byte(strings.Repeat("words ", 200))),
			"offset 0xcc0: data.tar is neither a tar archive nor compressed by xz, zstd, gzip or bzip2"},
		{"listed, and not there", "p.deb", deb(synth.Tar(synth.Entry{Name: "./a", Body: image})),
			"usr/lib/debug/boot/vmlinux-1 is in the package's list of files, but not in its archive"},
		{"escape sequences in a name", "p.deb", deb(synth.Tar(synth.Entry{Name: "./\x1b[31m/../..", Body: image})),
			"\"./\\x1b[31m/../..\": offset 0x200 of the unpacked data.tar: its name leads out of the package"},
	}
}

// TestHostilePackages: a package that does harm gives one line, which names it, the file in it and the offset. Nothing stays, and no other image of
// the batch is touched.
func TestHostilePackages(t *testing.T) {
	image, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range hostilePackages(image) {
		t.Run(p.name, func(t *testing.T) {
			want := regexp.MustCompile(regexp.QuoteMeta(p.file+": ") + strings.ReplaceAll(regexp.QuoteMeta(p.want), `\*`, "[0-9a-f]+"))
			t.Chdir(t.TempDir())
			scratch := t.TempDir()
			t.Setenv("TMPDIR", scratch)
			t.Setenv("BTFBATCH_CACHE", t.TempDir())
			kind := strings.TrimPrefix(p.file, "p.")
			manifest := fmt.Sprintf("version: 1\ndefaults: {kind: any, outputs: {btf: \"${{ image.name }}.btf\"}}\n"+
				"images:\n  - {name: good, path: good.elf}\n  - {name: bad, from: {%s: %s}}\n  - {name: split, path: good.elf, base: bad}\n", kind, p.file)
			if err := errors.Join(os.WriteFile(p.file, p.data, 0o600), os.WriteFile("good.elf", image, 0o600), os.WriteFile("m.yaml", []byte(manifest), 0o600)); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"dump", p.file}, {"stats", p.file}, {"encode", "good.elf", "--base", p.file, "-o", "x.btf"}, {"encode", "--from", kind + "=" + p.file, "-o", "x.btf"}} {
				var out, errs strings.Builder
				code := run(args, &out, &errs)
				if text := errs.String(); code != exitcode.Failed || strings.Count(text, "\n") != 1 || !want.MatchString(text) || out.Len() > 0 {
					t.Errorf("%s: got exit code %d\n%s%s\nwant %s: %s", args, code, out.String(), text, p.file, p.want)
				}
			}
			var out, errs strings.Builder
			code := run([]string{"run", "m.yaml"}, &out, &errs)
			if code != exitcode.Failed || !strings.Contains(errs.String(), "INF good: ok") || !want.MatchString(errs.String()) {
				t.Errorf("run: got exit code %d\n%s", code, errs.String())
			}
			if left, err := filepath.Glob("*"); err != nil || strings.Join(left, " ") != "good.btf good.elf m.yaml "+p.file {
				t.Errorf("the folder has %q, %v", left, err)
			}
			if left, err := os.ReadDir(scratch); len(left) > 0 || err != nil {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
