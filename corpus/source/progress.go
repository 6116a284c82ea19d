package source

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

type readingKey struct{}

// WithReading returns a context in which sources report how far they read the bytes of packages and of files on servers: report is called with
// the offset up to which bytes were read, and with their number, which is -1 if it is unknown. Several goroutines may call it. The bytes of a package
// are read once, and reported in the context of the image that was the first to open it.
func WithReading(ctx context.Context, report func(at, size int64)) context.Context {
	return context.WithValue(ctx, readingKey{}, report)
}

// reported makes the reads of a blob report how far they are, if the context asks for it.
func (b *Blob) reported(ctx context.Context) {
	report, ok := ctx.Value(readingKey{}).(func(at, size int64))
	if !ok {
		return
	}
	r := &reported{size: b.Size, report: report}
	if b.At != nil {
		b.At = reportedAt{r, b.At}
	} else {
		b.Stream = &reportedStream{reported: r, r: b.Stream}
	}
}

// reportEvery is the number of bytes after which a report is due.
const reportEvery = 256 << 10

// A reported counts the bytes up to which something was read.
type reported struct {
	size   int64
	report func(at, size int64)
	last   atomic.Int64
}

func (r *reported) reached(at int64) {
	if last := r.last.Load(); at >= last+reportEvery && r.last.CompareAndSwap(last, at) {
		r.report(at, r.size)
	}
}

type reportedAt struct {
	*reported
	r io.ReaderAt
}

func (r reportedAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.r.ReadAt(b, off)
	r.reached(off + int64(n))
	return n, err
}

// Fetch implements archive.Fetcher: what is read from far away can be fetched ahead whether or not its reads are reported.
func (r reportedAt) Fetch(ctx context.Context, off, size int64) error {
	if f, ok := r.r.(archive.Fetcher); ok {
		return f.Fetch(ctx, off, size)
	}
	return nil
}

type reportedStream struct {
	*reported
	r  io.Reader
	at int64
}

func (r *reportedStream) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.at += int64(n)
	r.reached(r.at)
	return n, err
}
