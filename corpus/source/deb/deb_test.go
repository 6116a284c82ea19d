package deb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/source/deb"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

const kernel = "usr/lib/debug/boot/vmlinux-1"

// extract extracts the member that matches a pattern of path.Match.
func extract(t testing.TB, pkg []byte, pattern string, first bool, most int64) (name string, contents []byte, err error) {
	t.Helper()
	p, err := deb.Open(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		return "", nil, err
	}
	var f sink
	match := func(name string) bool { ok, _ := path.Match(pattern, name); return ok }
	name, err = p.Extract(context.Background(), deb.Query{Match: match, First: first, Most: most}, &f)
	if err != nil {
		return "", nil, err
	}
	return name, f, nil
}

// A sink is a file in memory.
type sink []byte

func (s *sink) Write(b []byte) (int, error) {
	*s = append(*s, b...)
	return len(b), nil
}

func (s *sink) ReadAt(b []byte, off int64) (int, error) { return bytes.NewReader(*s).ReadAt(b, off) }

// noise returns bytes that compress to about half their size: words of a small vocabulary.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, "%d:%c%x;", r.IntN(3000), 'a'+rune(r.IntN(26)), r.IntN(500))
		if r.IntN(40) == 0 { // far repetitions
			at := r.IntN(len(b))
			b = append(b, b[at:min(len(b), at+r.IntN(400))]...)
		}
	}
	return b[:n]
}

