package xz

import (
	"context"
	"io"
	"runtime"
	"slices"
	"sync"
)

// A Decoder decodes the blocks of a stream for several readers, each as far as they need it. It keeps a few blocks, so that readers of the same
// block share the work. It is safe for concurrent use.
type Decoder struct {
	*Blocks
	Room  *Room // bounds what views keep; set it before the first view
	ahead int   // number of blocks that are decoded before they are needed

	mu      sync.Mutex
	changed *sync.Cond   // broadcast when more of a block is decoded
	jobs    map[int]*job // by number of the block
	free    []*job
	spare   [][]byte      // memory for blocks
	again   map[int]bool  // blocks that were given up before all of them was decoded
	plans   map[int]*plan // by number of the block
	order   []int         // the blocks of plans, in the order in which they are decoded ahead
	next    int           // index in order of the next one
	reached int           // index in order of the last one that was read
	read    int           // number of planned blocks that were read
	onward  bool          // a Reader goes from block to block, since the first blocks were planned
	tick    int64
	done    int   // number of blocks that were decoded
	bytes   int64 // that were decoded
}

// A plan is to decode a block ahead.
type plan struct {
	at      int // in the order
	upto    int64
	views   []*View // to store it in
	started bool
}

// A job is the decoding of one block.
type job struct {
	worker         // of the goroutine, while it is running
	out     []byte // decoded up to have
	have    int
	want    int // how much of it is needed
	running bool
	err     error
	views   []*View // to store it in
	refs    int
	used    int64 // when it was last released, or decoded
	touched bool  // somebody acquired it since it was started
	kept    bool  // out belongs to a view, which keeps it
}

// NewDecoder returns a decoder for the blocks.
func NewDecoder(b *Blocks) *Decoder {
	d := &Decoder{Blocks: b, ahead: min(max(2, runtime.GOMAXPROCS(0)), 16), jobs: map[int]*job{}, again: map[int]bool{}, plans: map[int]*plan{}}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// Decoded returns the number of blocks that were decoded so far, as a whole or in part. A block that was decoded twice counts twice.
func (d *Decoder) Decoded() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// DecodedBytes returns the number of bytes that the blocks were decoded to so far.
func (d *Decoder) DecodedBytes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
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

// acquire returns a block whose first bytes, up to need, are decoded. Those up to want will be. The caller releases it.
func (d *Decoder) acquire(ctx context.Context, i int, need, want int64) (*job, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	j := d.need(i, int(max(need, want)))
	j.refs++
	j.touched = true
	for j.have < int(need) && j.err == nil {
		d.changed.Wait()
	}
	if j.have < int(need) {
		d.unref(j)
		return nil, nil, j.err
	}
	return j, j.out[:j.have], nil
}

const wholeBlock = MaxBlock

// Ahead starts decoding a block that will probably be read, if there is room for it. It fetches nothing from far away.
func (d *Decoder) Ahead(i int) {
	if _, far := d.r.(Fetcher); !far {
		d.prefetch(i, wholeBlock)
	}
}

// prefetch starts decoding the first bytes of a block, up to upto or all that it has, if there is room for it.
func (d *Decoder) prefetch(i int, upto int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i < len(d.list) && d.room(i) {
		d.need(i, int(min(upto, d.list[i].unpacked)))
	}
}

// room reports whether a block can be decoded ahead. The lock is held.
func (d *Decoder) room(i int) bool {
	return d.jobs[i] != nil || len(d.jobs) <= d.ahead || d.idle(true) >= 0
}

// plan adds a block to those that are decoded ahead, up to upto, and stored in a view.
func (d *Decoder) plan(i int, upto int64, v *View) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.plans[i]
	if p == nil {
		p = &plan{at: len(d.order)}
		d.plans[i], d.order = p, append(d.order, i)
	}
	p.upto = max(p.upto, upto)
	if !slices.Contains(p.views, v) {
		p.views = append(p.views, v)
	}
	d.onward = d.onward && p.at > 0
}

// reach says that a block is read for the first time.
func (d *Decoder) reach(i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.plans[i]; p != nil {
		d.reached = max(d.reached, p.at)
		d.read++
		d.proceed()
	}
}

