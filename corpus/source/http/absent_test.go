package http_test

import (
	"errors"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// A server that does not have a file with a pinned digest is asked once a week, unless it is to be asked again. Other failures are not remembered, nor
// are files without a digest.
func TestAbsent(t *testing.T) {
	var asked atomic.Int64
	status := atomic.Int64{}
	status.Store(nethttp.StatusNotFound)
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		asked.Add(1)
		if code := int(status.Load()); code != nethttp.StatusOK {
			w.WriteHeader(code)
			return
		}
		_, _ = w.Write([]byte("abc"))
	}))
	defer s.Close()
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of abc
	dir := t.TempDir()
	open := func(c *http.Client, ref source.Ref) error {
		t.Helper()
		c.Dir, c.Policy.Attempts = dir, 1
		o, err := c.Find(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		b, err := o.Open(t.Context())
		if err == nil {
			err = b.Close()
		}
		return err
	}
	want := func(what string, err error, known bool, requests int64) {
		t.Helper()
		e, is := errors.AsType[*http.KnownError](err)
		if is != known {
			t.Errorf("%s: got %v", what, err)
		}
		if known {
			var answer *http.StatusError
			if !strings.Contains(err.Error(), "known since "+e.Since.Format(time.DateOnly)+": 404 Not Found") || !errors.As(err, &answer) || !answer.Missing() {
				t.Errorf("%s: got %v", what, err)
			}
		}
		if n := asked.Swap(0); n != requests {
			t.Errorf("%s: %d requests, want %d", what, n, requests)
		}
	}
	remember := func() *http.Client { return &http.Client{Remember: true} }
	pinned, loose := source.Ref{Where: s.URL + "/f", SHA256: sum}, source.Ref{Where: s.URL + "/g"}
	want("not remembering", open(&http.Client{}, pinned), false, 1)
	want("first", open(remember(), pinned), false, 1)
	want("second", open(remember(), pinned), true, 0)
	want("another URL", open(remember(), source.Ref{Where: s.URL + "/h", SHA256: sum}), false, 1)
	want("third", open(remember(), pinned), true, 0)
	want("without a digest", open(remember(), loose), false, 1)
	want("without a digest, second", open(remember(), loose), false, 1)
	want("again", open(&http.Client{Remember: true, Again: true}, pinned), false, 1)
	want("after again", open(remember(), pinned), true, 0)

	// A note that is older than a week does not count, nor does a damaged one.
	notes, err := filepath.Glob(filepath.Join(dir, "*.missing"))
	if err != nil || len(notes) != 2 {
		t.Fatal(notes, err)
	}
	text, err := os.ReadFile(notes[0])
	if err == nil && strings.Contains(string(text), "/h") {
		notes[0] = notes[1]
		text, err = os.ReadFile(notes[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(string(text), `"asked":"`) + len(`"asked":"`)
	for _, year := range []string{"2001", "9001"} {
		write(t, notes[0], string(text[:at])+year+string(text[at+4:]))
		want("year "+year, open(remember(), pinned), false, 1)
	}
	write(t, notes[0], string(text[:at]))
	want("damaged", open(remember(), pinned), false, 1)

	// The file is there later.
	status.Store(nethttp.StatusOK)
	want("there, but not asked", open(remember(), pinned), true, 0)
	want("there", open(&http.Client{Remember: true, Again: true}, pinned), false, 1)
	want("kept", open(remember(), pinned), false, 0)

	// Other answers are not remembered.
	status.Store(nethttp.StatusForbidden)
	other := source.Ref{Where: s.URL + "/other", SHA256: strings.Repeat("0", 64)}
	want("refused", open(remember(), other), false, 1)
	want("refused, second", open(remember(), other), false, 1)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
