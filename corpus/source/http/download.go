package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"sync"
	"time"

	"github.com/btfbatch/btfbatch/corpus/source"
)

// The problem: readers want parts of a large file, in any order, from servers that may or may not send parts, and whatever was fetched must
// be of use after a lost connection, to another reader, and to another process.
//
// The idea: the part is a sparse file with a bitmap of its blocks. A reader names the bytes that it needs. Missing blocks are fetched: with a
// request for exactly these, or, if the server sends no parts, by going on with the one answer until it has passed them. Fetching the whole
// file is the need for all of its bytes, and resuming is the need for what is missing.
//
// One process fetches at a time, because it holds the lock of the store: for one request if the server sends parts, else until the file is
// complete or closed.
//
// Nothing is ever mixed of two versions of a file: every request after the first names the version (If-Range). Servers that state no version
// can only be read in one go. If the digest is known, the version does not matter.

// A download is a file that is being fetched, or was fetched, and its readers.
type download struct {
	store
	c       *Client
	req     Request
	name    string // in Client.downloads
	readers int    // guarded by Client.mu

	mu      sync.Mutex
	opened  bool
	err     error // why it could not be opened
	meta    meta
	file    *os.File
	whole   bool
	ranges  bool   // the server sends parts
	seen    bool   // somebody has read from the file, so it must not change any more
	private bool   // another process has replaced the part in the download folder
	resets  int    // how often the file changed while it was fetched
	target  string // where redirects led
	unlock  func() // not nil while this process holds the lock of the store
	waited  bool   // it was said that another process has the lock, which two that read the same file take in turn
	t       *transfer
	buf     []byte
	fetched int64
	next    int64 // end of the last read
	ahead   int64 // how much to fetch ahead of sequential reads
	synced  time.Time
	earlier absence // what was remembered when the download was opened; may be zero
}

func (d *download) notice(text string) {
	if d.c.Notice != nil {
		d.c.Notice(d.req.URL, text)
	}
}

func (d *download) takeLock(ctx context.Context) (err error) {
	if d.unlock == nil {
		d.unlock, err = d.lock(ctx, d.waiting)
	}
	return err
}

// waiting says, once, that another process has the lock.
func (d *download) waiting() {
	if !d.waited {
		d.waited = true
		d.notice("waiting for another process, which fetches the same file")
	}
}

// giveLock releases the lock, unless an answer that cannot be asked for again is being read.
func (d *download) giveLock() {
	if d.unlock == nil || d.t != nil && !d.ranges {
		return
	}
	d.endTransfer()
	d.unlock()
	d.unlock = nil
}

func (d *download) endTransfer() {
	if d.t != nil {
		d.t.close()
		d.t = nil
	}
}

// open finds out what the file is, and fetches it if all of it is wanted.
func (d *download) open(ctx context.Context, whole bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil || d.opened && (d.whole || !whole) {
		return d.err
	}
	if !d.opened {
		d.earlier = d.known() // before it is removed with the rest of what is known
		if d.err = d.absent(); d.err != nil {
			return d.err
		}
	}
	err := d.takeLock(ctx)
	if err == nil && !d.opened {
		err = d.begin(ctx, whole)
	}
	if err == nil && whole && !d.whole {
		err = d.complete(ctx)
	}
	if err != nil {
		err = d.fail(ctx, err)
		d.noteAbsent(err)
	}
	if d.opened = err == nil; d.opened && d.whole && !d.req.Trusted && (d.c.Whole || d.req.SHA256 != "") {
		d.register()
	}
	d.giveLock()
	return err
}

// begin opens the file in the download folder if it is there and still the same, or else sends the first request.
func (d *download) begin(ctx context.Context, whole bool) error {
	old, err := d.restore(ctx)
	if err != nil || d.whole {
		return err
	}
	return d.retry(ctx, func() error { return d.first(ctx, whole, old) })
}

