package http

import "context"

// stepAhead is the number of bytes that are fetched ahead at a time. A reader of the file waits for one step at most.
const stepAhead = 1 << 20

// Fetch fetches a part of the file before it is read. It returns when the part is in the download folder. Meanwhile the file can be read: what a reader
// needs comes first. If the server sends no parts, Fetch does nothing. What cannot be fetched is an error of those who read it, too.
func (f *File) Fetch(ctx context.Context, off, size int64) error {
	d := f.d
	defer d.rest()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = d.stepAhead(ctx, off, min(off+size, f.size)); err != nil {
			return about(d.req.URL, err)
		}
	}
	return nil
}

// stepAhead fetches the first bytes that are missing of [off, end). It reports whether there may be more.
func (d *download) stepAhead(ctx context.Context, off, end int64) (more bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil || d.whole || !d.ranges {
		return false, d.err
	}
	if err := d.takeLock(ctx); err != nil {
		return false, err
	}
	if d.t == nil {
		d.merge()
	}
	err = d.retry(ctx, func() error {
		from, to, missing := d.meta.Blocks.missing(off, d.blockEnd(end))
		if more = missing && !d.whole; !more {
			return nil
		}
		if t := d.t; t == nil || t.start > from || t.pos/blockSize != from/blockSize || t.end < min(to, from+stepAhead) {
			if err := d.ask(ctx, from, to); err != nil {
				return err
			}
			d.t.long = true
		}
		return d.pull(ctx, min(d.t.pos+stepAhead, d.t.end))
	})
	if d.t != nil && d.t.pos == d.t.end {
		d.endTransfer()
	}
	if err != nil {
		err = d.fail(ctx, err)
	}
	return more, err
}

// ask begins the transfer of [from, to), of a file whose server sends parts.
func (d *download) ask(ctx context.Context, from, to int64) error {
	d.endTransfer()
	w := want{from: from, to: to, ifRange: d.version()}
	if w.ifRange == "" && d.req.SHA256 == "" {
		w = want{}
	}
	t, err := d.request(ctx, w)
	if err != nil {
		return err
	}
	if err := d.accept(t, w); err != nil {
		t.close()
		return err
	}
	return nil
}

// rest ends what fetching ahead has left.
func (d *download) rest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.giveLock()
}
