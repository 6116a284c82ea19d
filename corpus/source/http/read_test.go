package http_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

const block = 64 << 10

func open(t *testing.T, c *http.Client, r http.Request) *http.File {
	t.Helper()
	f, err := c.Open(background(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t *testing.T, f *http.File, want []byte, off, n int64) {
	t.Helper()
	got := make([]byte, n)
	if _, err := f.ReadAt(got, off); err != nil || !bytes.Equal(got, want[off:off+n]) {
		t.Fatalf("at %d: got %v, or other bytes", off, err)
	}
}

// TestRanges: of a server with ranges, only what is read is fetched, and no block twice.
func TestRanges(t *testing.T) {
	body := contents(1, 100*block+5)
	s := newServer(t, &server{body: body, etag: `"1"`})
	c := newClient(t)
	f := open(t, c, http.Request{URL: s.URL})
	if f.Size() != int64(len(body)) || !f.State().Ranges || f.State().Whole {
		t.Errorf("got %d bytes, %+v", f.Size(), f.State())
	}
	read(t, f, body, 100*block, 5)
	read(t, f, body, 50*block+1, 10*block)
	read(t, f, body, 52*block, block) // is there
	read(t, f, body, 0, block)        // came with the first request
	want := []string{"/ bytes=0-65535", "/ bytes=6553600-6553604", "/ bytes=3276800-3997695"}
	if fmt.Sprint(s.log) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", s.log, want)
	}
	// Runs of missing blocks that are close are fetched together, and what lies between them once more.
	read(t, f, body, 62*block, 1)
	read(t, f, body, 61*block, 20*block)
	if got := s.asked(); got != fmt.Sprintf("/ bytes=%d-%d", 61*block, 81*block-1) {
		t.Errorf("got %q", got)
	}
	if _, err := f.ReadAt(make([]byte, 10), int64(len(body))); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: got %v", err)
	}
	if n, err := f.ReadAt(make([]byte, 10), int64(len(body))-3); n != 3 || !errors.Is(err, io.EOF) {
		t.Errorf("across the end: got %d, %v", n, err)
	}
}

// TestSequential: small reads one after another need few requests.
func TestSequential(t *testing.T) {
	body := contents(1, 20<<20)
	s := newServer(t, &server{body: body, etag: `"1"`})
	f := open(t, newClient(t), http.Request{URL: s.URL})
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if !bytes.Equal(got, body) || err != nil {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}
	if n := s.requests(); n > 15 {
		t.Errorf("got %d requests", n)
	}
	if s.total() != int64(len(body)) {
		t.Errorf("the server sent %d bytes of %d", s.total(), len(body))
	}
}

// TestStream: of a server without ranges, or whose files have no version, everything up to the last byte that is read is fetched, in one request.
func TestStream(t *testing.T) {
	body := contents(1, 50<<20)
	for _, s := range []*server{{body: body, etag: `"1"`, noRanges: true}, {body: body}} {
		newServer(t, s)
		f := open(t, newClient(t), http.Request{URL: s.URL})
		read(t, f, body, 1<<20, 1<<20)
		read(t, f, body, 10<<20, 1<<20)
		read(t, f, body, 5<<20, 1<<20)
		if state := f.State(); state.Ranges || state.Fetched > 11<<20+512<<10 {
			t.Errorf("got %+v", state)
		}
		if n := s.requests(); n > 2 { // one to find out
			t.Errorf("got %d requests: %q", n, s.log)
		}
	}
}

