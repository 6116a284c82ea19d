package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	ulikunitz "github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

const kernel = "usr/lib/debug/boot/vmlinux-1"

// An origin is a package in memory. It counts how often it is opened and closed, and which bytes are read.
type origin struct {
	data    []byte
	ordered bool // it can only be read in order
	opened  atomic.Int64
	open    atomic.Int64
	read    atomic.Int64
}

func (o *origin) Facts() source.Facts { return source.Facts{Size: int64(len(o.data))} }
func (o *origin) String() string      { return "sample.pkg" }

func (o *origin) Open(context.Context) (*source.Blob, error) {
	o.opened.Add(1)
	o.open.Add(1)
	b := &source.Blob{Size: int64(len(o.data)), Release: func() error { o.open.Add(-1); return nil }}
	if o.ordered {
		b.Stream = io.TeeReader(bytes.NewReader(o.data), (*counter)(&o.read))
	} else {
		b.At = readerAt{bytes.NewReader(o.data), (*counter)(&o.read)}
	}
	return b, nil
}

type counter atomic.Int64

func (c *counter) Write(b []byte) (int, error) {
	(*atomic.Int64)(c).Add(int64(len(b)))
	return len(b), nil
}

type readerAt struct {
	io.ReaderAt
	c *counter
}

func (r readerAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, off)
	_, _ = r.c.Write(b[:n]) // it counts
	return n, err
}

var limits = source.Limits{Most: 1 << 30, Scratch: 1 << 30}

// image returns a file that begins as an ELF file does, and whose rest compresses to about half its size.
func image(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := []byte("\x7fELF" + strings.Repeat("\x00", 60))
	for len(b) < n {
		b = fmt.Appendf(b, "%d:%c%x;", r.IntN(3000), 'a'+rune(r.IntN(26)), r.IntN(500))
	}
	return b[:n]
}

// contents opens a member, and returns its contents.
func contents(m *source.Member) ([]byte, error) {
	f, err := m.Open(context.Background())
	if err != nil {
		return nil, err
	}
	b := make([]byte, f.Size)
	_, err = f.ReadAt(b, 0)
	return b, errors.Join(err, f.Close())
}

// only returns the contents of the only member that a pattern matches, or the first of several kernels.
func only(kind source.Kind, pkg []byte, ordered bool, pattern string, limits source.Limits) ([]byte, error) {
	p := source.NewPackage(source.Ref{Kind: kind}, &origin{data: pkg, ordered: ordered}, limits)
	list, err := p.Members(context.Background(), pattern)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, fmt.Errorf("several files match: %s and %s", list[0].Name, list[1].Name)
	}
	return contents(list[0])
}

