package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/btfbatch/btfbatch/corpus/source"
)

const (
	firstAhead = 256 << 10 // bytes to fetch ahead of sequential reads; doubled with each
	mostAhead  = 4 << 20
	closeRuns  = 2 * blockSize // runs of missing blocks that are not farther apart are fetched together
)

// handOut returns the size of the file for a reader. From then on, the file must not change any more.
func (d *download) handOut() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = true
	return d.meta.Size
}

// readAt implements io.ReaderAt.
func (d *download) readAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.err != nil:
		return 0, d.err
	case off < 0:
		return 0, fmt.Errorf("negative offset %d", off)
	case off >= d.meta.Size:
		return 0, io.EOF
	}
	end := min(off+int64(len(p)), d.meta.Size)
	if !d.whole {
		if err := d.need(ctx, off, end); err != nil {
			return 0, err
		}
	}
	n, err = d.file.ReadAt(p[:end-off], off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// need fetches what is missing of [off, end).
func (d *download) need(ctx context.Context, off, end int64) error {
	if d.next == off {
		d.ahead = min(max(2*d.ahead, firstAhead), mostAhead)
	} else {
		d.ahead = 0
	}
	d.next = end
	if _, _, missing := d.meta.Blocks.missing(off, end); !missing {
		return nil
	}
	locked := d.unlock != nil
	if err := d.takeLock(ctx); err != nil {
		return err
	}
	d.merge()
	err := d.fill(ctx, off, end)
	if err != nil {
		err = d.fail(ctx, err)
	}
	if !locked || err != nil {
		d.giveLock()
	}
	return err
}

// fill fetches what is missing of [off, end), or up to the end of the file if that comes first.
func (d *download) fill(ctx context.Context, off, end int64) error {
	return d.retry(ctx, func() error {
		for {
			end := d.blockEnd(end)
			from, to, missing := d.meta.Blocks.missing(off, end)
			if !missing {
				return nil
			}
			if err := d.reach(ctx, from, to, end); err != nil {
				return err
			}
		}
	})
}

// blockEnd returns the end of the block that ends at an offset or contains it, or the end of the file if that comes first.
func (d *download) blockEnd(off int64) int64 {
	if off >= d.meta.Size {
		return d.meta.Size
	}
	return min((off+blockSize-1)/blockSize*blockSize, d.meta.Size)
}

// merge adds the blocks that other processes have fetched. This process must hold the lock.
func (d *download) merge() {
	m, ok := d.load()
	if !ok || !m.Created.Equal(d.meta.Created) {
		d.private = true
		return
	}
	d.meta.Blocks.add(m.Blocks)
	if m.SHA256 != "" { // another process has fetched all of it
		d.meta, d.whole = m, true
	}
}

// reach fetches the missing blocks [from, to). end is the end of the last block that is needed.
func (d *download) reach(ctx context.Context, from, to, end int64) error {
	for next, nextTo, ok := d.meta.Blocks.missing(to, end); ok && next-to <= closeRuns; next, nextTo, ok = d.meta.Blocks.missing(to, end) {
		to = nextTo
	}
	if t := d.t; t != nil && (t.pos > from || d.ranges && (from-t.pos > closeRuns || t.end < to)) {
		d.endTransfer()
	}
	if d.t == nil {
		upto := to
		if ahead, aheadTo, ok := d.meta.Blocks.missing(to, d.blockEnd(to+d.ahead)); ok && ahead == to {
			upto = aheadTo
		}
		if err := d.ask(ctx, from, upto); err != nil {
			return err
		}
	}
	if d.t.start > from {
		return errors.New("the server sent another part of the file")
	}
	until := min(to, d.meta.Size)
	if d.ranges && !d.t.long {
		until = d.t.end
	}
	err := d.pull(ctx, until)
	if d.t != nil && d.t.pos == d.t.end {
		d.endTransfer()
	}
	return err
}

// complete fetches all that is missing, checks the digest and gives the file its name.
func (d *download) complete(ctx context.Context) error {
	for fresh := false; ; fresh = true {
		resumed := d.meta.Blocks.count() > 0
		if d.merge(); d.private {
			return errors.New("another process fetches another version of the file: run again")
		}
		if err := d.fill(ctx, 0, math.MaxInt64); err != nil || d.whole {
			return err
		}
		d.endTransfer()
		sum, err := source.Sum(ctx, d.file, d.meta.Size)
		if err != nil {
			return err
		}
		if d.req.SHA256 == "" || sum == d.req.SHA256 {
			return d.finish(sum)
		}
		d.reset(&meta{})
		if fresh || !resumed {
			return &DigestError{sum, d.req.SHA256}
		}
		// The part may have been that of another version.
		if err := d.retry(ctx, func() error { return d.first(ctx, true, nil) }); err != nil {
			return err
		}
	}
}

// finish gives a whole file its name.
func (d *download) finish(sum string) error {
	if err := d.file.Sync(); err != nil {
		return err
	}
	d.meta.SHA256, d.meta.Blocks, d.meta.Boot = sum, nil, ""
	if err := d.store.finish(); err != nil {
		return err
	}
	d.whole = true
	return d.save(&d.meta)
}