// restore looks for the file in the download folder. A whole file with the wanted digest is opened, a part is continued. A whole file without a
// known digest is returned: the server has to be asked whether it is still the same.
func (d *download) restore(ctx context.Context) (*meta, error) {
	pinned := d.req.SHA256 != ""
	m, ok := d.load()
	if !ok || !pinned && m.validator() == "" {
		d.remove()
		return nil, nil
	}
	if st, err := os.Stat(d.path("")); err == nil && st.Size() == m.Size {
		if !pinned && d.c.Whole && d.damaged(ctx, &m) {
			d.remove()
			return nil, ctx.Err()
		}
		if !pinned {
			return &m, nil
		}
		f, err := d.store.open()
		if err != nil {
			return nil, err
		}
		sum, err := source.Sum(ctx, f, m.Size)
		if err == nil && sum == d.req.SHA256 {
			d.file, d.meta, d.whole = f, m, true
			d.used()
			return nil, nil
		}
		f.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.remove()
		return nil, nil
	}
	f, err := d.openPart(0)
	if err != nil {
		d.remove()
		return nil, nil //nolint:nilerr // there is no part
	}
	d.file, d.meta = f, m
	return nil, nil
}

// register also keeps a whole file under its digest, where a trusted request for it needs no server, and under its digest and address, where a request
// with that pin finds it.
func (d *download) register() {
	r := Request{URL: d.req.URL, Address: d.req.Address, SHA256: d.meta.SHA256}
	d.registerAs(keyOf(r))
	r.Trusted = true
	d.registerAs(keyOf(r))
}

func (d *download) registerAs(key string) {
	if key == d.key {
		return
	}
	s := store{d.dir, key}
	if s.lockName() != d.lockName() { // this process holds the other one
		unlock, ok := s.tryLock()
		if !ok {
			return // another process fetches it
		}
		defer unlock()
	}
	if err := d.store.link(s); err != nil {
		return // without a link, it is fetched again
	}
	_ = s.save(&d.meta) // likewise
}

// first sends the first request. old is a whole file in the download folder.
func (d *download) first(ctx context.Context, whole bool, old *meta) error {
	w := want{conditional: old}
	switch from, to, missing := d.meta.Blocks.missing(0, d.meta.Size); {
	case d.file != nil && d.meta.Size > 0 && !missing && d.req.SHA256 != "":
		return nil // complete, except for the check of its digest
	case d.file != nil && whole && missing && d.meta.Blocks.count() > 0:
		w.from, w.to, w.ifRange = from, to, d.version()
	case !whole, d.file != nil && !missing:
		w.to = blockSize
	}
	t, err := d.request(ctx, w)
	if status, ok := errors.AsType[*StatusError](err); ok && status.Code == nethttp.StatusRequestedRangeNotSatisfiable && w.to > 0 {
		d.reset(&meta{})
		t, err = d.request(ctx, want{conditional: old})
	}
	if err != nil {
		return err
	}
	now := d.metaOf(t.resp, old.size())
	if t.resp.StatusCode == nethttp.StatusNotModified || old != nil && old.same(now) {
		t.close()
		return d.reuse(old)
	}
	if err := d.accept(t, w); err != nil {
		t.close()
		return err
	}
	switch {
	case t.resp.StatusCode != nethttp.StatusPartialContent:
	case d.req.SHA256 == "" && d.meta.validator() == "": // these would be parts of what may be two versions
		d.endTransfer()
		d.reset(&meta{})
		return d.first(ctx, true, nil)
	case !whole:
		return d.pull(ctx, d.t.end)
	}
	if d.t.end < 0 {
		return d.drain(ctx)
	}
	return nil
}

// reuse opens a whole file in the download folder that is still the one on the server.
func (d *download) reuse(old *meta) (err error) {
	if old == nil {
		return errors.New("the server answers 304 Not Modified to a request that does not allow it")
	}
	if d.file, err = d.store.open(); err != nil {
		return err
	}
	d.meta, d.whole = *old, true
	d.used()
	return nil
}

