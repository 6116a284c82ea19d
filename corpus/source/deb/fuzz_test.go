package deb

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

func FuzzAr(f *testing.F) {
	f.Add(synth.Deb("data.tar", []byte("data")))
	f.Fuzz(func(t *testing.T, b []byte) {
		parts, err := readParts(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, p := range parts {
			if p.off < 0 || p.size < 0 || p.off+p.size > int64(len(b)) {
				t.Errorf("%q has %d bytes at %d of %d", p.name, p.size, p.off, len(b))
			}
		}
	})
}

// FuzzTar: no archive causes a panic, and every extracted file is a file of the package.
func FuzzTar(f *testing.F) {
	f.Add(synth.Tar(synth.Entry{Name: "b", Link: "a"}, synth.Entry{Name: "a", Body: []byte("\x7fELF")}))
	f.Add(synth.Tar(synth.Entry{Name: "a", Link: "b"}, synth.Entry{Name: "b", Link: "a"}))
	dst, err := os.Create(filepath.Join(f.TempDir(), "member"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { dst.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := dst.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		pkg := synth.Deb("data.tar", b)
		p, err := Open(bytes.NewReader(pkg), int64(len(pkg)))
		if err != nil {
			t.Fatal(err)
		}
		q := Query{Match: func(name string) bool { return len(name) == 1 }, Most: 1 << 20}
		if name, err := p.Extract(context.Background(), q, dst); err == nil && name == "" {
			t.Error("got a file without a name")
		}
	})
}

// FuzzXZ: if a stream can be decoded by blocks, its contents are the same as those that a library decodes.
func FuzzXZ(f *testing.F) {
	f.Add(synth.XZ([]byte("some text, some text, some more text"), 10))
	f.Add(synth.XZ(bytes.Repeat([]byte("text"), 1000), 1500))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readBlocks(bytes.NewReader(b), 0, int64(len(b)))
		if err != nil || list.size > 1<<20 {
			return
		}
		r := newBlockReader(context.Background(), bytes.NewReader(b), list)
		defer r.wait()
		got, err := io.ReadAll(r)
		if err != nil {
			return
		}
		z, err := xz.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Skip(err) // the library does not know the type of check
		}
		want, err := io.ReadAll(z)
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, want %d others", len(got), len(want))
		}
	})
}

// FuzzLZMA2: no data causes a panic in the decoder.
func FuzzLZMA2(f *testing.F) {
	b := synth.XZ(bytes.Repeat([]byte("some text"), 100), 1000)
	f.Add(b[24:len(b)-40], 900)
	f.Fuzz(func(_ *testing.T, b []byte, n int) {
		var d lzma2
		_ = d.decode(make([]byte, n&0xffff), b)
	})
}