// proceed starts decoding planned blocks until enough are running. It goes the farther ahead of what was read the more was read: of some files, only
// little is. The lock is held.
func (d *Decoder) proceed() {
	running := 0
	for _, j := range d.jobs {
		if j.running {
			running++
		}
	}
	for running < d.ahead && d.next < len(d.order) && d.read > 0 && d.next <= d.reached+min(d.read, d.ahead+1) {
		i := d.order[d.next]
		p := d.plans[i]
		if !p.started && !d.room(i) {
			break
		}
		if d.next++; !p.started { // else it was needed earlier
			d.need(i, int(p.upto))
			running++
		}
	}
}

// idle returns the number of the block that was not used for the longest time, or -1 if all are in use or running. With read, it returns only
// blocks that were read.
func (d *Decoder) idle(read bool) int {
	oldest := -1
	for i, j := range d.jobs {
		if j.refs > 0 || j.running || read && !j.touched {
			continue
		}
		if oldest < 0 || j.used < d.jobs[oldest].used {
			oldest = i
		}
	}
	return oldest
}

// need makes sure that the first bytes of a block, up to upto, are or will be decoded. The lock is held.
func (d *Decoder) need(i, upto int) *job {
	j := d.jobs[i]
	if j == nil {
		j = d.add(i)
	}
	j.want = max(j.want, upto)
	if p := d.plans[i]; p != nil && !p.started {
		j.want, j.views = max(j.want, int(p.upto)), append(j.views, p.views...)
		p.started = true
	}
	if !j.running && j.err == nil && j.have < j.want {
		j.running = true
		go d.run(j, i)
	}
	return j
}

// add returns a job for another block. If too many blocks are kept, one is given up. The lock is held.
func (d *Decoder) add(i int) *job {
	for len(d.jobs) > d.ahead {
		old := d.idle(true)
		if old < 0 {
			old = d.idle(false)
		}
		if old < 0 {
			break
		}
		d.evict(old)
	}
	j := new(job)
	if n := len(d.free); n > 0 {
		j, d.free = d.free[n-1], d.free[:n-1]
	}
	size := d.list[i].unpacked
	if int64(cap(j.out)) < size {
		freeBuffer(j.out)
		j.out = d.buffer(size)
	}
	j.out, j.have, j.want, j.err, j.views, j.touched = j.out[:size], 0, 0, nil, nil, false
	j.open()
	if d.again[i] { // it may be needed in many steps
		j.want = len(j.out)
	}
	d.jobs[i] = j
	d.done++
	return j
}

// buffer returns memory for a block. The lock is held.
func (d *Decoder) buffer(size int64) []byte {
	for i, b := range d.spare {
		if int64(cap(b)) >= size {
			d.spare = slices.Delete(d.spare, i, i+1)
			return b
		}
	}
	return newBuffer(size)
}

// evict gives up a block. What it needed is for the next one. The lock is held.
func (d *Decoder) evict(i int) {
	j := d.jobs[i]
	d.again[i] = j.have < len(j.out)
	if j.kept {
		j.out, j.kept = nil, false
	}
	d.free = append(d.free, j)
	delete(d.jobs, i)
}

// rest frees the memory for blocks once all that were planned are decoded: what follows needs it more. Blocks that may be continued stay. A Reader that
// goes on to other blocks needs the memory again. The lock is held.
func (d *Decoder) rest() {
	if len(d.order) == 0 || d.next < len(d.order) || d.onward {
		return
	}
	for i, j := range d.jobs {
		if j.running {
			return
		}
		if j.refs == 0 && j.touched && j.have == len(j.out) {
			d.evict(i)
		}
	}
	d.release(d.free)
	d.free = nil
}

// release frees the memory of jobs that nobody uses, and what is spare.
func (d *Decoder) release(jobs []*job) {
	for _, j := range jobs {
		freeBuffer(j.out)
	}
	for _, b := range d.spare {
		freeBuffer(b)
	}
	d.spare = nil
}

