package source

import (
	"cmp"
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Remote is the Source of an image that is not in a package, such as one on a server.
type Remote struct {
	ref    Ref
	origin Origin
	most   int64
	size   atomic.Int64 // of the stored bytes, once they were opened
}

// NewRemote returns the source of an image of at most the given size in bytes.
func NewRemote(ref Ref, origin Origin, most int64) *Remote {
	return &Remote{ref: ref, origin: origin, most: most}
}

// Size is the number of bytes that are stored, or 0 if it is not known.
func (r *Remote) Size() int64 { return cmp.Or(r.size.Load(), r.origin.Facts().Size) }

// String is the path or the URL.
func (r *Remote) String() string { return r.origin.String() }

// Open opens the image. A plain image that can be read at any offset is read in place. Otherwise it is unpacked to a temporary file.
func (r *Remote) Open(ctx context.Context) (*input.File, error) { return r.OpenAs(ctx, input.ELF) }

// OpenAs opens the file, which must be of one of the given kinds, as for input.Open.
func (r *Remote) OpenAs(ctx context.Context, want ...input.Kind) (*input.File, error) {
	b, err := r.origin.Open(ctx)
	if err != nil {
		return nil, err
	}
	r.size.Store(max(b.Size, 0))
	b.reported(ctx)
	f, err := r.file(ctx, b, want)
	if err != nil {
		b.Close()
	}
	return f, err
}

func (r *Remote) file(ctx context.Context, b *Blob, want []input.Kind) (*input.File, error) {
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
		head := make([]byte, 4)
		if n, _ := b.At.ReadAt(head, 0); input.IsELF(head[:n]) {
			if err := archive.Allowed(b.Size, r.most); err != nil {
				return nil, err
			}
			v := archive.NewPlainView(b.At, 0, b.Size)
			head = make([]byte, min(b.Size, 4096))
			if n, _ := b.At.ReadAt(head, 0); archive.WantSections(v, head[:n], b.Size) == nil { // whoever reads the image says what is wrong with it
				outer.Ahead = v.Ahead
			}
			return input.Inside(outer, "", b.At, b.Size, b.Close), nil
		}
		in = io.NewSectionReader(b.At, 0, b.Size)
	}
	u, err := unpack(ctx, in, r.most, want)
	if err != nil {
		return nil, err
	}
	return u.file(outer, u.packed, func() error { return cmp.Or(u.close(), b.Close()) }), nil
}

// An unpacked is a file of one of the wanted kinds that was decompressed.
type unpacked struct {
	kind    input.Kind
	packed  string         // how it was compressed, as the field of input.File
	scratch *input.Scratch // an ELF file
	data    []byte         // the contents of a file of any other kind
}

// unpack decompresses a file of at most the given size in bytes. An ELF file goes to a temporary file.
func unpack(ctx context.Context, in io.Reader, most int64, want []input.Kind) (u unpacked, err error) {
	z, err := input.Decompress(contextReader{ctx, in}, want...)
	if err != nil {
		return u, err
	}
	defer z.Close()
	u.kind, u.packed = z.Kind, z.Packed
	if z.Kind != input.ELF {
		if u.data, err = z.Contents(); err == nil {
			err = archive.Allowed(int64(len(u.data)), most)
		}
		return u, err
	}
	if u.scratch, err = input.NewScratch(); err != nil {
		return u, err
	}
	n, err := io.Copy(u.scratch, io.LimitReader(z, most+1))
	if err = cmp.Or(err, archive.Allowed(n, most)); err != nil {
		u.scratch.Close()
	}
	return u, err
}

// file returns the file. end is called when it is closed, and has to close u.
func (u *unpacked) file(outer input.Outer, packed string, end func() error) *input.File {
	if u.scratch != nil {
		return input.Inside(outer, packed, u.scratch, u.scratch.Size, end)
	}
	return input.Contents(outer, packed, u.kind, u.data, end)
}

func (u *unpacked) close() error {
	if u.scratch != nil {
		return u.scratch.Close()
	}
	return nil
}
