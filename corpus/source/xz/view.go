package xz

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// A File stores what a View has decoded.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// A View is a part of the contents that is decoded where it is read. What was decoded is stored in a file, at its offset in the view, so that
// each block is decoded once, and the parts of the file that nobody reads stay holes. It is safe for concurrent use.
type View struct {
	ctx       context.Context //nolint:containedctx // of the work that the view is opened for
	d         *Decoder
	off, size int64 // of the view in the contents
	file      File
	first     int // number of the block that the view begins in

	blocks []part // from the first one

	mu   sync.Mutex
	want []bool // by block: worth decoding ahead
}

// A part is the part of the view that one block holds.
type part struct {
	mu   sync.Mutex  // held by the reader that decodes the block
	have atomic.Bool // it is stored in the file
}

// NewView returns a view of the contents from off on.
func (d *Decoder) NewView(ctx context.Context, off, size int64, file File) (*View, error) {
	if off < 0 || size < 0 || off > d.size || size > d.size-off {
		return nil, damage(0, "%d bytes at %d reach past the end of the contents, which have %d bytes", size, off, d.size)
	}
	v := &View{ctx: ctx, d: d, off: off, size: size, file: file, first: d.find(off)}
	n := d.find(max(off, off+size-1)) - v.first + 1
	v.blocks, v.want = make([]part, n), make([]bool, n)
	return v, nil
}

// Want says that the given part of the view will be read. Its blocks may be decoded before they are needed.
func (v *View) Want(off, size int64) {
	off, size = max(0, min(off, v.size)), max(0, min(size, v.size-off))
	if size <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := v.d.find(v.off + off); i <= v.d.find(v.off+off+size-1); i++ {
		v.want[i-v.first] = true
	}
}

// ReadAt implements io.ReaderAt.
func (v *View) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	for n < len(p) && off < v.size {
		i := v.d.find(v.off + off)
		start, end := v.clip(i)
		part := p[n:min(int64(len(p)), int64(n)+end-off)]
		if err := v.read(i, part, off, start, end); err != nil {
			return n, err
		}
		n, off = n+len(part), off+int64(len(part))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// clip returns the part of the view that a block holds.
func (v *View) clip(i int) (start, end int64) {
	start, end = v.d.Bounds(i)
	return max(0, start-v.off), min(v.size, end-v.off)
}

// read fills p with the bytes at off, which are in block i. The block holds the view from start to end.
func (v *View) read(i int, p []byte, off, start, end int64) error {
	b := &v.blocks[i-v.first]
	if b.have.Load() {
		_, err := v.file.ReadAt(p, off)
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.have.Load() {
		_, err := v.file.ReadAt(p, off)
		return err
	}
	v.prefetch(i)
	j, err := v.d.acquire(v.ctx, i)
	if err != nil {
		return err
	}
	defer v.d.release(j)
	at, _ := v.d.Bounds(i)
	inside := j.out[v.off+start-at : v.off+end-at]
	copy(p, inside[off-start:])
	if _, err := v.file.WriteAt(inside, start); err != nil {
		return err
	}
	b.have.Store(true)
	return nil
}

// prefetch starts decoding the wanted blocks after i.
func (v *View) prefetch(i int) {
	v.mu.Lock()
	var next []int
	for k := i; k < v.first+len(v.blocks) && len(next) < v.d.ahead; k++ {
		if k == i || v.want[k-v.first] && !v.blocks[k-v.first].have.Load() {
			next = append(next, k)
		}
	}
	v.mu.Unlock()
	for _, k := range next {
		v.d.prefetch(k)
	}
}