// used notes the time, by which sweep decides what goes first. It may fail: the file is as good.
func (d *download) used() { _ = d.save(&d.meta) }

// damaged reports whether a whole file in the download folder is not the one that was fetched.
func (d *download) damaged(ctx context.Context, old *meta) bool {
	f, err := d.store.open()
	if err != nil {
		return true
	}
	defer f.Close()
	sum, err := source.Sum(ctx, f, old.Size)
	return ctx.Err() == nil && (err != nil || sum != old.SHA256)
}

// version returns the value for If-Range.
func (d *download) version() string {
	if d.meta.URL != d.req.URL { // the part comes from another server, and its digest is known
		return ""
	}
	return d.meta.validator()
}

// accept takes an answer that holds the file or a part of it as the current transfer.
func (d *download) accept(t *transfer, w want) (err error) {
	var now *meta
	resp := t.resp
	if resp.StatusCode == nethttp.StatusPartialContent {
		var size int64
		if t.start, t.end, size, err = contentRange(resp); err != nil {
			return err
		}
		if t.start != w.from || t.end != min(w.to, size) && w.to > 0 || w.to == 0 {
			return fmt.Errorf("the server sent bytes %d to %d instead of %d to %d", t.start, t.end-1, w.from, w.to-1)
		}
		if n := resp.ContentLength; n >= 0 && n != t.end-t.start {
			return fmt.Errorf("the server sent %d bytes as bytes %d to %d of the file", n, t.start, t.end-1)
		}
		now = d.metaOf(resp, size)
		d.ranges = true
	} else {
		now = d.metaOf(resp, max(resp.ContentLength, 0))
		t.end, d.ranges = resp.ContentLength, false
	}
	t.pos = t.start
	if err := d.checkSize(now.Size); err != nil {
		return err
	}
	if d.file == nil || !d.sameVersion(now) {
		if d.seen {
			d.discard()
			return changedError(&d.meta, now)
		}
		if d.file != nil {
			if d.resets++; d.resets >= d.c.Policy.Attempts {
				return fmt.Errorf("the file changed on the server %d times while it was fetched", d.resets)
			}
		}
		if err := d.create(now); err != nil {
			return err
		}
		if t.start > 0 {
			return &networkError{errRefetch}
		}
	}
	d.endTransfer()
	d.t = t
	return nil
}

// sameVersion reports whether the part in the download folder can be continued with an answer.
func (d *download) sameVersion(now *meta) bool {
	switch {
	case d.req.SHA256 != "" && d.meta.URL != now.URL: // the digest decides
		return d.meta.Size == now.Size || d.meta.Size == 0 || now.Size == 0
	case d.meta.validator() == "" && d.req.SHA256 == "":
		return d.meta.Blocks.count() == 0 && d.t == nil && !d.seen
	}
	return d.meta.same(now)
}

// create makes an empty part. An earlier part is removed, not truncated, because another process may be reading it.
func (d *download) create(m *meta) error {
	d.reset(m)
	f, err := d.openPart(os.O_CREATE | os.O_EXCL)
	if err != nil {
		return err
	}
	d.file = f
	return d.save(&d.meta)
}

// reset forgets what was fetched.
func (d *download) reset(m *meta) {
	d.discard()
	d.meta = *m
}

// discard removes what was fetched from the download folder.
func (d *download) discard() {
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
	if !d.private {
		d.remove()
	}
}

