package apt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// a1 is the package of a kernel.
var a1 = synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./usr/lib/debug/boot/vmlinux-1", Body: bytes.Repeat([]byte("\x7fELF"), 1000)}))

// makeArchive makes an archive without signatures in a folder.
func makeArchive(t *testing.T, dir string) {
	t.Helper()
	index := fmt.Sprintf(`Package: linux-image-s390x-dbg
Architecture: s390x
Version: 1
Depends: linux-image-1-s390x-dbg (= 1-1)
Filename: pool/meta.deb
Size: 100
SHA256: %064d

Package: linux-image-1-s390x-dbg
Architecture: s390x
Version: 1-1
Filename: pool/linux-image-1-s390x-dbg_1-1_s390x.deb
Size: %d
SHA256: %s

Package: linux-image-broken-dbg
Architecture: s390x
Version: 2
Filename: pool/linux-image-1-s390x-dbg_1-1_s390x.deb
Size: %[2]d
SHA256: %064[1]d

Package: circle
Architecture: s390x
Version: 2
Depends: linux-image-circle-dbg
Filename: pool/meta.deb
Size: 100
SHA256: %064[1]d

Package: linux-image-circle-dbg
Architecture: s390x
Version: 2
Depends: linux-image-circle-dbg
Filename: pool/meta.deb
Size: 100
SHA256: %064[1]d

Package: linux-image-s390x
Architecture: s390x
Version: 1
Depends: linux-base-s390x (= 1-1), linux-image-1-s390x (= 1-1)
Filename: pool/meta.deb
Size: 100
SHA256: %064[1]d

Package: linux-image-1-s390x
Architecture: s390x
Version: 1-1
Depends: linux-modules-1-s390x (= 1-1), linux-binary-1-s390x (= 1-1), linux-base
Recommends: linux-image-1-s390x-dbg
Filename: pool/meta.deb
Size: 100
SHA256: %064[1]d

Package: linux-binary-1-s390x
Architecture: s390x
Version: 1-1
Filename: pool/linux-image-1-s390x-dbg_1-1_s390x.deb
Size: %[2]d
SHA256: %[3]s

Package: outside
Architecture: s390x
Version: 2
Filename: ../../outside.deb
Size: 100
SHA256: %064[1]d
`, 7, len(a1), sumOf(a1))
	release := fmt.Sprintf("Origin: Test\nSuite: test\nCodename: test\nArchitectures: s390x\nComponents: main\nDate: Mon, 02 Nov 2026 00:00:00 UTC\nSHA256:\n %s %d main/binary-s390x/Packages\n",
		sumOf([]byte(index)), len(index))
	for name, text := range map[string]string{"dists/test/Release": release, "dists/test/main/binary-s390x/Packages": index,
		"pool/linux-image-1-s390x-dbg_1-1_s390x.deb": string(a1)} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFind: apt-get reads the index, and what it says of a package is what is fetched, or the error.
func TestFind(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	server := httptest.NewServer(nethttp.FileServer(nethttp.Dir(dir)))
	defer server.Close()
	t.Setenv("http_proxy", "")
	for _, mirror := range []string{server.URL, "file:" + dir} {
		f := &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir(), read: true,
			entries: []entry{{mirror, "test", "main", []field{{"Trusted", " yes"}}}}}
		for _, test := range []struct{ name, pin, err string }{
			{"linux-image-s390x-dbg", "", ""},
			{"linux-image-1-s390x-dbg", "", ""},
			{"linux-image-1-s390x-dbg=1-1", "", ""},
			{"linux-image-s390x-dbg", sumOf(a1), ""},
			{"linux-image-s390x-dbg", sumOf(nil), "sha256: linux-image-1-s390x-dbg 1-1 has " + sumOf(a1) + " in the archive, the manifest pins " + sumOf(nil)},
			{"linux-image-s390x-dbgs", "", mirror + " test has no package linux-image-s390x-dbgs for s390x; it has linux-image-s390x-dbg, linux-image-broken-dbg, linux-image-circle-dbg, linux-image-1-s390x-dbg"},
			{"linux-image-1-s390x-dbg=2", "", "apt-cache: Version '2' for 'linux-image-1-s390x-dbg' was not found"},
			{"circle", "", "the packages that circle depends on lead to no kernel"},
			{"outside", "", "the index does not say where the package is"},
		} {
			o, err := f.Find(context.Background(), source.Ref{Kind: source.KindApt, SHA256: test.pin,
				Apt: source.AptRef{Suite: "test", Arch: "s390x", Package: test.name}})
			if test.err != "" {
				want := "apt=test/s390x/" + test.name + ": " + test.err
				if err == nil || err.Error() != want && !strings.Contains(test.name, "=2") {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			facts := o.Facts()
			if facts.Package != "linux-image-1-s390x-dbg" || facts.Version != "1-1" || facts.Size != int64(len(a1)) || facts.SHA256 != sumOf(a1) ||
				facts.Network != strings.HasPrefix(mirror, "http:") {
				t.Errorf("%s: got %+v", test.name, facts)
			}
			b, err := o.Open(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(io.NewSectionReader(b.At, 0, b.Size)); !bytes.Equal(got, a1) || err != nil {
				t.Errorf("%s: got %d bytes, %v", test.name, len(got), err)
			}
			b.Close()
		}
		o, err := f.Find(context.Background(), source.Ref{Kind: source.KindApt, Apt: source.AptRef{Suite: "test", Arch: "s390x", Package: "linux-image-broken-dbg"}})
		if err != nil {
			t.Fatal(err)
		}
		if mirror == server.URL { // the bytes that the server sends are not those of the index
			want := fmt.Sprintf("%s/pool/linux-image-1-s390x-dbg_1-1_s390x.deb: sha256: the file has %s, but %064d is expected", mirror, sumOf(a1), 7)
			if _, err := o.Open(context.Background()); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		}
	}
}

// TestArchitectures: of an architecture that an archive does not have, and of a package that a server does not have, the error says so.
func TestArchitectures(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	server := httptest.NewServer(nethttp.FileServer(nethttp.Dir(dir)))
	defer server.Close()
	t.Setenv("http_proxy", "")
	f := &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir(), read: true, entries: []entry{{server.URL, "test", "main", []field{{"Trusted", " yes"}}}}}
	ref := source.Ref{Kind: source.KindApt, Apt: source.AptRef{Suite: "test", Arch: "ppc64le", Package: "linux-image-s390x-dbg"}}
	want := "apt=test/ppc64le/linux-image-s390x-dbg: " + server.URL + " test has no packages for the architecture ppc64el; it has s390x"
	if _, err := f.Find(context.Background(), ref); err == nil || err.Error() != want || !errors.Is(err, source.ErrFetch) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	ref.Apt.Arch = "s390x"
	o, err := f.Find(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pool", "linux-image-1-s390x-dbg_1-1_s390x.deb")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	want = "404 Not Found: the server does not have the file, although its index of test for s390x lists it: the server does not mirror the packages"
	if _, err := o.Open(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestBoot: where the kernel as it boots is good enough, a package without contents stands for the one that has it, but not one of debug information.
func TestBoot(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	f := &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir(), read: true, entries: []entry{{"file:" + dir, "test", "main", []field{{"Trusted", " yes"}}}}}
	for _, test := range []struct {
		name string
		boot bool
		want string
	}{
		{"linux-image-s390x", true, "linux-binary-1-s390x"}, {"linux-image-s390x", false, "linux-image-s390x"}, {"linux-image-1-s390x", true, "linux-binary-1-s390x"},
		{"linux-image-s390x-dbg", true, "linux-image-1-s390x-dbg"}, {"linux-image-s390x-dbg", false, "linux-image-1-s390x-dbg"},
	} {
		o, err := f.Find(context.Background(), source.Ref{Kind: source.KindApt, Boot: test.boot, Apt: source.AptRef{Suite: "test", Arch: "s390x", Package: test.name}})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := o.Facts().Package; got != test.want {
			t.Errorf("%s, boot %v: got %s, want %s", test.name, test.boot, got, test.want)
		}
	}
}

// TestUntrusted: an archive without a valid signature is refused, and so is one whose index is not the one that its Release names.
func TestUntrusted(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	ref := source.Ref{Kind: source.KindApt, Apt: source.AptRef{Suite: "test", Arch: "s390x", Package: "linux-image-s390x-dbg", Mirror: "file:" + dir}}
	f := &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir()}
	_, err := f.Find(context.Background(), ref)
	if err == nil || !strings.Contains(err.Error(), "is not signed") {
		t.Errorf("got %v", err)
	}

	index := filepath.Join(dir, "dists/test/main/binary-s390x/Packages")
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, bytes.Replace(text, []byte("Version: 1-1"), []byte("Version: 1-2"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	f = &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir(), read: true, entries: []entry{{"file:" + dir, "test", "main", []field{{"Trusted", " yes"}}}}}
	ref.Apt.Mirror = ""
	if _, err := f.Find(context.Background(), ref); err == nil || !strings.Contains(err.Error(), "Hash Sum mismatch") && !strings.Contains(err.Error(), "unexpected size") {
		t.Errorf("got %v", err)
	}
}

// TestOtherSystem: a suite that the system's archive lacks, as Ubuntu's lacks those of Debian, is looked for in Debian's archive. A mirror
// that is named is the only one that is asked, and errors say what to do.
func TestOtherSystem(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	const ubuntu = "file:/nowhere/ubuntu"
	signed := entry{"file:" + dir, "test", "main", []field{{"Trusted", " yes"}}}
	unsigned := entry{uri: "file:" + dir, suite: "test", components: "main"}
	for _, test := range []struct {
		name, suite, mirror string
		debian              entry
		asked, err          string // the archives in their order, and the end of the error
	}{
		{"found", "test", "", signed, ubuntu + " file:" + dir, ""},
		{"in neither", "tset", "", entry{uri: "file:" + dir, suite: "tset", components: "main"}, ubuntu + " file:" + dir,
			"The repository '" + ubuntu + " tset Release' does not have a Release file; if another archive has the suite, name it with mirror in a manifest, such as http://deb.debian.org/debian"},
		{"a mirror without the suite", "test", "file:/nowhere/else", signed, "file:/nowhere/else",
			"does not have a Release file; if another archive has the suite, name it with mirror in a manifest, such as http://deb.debian.org/debian"},
		{"without its keys", "test", "", unsigned, ubuntu + " file:" + dir,
			"is not signed; no installed key fits: install the keys of the archive, which for Debian are in the package debian-archive-keyring"},
		{"the same archive", "test", "", entry{uri: ubuntu, suite: "test", components: "main"}, ubuntu,
			"does not have a Release file; if another archive has the suite, name it with mirror in a manifest, such as http://deb.debian.org/debian"},
	} {
		var asked []string
		f := &Finder{Client: &http.Client{Dir: t.TempDir()}, Dir: t.TempDir(), read: true, entries: []entry{{uri: ubuntu, suite: "noble", components: "main universe"}},
			debian: func(string) entry { return test.debian },
			Notice: func(text string) {
				uri, _, _ := strings.Cut(strings.TrimPrefix(text, "reading the index of "), ",")
				asked = append(asked, uri)
			}}
		_, err := f.Find(context.Background(), source.Ref{Kind: source.KindApt,
			Apt: source.AptRef{Suite: test.suite, Arch: "s390x", Package: "linux-image-s390x-dbg", Mirror: test.mirror}})
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.HasSuffix(err.Error(), test.err)) {
			t.Errorf("%s: got %v, want the end %q", test.name, err, test.err)
		}
		if got := strings.Join(asked, " "); got != test.asked {
			t.Errorf("%s: asked %s, want %s", test.name, got, test.asked)
		}
	}
	for suite, want := range map[string]string{"trixie": debianArchive, "trixie-security": debianArchive + "-security", "trixie-debug": debianArchive + "-debug", "trixie-backports": debianArchive} {
		if got := debianEntry(suite); got.uri != want || got.suite != suite || got.components != "main" {
			t.Errorf("%s: got %+v, want %s", suite, got, want)
		}
	}
}

func TestNoApt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := new(Finder).Find(context.Background(), source.Ref{Kind: source.KindApt, Apt: source.AptRef{Suite: "sid", Arch: "amd64", Package: "p1"}})
	want := "apt=sid/amd64/p1: apt-get is not installed: on systems without apt, name the URL of the package with deb"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestCheck(t *testing.T) {
	good := source.AptRef{Suite: "bookworm", Arch: "amd64", Package: "linux-image-6.1.0-1-dbg"}
	if err := Check(good); err != nil {
		t.Error(err)
	}
	for _, bad := range []source.AptRef{{}, {Suite: "-o", Arch: "amd64", Package: "ab"}, {Suite: "a b", Arch: "amd64", Package: "ab"},
		{Suite: "a\nb", Arch: "amd64", Package: "ab"}, {Suite: "sid", Arch: "amd64\"", Package: "ab"}, {Suite: "sid", Arch: "amd64", Package: "--help"},
		{Suite: "sid", Arch: "amd64", Package: "a b"}, {Suite: "sid", Arch: "amd64", Package: "ab", Mirror: "http://x y"}} {
		if err := Check(bad); err == nil {
			t.Errorf("%+v: got no error", bad)
		}
	}
}

// TestEntries: both formats of the lists of archives, and which entry is used for a suite.
func TestEntries(t *testing.T) {
	lines := parseLines([]byte(`# deb http://off.example.org/debian sid main
deb-src http://src.example.org/debian sid main
deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://one.example.org/debian bookworm main contrib # text
deb http://one.example.org/debian-security bookworm-security main
deb http://flat.example.org ./
`))
	stanzas := parseStanzas([]byte(`Types: deb deb-src
URIs: http://two.example.org/ubuntu/
Suites: noble noble-updates
Components: main universe
# a comment
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Enabled: no
Types: deb
URIs: http://off.example.org
Suites: x

Types: deb-src
URIs: http://src.example.org
Suites: x
`))
	all := append(lines, stanzas...)
	if len(lines) != 3 || len(stanzas) != 2 {
		t.Fatalf("got %+v", all)
	}
	signed := "Signed-By: /a.gpg /b.gpg"
	for _, test := range []struct {
		list          []entry
		suite, mirror string
		want          string // URI, suite, components, a line of the list for apt; or the error
	}{
		{all, "bookworm", "", "http://one.example.org/debian bookworm main contrib " + signed},
		{all, "bookworm-security", "", "http://one.example.org/debian-security bookworm-security main "},
		{all, "trixie", "", "http://one.example.org/debian trixie main contrib " + signed},
		{all, "trixie-security", "", "http://one.example.org/debian-security trixie-security main contrib " + signed},
		{all, "trixie-debug", "", "http://one.example.org/debian-debug trixie-debug main contrib " + signed},
		{stanzas, "noble-updates", "", "http://two.example.org/ubuntu/ noble-updates main universe Signed-By:\n -----BEGIN"},
		{all, "sid", "http://one.example.org/debian/", "http://one.example.org/debian/ sid main contrib " + signed},
		{nil, "sid", "", "the configuration of apt has no archive for the suite sid: name a mirror, such as http://deb.debian.org/debian"},
		{lines[2:], "sid", "", "the configuration of apt has no archive for the suite sid: name a mirror, such as http://deb.debian.org/debian"},
	} {
		e, err := choose(test.list, test.suite, test.mirror)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			text := (&archive{entry: e, arch: "amd64"}).sources()
			got = strings.Join([]string{e.uri, e.suite, e.components, ""}, " ")
			if i := strings.Index(text, "Signed-By"); i >= 0 {
				got += text[i:]
			}
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s %s: got %q, want %q", test.suite, test.mirror, got, test.want)
		}
	}
}
