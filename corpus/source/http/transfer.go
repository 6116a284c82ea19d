package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
)

// A transfer is the answer to one request, whose body is being written to the part.
type transfer struct {
	resp       *nethttp.Response
	body       io.ReadCloser
	start, pos int64 // the body begins at start, and was read up to pos
	end        int64 // of the body; -1 if the server does not say
	cancel     context.CancelFunc
	stall      time.Duration
	timer      *time.Timer
	stalled    atomic.Bool
	since      int64 // bytes since the timer was set
	long       bool  // it is read in steps: see Fetch
}

// slow is the least number of bytes that a server must send while the timer for a stall runs.
const slow = 4 << 10

// watch cancels the request if the server stalls.
func (t *transfer) watch(cancel context.CancelFunc, stall time.Duration) {
	t.cancel, t.stall = cancel, stall
	t.timer = time.AfterFunc(stall, func() {
		t.stalled.Store(true)
		cancel()
	})
}

// read reads from the body. The timer must be running.
func (t *transfer) read(b []byte) (int, error) {
	n, err := t.body.Read(b)
	if t.since += int64(n); t.since >= slow {
		t.timer.Reset(t.stall)
		t.since = 0
	}
	return n, err
}

func (t *transfer) close() {
	t.timer.Stop()
	if t.pos == t.end { // then the connection can be reused
		_, _ = t.body.Read(make([]byte, 1))
	}
	t.cancel()
	t.body.Close()
}

// failure says why reading ended early.
func (t *transfer) failure(err error, size int64) error {
	of := ""
	if size > 0 {
		of = fmt.Sprintf(" of %d", size)
	}
	switch {
	case t.stalled.Load():
		return &networkError{fmt.Errorf("the server sent nothing more for %v, after %d%s bytes", t.stall, t.pos, of)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &networkError{fmt.Errorf("the connection ended after %d%s bytes", t.pos, of)}
	}
	return &networkError{fmt.Errorf("the connection was lost after %d%s bytes: %w", t.pos, of, err)}
}

// A want says what to ask a server for.
type want struct {
	from, to    int64 // the range; all of the file if to is 0
	ifRange     string
	conditional *meta // ask for the file only if it differs
}

// request sends a request, and returns the answer if it is 200, 206 or 304. What part of the file it holds is not set yet.
func (d *download) request(ctx context.Context, w want) (*transfer, error) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx)) // another reader may go on reading the body
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	t := &transfer{end: -1}
	t.watch(cancel, d.c.Stall)
	place := d.req.URL
	if d.target != "" {
		place = d.target
	}
	req, err := nethttp.NewRequestWithContext(own, nethttp.MethodGet, place, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("User-Agent", d.c.Agent)
	req.Header.Set("Accept-Encoding", "identity")
	if w.to > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", w.from, w.to-1))
	}
	if w.ifRange != "" {
		req.Header.Set("If-Range", w.ifRange)
	}
	if c := w.conditional; c != nil && c.ETag != "" {
		req.Header.Set("If-None-Match", c.ETag)
	} else if c != nil && c.Modified != "" {
		req.Header.Set("If-Modified-Since", c.Modified)
	}
	resp, err := d.c.http.Do(req) //nolint:bodyclose // transfer.close does it
	t.timer.Stop()
	if err != nil {
		cancel()
		d.target = ""
		if t.stalled.Load() {
			return nil, &networkError{fmt.Errorf("the server sent no answer for %v", t.stall)}
		}
		return nil, requestError(err)
	}
	t.resp, t.body = resp, resp.Body
	switch resp.StatusCode {
	case nethttp.StatusOK, nethttp.StatusPartialContent, nethttp.StatusNotModified:
		d.target = resp.Request.URL.String()
		return t, nil
	}
	t.close()
	failure := error(&StatusError{resp.StatusCode, retry.Asked(resp.Header, time.Now())})
	if place != d.req.URL { // the place that a redirect led to may be gone, and the redirect may lead to another one
		d.target, failure = "", &networkError{failure}
	}
	return nil, failure
}

// metaOf returns what an answer says about the file.
func (d *download) metaOf(resp *nethttp.Response, size int64) *meta {
	return &meta{URL: d.req.URL, Size: size, ETag: resp.Header.Get("ETag"), Modified: resp.Header.Get("Last-Modified"), Created: time.Now()}
}

// contentRange reads the header of a part: bytes FROM-LAST/SIZE.
func contentRange(resp *nethttp.Response) (from, to, size int64, err error) {
	text := resp.Header.Get("Content-Range")
	rest, ok := strings.CutPrefix(text, "bytes ")
	first, rest, ok2 := strings.Cut(rest, "-")
	last, total, ok3 := strings.Cut(rest, "/")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	size, err3 := strconv.ParseInt(total, 10, 64)
	if !ok || !ok2 || !ok3 || errors.Join(err1, err2, err3) != nil || from < 0 || to < from || size <= to {
		return 0, 0, 0, fmt.Errorf("the server sent a part with the header Content-Range %q, which is not valid", text)
	}
	return from, to + 1, size, nil
}

// checkSize compares the size that a server states with the expected one, and with the largest allowed one.
func (d *download) checkSize(size int64) error {
	switch {
	case size > d.c.MaxSize:
		return fmt.Errorf("the file has %d bytes, more than the %d that are allowed", size, d.c.MaxSize)
	case d.req.Size > 0 && size > 0 && size != d.req.Size:
		return fmt.Errorf("the server says that the file has %d bytes, but %d are expected", size, d.req.Size)
	}
	return nil
}
