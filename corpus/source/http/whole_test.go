package http

import (
	"context"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// TestWhole: a client for whole files knows the digest of a file without a pin, keeps the file under it, so that the pinned file needs no server,
// and does not believe what the download folder has become since.
func TestWhole(t *testing.T) {
	const text = "the contents of a package"
	var requests atomic.Int64
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		requests.Add(1)
		nethttp.ServeContent(w, r, "p", time.Unix(1_700_000_000, 0), strings.NewReader(text))
	}))
	dir := t.TempDir()
	open := func(r Request, whole bool) (string, State) {
		t.Helper()
		c := &Client{Dir: dir, Whole: whole, Policy: retry.Policy{Attempts: 1}}
		f, err := c.Open(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		data := make([]byte, f.Size())
		if _, err := f.ReadAt(data, 0); err != nil {
			t.Fatal(err)
		}
		return string(data), f.State()
	}
	url := server.URL + "/p"
	got, state := open(Request{URL: url}, true)
	sum, err := source.Sum(context.Background(), strings.NewReader(text), int64(len(text)))
	if err != nil || got != text || state.SHA256 != sum {
		t.Fatalf("got %q, %+v, %v; want the digest %s", got, state, err, sum)
	}
	before := requests.Load()
	if got, _ := open(Request{URL: url, SHA256: sum}, false); got != text || requests.Load() != before {
		t.Errorf("pinned, of the same address: got %q and %d requests", got, requests.Load()-before)
	}
	if got, _ := open(Request{URL: server.URL + "/elsewhere", SHA256: sum, Trusted: true}, false); got != text || requests.Load() != before {
		t.Errorf("pinned: got %q and %d requests", got, requests.Load()-before)
	}
	if from, ok := (&Client{Dir: dir}).Kept(sum); !ok || from != url {
		t.Errorf("kept: got %q, %v", from, ok)
	}
	if _, ok := (&Client{Dir: dir}).Kept(strings.Repeat("0", 64)); ok {
		t.Error("a file that nobody fetched is kept")
	}

	// A file in the folder that was damaged is fetched again. Its size and what is known about it are as before.
	kept := store{dir, keyOf(Request{URL: url})}.path("")
	if err := os.WriteFile(kept, []byte(strings.ToUpper(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, state := open(Request{URL: url}, true); got != text || state.SHA256 != sum {
		t.Errorf("damaged: got %q, %+v", got, state)
	}
	server.Close()
	if got, _ := open(Request{URL: url, SHA256: sum}, false); got != text {
		t.Errorf("without a server: got %q", got)
	}
}
