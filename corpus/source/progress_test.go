package source

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
)

// TestReading: what is read of a blob is reported in steps, and a context that does not ask for it changes nothing.
func TestReading(t *testing.T) {
	data := make([]byte, 4*reportEvery)
	var got []int64
	ctx := WithReading(context.Background(), func(at, size int64) {
		if size != int64(len(data)) {
			t.Errorf("got size %d", size)
		}
		got = append(got, at)
	})
	check := func(what string, want ...int64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got reports at %d, want %d", what, got, want)
		}
		got = nil
	}
	b := &Blob{At: bytes.NewReader(data), Size: int64(len(data))}
	b.reported(context.Background())
	if _, err := io.Copy(io.Discard, io.NewSectionReader(b.At, 0, b.Size)); err != nil {
		t.Fatal(err)
	}
	check("nobody asks")
	b.reported(ctx)
	buf := make([]byte, reportEvery)
	for _, off := range []int64{0, 10, 2 * reportEvery, 0, 3 * reportEvery} {
		if _, err := b.At.ReadAt(buf, off); err != nil {
			t.Fatal(err)
		}
	}
	check("at any offset", reportEvery, 3*reportEvery, 4*reportEvery)
	b = &Blob{Stream: bytes.NewReader(data), Size: int64(len(data))}
	b.reported(ctx)
	for range 8 {
		if _, err := io.ReadFull(b.Stream, buf[:reportEvery/2]); err != nil {
			t.Fatal(err)
		}
	}
	check("in order", reportEvery, 2*reportEvery, 3*reportEvery, 4*reportEvery)
}
