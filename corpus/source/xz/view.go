package xz

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
)

// A File stores what a View has decoded.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// A View is a part of the contents that is decoded where it is read. What was decoded stays in memory as far as the decoder has room for it. The rest
// is stored in a file, at its offset in the view, so that each block is decoded once, and the parts of the file that nobody reads stay holes. A
// block is decoded up to the last byte that is read or wanted. It is safe for concurrent use.
type View struct {
	ctx       context.Context //nolint:containedctx // of the work that the view is opened for
	d         *Decoder
	off, size int64 // of the view in the contents
	file      File
	first     int // number of the block that the view begins in

	blocks []part // from the first one

	closing sync.RWMutex // held by readers, and by those who store
	closed  bool

	from, to int64 // what is wanted once
	late     int64 // latest, or less in tests

	mark atomic.Int64 // end of what was read of what is wanted once
	gone atomic.Int64 // number of blocks of it that were given up, or never will be

	mu   sync.Mutex
	want []int64 // by block: end, in its contents, of what is worth decoding ahead
}

// A part is the part of the view that one block holds.
type part struct {
	reading sync.Mutex   // held by the reader that needs more of the block
	storing sync.Mutex   // held by whoever stores more of it
	have    atomic.Int64 // end, in the view, of what is stored
	mem     []byte       // the decoded block, if it is kept in memory; set before have
	charge  int64        // what it takes of the room
	reached atomic.Bool  // something of it was read

	using   sync.RWMutex // held by readers of mem
	once    bool         // something of it is wanted once
	often   bool         // something of it is wanted more than once
	dropped bool         // it was read, and given up
}

// latest is the number of bytes that what is wanted once may be read behind the last byte that was read of it.
const latest = 8 << 20

// NewView returns a view of the contents from off on.
func (d *Decoder) NewView(ctx context.Context, off, size int64, file File) (*View, error) {
	if off < 0 || size < 0 || off > d.size || size > d.size-off {
		return nil, damage(0, "%d bytes at %d reach past the end of the contents, which have %d bytes", size, off, d.size)
	}
	v := &View{ctx: ctx, d: d, off: off, size: size, file: file, first: d.find(off), late: latest}
	n := d.find(max(off, off+size-1)) - v.first + 1
	v.blocks, v.want = make([]part, n), make([]int64, n)
	return v, nil
}

// WantOnce is Want for a part that will be read once, from front to back, with little that is read late. Blocks that hold nothing else of what is wanted
// are given up once they were read, unless they are in the file. What is read again is decoded again, and then stays.
// There can be one such part, and it must be wanted before anything is read.
func (v *View) WantOnce(off, size int64) {
	v.from, v.to = off, off+size
	v.wanted(off, size, true)
}

// Want says that the given part of the view will be read. Its blocks may be decoded before they are needed, in the order of the calls. When
// one of them is read, a few that come after it are decoded.
func (v *View) Want(off, size int64) { v.wanted(off, size, false) }

func (v *View) wanted(off, size int64, once bool) {
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
		b := &v.blocks[i-v.first]
		b.once, b.often = b.once || once, b.often || !once
		if v.blocks[i-v.first].have.Load() < start+want-v.off {
			v.d.plan(i, want, v)
		}
	}
}

// Demand returns how many bytes the view decodes if what is wanted is read: those that stay until it is closed, and those of blocks that are given up
// once they were read, if they are in memory.
func (v *View) Demand() (stay, pass int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k, want := range v.want {
		if b := &v.blocks[k]; b.once && !b.often {
			pass += want
		} else {
			stay += want
		}
	}
	return stay, pass
}

// A Fetcher is an io.ReaderAt whose bytes come from far away. Fetch fetches some of them before they are read.
type Fetcher interface {
	Fetch(ctx context.Context, off, size int64) error
}

// Ahead fetches the stored bytes of what is wanted, in the order of the calls of Want, if they come from a Fetcher.
func (v *View) Ahead(ctx context.Context) error {
	f, ok := v.d.r.(Fetcher)
	if !ok {
		return nil
	}
	for _, x := range v.stores() {
		if err := f.Fetch(ctx, x[0], x[1]-x[0]); err != nil {
			return err
		}
	}
	return nil
}