func packWith(t *testing.T, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFormats: the contents of the member are the same for every compression and every position in the archive.
func TestFormats(t *testing.T) {
	body := noise(300_000)
	archive := synth.Tar(synth.Entry{Name: "./usr/", Type: '5'}, synth.Entry{Name: "./usr/a", Body: noise(100_000)},
		synth.Entry{Name: "./" + kernel, Body: body}, synth.Entry{Name: "./usr/z", Body: noise(50_000)})
	formats := map[string][]byte{
		"plain":                archive,
		"xz, several blocks":   synth.XZ(archive, 64<<10),
		"xz, blocks of 5000":   synth.XZ(archive, 5000),
		"xz, one block":        synth.XZ(archive, 1<<20),
		"xz, no sizes":         packWith(t, archive, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"xz, blocks, no sizes": packWith(t, archive, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{BlockSize: 50_000}.NewWriter(w) }),
		"zstd":                 packWith(t, archive, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"gzip":                 packWith(t, archive, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
	}
	if tool, err := exec.LookPath("xz"); err == nil {
		for _, args := range [][]string{{"-T2", "--block-size=50000"}, {"-T2", "--block-size=60000", "-9e", "--check=sha256"}, {"-1", "--check=crc32"},
			{"-T2", "--block-size=70000", "--lzma2=lc=1,lp=3,pb=0"}} {
			cmd := exec.Command(tool, append(args, "-c")...)
			cmd.Stdin = bytes.NewReader(archive)
			if formats[strings.Join(args, " ")], err = cmd.Output(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, data := range formats {
		t.Run(name, func(t *testing.T) {
			got, contents, err := extract(t, synth.Deb("data.tar", data), kernel, true, 1<<30)
			if got != kernel || !bytes.Equal(contents, body) || err != nil {
				t.Errorf("got %q, %d bytes, %v, want %d bytes", got, len(contents), err, len(body))
			}
		})
	}
}

func TestMembers(t *testing.T) {
	file := func(name, body string) synth.Entry { return synth.Entry{Name: name, Body: []byte(body)} }
	link := func(name, to string) synth.Entry { return synth.Entry{Name: name, Link: to} }
	for _, test := range []struct {
		name    string
		members []synth.Entry
		pattern string
		first   bool
		want    string // the expected contents
		err     string
	}{
		{"file", []synth.Entry{file("a", "1"), file("b", "2")}, "b", true, "2", ""},
		{"the first", []synth.Entry{file("a1", "1"), file("a2", "2")}, "a*", true, "1", ""},
		{"several", []synth.Entry{file("a1", "1"), file("a2", "2")}, "a*", false, "", "a2: offset 0x600 of the unpacked data.tar: several files match, a1 too"},
		{"none", []synth.Entry{file("a", "1"), file("b", "2")}, "c", true, "", "none of the 2 files"},
		{"link, target behind", []synth.Entry{link("x/l", "../y/f"), file("y/f", "1")}, "x/l", true, "1", ""},
		{"link, target before", []synth.Entry{file("y/f", "1"), link("x/l", "../y/f")}, "x/l", true, "1", ""},
		{"absolute link", []synth.Entry{file("y/f", "1"), link("x/l", "/y/f")}, "x/l", true, "1", ""},
		{"link to a folder", []synth.Entry{link("x", "y"), file("y/f", "1"), link("z", "x/f")}, "z", true, "1", ""},
		{"hard link", []synth.Entry{file("y/f", "1"), {Name: "z", Link: "y/f", Type: '1'}}, "z", true, "1", ""},
		{"file and link to it", []synth.Entry{file("a1", "1"), link("a2", "a1")}, "a*", false, "1", ""},
		{"link and its file", []synth.Entry{link("a1", "a2"), file("a2", "1")}, "a*", false, "1", ""},
		{"file and link to another", []synth.Entry{file("b", "0"), file("a1", "1"), link("a2", "b")}, "a*", false, "", "several files match"},
		{"circle", []synth.Entry{link("a", "b"), link("b", "a")}, "a", true, "", "a: offset 0x200 of the unpacked data.tar: the link leads in a circle"},
		{"out", []synth.Entry{link("x/a", "../../b"), file("b", "1")}, "x/a", true, "", "the link leads out of the package, to ../b"},
		{"to nothing", []synth.Entry{link("a", "b")}, "a", true, "", "the link leads to b, which is not in the package"},
		{"to a device", []synth.Entry{link("a", "b"), {Name: "b", Type: '3'}}, "a", true, "", "the link leads to b, which is not a file"},
		{"device", []synth.Entry{{Name: "a", Type: '3'}}, "a", true, "", "a: offset 0x200 of the unpacked data.tar: it is not a file but a device"},
		{"absolute name", []synth.Entry{file("/a", "1")}, "a", true, "", "/a: offset 0x200 of the unpacked data.tar: its name leads out of the package"},
		{"parent", []synth.Entry{file("b/../../a", "1"), file("a", "1")}, "a", true, "", "its name leads out of the package"},
		{"one name twice", []synth.Entry{file("b", "1"), file("./b", "2"), file("a", "1")}, "a", true, "", "./b: offset 0x600 of the unpacked data.tar: two members have this name"},
	} {
		for _, pack := range []func([]byte) []byte{func(b []byte) []byte { return b }, func(b []byte) []byte { return synth.XZ(b, 700) }} {
			t.Run(test.name, func(t *testing.T) {
				_, got, err := extract(t, synth.Deb("data.tar", pack(synth.Tar(test.members...))), test.pattern, test.first, 100)
				switch {
				case test.err == "" && (err != nil || string(got) != test.want):
					t.Errorf("got %q, %v, want %q", got, err, test.want)
				case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
					t.Errorf("got %q, %v, want the error %q", got, err, test.err)
				}
			})
		}
	}
}

// TestDamage: a package that is cut before the end of the member gives an error, and so does any flipped bit of the stream.
func TestDamage(t *testing.T) {
	body := noise(3000)
	pkg := synth.Deb("data.tar.xz", synth.XZ(synth.Tar(synth.Entry{Name: kernel, Body: body}), 2400)) // both blocks are read
	for n := range len(pkg) - 1 {
		_, _, err := extract(t, pkg[:n], kernel, true, 1<<20)
		if _, ok := errors.AsType[*deb.FormatError](err); !ok {
			t.Fatalf("cut at %d: got %v, want a FormatError", n, err)
		}
	}
	start := bytes.Index(pkg, []byte("\xfd7zXZ"))
	for off := start; off < len(pkg); off++ {
		damaged := bytes.Clone(pkg)
		damaged[off] ^= 1 << (off % 8)
		if _, _, err := extract(t, damaged, kernel, true, 1<<20); err == nil {
			t.Errorf("offset %d: got no error", off)
		}
	}
}

func TestBounds(t *testing.T) {
	zeros := make([]byte, 40<<20)
	bomb := synth.XZ(synth.Tar(synth.Entry{Name: kernel, Body: zeros}), 8<<20)
	huge := synth.Tar(synth.Entry{Name: kernel, Body: []byte("x")})
	copy(huge[124:], "\x80\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00") // 2^60 in base 256
	copy(huge[124:], append([]byte{0x80, 0, 0, 0}, 0x10, 0, 0, 0, 0, 0, 0, 0))
	sum := 0
	copy(huge[148:], "        ")
	for _, b := range huge[:512] {
		sum += int(b)
	}
	copy(huge[148:], fmt.Sprintf("%06o\x00 ", sum))
	for name, test := range map[string]struct {
		data []byte
		most int64
		want string
	}{
		"bomb":    {bomb, 1 << 40, "too many for"},
		"2^60":    {huge, 1 << 40, "the file has 1152921504606846976 bytes"},
		"allowed": {synth.Tar(synth.Entry{Name: kernel, Body: zeros[:101]}), 100, "the file has 101 bytes, and 100 are allowed"},
	} {
		if _, _, err := extract(t, synth.Deb("data.tar", test.data), kernel, true, test.most); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// TestClaim: of an ELF file, only the part that its section headers describe is written.
func TestClaim(t *testing.T) {
	elf := make([]byte, 64+64+5000)
	copy(elf, "\x7fELF\x02\x01\x01")
	elf[40], elf[58], elf[60] = 64, 64, 1 // one section header, after the ELF header
	elf[64+4], elf[64+24], elf[64+32] = 1, 128, 100
	for _, test := range []struct {
		name string
		edit func(b []byte)
		want int
		err  string
	}{
		{"tail", func([]byte) {}, len(elf), ""}, // shorter than the part that Query.Check gets
		{"table behind the end", func(b []byte) { b[43] = 1 }, 0, "the ELF file is truncated: its section headers end at 16777344 of 5128 bytes"},
		{"small headers", func(b []byte) { b[58] = 1 }, 0, "section headers of 1 bytes"},
		{"long tail", nil, 64 << 10, ""},
	} {
		b := bytes.Clone(elf)
		if test.edit != nil {
			test.edit(b)
		} else {
			b = append(b, make([]byte, 10<<20)...)
		}
		_, got, err := extract(t, synth.Deb("data.tar", synth.Tar(synth.Entry{Name: kernel, Body: b})), kernel, true, 1<<30)
		if len(got) != test.want || (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got %d bytes, %v, want %d, %q", test.name, len(got), err, test.want, test.err)
		}
	}
}

func TestNoPackage(t *testing.T) {
	good := synth.Deb("data.tar", synth.Tar())
	for name, test := range map[string]struct{ pkg, want string }{
		"empty":     {"", "offset 0x0: the data is truncated"},
		"text":      {"some text that is long enough", "not a Debian package"},
		"library":   {strings.Replace(string(good), "debian-binary", "libfoo.o     ", 1), "an ar archive that begins with libfoo.o"},
		"version 3": {strings.Replace(string(good), "2.0\n", "3.0\n", 1), "version 3.0, not 2"},
		"no data":   {strings.Replace(string(good), "data.tar", "else.tar", 1), "the package has no data.tar"},
		"long":      {strings.Replace(string(good), "1024      `", "1000000000`", 1), "data.tar has 1000000000 bytes, but the package ends after 1024: it is truncated"},
		"lzma":      {string(synth.Deb("data.tar.lzma", make([]byte, 600))), "neither a tar archive nor compressed by"},
	} {
		if _, _, err := extract(t, []byte(test.pkg), "a", true, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestCancel(t *testing.T) {
	pkg := synth.Deb("data.tar", synth.XZ(synth.Tar(synth.Entry{Name: kernel, Body: noise(1000)}), 600))
	p, err := deb.Open(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Extract(ctx, deb.Query{Match: func(string) bool { return true }, First: true, Most: 1 << 20}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