// TestChanged: a file that is replaced while it is read is an error. Later reads do not return other bytes.
func TestChanged(t *testing.T) {
	body := contents(1, 100*block)
	s := newServer(t, &server{body: body, etag: `"1"`})
	c := newClient(t)
	f := open(t, c, http.Request{URL: s.URL + "/a.deb"})
	read(t, f, body, 0, 10)
	s.mu.Lock()
	s.body, s.etag = contents(2, 100*block), `"2"`
	s.mu.Unlock()
	want := s.URL + `/a.deb: the file changed on the server while it was read (ETag "1", then "2"): run again`
	for range 2 {
		if _, err := f.ReadAt(make([]byte, 10), 50*block); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	f.Close()
	if names := left(t, c); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
	read(t, open(t, c, http.Request{URL: s.URL + "/a.deb"}), s.body, 50*block, 10) // run again
}

// TestLostWithoutVersion: when the connection is lost to a server that sends no parts and states no version, the rest may be that of another
// file. The error says this, and not that the file changed.
func TestLostWithoutVersion(t *testing.T) {
	body := contents(1, 100*block)
	s := &server{body: body, noRanges: true}
	s.misbehave = func(n int, w nethttp.ResponseWriter, _ *nethttp.Request) bool {
		if n > 0 {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:10*block])
		panic(nethttp.ErrAbortHandler)
	}
	newServer(t, s)
	f := open(t, newClient(t), http.Request{URL: s.URL})
	read(t, f, body, 0, 10)
	want := s.URL + ": the connection was lost, and the server does not say whether the file is still the same (ETag or Last-Modified): run again"
	if _, err := f.ReadAt(make([]byte, 10), 50*block); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLostConnection: a range whose connection is lost is fetched again, from where it was lost.
func TestLostConnection(t *testing.T) {
	body := contents(1, 100*block)
	s := &server{body: body, etag: `"1"`}
	s.misbehave = func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool { return n == 1 && s.part(w, r, 3*block) }
	newServer(t, s)
	var notices []string
	c := newClient(t)
	c.Notice = func(_, text string) { notices = append(notices, text) }
	f := open(t, c, http.Request{URL: s.URL})
	read(t, f, body, 10*block, 10*block)
	if got, want := s.asked(), fmt.Sprintf("/ bytes=%d-%d", 13*block, 20*block-1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := "the connection ended after 851968 of 6553600 bytes; trying again in "
	if len(notices) != 1 || !strings.HasPrefix(notices[0], want) { // a pause that is random in part
		t.Errorf("got %q, want %q", notices, want)
	}
}

// TestSharing: readers in one process, and processes with one download folder (flock tells them apart by their open files), fetch a file once.
func TestSharing(t *testing.T) {
	body := contents(1, 3<<20)
	for _, test := range []struct {
		name  string
		s     *server
		pin   string
		whole bool
	}{
		{"ranges", &server{body: body, etag: `"1"`}, "", false},
		{"whole", &server{body: body, etag: `"1"`}, "", true},
		{"pinned", &server{body: body}, sumOf(body), true},
		{"pinned, no ranges", &server{body: body, noRanges: true}, sumOf(body), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			newServer(t, test.s)
			dir := t.TempDir()
			var wg sync.WaitGroup
			for range 2 {
				c := newClient(t)
				c.Dir = dir
				for range 3 {
					wg.Go(func() {
						get := c.Open
						if test.whole {
							get = c.Fetch
						}
						f, err := get(background(), http.Request{URL: test.s.URL, SHA256: test.pin})
						if err != nil {
							t.Error(err)
							return
						}
						defer f.Close()
						got := make([]byte, len(body))
						if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, body) {
							t.Errorf("got %v, or other bytes", err)
						}
					})
				}
			}
			wg.Wait()
			if most := int64(len(body)) + 6*block; test.s.total() > most { // each may ask for the first block
				t.Errorf("the server sent %d bytes, want %d at most: %q", test.s.total(), most, test.s.log)
			}
		})
	}
}

