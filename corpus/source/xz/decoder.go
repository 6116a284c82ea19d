package xz

import (
	"context"
	"io"
	"runtime"
	"sync"
)

// A Decoder decodes the blocks of a stream for several readers. It keeps a few decoded blocks, so that readers of the same block share the
// work. It is safe for concurrent use.
type Decoder struct {
	*Blocks
	ahead int // number of blocks that are decoded before they are needed

	mu   sync.Mutex
	jobs map[int]*job // by number of the block
	free []*job
	tick int64
	done int // number of blocks that were decoded
}

// A job is the decoding of one block, running or done.
type job struct {
	worker
	out     []byte
	err     error
	done    chan struct{}
	refs    int
	used    int64 // when it was last released, or when it was decoded
	touched bool  // somebody acquired it since it was decoded
}

// NewDecoder returns a decoder for the blocks.
func NewDecoder(b *Blocks) *Decoder {
	return &Decoder{Blocks: b, ahead: min(runtime.GOMAXPROCS(0), 16), jobs: map[int]*job{}}
}

// Decoded returns the number of blocks that were decoded so far. A block that was decoded twice counts twice.
func (d *Decoder) Decoded() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// find returns the number of the block that contains a position.
func (b *Blocks) find(pos int64) int {
	lo, hi := 0, len(b.list) // searches for the last block that begins at pos or before it
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; b.list[mid].at <= pos {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// acquire returns a decoded block. The caller releases it.
func (d *Decoder) acquire(ctx context.Context, i int) (*job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := d.begin(i)
	<-j.done
	if j.err != nil {
		d.release(j)
		return nil, j.err
	}
	return j, nil
}

// begin starts decoding a block, if it is not decoded yet.
func (d *Decoder) begin(i int) *job {
	d.mu.Lock()
	defer d.mu.Unlock()
	j := d.jobs[i]
	if j == nil {
		j = d.start(i)
	}
	j.refs++
	j.touched = true
	return j
}

// prefetch starts decoding a block if there is room for it.
func (d *Decoder) prefetch(i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i < len(d.list) && d.jobs[i] == nil && (len(d.jobs) <= d.ahead || d.idle(true) >= 0) {
		d.start(i)
	}
}

// idle returns the number of the decoded block that was not used for the longest time, or -1 if all are in use or running. With read, it
// returns only blocks that were read.
func (d *Decoder) idle(read bool) int {
	oldest := -1
	for i, j := range d.jobs {
		if j.refs > 0 || j.used == 0 || read && !j.touched {
			continue
		}
		if oldest < 0 || j.used < d.jobs[oldest].used {
			oldest = i
		}
	}
	return oldest
}

func (d *Decoder) start(i int) *job {
	for len(d.jobs) > d.ahead {
		old := d.idle(true)
		if old < 0 {
			old = d.idle(false)
		}
		if old < 0 {
			break
		}
		d.free = append(d.free, d.jobs[old])
		delete(d.jobs, old)
	}
	j := new(job)
	if n := len(d.free); n > 0 {
		j, d.free = d.free[n-1], d.free[:n-1]
	}
	one := &d.list[i]
	if int64(cap(j.out)) < one.unpacked {
		j.out = make([]byte, one.unpacked)
	}
	j.out, j.err, j.done, j.used, j.touched = j.out[:one.unpacked], nil, make(chan struct{}), 0, false
	d.jobs[i] = j
	d.done++
	go func() {
		defer close(j.done)
		if j.err = j.read(d.r, one); j.err == nil {
			j.err = j.decodeBlock(one, d.check, j.out)
		}
		d.mu.Lock()
		d.tick++
		j.used = d.tick
		d.mu.Unlock()
	}()
	return j
}

func (d *Decoder) release(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	j.refs--
	d.tick++
	j.used = d.tick
}

// Close waits for the blocks that are being decoded, and frees all memory. The decoder can be used again.
func (d *Decoder) Close() {
	d.mu.Lock()
	jobs := d.jobs
	d.jobs, d.free = map[int]*job{}, nil
	d.mu.Unlock()
	for _, j := range jobs {
		<-j.done
	}
}

// A Reader reads the contents of a stream in order. Where it goes from block to block, it decodes the following ones ahead. Seek costs nothing,
// because skipped blocks are not decoded. It must not be used concurrently.
type Reader struct {
	Context context.Context //nolint:containedctx // that of the caller, who may change it between calls
	d       *Decoder
	pos     int64
	at      int // number of the current block, or -1
	job     *job
}

// NewReader returns a reader at the beginning of the contents.
func (d *Decoder) NewReader(ctx context.Context) *Reader { return &Reader{Context: ctx, d: d, at: -1} }

// Seek implements io.Seeker. The position may be after the end.
func (r *Reader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += r.pos
	case io.SeekEnd:
		off += r.d.size
	}
	if off < 0 {
		return 0, damage(0, "negative offset %d", off)
	}
	r.pos = off
	return off, nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if r.pos >= r.d.size {
		return 0, io.EOF
	}
	i := r.d.find(r.pos)
	if i != r.at {
		next := i == r.at+1 && r.at >= 0
		r.Close()
		if next {
			for k := range r.d.ahead {
				r.d.prefetch(i + k)
			}
		}
		j, err := r.d.acquire(r.Context, i)
		if err != nil {
			return 0, err
		}
		r.at, r.job = i, j
	}
	n := copy(p, r.job.out[r.pos-r.d.list[i].at:])
	r.pos += int64(n)
	return n, nil
}

// Close releases the current block. The reader can be used again.
func (r *Reader) Close() {
	if r.job != nil {
		r.d.release(r.job)
	}
	r.at, r.job = -1, nil
}
