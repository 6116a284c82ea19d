package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Remote is the Source of an image that is not in a package, such as one on a server.
type Remote struct {
	ref    Ref
	origin Origin
	most   int64
}

// NewRemote returns the source of an image of at most the given size in bytes.
func NewRemote(ref Ref, origin Origin, most int64) *Remote { return &Remote{ref, origin, most} }

// Origin returns where the image is.
func (r *Remote) Origin() Origin { return r.origin }

// Size is the number of bytes that are stored, or 0 if it is not known.
func (r *Remote) Size() int64 { return r.origin.Facts().Size }

// String is the path or the URL.
func (r *Remote) String() string { return r.origin.String() }

// Open opens the image. A plain image that can be read at any offset is read in place. Otherwise it is unpacked to a temporary file.
func (r *Remote) Open(ctx context.Context) (*input.File, error) {
	b, err := r.origin.Open(ctx)
	if err != nil {
		return nil, err
	}
	f, err := r.file(ctx, b)
	if err != nil {
		b.Close()
	}
	return f, err
}

func (r *Remote) file(ctx context.Context, b *Blob) (*input.File, error) {
	sum := b.SHA256
	if want := r.ref.SHA256; want != "" {
		if sum == "" && b.At == nil {
			return nil, fmt.Errorf("sha256: %s cannot be compared with a digest before it is read; download it first", r.origin)
		}
		var err error
		if sum == "" {
			if sum, err = sumOf(ctx, b); err != nil {
				return nil, err
			}
		}
		if sum != want {
			return nil, &PinError{sum, want}
		}
	}
	var mu sync.Mutex
	outer := input.Outer{Unchanged: b.Changed, Sum: func(ctx context.Context) (_ string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if sum == "" && b.At != nil {
			sum, err = sumOf(ctx, b)
		}
		return sum, err
	}}
	in := b.Stream
	if b.At != nil {
		var head [4]byte
		if n, _ := b.At.ReadAt(head[:], 0); input.IsELF(head[:n]) {
			if err := archive.Allowed(b.Size, r.most); err != nil {
				return nil, err
			}
			return input.Inside(outer, "", b.At, b.Size, b.Close), nil
		}
		in = io.NewSectionReader(b.At, 0, b.Size)
	}
	z, err := input.Decompress(contextReader{ctx, in}, input.ELF)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	s, err := input.NewScratch()
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(s, io.LimitReader(z, r.most+1))
	if err = cmp.Or(err, archive.Allowed(n, r.most)); err != nil {
		s.Close()
		return nil, err
	}
	return input.Inside(outer, z.Packed, s, n, func() error { return cmp.Or(s.Close(), b.Close()) }), nil
}

// A contextReader is a reader that fails once its context has ended.
type contextReader struct {
	ctx context.Context //nolint:containedctx // of the call that reads
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