// TestLater: a later process continues a part, uses a whole file if the server says that it is still the same, and fetches it again if not.
func TestLater(t *testing.T) {
	body := contents(1, 100*block)
	s := newServer(t, &server{body: body, etag: `"1"`})
	dir := t.TempDir()
	process := func(whole bool) *http.File {
		t.Helper()
		c := newClient(t)
		c.Dir = dir
		get := c.Open
		if whole {
			get = c.Fetch
		}
		f, err := get(background(), http.Request{URL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := process(false)
	read(t, f, body, 20*block, 10*block)
	f.Close()
	f = process(false)
	read(t, f, body, 20*block, 11*block)
	f.Close()
	if got, want := s.asked(), fmt.Sprintf("/ bytes=%d-%d", 30*block, 31*block-1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f = process(true)
	read(t, f, body, 0, 100*block)
	local, err := f.Local()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(local); !bytes.Equal(got, body) || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	local.Close()
	f.Close()
	if s.total() > int64(len(body))+10*block {
		t.Errorf("the server sent %d bytes of %d", s.total(), len(body))
	}
	n := s.total()
	f = process(false)
	read(t, f, body, 50*block, 10)
	if s.total() != n || !f.State().Whole {
		t.Errorf("the server sent %d bytes more of an unchanged file, %+v", s.total()-n, f.State())
	}
	f.Close()
	s.body, s.etag = contents(3, 100*block), `"3"`
	f = process(false)
	read(t, f, s.body, 50*block, 10)
	f.Close()
}

// TestPinnedLater: a whole file with the wanted digest needs no server if it came from the same address. From elsewhere, it counts only for a trusted
// request: otherwise the address is asked, once. If the file is damaged, it is fetched again.
func TestPinnedLater(t *testing.T) {
	body := contents(1, 10*block+7)
	s := newServer(t, &server{body: body})
	c := newClient(t)
	open(t, c, http.Request{URL: s.URL, SHA256: sumOf(body)}).Close()
	s.Close()
	for _, r := range []http.Request{{URL: s.URL, SHA256: sumOf(body)}, {URL: "http://127.0.0.1:1/other", SHA256: sumOf(body), Trusted: true}} {
		f := open(t, c, r)
		read(t, f, body, 0, int64(len(body)))
		f.Close()
	}
	again := newClient(t)
	again.Dir, again.Policy.Attempts = c.Dir, 1
	if _, err := again.Open(background(), http.Request{URL: "http://127.0.0.1:1/other", SHA256: sumOf(body)}); err == nil {
		t.Error("the file of another address counts")
	}
	other := newServer(t, &server{body: append([]byte("x"), body...)})
	var digest *http.DigestError
	if _, err := again.Open(background(), http.Request{URL: other.URL, SHA256: sumOf(body)}); !errors.As(err, &digest) || !strings.Contains(err.Error(), other.URL) {
		t.Errorf("a digest that is not that of the address: got %v", err)
	}
	named := newServer(t, &server{body: body})
	open(t, c, http.Request{URL: named.URL, SHA256: sumOf(body), Address: "name"}).Close()
	named.Close()
	open(t, c, http.Request{URL: "http://127.0.0.1:1/mirror", SHA256: sumOf(body), Address: "name"}).Close()

	kept, err := filepath.Glob(filepath.Join(c.Dir, "sha256-"+sumOf(body)+"*"))
	if err != nil || len(kept) < 3 {
		t.Fatal(kept, err)
	}
	for _, path := range kept {
		if !strings.HasSuffix(path, ".json") {
			if err := os.WriteFile(path, make([]byte, len(body)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = newServer(t, &server{body: body})
	f := open(t, c, http.Request{URL: s.URL, SHA256: sumOf(body)})
	read(t, f, body, 0, int64(len(body)))
	f.Close()
}

// TestOwnFailure: of two pinned files with one digest that are fetched at a time, the one that has other bytes fails alone, and its error has its URL.
func TestOwnFailure(t *testing.T) {
	body := contents(1, 3*block)
	good, bad := newServer(t, &server{body: body}), newServer(t, &server{body: contents(2, 3*block)})
	for range 5 {
		c := newClient(t)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				f, err := c.Open(background(), http.Request{URL: good.URL, SHA256: sumOf(body)})
				if err != nil {
					t.Error(err)
					return
				}
				f.Close()
			})
			wg.Go(func() {
				var digest *http.DigestError
				if _, err := c.Open(background(), http.Request{URL: bad.URL, SHA256: sumOf(body)}); !errors.As(err, &digest) || !strings.Contains(err.Error(), bad.URL) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
	}
}

// TestKilled: the part of a process that was killed while it fetched a pinned file is continued by the next one.
func TestKilled(t *testing.T) {
	body := contents(1, 100*block)
	s := &server{body: body}
	s.misbehave = func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
		return n == 0 && s.part(w, r, 40*block+5) // as if the process ended here
	}
	newServer(t, s)
	c := newClient(t)
	c.Policy.Attempts = 1
	if _, err := c.Open(background(), http.Request{URL: s.URL, SHA256: sumOf(body)}); err == nil {
		t.Fatal("got no error")
	}
	again := newClient(t)
	again.Dir = c.Dir
	f := open(t, again, http.Request{URL: s.URL, SHA256: sumOf(body)})
	read(t, f, body, 0, 100*block)
	if got, want := s.asked(), fmt.Sprintf("/ bytes=%d-%d", 40*block, 100*block-1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSweep: what was not used for a week goes, and so does a temporary file of a killed process.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-8 * 24 * time.Hour)
	for name, at := range map[string]time.Time{"url-0001": old, "url-0001.json": old, "url-0001.json.12.tmp": old, "url-0002.part": old, "url-0003": old,
		"url-0003.json": time.Now(), "README": old, "sha256-04": time.Now()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, &server{body: []byte("x")})
	c := newClient(t)
	c.Dir = dir
	_, err := c.Open(background(), http.Request{URL: s.URL + "/x", Size: 2})
	if err == nil {
		t.Error("got no error")
	}
	if got := strings.Join(left(t, c), " "); got != "README sha256-04 url-0003 url-0003.json" {
		t.Errorf("left: %s", got)
	}
}

// TestFinder: the origin of a server with ranges is read at any offset, that of another one in order, and a pinned one has its digest.
func TestFinder(t *testing.T) {
	body := contents(1, 10*block)
	for _, test := range []struct {
		s          *server
		pin        string
		at, stream bool
	}{
		{&server{body: body, etag: `"1"`}, "", true, false},
		{&server{body: body, etag: `"1"`, noRanges: true}, "", false, true},
		{&server{body: body, noRanges: true}, sumOf(body), true, false},
	} {
		newServer(t, test.s)
		url := strings.Replace(test.s.URL, "http://", "http://me:secret@", 1) + "/a.deb"
		o, err := source.Finders{URL: newClient(t)}.Find(background(), source.Ref{Kind: source.KindDeb, Where: url, SHA256: test.pin})
		if err != nil {
			t.Fatal(err)
		}
		if f := o.Facts(); !f.Network || strings.Contains(f.URL+o.String(), "secret") || f.SHA256 != test.pin {
			t.Errorf("got %+v of %s", f, o)
		}
		for range 2 {
			b, err := o.Open(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if (b.At != nil) != test.at || (b.Stream != nil) != test.stream || b.SHA256 != test.pin || b.Size != int64(len(body)) {
				t.Errorf("got %+v", b)
			}
			r := b.Stream
			if r == nil {
				r = io.NewSectionReader(b.At, 0, b.Size)
			}
			if got, err := io.ReadAll(r); !bytes.Equal(got, body) || err != nil {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := newClient(t).Find(background(), source.Ref{Kind: source.KindURL, Where: "ftp://x/y"})
	if err == nil {
		t.Error("a URL of another scheme is no error")
	}
}

// TestHeaders: the server gets the name of the program, and is told not to compress.
func TestHeaders(t *testing.T) {
	s := newServer(t, &server{body: []byte("x"), misbehave: func(_ int, _ nethttp.ResponseWriter, r *nethttp.Request) bool {
		if r.UserAgent() != "btfbatch/1.2" || r.Header.Get("Accept-Encoding") != "identity" || r.Method != nethttp.MethodGet {
			t.Errorf("got %s %v", r.Method, r.Header)
		}
		return false
	}})
	c := newClient(t)
	c.Agent = "btfbatch/1.2"
	var last http.Progress
	c.Progress = func(p http.Progress) { last = p }
	f := open(t, c, http.Request{URL: s.URL})
	read(t, f, []byte("x"), 0, 1)
	if want := (http.Progress{URL: s.URL, Fetched: 1, Have: 1, Size: 1}); last != want {
		t.Errorf("got %+v, want %+v", last, want)
	}
}

// TestFolder: BTFBATCH_CACHE names the folder; one that cannot be written gives a line that says so.
func TestFolder(t *testing.T) {
	t.Setenv("BTFBATCH_CACHE", "/some/where")
	if dir, err := http.Folder(); dir != filepath.Join("/some/where", "downloads") || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	for _, name := range []string{"BTFBATCH_CACHE", "XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	if _, err := http.Folder(); err == nil || !strings.HasSuffix(err.Error(), ": set BTFBATCH_CACHE to a folder") {
		t.Errorf("got %v", err)
	}
}

// TestEmpty: an empty file is no error here.
func TestEmpty(t *testing.T) {
	for _, s := range []*server{{etag: `"1"`}, {noRanges: true}, {noLength: true, noRanges: true}} {
		newServer(t, s)
		f := open(t, newClient(t), http.Request{URL: s.URL})
		if n, err := f.ReadAt(make([]byte, 1), 0); n != 0 || !errors.Is(err, io.EOF) || f.Size() != 0 {
			t.Errorf("got %d, %v of %d", n, err, f.Size())
		}
	}
}

// TestFetch: what was fetched ahead is read without the server. Meanwhile a reader gets another part of the file, and all bytes are sent once.
func TestFetch(t *testing.T) {
	body := contents(9, 5<<20)
	s := newServer(t, &server{body: body, etag: `"1"`})
	release, asked := make(chan struct{}), make(chan struct{})
	s.misbehave = func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
		if from, to, ok := parseRange(r.Header.Get("Range"), int64(len(body))); ok && from >= 1<<20 && to > 4<<20 { // that of Fetch
			s.mu.Lock()
			s.sent += to - from
			s.mu.Unlock()
			w.Header().Set("ETag", s.etag)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(body)))
			w.WriteHeader(nethttp.StatusPartialContent)
			w.Write(body[from : from+1<<20])
			w.(nethttp.Flusher).Flush()
			if from == 1<<20 {
				close(asked)
				<-release
			}
			w.Write(body[from+1<<20 : to])
			return true
		}
		return false
	}
	f := open(t, newClient(t), http.Request{URL: s.URL})
	done := make(chan error)
	go func() { done <- f.Fetch(background(), 1<<20, 4<<20) }()
	<-asked
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.total(); n > 4<<20+128<<10 {
		t.Errorf("%d bytes were sent for 4 MiB", n)
	}
	s.CloseClientConnections()
	s.Close()
	read(t, f, body, 1<<20, 4<<20)
	if err := f.Fetch(background(), 0, 5<<20); err == nil {
		t.Error("no error without a server")
	}
}
