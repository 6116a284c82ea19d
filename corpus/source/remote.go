package source

import (
	"cmp"
	"context"
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
	sum, err := b.pinned(ctx, r.ref, r.origin, "")
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	outer := input.Outer{Unchanged: b.Changed, Sum: func(ctx context.Context) (_ string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if sum == "" && b.At != nil {
			sum, err = Sum(ctx, b.At, b.Size)
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
	s, packed, err := unpack(ctx, in, r.most)
	if err != nil {
		return nil, err
	}
	return input.Inside(outer, packed, s, s.Size, func() error { return cmp.Or(s.Close(), b.Close()) }), nil
}

// unpack decompresses an ELF file of at most the given size in bytes to a temporary file. packed says how it was compressed, as the field of
// input.File.
func unpack(ctx context.Context, in io.Reader, most int64) (s *input.Scratch, packed string, err error) {
	z, err := input.Decompress(contextReader{ctx, in}, input.ELF)
	if err != nil {
		return nil, "", err
	}
	defer z.Close()
	if s, err = input.NewScratch(); err != nil {
		return nil, "", err
	}
	n, err := io.Copy(s, io.LimitReader(z, most+1))
	if err = cmp.Or(err, archive.Allowed(n, most)); err != nil {
		s.Close()
		return nil, "", err
	}
	return s, z.Packed, nil
}
