package source

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// farAway records what is fetched ahead.
type farAway struct {
	io.ReaderAt
	fetched []int64
}

func (f *farAway) Fetch(_ context.Context, off, size int64) error {
	f.fetched = append(f.fetched, off, size)
	return nil
}

// TestReadingAhead: bytes whose reads are reported are still fetched ahead.
func TestReadingAhead(t *testing.T) {
	far := &farAway{ReaderAt: bytes.NewReader(make([]byte, 100))}
	b := &Blob{At: far, Size: 100}
	b.reported(WithReading(context.Background(), func(int64, int64) {}))
	v := archive.NewPlainView(b.At, 0, b.Size)
	v.Want(10, 20)
	if err := v.Ahead(context.Background()); err != nil || !slices.Equal(far.fetched, []int64{10, 20}) {
		t.Errorf("got %d, %v", far.fetched, err)
	}
}

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
