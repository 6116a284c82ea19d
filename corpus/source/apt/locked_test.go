package apt

import (
	"bytes"
	"context"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// TestLocked: the package of a lock is fetched in its version, once; from then on, neither the archive nor its index is asked. A version that the
// archive does not have, and other bytes under the version, are errors.
func TestLocked(t *testing.T) {
	peer.Installed(t, "apt-get")
	dir := t.TempDir()
	makeArchive(t, dir)
	var requests atomic.Int64
	files := nethttp.FileServer(nethttp.Dir(dir))
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		requests.Add(1)
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	t.Setenv("http_proxy", "")
	downloads := t.TempDir()
	find := func(exact, sum string) ([]byte, source.Facts, error) {
		f := &Finder{Client: &http.Client{Dir: downloads}, Dir: t.TempDir(), read: true,
			entries: []entry{{server.URL, "test", "main", []field{{"Trusted", " yes"}}}}}
		o, err := f.Find(context.Background(), source.Ref{Kind: source.KindApt, SHA256: sum, Locked: true, Exact: exact,
			Apt: source.AptRef{Suite: "test", Arch: "s390x", Package: "linux-image-s390x-dbg"}})
		if err != nil {
			return nil, source.Facts{}, err
		}
		b, err := o.Open(context.Background())
		if err != nil {
			return nil, o.Facts(), err
		}
		defer b.Close()
		data, err := io.ReadAll(io.NewSectionReader(b.At, 0, b.Size))
		return data, o.Facts(), err
	}
	if _, _, err := find("linux-image-1-s390x-dbg=0.9", sumOf(a1)); err == nil || !strings.Contains(err.Error(), "the lock has linux-image-1-s390x-dbg 0.9, which the archive does not have any more") ||
		!strings.Contains(err.Error(), "snapshot.debian.org") {
		t.Errorf("a version that is gone: got %v", err)
	}
	if _, _, err := find("linux-image-1-s390x-dbg=1-1", sumOf(nil)); err == nil || !strings.Contains(err.Error(), "the lock has "+sumOf(nil)) {
		t.Errorf("other bytes: got %v", err)
	}
	for i := range 2 {
		before := requests.Load()
		data, facts, err := find("linux-image-1-s390x-dbg=1-1", sumOf(a1))
		if err != nil || !bytes.Equal(data, a1) || facts.Package != "linux-image-1-s390x-dbg" || facts.Version != "1-1" || facts.SHA256 != sumOf(a1) || !facts.Network {
			t.Errorf("got %d bytes, %+v, %v", len(data), facts, err)
		}
		if n := requests.Load() - before; (n == 0) != (i == 1) {
			t.Errorf("time %d: %d requests", i, n)
		}
	}
}