// keep makes the memory of a block that of a view, if there is room for it. charge is what it takes of the room.
func (d *Decoder) keep(j *job) (charge int64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	charge = int64(max(j.want, j.have))
	if j.kept || !d.Room.take(charge) {
		return 0, false
	}
	j.kept = true
	return charge, true
}

// unkeep takes the memory of block i back from a view, and frees it unless the block is still in use.
func (d *Decoder) unkeep(i int, mem []byte, charge int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Room.give(charge)
	switch j := d.jobs[i]; {
	case j != nil && j.kept && same(j.out, mem):
		j.kept = false
	case d.next < len(d.order), d.onward && len(d.free)+len(d.spare) < d.ahead:
		d.spare = append(d.spare, mem)
	default:
		freeBuffer(mem)
	}
}

// handOver is the number of bytes that are decoded before those that wait for the block can read them.
const handOver = 1 << 20

// run decodes as much of a block as is needed, and stores it. Readers follow it closely.
func (d *Decoder) run(j *job, i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for j.running {
		want := j.want
		d.mu.Unlock()
		err := j.advance(d.r, &d.list[i], d.check, j.out, min(want, j.at+handOver), want)
		d.mu.Lock()
		if j.err = err; err == nil {
			d.bytes += int64(j.at - j.have)
			j.have = j.at
		}
		views, out := j.views, j.out[:j.have]
		d.changed.Broadcast()
		if len(views) > 0 && err == nil {
			d.mu.Unlock()
			for _, v := range views {
				_ = v.storeAhead(i, j, out) // whoever reads it stores it again, and gets the error
			}
			d.mu.Lock()
			j.touched = true
		}
		if j.running = err == nil && j.have < j.want; !j.running {
			j.views = nil
		}
		d.tick++
		j.used = d.tick
	}
	d.changed.Broadcast() // for Close
	d.proceed()
	d.rest()
}

// goOn says that a Reader goes from block to block.
func (d *Decoder) goOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onward = true
}

func (d *Decoder) unuse(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unref(j)
	d.proceed()
	d.rest()
}

func (d *Decoder) unref(j *job) {
	j.refs--
	d.tick++
	j.used = d.tick
}

// Close waits for the blocks that are being decoded, and frees all memory. The decoder can be used again.
func (d *Decoder) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs, free := d.jobs, d.free
	d.jobs, d.free, d.order = map[int]*job{}, nil, nil
	d.next, d.reached, d.read = 0, 0, 0
	clear(d.plans)
	for i, j := range jobs {
		for j.running {
			d.changed.Wait()
		}
		d.again[i] = j.have < len(j.out)
		if !j.kept && j.refs == 0 {
			free = append(free, j)
		}
	}
	d.release(free)
}

// A Reader reads the contents of a stream in order. Where it goes from block to block, it decodes the following ones ahead. Seek costs nothing,
// because skipped blocks are not decoded, and neither is the rest of a block after what is read. It must not be used concurrently.
type Reader struct {
	Context context.Context //nolint:containedctx // that of the caller, who may change it between calls
	d       *Decoder
	pos     int64
	at      int // number of the current block, or -1
	job     *job
	have    []byte // of the current block
	step    int64  // bytes of it to decode at least
}

// firstStep is the number of bytes that a reader decodes of a block at least. It doubles with each step in the same block.
const firstStep = 64 << 10

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
	b := &r.d.list[i]
	off := r.pos - b.at
	if i != r.at || off >= int64(len(r.have)) {
		next := i == r.at+1 && r.at >= 0
		if i != r.at {
			r.step = firstStep
		}
		r.Close()
		if next {
			r.d.goOn()
			for k := range r.d.ahead {
				r.d.prefetch(i+k, wholeBlock)
			}
		}
		j, have, err := r.d.acquire(r.Context, i, off+1, min(off+max(int64(len(p)), r.step), b.unpacked))
		if err != nil {
			return 0, err
		}
		r.at, r.job, r.have = i, j, have
		r.step *= 2
	}
	n := copy(p, r.have[off:])
	r.pos += int64(n)
	return n, nil
}

// Close releases the current block. The reader can be used again.
func (r *Reader) Close() {
	if r.job != nil {
		r.d.unuse(r.job)
	}
	r.at, r.job, r.have = -1, nil, nil
}
