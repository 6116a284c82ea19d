package http_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// contents returns bytes that no two blocks have in common.
func contents(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(b)
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A server serves one file, well or badly.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	body []byte
	etag string
	log  []string // "method path range status"
	sent int64

	noRanges bool
	noLength bool // chunked
	// misbehave is called for each request, counted from 0. It returns true if it has answered.
	misbehave func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool
}

func newServer(t *testing.T, s *server) *server {
	t.Helper()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.mu.Lock()
	n := len(s.log)
	s.log = append(s.log, r.URL.Path+" "+r.Header.Get("Range"))
	body, etag := s.body, s.etag
	s.mu.Unlock()
	if s.misbehave != nil && s.misbehave(n, w, r) {
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	if etag != "" && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(nethttp.StatusNotModified)
		return
	}
	from, to, ok := int64(0), int64(len(body)), false
	if !s.noRanges && (r.Header.Get("If-Range") == "" || r.Header.Get("If-Range") == etag) {
		from, to, ok = parseRange(r.Header.Get("Range"), int64(len(body)))
	}
	if ok && from >= to {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(body)))
		w.WriteHeader(nethttp.StatusRequestedRangeNotSatisfiable)
		return
	}
	if !s.noLength {
		w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	}
	if ok {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(body)))
		w.WriteHeader(nethttp.StatusPartialContent)
	}
	s.mu.Lock()
	s.sent += to - from
	s.mu.Unlock()
	w.Write(body[from:to])
	if s.noLength {
		w.(nethttp.Flusher).Flush()
	}
}

func parseRange(text string, size int64) (from, to int64, ok bool) {
	a, b, ok := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	if !ok {
		return 0, size, false
	}
	from, _ = strconv.ParseInt(a, 10, 64)
	last, err := strconv.ParseInt(b, 10, 64)
	if err != nil || last >= size {
		last = size - 1
	}
	return from, last + 1, true
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

// asked returns the last request, as path and range.
func (s *server) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log[len(s.log)-1]
}

// total returns the number of bytes that were sent.
func (s *server) total() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// part sends a part of the file under the headers of the whole, and then loses the connection.
func (s *server) part(w nethttp.ResponseWriter, r *nethttp.Request, n int64) bool {
	from, to, ok := parseRange(r.Header.Get("Range"), int64(len(s.body)))
	ok = ok && !s.noRanges
	if !ok {
		from, to = 0, int64(len(s.body))
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
	}
	w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	if ok {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(s.body)))
		w.WriteHeader(nethttp.StatusPartialContent)
	}
	w.Write(s.body[from:min(from+n, to)])
	w.(nethttp.Flusher).Flush()
	if from+n < to {
		panic(nethttp.ErrAbortHandler)
	}
	return true
}

// newClient returns a client that does not wait.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	return &http.Client{Dir: t.TempDir(), Stall: 5 * time.Second, Policy: retry.Policy{Attempts: 3, Backoff: time.Millisecond, MaxWait: 2 * time.Second}}
}

// left lists the files in the download folder, without locks.
func left(t *testing.T, c *http.Client) (names []string) {
	t.Helper()
	list, err := os.ReadDir(c.Dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Name(), "lock-") {
			names = append(names, f.Name())
		}
	}
	return names
}

func background() context.Context { return context.Background() }
