package lock

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	sumA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	sumB = "1111111111111111111111111111111111111111111111111111111111111111" // YAML takes it for a number unless it is quoted
)

// sample returns a lock with every field.
func sample() *File {
	return &File{Version: Version, Manifest: sumA,
		Sources: []Source{
			{From: "apt=bookworm/s390x/linux-image-s390x-dbg", Package: "linux-image-6.1.0-18-s390x-dbg", Version: "6.1.76-1", Size: 413, SHA256: sumB},
			{From: "url=https://example.org/vmlinux.zst", Size: 5, SHA256: sumA},
		},
		Images: []Image{
			{Name: "6.1", Path: "../kernels/vmlinux", Size: 7, SHA256: sumB, BuildID: "0123", Release: "6.1", Arch: "x86_64"},
			{Name: "kernel", From: "apt=bookworm/s390x/linux-image-s390x-dbg", Member: "usr/lib/debug/boot/vmlinux-6.1.0-18-s390x", BuildID: "ab",
				Release: "6.1.0-18-s390x", Arch: "s390x"},
			{Name: "no", Path: "no.ko", Glob: "*.ko", List: "lists/*.jsonl", Size: 1, SHA256: sumA, Arch: "arm", BasePath: "base.btf", BaseSHA256: sumA},
			{Name: "tun", From: "apt=bookworm/s390x/linux-image-s390x-dbg", Glob: "**/*.ko", Member: "usr/lib/debug/lib/modules/6.1.0-18-s390x/tun.ko",
				Release: "6.1.0-18-s390x", Arch: "s390x", Base: "kernel"},
			{Name: "zst", From: "url=https://example.org/vmlinux.zst"},
		}}
}

func text(t testing.TB, f *File) []byte {
	t.Helper()
	data, err := f.Text()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestText: the form of a lock is stable, and reading it gives the same lock, whatever order the images are in.
func TestText(t *testing.T) {
	const golden = "testdata/sample.lock"
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, sample()); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant the contents of %s", got, golden)
	}
	f, read, err := Read(filepath.FromSlash(golden))
	if err != nil || !reflect.DeepEqual(f, sample()) || !bytes.Equal(read, want) {
		t.Errorf("got %+v, %v", f, err)
	}
	mixed := sample()
	mixed.Images[0], mixed.Images[4] = mixed.Images[4], mixed.Images[0]
	mixed.Sources[0], mixed.Sources[1] = mixed.Sources[1], mixed.Sources[0]
	if f, err := Parse("x", text(t, mixed)); err != nil || !reflect.DeepEqual(f, sample()) {
		t.Errorf("in another order: got %+v, %v", f, err)
	}
	if s := sample(); s.Image("tun").Base != "kernel" || s.Image("tu") != nil || s.Source(s.Image("zst").From).Size != 5 || s.Source("") != nil {
		t.Error("an image or a source is not found")
	}
}

// TestParse: what is wrong with a text is an error with its line.
func TestParse(t *testing.T) {
	good := string(text(t, sample()))
	for _, test := range []struct{ old, new, err string }{
		{good, "", "l: it is not a lock; restore the lock, or remove it and run btfbatch lock"},
		{good, "- a\n", "l: it is not a lock"},
		{"version: 1", "version: 2", `l:2: unknown version "2" of locks; this program supports version 1`},
		{"version: 1\n", "", "l:2: the key version is missing"},
		{"manifest: " + sumA + "\n", "", "l:2: the key manifest is missing"},
		{"manifest: " + sumA, "manifest: abc", "l:3: abc is not a SHA-256"},
		{"manifest: " + sumA, "manifest: " + strings.ToUpper(sumA), "l:3: \"AAAA"},
		{"  - name: tun", "<<<<<<< ours\n  - name: tun", "l: line 3"},
		{"release: 6.1.0-18-s390x", "relase: 6.1.0-18-s390x", `unknown key "relase" in an image`},
		{"arch: arm\n", "arch: arm\n    arch: arm\n", "the key arch is there twice"},
		{"name: tun", "name: kernel", `the image "kernel" is there twice`},
		{"name: tun", `name: "tun\x1b[0m"`, "has characters that cannot be printed"},
		{"name: tun", "name:", "a text is missing"},
		{"name: tun", "name: " + strings.Repeat("x", 9000), "the text is longer than 8192 bytes"},
		{"base: kernel", "base: kernels", `the base "kernels" of the image "tun" is not among the images`},
		{"path: no.ko", "path: /lib/no.ko", "the path /lib/no.ko is absolute"},
		{"path: no.ko", "path: no.ko\n    from: url=https://example.org/vmlinux.zst", `the image "no" must have either path or from`},
		{"path: no.ko", "path: no.ko\n    member: x", `the image "no" has path and member`},
		{"size: 7", "size: 07", `the size "07" is not a positive number of bytes`},
		{"    size: 7\n", "", `the image "6.1" has no size or no sha256`},
		{"size: 413", "size: 0", `the size "0" is not a positive number of bytes`},
		{"size: 413\n", "#\n", "has no size or no sha256"},
		{"  - name: zst\n    from: url=https://example.org/vmlinux.zst\n", "", "no image is from the source url=https://example.org/vmlinux.zst"},
		{"name: zst\n    from: url=https://example.org/vmlinux.zst", "name: zst\n    from: url=https://example.org/x", "is from url=https://example.org/x, which is not among the sources"},
		{"from: apt=bookworm/s390x/linux-image-s390x-dbg\n    package", "from: url=https://example.org/vmlinux.zst\n    package", "is there twice"},
		{"base_path: base.btf", "base: kernel", `the image "no" must have base, or base_path and base_sha256`},
		{"images:", "images: []\nimage:", ""},
		{head, head + "---\n", ""},
		{good, good + "---\na: b\n", "a second YAML document"},
	} {
		changed := strings.Replace(good, test.old, test.new, 1)
		if changed == good {
			t.Errorf("%q is not in the text", test.old)
		}
		_, err := Parse("l", []byte(changed))
		if test.new == head+"---\n" {
			if err != nil {
				t.Errorf("a document marker: %v", err)
			}
			continue
		}
		format, ok := errors.AsType[*FormatError](err)
		if !ok || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%.40q as %.40q: got %v, want %s", test.old, test.new, err, test.err)
		} else if format.Line > strings.Count(changed, "\n") {
			t.Errorf("%q: line %d", test.old, format.Line)
		}
	}
}

