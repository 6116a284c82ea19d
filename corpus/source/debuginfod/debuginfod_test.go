package debuginfod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

const (
	id   = "0123456789abcdef0123456789abcdef01234567"
	none = "ffffffffffffffffffffffffffffffffffffffff"
)

func ref(id string) source.Ref { return source.Ref{Kind: source.KindDebuginfod, Where: id} }

func client(t *testing.T) *http.Client {
	t.Helper()
	return &http.Client{Dir: t.TempDir(), Policy: retry.Policy{Attempts: 2, Backoff: time.Millisecond}}
}

// content reads all of a blob.
func content(t *testing.T, b *source.Blob) []byte {
	t.Helper()
	r := b.Stream
	if r == nil {
		r = io.NewSectionReader(b.At, 0, b.Size)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestServers: servers are tried in their order. One that does not have the file, or cannot be reached, is passed over.
func TestServers(t *testing.T) {
	body := bytes.Repeat([]byte("image"), 100_000)
	serve := func(h nethttp.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	asked := 0
	has := serve(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if asked++; r.URL.Path != "/buildid/"+id+"/debuginfo" || r.Method != nethttp.MethodGet {
			w.WriteHeader(nethttp.StatusNotFound)
			return
		}
		w.Write(body)
	})
	empty := serve(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(nethttp.StatusNotFound) })
	sick := serve(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(nethttp.StatusBadGateway) })
	for _, test := range []struct {
		servers string
		id      string
		want    string // the URL, or the error
	}{
		{has, id, has + "/buildid/" + id + "/debuginfo"},
		{empty + " " + has + "/", id, has + "/buildid/" + id + "/debuginfo"},
		{sick + "  " + has, id, has + "/buildid/" + id + "/debuginfo"},
		{empty, id, "no debuginfod server has the build id " + id + " (" + empty + ")"},
		{empty + " " + has, none, "no debuginfod server has the build id " + none + " (" + empty + ", " + has + ")"},
		{sick + " " + empty, id, fmt.Sprintf("no debuginfod server sent the file: %[1]s/buildid/%[2]s/debuginfo: 502 Bad Gateway (2 attempts); %[3]s/buildid/%[2]s/debuginfo: 404 Not Found: the server does not have the file", sick, id, empty)},
		{empty + " " + sick, id, fmt.Sprintf("no debuginfod server sent the file: %[3]s/buildid/%[2]s/debuginfo: 404 Not Found: the server does not have the file; %[1]s/buildid/%[2]s/debuginfo: 502 Bad Gateway (2 attempts)", sick, id, empty)},
		{"", id, "debuginfod=" + id + ": DEBUGINFOD_URLS is not set: set it to the URLs of debuginfod servers, such as https://debuginfod.debian.net or https://debuginfod.elfutils.org"},
		{"ftp://x", id, `DEBUGINFOD_URLS: ftp://x/buildid/` + id + `/debuginfo: the scheme "ftp" is not supported: give a URL with http or https, or the path of a file`},
		{has, "0123", `"0123" is not a build id: give the 40 hexadecimal digits that file or readelf -n prints`},
		{has, strings.ToUpper(id), `"` + strings.ToUpper(id) + `" is not a build id: give the 40 hexadecimal digits that file or readelf -n prints`},
	} {
		t.Setenv(Variable, test.servers)
		f := &Finder{Client: client(t)}
		o, err := f.Find(context.Background(), ref(test.id))
		var b *source.Blob
		if err == nil {
			b, err = o.Open(context.Background())
		}
		if err != nil {
			if err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if got, want := errors.Is(err, source.ErrFetch), strings.HasPrefix(test.want, "no debuginfod server"); got != want {
				t.Errorf("%v: fetched: got %v, want %v", err, got, want)
			}
			again, ok := errors.AsType[interface {
				error
				Transient() bool
			}](err)
			if got, want := ok && again.Transient(), strings.Contains(test.want, "502"); got != want {
				t.Errorf("%v: worth another attempt: got %v, want %v", err, got, want)
			}
			continue
		}
		if got := o.Facts(); o.String() != test.want || got.URL != test.want || !got.Network || got.BuildID != id {
			t.Errorf("got %+v of %s, want %s", got, o, test.want)
		}
		if got := content(t, b); !bytes.Equal(got, body) {
			t.Errorf("got %d bytes, want %d", len(got), len(body))
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