// stores returns where the blocks are stored that are wanted, as ranges of offsets in the order of the plan. Of a block that is not wanted to its
// end, it is the same share that is wanted, and a little more.
func (v *View) stores() (list [][2]int64) {
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	for _, i := range v.d.order {
		p := v.d.plans[i]
		if !slices.Contains(p.views, v) {
			continue
		}
		b := &v.d.list[i]
		from, to := b.off, b.end()
		if p.upto < b.unpacked {
			to = min(to, from+(to-from)*p.upto/b.unpacked+leastRead)
		}
		if n := len(list); n > 0 && list[n-1][1] == from {
			list[n-1][1] = to
		} else {
			list = append(list, [2]int64{from, to})
		}
	}
	return list
}

// ReadAt implements io.ReaderAt.
func (v *View) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	v.closing.RLock()
	defer v.closing.RUnlock()
	if v.closed {
		return 0, fs.ErrClosed
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
	if off >= v.from && off < v.to {
		defer v.pass(need)
	}
	if ok, err := v.stored(i, p, off); ok {
		return err
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	if ok, err := v.stored(i, p, off); ok {
		return err
	}
	at, _ := v.d.Bounds(i)
	v.mu.Lock()
	want := v.want[i-v.first]
	v.mu.Unlock()
	j, out, err := v.d.acquire(v.ctx, i, v.off+need-at, want)
	if err != nil {
		return err
	}
	defer v.d.unuse(j)
	copy(p, out[v.off+off-at:])
	return v.store(i, j, out)
}

// stored fills p with bytes at off, if they are stored.
func (v *View) stored(i int, p []byte, off int64) (ok bool, err error) {
	b := &v.blocks[i-v.first]
	b.using.RLock()
	defer b.using.RUnlock()
	if b.have.Load() < off+int64(len(p)) {
		return false, nil
	}
	if b.mem != nil {
		at, _ := v.d.Bounds(i)
		copy(p, b.mem[v.off+off-at:])
		return true, nil
	}
	_, err = v.file.ReadAt(p, off)
	return true, err
}

// pass says that what is wanted once was read up to the given end. It gives up blocks that are far enough behind.
func (v *View) pass(end int64) {
	for {
		if old := v.mark.Load(); old >= end || v.mark.CompareAndSwap(old, end) {
			break
		}
	}
	k := v.gone.Load()
	if k >= int64(len(v.blocks)) {
		return
	}
	if _, to := v.clip(v.first + int(k)); to+v.late <= v.mark.Load() && v.gone.CompareAndSwap(k, k+1) {
		v.drop(int(k))
	}
}

// drop gives up a block. If it is in use, it stays.
func (v *View) drop(k int) {
	b := &v.blocks[k]
	if b.often || !b.once || !b.using.TryLock() {
		return
	}
	defer b.using.Unlock()
	if !b.storing.TryLock() {
		return
	}
	defer b.storing.Unlock()
	if b.mem != nil && !b.dropped {
		v.d.unkeep(v.first+k, b.mem, b.charge)
		b.mem, b.dropped = nil, true
		b.have.Store(0)
	}
}

// storeAhead is store for others than readers.
func (v *View) storeAhead(i int, j *job, out []byte) error {
	if !v.closing.TryRLock() { // whoever closes the view may wait for a reader, and that for more of this block
		return fs.ErrClosed
	}
	defer v.closing.RUnlock()
	if v.closed {
		return fs.ErrClosed
	}
	return v.store(i, j, out)
}

// store stores the decoded bytes of a block, out, which are the memory of a job. If there is room, the view takes over that memory.
func (v *View) store(i int, j *job, out []byte) error {
	b := &v.blocks[i-v.first]
	b.storing.Lock()
	defer b.storing.Unlock()
	start, end := v.clip(i)
	at, _ := v.d.Bounds(i)
	have := b.have.Load()
	if have == 0 {
		if charge, ok := v.d.keep(j); ok {
			b.mem, b.charge = j.out, charge
		}
	}
	have = max(start, have)
	upto := max(have, min(end, at-v.off+int64(len(out))))
	fresh := out[v.off+have-at : v.off+upto-at]
	switch {
	case b.mem == nil:
		if _, err := v.file.WriteAt(fresh, have); err != nil {
			return err
		}
	case !same(b.mem, out): // the block was decoded again
		copy(b.mem[v.off+have-at:], fresh)
	}
	b.have.Store(upto)
	return nil
}

// Close frees the memory of the view, which must not be read any more. The file stays open.
func (v *View) Close() error {
	v.closing.Lock()
	defer v.closing.Unlock()
	v.closed = true
	for k := range v.blocks {
		if b := &v.blocks[k]; b.mem != nil {
			v.d.unkeep(v.first+k, b.mem, b.charge)
			b.mem = nil
		}
	}
	return nil
}