// TestCompare: every field that differs is listed, once for each image of a source.
func TestCompare(t *testing.T) {
	if d := Compare(sample(), sample()); !d.None() {
		t.Errorf("equal locks: got %+v", d)
	}
	now := sample()
	now.Sources[0].Version, now.Sources[0].SHA256 = "6.1.90-1", sumA
	now.Images[3].Release = "6.1.0-20-s390x"
	now.Images[4].Name = "zstd"
	d := Compare(sample(), now)
	got := fmt.Sprint(d)
	want := fmt.Sprintf("{[zstd] [zst] [{kernel [{version 6.1.76-1 6.1.90-1} {sha256 %[1]s %[2]s}]} {tun [{version 6.1.76-1 6.1.90-1} "+
		"{release 6.1.0-18-s390x 6.1.0-20-s390x} {sha256 %[1]s %[2]s}]}]}", sumB, sumA)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Every field of an image counts.
	for i := range reflect.TypeFor[Image]().NumField() {
		now := sample()
		v := reflect.ValueOf(&now.Images[4]).Elem().Field(i)
		switch name := reflect.TypeFor[Image]().Field(i).Name; {
		case name == "Name":
			continue
		case v.Kind() == reflect.String:
			v.SetString("other")
		default:
			v.SetInt(99)
		}
		if i := reflect.TypeFor[Image]().Field(i).Name; i == "Size" || i == "SHA256" { // those of the source count
			now.Images[4].From, now.Images[4].Path = "", "p"
		}
		if d := Compare(sample(), now); d.None() {
			t.Errorf("field %d of an image is not compared", i)
		}
	}
}