// fail ends the transfer. The error is also that of whoever reads the file later, unless the caller gave up. If there is no room for the file, what
// was fetched of it is removed: the rest could not be fetched later either, and meanwhile there would be no room for other files.
func (d *download) fail(ctx context.Context, err error) error {
	d.endTransfer()
	if noRoom(err) && d.unlock != nil {
		d.discard()
		if _, ok := errors.AsType[*hintError](err); !ok {
			what := "this download"
			if d.meta.Size > 0 {
				what = fmt.Sprintf("a download of %d bytes", d.meta.Size)
			}
			err = roomError(err, what)
		}
		d.err = err
	}
	if ctx.Err() == nil {
		d.err = err
	}
	return err
}

// drain reads an answer of unknown length to its end.
func (d *download) drain(ctx context.Context) error {
	err := d.pull(ctx, d.c.MaxSize+1)
	if err == nil {
		d.meta.Size = d.t.pos
		if d.t.pos%blockSize != 0 {
			d.meta.Blocks.set(d.t.pos / blockSize)
		}
		err = d.checkSize(d.meta.Size)
	}
	d.endTransfer()
	if err != nil {
		d.reset(&meta{})
	}
	return err
}

// pull writes the body of the current transfer to the part, up to an offset.
func (d *download) pull(ctx context.Context, until int64) error {
	t := d.t
	stop := context.AfterFunc(ctx, t.cancel)
	defer stop()
	t.timer.Reset(t.stall)
	t.since = 0
	defer t.timer.Stop() // the reader may take its time
	if d.buf == nil {
		d.buf = make([]byte, 256<<10)
	}
	for t.pos < until {
		n, err := t.read(d.buf[:min(int64(len(d.buf)), until-t.pos)])
		if n > 0 {
			if t.pos+int64(n) > d.c.MaxSize {
				return fmt.Errorf("the file has more than the %d bytes that are allowed", d.c.MaxSize)
			}
			if _, err := d.c.write(d.file, d.buf[:n], t.pos); err != nil {
				return err
			}
			d.arrived(t, int64(n))
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && (t.pos >= until || t.end < 0 && d.meta.Size == 0):
			return d.saveBlocks(false)
		default:
			d.endTransfer()
			if t.end >= 0 && t.pos < t.end && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return errors.Join(d.saveBlocks(true), t.failure(err, d.meta.Size))
		}
	}
	return d.saveBlocks(false)
}

// arrived records n bytes.
func (d *download) arrived(t *transfer, n int64) {
	first := t.pos / blockSize
	t.pos += n
	d.fetched += n
	for i := max(first, (t.start+blockSize-1)/blockSize); (i+1)*blockSize <= t.pos || t.pos == d.meta.Size && i*blockSize < t.pos; i++ {
		d.meta.Blocks.set(i)
	}
	if d.c.Progress != nil {
		d.c.Progress(Progress{d.req.URL, d.fetched, min(d.meta.Blocks.count()*blockSize, max(d.meta.Size, t.pos)), d.meta.Size})
	}
}

// saveBlocks stores which blocks are there. This process must hold the lock. The blocks are written to the disk at most once a second, unless
// sync is set.
func (d *download) saveBlocks(sync bool) error {
	if d.private || d.file == nil || d.whole {
		return nil
	}
	d.meta.Boot = bootID()
	if sync || d.meta.Boot == "" || time.Since(d.synced) > time.Second {
		if err := d.file.Sync(); err != nil {
			return err
		}
		d.meta.Boot, d.synced = "", time.Now()
	}
	return d.save(&d.meta)
}

// close closes the file. A part stays if it can be continued.
func (d *download) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endTransfer()
	if d.file != nil && !d.whole && d.tryLock() {
		if d.merge(); d.meta.validator() == "" && d.req.SHA256 == "" || d.meta.Blocks.count() == 0 {
			d.discard()
		} else {
			_ = d.saveBlocks(true) // without it, the blocks are fetched again
		}
	}
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
	d.opened = false
	d.giveLock()
}

// tryLock takes the lock if no other process has it.
func (d *download) tryLock() bool {
	if d.unlock == nil {
		d.unlock, _ = d.store.tryLock()
	}
	return d.unlock != nil
}
