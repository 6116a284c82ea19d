package xz

import (
	"bytes"
	"context"
	"io"
	"testing"

	ulikunitz "github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// FuzzXZ: both ways to decode a stream, and a library, agree about the contents of valid ones.
func FuzzXZ(f *testing.F) {
	f.Add(synth.XZ([]byte("some text, some text, some more text"), 10))
	f.Add(synth.XZ(bytes.Repeat([]byte("text"), 1000), 1500))
	var b bytes.Buffer
	w, err := ulikunitz.NewWriter(&b)
	if err != nil {
		f.Fatal(err)
	}
	_, _ = w.Write([]byte("text without sizes")) // to memory
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewSerial(context.Background(), bytes.NewReader(b), 0)
		defer s.Close()
		serial, serialErr := io.ReadAll(io.LimitReader(s, 1<<20))
		if len(serial) == 1<<20 {
			return
		}
		list, err := Find(bytes.NewReader(b), 0, int64(len(b)))
		if err == nil && list.size < 1<<20 {
			d := NewDecoder(list)
			r := d.NewReader(context.Background())
			got, err := io.ReadAll(r)
			d.Close()
			if err == nil && (serialErr != nil || !bytes.Equal(got, serial)) {
				t.Errorf("got %d bytes, in order %d, %v", len(got), len(serial), serialErr)
			}
		}
		if serialErr != nil {
			return
		}
		z, err := ulikunitz.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Skip(err) // the library does not know the type of check
		}
		want, err := io.ReadAll(z)
		if err == nil && !bytes.Equal(serial, want) {
			t.Errorf("got %d bytes, want %d others", len(serial), len(want))
		}
	})
}

// FuzzLZMA2: no data causes a panic in the decoder.
func FuzzLZMA2(f *testing.F) {
	b := synth.XZ(bytes.Repeat([]byte("some text"), 100), 1000)
	f.Add(b[24:len(b)-40], 900)
	f.Fuzz(func(_ *testing.T, b []byte, n int) {
		var d lzma2
		d.begin()
		out := make([]byte, n&0xffff)
		for len(b) > 0 {
			n, err := d.step(out, b)
			if n == 0 || err != nil {
				break
			}
			b = b[n:]
		}
	})
}
