package xz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
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

// FuzzLZMA2: no data causes a panic in the decoder, or a write past its output, and with and without assembly it gives the same.
func FuzzLZMA2(f *testing.F) {
	b := synth.XZ(bytes.Repeat([]byte("some text"), 100), 1000)
	f.Add(b[24:len(b)-40], 900)
	for seed := range uint64(4) {
		r, e := rand.New(rand.NewPCG(seed, 2)), newLZMAEncoder(int(seed), 1, 2)
		b := e.chunk(func(func() bool) {
			for range 800 {
				e.random(r, 50)
			}
		})
		f.Add(b, len(e.contents))
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n &= 0xffff
		got, err := decoded(t, b, n, false)
		want, wantErr := decoded(t, b, n, true)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v, without assembly %d, %v", len(got), err, len(want), wantErr)
		}
	})
}