// TestLost: a list that loses an element is recognised, and changes of the manifest and of versions are not taken for a loss.
func TestLost(t *testing.T) {
	module := func(name, release string) Image {
		return Image{Name: name, From: "apt=s/a/p", Glob: "**/*.ko", Member: "lib/modules/" + release + "/" + name + ".ko", Release: release}
	}
	file := func(name string) Image {
		return Image{Name: name, Path: "k/" + name + "/vmlinux", Glob: "k/*/vmlinux", Release: name}
	}
	in := func(im Image) Image { im.List = "l.jsonl"; return im }
	row := func(name string) Image { return in(Image{Name: name, Path: name}) }
	other := func(im Image, name string) Image { im.Name = name; return im }
	sum := func(im Image, sum string) Image { im.SHA256 = sum; return im }
	glob := func(im Image, glob string) Image { im.Glob = glob; return im }
	for _, test := range []struct {
		name     string
		old, now []Image
		want     string
	}{
		{"equal", []Image{module("tun", "6.1"), file("6.1")}, []Image{module("tun", "6.1"), file("6.1")}, "[]"},
		{"a module", []Image{module("nfs", "6.1"), module("tun", "6.1")}, []Image{module("tun", "6.1")}, "[nfs]"},
		{"another version", []Image{module("nfs", "6.1"), module("tun", "6.1")}, []Image{module("nfs", "6.2"), module("tun", "6.2")}, "[]"},
		{"another version without a module", []Image{module("nfs", "6.1"), module("tun", "6.1")}, []Image{module("tun", "6.2"), module("xfs", "6.2")}, "[nfs]"},
		{"one came, one went", []Image{file("6.1"), file("6.12")}, []Image{file("6.12"), file("6.18")}, "[6.1]"},
		{"the manifest has no such list", []Image{file("6.1"), module("tun", "6.1")}, []Image{module("tun", "6.1")}, "[]"},
		{"the manifest has another pattern", []Image{module("tun", "6.1")}, []Image{glob(module("nfs", "6.1"), "**/n*.ko")}, "[]"},
		{"one of two names of the same files", []Image{module("tun", "6.1"), other(module("tun", "6.1"), "tun-pahole")}, []Image{module("tun", "6.1")}, "[]"},
		{"both names of a file", []Image{module("nfs", "6.1"), module("tun", "6.1"), other(module("tun", "6.1"), "tun-pahole")}, []Image{module("nfs", "6.1")}, "[tun tun-pahole]"},
		{"a row of images_from", []Image{row("a"), row("b")}, []Image{row("b")}, "[a]"},
		{"another name of a row", []Image{row("a"), row("b")}, []Image{other(row("a"), "c"), row("b")}, "[]"},
		{"one of two rows of a file", []Image{row("a"), other(row("a"), "b")}, []Image{row("a")}, "[b]"},
		{"another path of a row", []Image{row("a"), row("b")}, []Image{other(row("a2"), "a"), row("b")}, "[]"},
		{"another path of one row, and a row less", []Image{row("a"), row("b")}, []Image{other(row("a2"), "a")}, "[b]"},
		{"one of two rows of a file has another path", []Image{row("a"), other(row("a"), "b")}, []Image{row("a"), other(row("b"), "b")}, "[]"},
		{"one row for another, of files of one name in two folders", []Image{sum(row("vmlinux"), "a"), sum(other(row("vmlinux"), "b"), "b")},
			[]Image{sum(row("vmlinux"), "a"), sum(other(row("vmlinux"), "c"), "c")}, "[b]"},
		{"images_from is gone", []Image{row("a"), row("b")}, []Image{{Name: "b", Path: "b"}}, "[]"},
		{"another version of the package of a row", []Image{in(module("tun", "6.1")), row("b")}, []Image{in(module("tun", "6.2")), row("b")}, "[]"},
		{"a package of a row", []Image{in(module("tun", "6.1")), row("b")}, []Image{row("b")}, "[tun]"},
		{"a module of the package of a row", []Image{in(module("nfs", "6.1")), in(module("tun", "6.1"))}, []Image{in(module("tun", "6.1"))}, "[nfs]"},
		{"a file that is no list", []Image{{Name: "k", Path: "k"}, file("6.1")}, []Image{file("6.1")}, "[]"},
	} {
		if got := fmt.Sprint(Lost(&File{Images: test.old}, &File{Images: test.now})); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// FuzzParse: a text is an error with a line, or a lock whose text is stable.
func FuzzParse(f *testing.F) {
	good := string(text(f, sample()))
	f.Add([]byte(good))
	for _, s := range []string{"", "version: 1", "a: &a [*a]", strings.Replace(good, "kernel", "&x kernel", 1), strings.Replace(good, "path: no.ko", "path: !!binary bm8ua28=", 1),
		strings.ReplaceAll(good, "\n", "\r\n"), "\xff\xfe\x00", "version: 1\nmanifest: " + sumB + "\nimages: [{name: 0x1, path: ~, size: 1, sha256: " + sumA + "}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse("l", data)
		if err != nil {
			if format, ok := errors.AsType[*FormatError](err); !ok || format.Problem == "" || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("not one line with a problem: %q", err)
			}
			return
		}
		first := text(t, l)
		again, err := Parse("l", first)
		if err != nil || !reflect.DeepEqual(again, l) {
			t.Fatalf("%v\n%s\n%+v\n%+v", err, first, l, again)
		}
		if second := text(t, again); !bytes.Equal(first, second) {
			t.Fatalf("the text is not stable:\n%s\n%s", first, second)
		}
		if d := Compare(l, again); !d.None() || len(Lost(l, again)) > 0 {
			t.Fatalf("it differs from itself: %+v", d)
		}
	})
}

// TestFrom: the name of each image is asked for once, however many sources there are.
func TestFrom(t *testing.T) {
	asked := 0
	got := sample().From(func(name string) bool { asked++; return name == "zst" || name == "no" })
	if want := map[string]bool{"url=https://example.org/vmlinux.zst": true}; !reflect.DeepEqual(got, want) || asked > len(sample().Images) {
		t.Errorf("got %v after %d names, want %v", got, asked, want)
	}
	if got := (*File)(nil).From(func(string) bool { return true }); len(got) > 0 {
		t.Errorf("no lock: got %v", got)
	}
}