func packWith(t *testing.T, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFormats: the contents of a member are the same for every format and compression, from a file and from a stream, and nothing is left behind.
func TestFormats(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	body := image(300_000, 1)
	entries := []synth.Entry{{Name: "./usr/", Type: '5'}, {Name: "./usr/a", Body: image(100_000, 2)}, {Name: "./" + kernel, Body: body}, {Name: "./usr/z", Body: image(50_000, 3)}}
	packs := map[string]func(b []byte) []byte{
		"plain":              func(b []byte) []byte { return b },
		"xz, several blocks": func(b []byte) []byte { return synth.XZ(b, 64<<10) },
		"xz, one block":      func(b []byte) []byte { return synth.XZ(b, 1<<20) },
		"xz, no sizes": func(b []byte) []byte {
			return packWith(t, b, func(w io.Writer) (io.WriteCloser, error) { return ulikunitz.NewWriter(w) })
		},
		"zstd": func(b []byte) []byte {
			return packWith(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
		},
		"gzip": func(b []byte) []byte {
			return packWith(t, b, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
		},
	}
	for name, pack := range packs {
		for kind, pkg := range map[source.Kind][]byte{
			source.KindDeb: synth.DebOf(synth.Sums(entries...), "data.tar", pack(synth.Tar(entries...))),
			source.KindRPM: synth.RPM(pack(synth.Cpio(entries...)), entries...),
		} {
			for _, ordered := range []bool{false, true} {
				got, err := only(kind, pkg, ordered, kernel, limits)
				if !bytes.Equal(got, body) || err != nil {
					t.Errorf("%s, %s, ordered %v: got %d bytes, %v, want %d", kind, name, ordered, len(got), err, len(body))
				}
			}
		}
	}
	if left, err := os.ReadDir(scratch); len(left) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestCompressedMembers: a member that is compressed by itself is unpacked.
func TestCompressedMembers(t *testing.T) {
	body := image(50_000, 1)
	gz := packWith(t, body, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	for name, data := range map[string][]byte{"a.ko.gz": gz, "a.ko.xz": synth.XZ(body, 20_000), "a.ko": body} {
		pkg := synth.Deb("data.tar", synth.XZ(synth.Tar(synth.Entry{Name: name, Body: data}), 30_000))
		got, err := only(source.KindDeb, pkg, false, "a.ko*", limits)
		if !bytes.Equal(got, body) || err != nil {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
		if _, err := only(source.KindDeb, pkg, false, "a.ko*", source.Limits{Most: 49_999}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, not allowed: got %v", name, err)
		}
	}
}

// TestMembers: which file a pattern stands for, and what is refused.
func TestMembers(t *testing.T) {
	file := func(name, body string) synth.Entry {
		return synth.Entry{Name: name, Body: []byte("\x7fELF" + body)}
	}
	link := func(name, to string) synth.Entry { return synth.Entry{Name: name, Link: to} }
	for _, test := range []struct {
		name    string
		members []synth.Entry
		pattern string
		want    string // the expected contents
		err     string
	}{
		{"file", []synth.Entry{file("a", "1"), file("b", "2")}, "b", "2", ""},
		{"several", []synth.Entry{file("a1", "1"), file("a2", "2")}, "a*", "", "several files match: a1 and a2"},
		{"none", []synth.Entry{file("a", "1"), file("b", "2")}, "c", "", "none of the 2 files in the package matches c"},
		{"link, target behind", []synth.Entry{link("x/l", "../y/f"), file("y/f", "1")}, "x/l", "1", ""},
		{"link, target before", []synth.Entry{file("y/f", "1"), link("x/l", "../y/f")}, "x/l", "1", ""},
		{"absolute link", []synth.Entry{file("y/f", "1"), link("x/l", "/y/f")}, "x/l", "1", ""},
		{"link to a folder", []synth.Entry{link("x", "y"), file("y/f", "1"), link("z", "x/f")}, "z", "1", ""},
		{"file and link to it", []synth.Entry{file("a1", "1"), link("a2", "a1")}, "a*", "1", ""},
		{"link and its file", []synth.Entry{link("a1", "a2"), file("a2", "1")}, "a*", "1", ""},
		{"file and link to another", []synth.Entry{file("b", "0"), file("a1", "1"), link("a2", "b")}, "a*", "", "several files match"},
		{"circle", []synth.Entry{link("a", "b"), link("b", "a")}, "a", "", "a: the link leads in a circle"},
		{"out", []synth.Entry{link("x/a", "../../b"), file("b", "1")}, "x/a", "", "x/a: the link leads out of the package, to ../b"},
		{"to nothing", []synth.Entry{link("a", "b")}, "a", "", "a: the link leads to b, which is not a file of the package"},
		{"to a device", []synth.Entry{link("a", "b"), {Name: "b", Type: '3'}}, "a", "", "a: the link leads to b, which is not a file"},
		{"device", []synth.Entry{{Name: "a", Type: '3'}}, "a", "", "a: it is not a file but a device"},
		{"text", []synth.Entry{{Name: "a", Body: []byte("text")}}, "a", "", "not an ELF file but text"},
	} {
		for kind, pkg := range map[source.Kind][]byte{
			source.KindDeb: synth.Deb("data.tar", synth.XZ(synth.Tar(test.members...), 700)),
			source.KindRPM: synth.RPM(synth.Cpio(test.members...), test.members...),
			"deb plain":    synth.Deb("data.tar", synth.Tar(test.members...)),
		} {
			t.Run(fmt.Sprint(test.name, kind), func(t *testing.T) {
				if kind != source.KindRPM {
					kind = source.KindDeb
				}
				got, err := only(kind, pkg, false, test.pattern, source.Limits{Most: 100})
				switch {
				case test.err == "" && (err != nil || string(got) != "\x7fELF"+test.want):
					t.Errorf("got %q, %v, want %q", got, err, test.want)
				case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
					t.Errorf("got %q, %v, want the error %q", got, err, test.err)
				}
			})
		}
	}
}

// TestHostile: one line that names the package's member and the offset.
func TestHostile(t *testing.T) {
	elf := []byte("\x7fELF")
	huge := synth.Tar(synth.Entry{Name: kernel, Body: elf})
	copy(huge[124:], append([]byte{0x80, 0, 0, 0}, 0x10, 0, 0, 0, 0, 0, 0, 0)) // 2^60 in base 256
	sum := 0
	copy(huge[148:], "        ")
	for _, b := range huge[:512] {
		sum += int(b)
	}
	copy(huge[148:], fmt.Sprintf("%06o\x00 ", sum))
	zeros := make([]byte, 20<<20)
	copy(zeros, elf)
	bomb := synth.Tar(synth.Entry{Name: kernel, Body: zeros})
	zst := packWith(t, bomb, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	gz := packWith(t, bomb, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	good := synth.Entry{Name: kernel, Body: elf}
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	deb := func(data []byte) []byte { return synth.DebOf(synth.Sums(good), "data.tar", data) }
	for name, test := range map[string]struct {
		kind source.Kind
		pkg  []byte
		want string
	}{
		"2^60":            {source.KindDeb, deb(huge), kernel + ": offset 0x200 of the unpacked data.tar: "},
		"2^60, stream":    {source.KindDeb, deb(synth.XZ(huge, 1<<20)), kernel + ": offset 0x200 of the unpacked data.tar: it has 1152921504606846976 bytes"},
		"xz bomb":         {source.KindDeb, deb(synth.XZ(bomb, 8<<20)), "too many for"},
		"zstd bomb":       {source.KindDeb, deb(zst), "too many for"},
		"gzip bomb":       {source.KindDeb, deb(gz), "too many for"},
		"absolute name":   {source.KindDeb, deb(synth.Tar(synth.Entry{Name: "/a", Body: elf}, good)), "/a: offset 0x200 of the unpacked data.tar: its name leads out of the package"},
		"parent":          {source.KindDeb, deb(synth.Tar(synth.Entry{Name: "b/../../a"}, good)), "b/../../a: offset 0x200 of the unpacked data.tar: its name leads out of the package"},
		"one name twice":  {source.KindDeb, deb(synth.Tar(synth.Entry{Name: "b"}, synth.Entry{Name: "./b"}, good)), "./b: offset 0x400 of the unpacked data.tar: two members have this name"},
		"not there":       {source.KindDeb, deb(synth.Tar(synth.Entry{Name: "b"})), kernel + " is in the package's list of files, but not in its archive"},
		"archive cut":     {source.KindDeb, deb(cut(synth.Tar(synth.Entry{Name: kernel, Body: zeros[:5000]}), 1024+2048)), kernel + ": offset 0x"},
		"absolute in rpm": {source.KindRPM, synth.RPM(bytes.Replace(synth.Cpio(good), []byte("./usr"), []byte("//usr"), 1), good), "its name leads out of the package"},
		"rpm cut":         {source.KindRPM, cut(synth.RPM(synth.Cpio(good), good), 180), "the archive is truncated"},
		"rpm header":      {source.KindRPM, synth.RPM(nil, good)[:150], "the package is truncated"},
		"cpio damaged":    {source.KindRPM, synth.RPM(bytes.Replace(synth.Cpio(good), []byte("07070100"), []byte("070701xx"), 1), good), "the header of an entry is damaged"},
		"no rpm":          {source.KindRPM, deb(nil), "offset 0x0: not an RPM package"},
		"no deb":          {source.KindDeb, synth.RPM(nil), "offset 0x0: not a Debian package"},
		"lzma":            {source.KindDeb, deb(make([]byte, 600)), "neither a tar archive nor compressed by"},
	} {
		t.Run(name, func(t *testing.T) {
			scratch := t.TempDir()
			t.Setenv("TMPDIR", scratch)
			for _, ordered := range []bool{false, true} {
				_, err := only(test.kind, test.pkg, ordered, kernel, source.Limits{Most: 1 << 62, Scratch: 1 << 30})
				_, isFormat := errors.AsType[*archive.FormatError](err)
				if err == nil || !strings.Contains(err.Error(), test.want) && !(ordered && isFormat) || strings.Contains(err.Error(), "\n") {
					t.Errorf("ordered %v: got %v, want %q", ordered, err, test.want)
				}
			}
			if left, err := os.ReadDir(scratch); len(left) != 0 || err != nil {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestOneReading: all members of a package are read in one pass, by several readers, in any order that is similar to that of the package.
func TestOneReading(t *testing.T) {
	var entries []synth.Entry
	for i := range 60 {
		entries = append(entries, synth.Entry{Name: fmt.Sprintf("m/%02d.ko", i), Body: image(3000+i, uint64(i))})
	}
	entries = append(entries, synth.Entry{Name: "m/vmlinux", Body: image(400_000, 99)}) // the last one
	tarball, sums := synth.Tar(entries...), synth.Sums(entries...)
	for name, test := range map[string]struct {
		kind    source.Kind
		pkg     []byte
		ordered bool
		opened  int64
	}{
		"xz":     {source.KindDeb, synth.DebOf(sums, "data.tar", synth.XZ(tarball, 10_000)), false, 1},
		"serial": {source.KindDeb, synth.DebOf(sums, "data.tar", synth.XZ(tarball, 1<<20)), false, 1},
		"stream": {source.KindDeb, synth.DebOf(sums, "data.tar", synth.XZ(tarball, 10_000)), true, 1},
		"rpm":    {source.KindRPM, synth.RPM(synth.Cpio(entries...), entries...), true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := &origin{data: test.pkg, ordered: test.ordered}
			p := source.NewPackage(source.Ref{Kind: test.kind}, o, limits)
			last, err := p.Members(context.Background(), "m/vmlinux")
			if err != nil {
				t.Fatal(err)
			}
			list, err := p.Members(context.Background(), "m/*.ko")
			if err != nil || len(list) != 60 || len(last) != 1 {
				t.Fatalf("got %d and %d members, %v", len(last), len(list), err)
			}
			list = append(last, list...)
			var next atomic.Int64
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
						want := entries[(i+60)%61]
						if got, err := contents(list[i]); err != nil || !bytes.Equal(got, want.Body) || list[i].Name != want.Name {
							t.Errorf("%s: got %d bytes of %s, %v", want.Name, len(got), list[i].Name, err)
						}
					}
				})
			}
			wg.Wait()
			if n := o.opened.Load(); n != test.opened || o.open.Load() != 0 {
				t.Errorf("the package was opened %d times, and %d are open; want %d and 0", n, o.open.Load(), test.opened)
			}
			if most := int64(len(test.pkg)) * 2; o.read.Load() > most {
				t.Errorf("%d bytes of %d were read", o.read.Load(), len(test.pkg))
			}
		})
	}
}

// TestNoRoom: files that cannot wait are read again.
func TestNoRoom(t *testing.T) {
	entries := []synth.Entry{{Name: "m/a.ko", Body: image(17<<20, 1)}, {Name: "m/b.ko", Body: image(17<<20, 2)}, {Name: "m/vmlinux", Body: image(1000, 3)}}
	zst := packWith(t, synth.Cpio(entries...), func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	for room, opened := range map[int64]int64{1 << 30: 1, 20 << 20: 2, 0: 2} {
		o := &origin{data: synth.RPM(zst, entries...), ordered: true}
		p := source.NewPackage(source.Ref{Kind: source.KindRPM}, o, source.Limits{Most: 1 << 30, Scratch: room})
		list, err := p.Members(context.Background(), "m/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{2, 0, 1} {
			if got, err := contents(list[i]); err != nil || !bytes.Equal(got, entries[i].Body) {
				t.Errorf("room %d: got %d bytes of %s, %v", room, len(got), entries[i].Name, err)
			}
		}
		if o.opened.Load() != opened || o.open.Load() != 0 {
			t.Errorf("room %d: the package was opened %d times, and %d are open; want %d", room, o.opened.Load(), o.open.Load(), opened)
		}
	}
}

// TestEarlyStop: reading stops after the last wanted member. One that is at the end is found from there.
func TestEarlyStop(t *testing.T) {
	var entries []synth.Entry
	for i := range 100 {
		entries = append(entries, synth.Entry{Name: fmt.Sprintf("usr/%03d.ko", i), Body: image(20_000, uint64(i))})
	}
	first := append([]synth.Entry{{Name: kernel, Body: image(50_000, 200)}}, entries...)
	last := append(entries[:len(entries):len(entries)], synth.Entry{Name: "usr/vmlinux", Body: image(50_000, 200)}, synth.Entry{Name: "usr/x", Link: "vmlinux"})
	for name, test := range map[string]struct {
		entries []synth.Entry
		member  string
	}{"first": {first, kernel}, "last": {last, "usr/vmlinux"}} {
		o := &origin{data: synth.DebOf(synth.Sums(test.entries...), "data.tar", synth.XZ(synth.Tar(test.entries...), 16<<10))}
		p := source.NewPackage(source.Ref{Kind: source.KindDeb}, o, limits)
		list, err := p.Members(context.Background(), test.member)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := contents(list[0]); err != nil || !bytes.Equal(got, image(50_000, 200)) {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
		if o.read.Load() > int64(len(o.data))/8 {
			t.Errorf("%s: %d of %d bytes were read", name, o.read.Load(), len(o.data))
		}
	}
}

// TestPin: the digest is compared before a file is taken out of the package.
func TestPin(t *testing.T) {
	pkg := synth.Deb("data.tar", synth.Tar(synth.Entry{Name: kernel, Body: image(1000, 1)}))
	ref := source.Ref{Kind: source.KindDeb, SHA256: strings.Repeat("0", 64)}
	_, err := source.NewPackage(ref, &origin{data: pkg}, limits).Members(context.Background(), kernel)
	pin, ok := errors.AsType[*source.PinError](err)
	if !ok || pin.Pinned != ref.SHA256 || pin.Error() != "sha256: the package has "+pin.Found+", the manifest pins "+ref.SHA256 {
		t.Fatalf("got %v", err)
	}
	image := source.NewRemote(source.Ref{Kind: source.KindURL, SHA256: ref.SHA256}, &origin{data: pkg}, limits.Most)
	if _, err := image.Open(context.Background()); err == nil || err.Error() != "sha256: the file has "+pin.Found+", the manifest pins "+ref.SHA256 {
		t.Errorf("an image that is not in a package: got %v", err)
	}
	ref.SHA256 = pin.Found
	list, err := source.NewPackage(ref, &origin{data: pkg}, limits).Members(context.Background(), kernel)
	if err != nil {
		t.Fatal(err)
	}
	f, err := list[0].Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if sum, inside, err := f.Sum(context.Background()); sum != pin.Found || !inside || err != nil {
		t.Errorf("the digest is %s, %v", sum, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := source.NewPackage(ref, &origin{data: pkg, ordered: true}, limits).Members(context.Background(), kernel); err == nil || !strings.Contains(err.Error(), "download it first") {
		t.Errorf("a stream: got %v", err)
	}
}
