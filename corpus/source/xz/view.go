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
// each block is decoded once, and the parts of the file that nobody reads stay holes. A block is decoded up to the last byte that is read or wanted. It is safe for concurrent use.
type View struct {
	ctx       context.Context //nolint:containedctx // of the work that the view is opened for
	d         *Decoder
	off, size int64 // of the view in the contents
	file      File
	first     int // number of the block that the view begins in

	blocks []part // from the first one

	mu   sync.Mutex
	want []int64 // by block: end, in its contents, of what is worth decoding ahead
}

// A part is the part of the view that one block holds.
type part struct {
	reading sync.Mutex   // held by the reader that needs more of the block
	storing sync.Mutex   // held by whoever stores more of it
	have    atomic.Int64 // end, in the view, of what is stored in the file
	reached atomic.Bool  // something of it was read
}

// NewView returns a view of the contents from off on.
func (d *Decoder) NewView(ctx context.Context, off, size int64, file File) (*View, error) {
	if off < 0 || size < 0 || off > d.size || size > d.size-off {
		return nil, damage(0, "%d bytes at %d reach past the end of the contents, which have %d bytes", size, off, d.size)
	}
	v := &View{ctx: ctx, d: d, off: off, size: size, file: file, first: d.find(off)}
	n := d.find(max(off, off+size-1)) - v.first + 1
	v.blocks, v.want = make([]part, n), make([]int64, n)
	return v, nil
}

// Want says that the given part of the view will be read. Its blocks may be decoded before they are needed, in the order of the calls. When
// one of them is read, a few that come after it are decoded.
func (v *View) Want(off, size int64) {
	off, size = max(0, min(off, v.size)), max(0, min(size, v.size-off))
	if size <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := v.d.find(v.off + off); i <= v.d.find(v.off+off+size-1); i++ {
		start, end := v.d.Bounds(i)
		want := max(v.want[i-v.first], min(v.off+off+size, end)-start)
		v.want[i-v.first] = want
		if v.blocks[i-v.first].have.Load() < start+want-v.off {
			v.d.plan(i, want, v)
		}
	}
}

// ReadAt implements io.ReaderAt.
func (v *View) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	for n < len(p) && off < v.size {
		i := v.d.find(v.off + off)
		_, end := v.clip(i)
		part := p[n:min(int64(len(p)), int64(n)+end-off)]
		if err := v.read(i, part, off); err != nil {
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

// read fills p with the bytes at off, which are in block i.
func (v *View) read(i int, p []byte, off int64) error {
	b, need := &v.blocks[i-v.first], off+int64(len(p))
	if !b.reached.Load() && !b.reached.Swap(true) {
		v.d.reach(i)
	}
	if b.have.Load() >= need {
		_, err := v.file.ReadAt(p, off)
		return err
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.have.Load() >= need {
		_, err := v.file.ReadAt(p, off)
		return err
	}
	at, _ := v.d.Bounds(i)
	v.mu.Lock()
	upto := max(v.off+need-at, v.want[i-v.first])
	v.mu.Unlock()
	j, out, err := v.d.acquire(v.ctx, i, upto)
	if err != nil {
		return err
	}
	defer v.d.release(j)
	copy(p, out[v.off+off-at:])
	return v.store(i, out)
}

// store stores the decoded bytes of a block.
func (v *View) store(i int, out []byte) error {
	b := &v.blocks[i-v.first]
	b.storing.Lock()
	defer b.storing.Unlock()
	start, end := v.clip(i)
	at, _ := v.d.Bounds(i)
	have := max(start, b.have.Load())
	fresh := out[v.off+have-at : max(v.off+have-at, min(v.off+end-at, int64(len(out))))]
	if _, err := v.file.WriteAt(fresh, have); err != nil {
		return err
	}
	b.have.Store(have + int64(len(fresh)))
	return nil
}
