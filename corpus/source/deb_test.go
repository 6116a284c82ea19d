package source_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestDeb: the contents are those of the member, what is hashed is the package, and nothing is left behind.
func TestDeb(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", scratch)
	path := filepath.Join(dir, "linux-image-dbg.deb")
	kernel := append([]byte("\x7fELF"+strings.Repeat("\x00", 100)), bytes.Repeat([]byte("kernel"), 100)...)
	pkg := synth.Deb("data.tar.xz", synth.XZ(synth.Tar(
		synth.Entry{Name: "./usr/share/doc/README", Body: []byte("text")},
		synth.Entry{Name: "./usr/lib/debug/lib/modules/1/kernel/a.ko", Body: []byte("\x7fELF a")},
		synth.Entry{Name: "./usr/lib/debug/lib/modules/1/vmlinux", Link: "../../../boot/vmlinux-1"},
		synth.Entry{Name: "./usr/lib/debug/boot/vmlinux-1", Body: kernel},
	), 1000))
	if err := os.WriteFile(path, pkg, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ member, want, err string }{
		{"", string(kernel), ""},
		{"usr/lib/debug/lib/modules/*/vmlinux", string(kernel), ""},
		{"**/a.ko", "\x7fELF a", ""},
		{"**/*.{ko,none}", "\x7fELF a", ""},
		{"**/b.ko", "", "none of the 4 files in the package matches **/b.ko"},
		{"usr/share/doc/*", "", "./usr/share/doc/README: offset 0x200 of the unpacked data.tar: not an ELF file but text"},
		{"[", "", "[ is not a valid pattern"},
	} {
		s := source.Deb{Package: path, Member: test.member, Most: 1 << 20}
		if s.Size() != int64(len(pkg)) || s.String() != path {
			t.Errorf("got %d bytes of %s", s.Size(), s)
		}
		f, err := s.Open(context.Background())
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got %v, want %q", test.member, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", test.member, err)
		}
		got, err := f.Bytes()
		raw, size := f.Raw()
		stored, rawErr := io.ReadAll(io.NewSectionReader(raw, 0, size))
		if string(got) != test.want || err != nil || !bytes.Equal(stored, pkg) || rawErr != nil {
			t.Errorf("%s: got %q, %v, of a package of %d bytes, %v", test.member, got, err, len(stored), rawErr)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(scratch); len(left) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDebWithoutKernel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello.deb")
	if err := os.WriteFile(path, synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./usr/bin/hello", Body: []byte("\x7fELF")})), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := source.Deb{Package: path, Most: 1 << 20}.Open(context.Background())
	if err == nil || !strings.Contains(err.Error(), "give a debug package") {
		t.Errorf("got %v, want what to do", err)
	}
}
