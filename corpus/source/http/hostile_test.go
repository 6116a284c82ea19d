package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// TestMisbehavingServers: each kind of misbehaviour gives its line, or is survived; either way, nothing is left that a later run would take
// for the file. URL stands for the address of the server.
func TestMisbehavingServers(t *testing.T) {
	body := contents(1, 300_000)
	other := contents(2, 300_000)
	answer := func(code int, header ...string) func(int, nethttp.ResponseWriter, *nethttp.Request) bool {
		return func(_ int, w nethttp.ResponseWriter, _ *nethttp.Request) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return true
		}
	}
	first := func(n int, answer func(int, nethttp.ResponseWriter, *nethttp.Request) bool) func(int, nethttp.ResponseWriter, *nethttp.Request) bool {
		return func(i int, w nethttp.ResponseWriter, r *nethttp.Request) bool { return i < n && answer(i, w, r) }
	}
	var s *server // of the running test
	for _, test := range []struct {
		name     string
		server   *server
		pin      string // of the file; "good": of its contents
		size     int64  // the expected one
		want     string // the error; empty: the file arrives
		requests int
		parts    bool // what was fetched is kept, and can be continued
	}{
		{name: "good", requests: 1},
		{name: "404", server: &server{misbehave: answer(404)}, want: "URL/a.deb: 404 Not Found: the server does not have the file", requests: 1},
		{name: "403", server: &server{misbehave: answer(403)}, want: "URL/a.deb: 403 Forbidden: the server refuses to send the file", requests: 1},
		{name: "416", server: &server{misbehave: answer(416)}, want: "URL/a.deb: 416 Requested Range Not Satisfiable", requests: 1},
		{name: "500 twice, then good", server: &server{misbehave: first(2, answer(500))}, requests: 3},
		{name: "always 503", server: &server{misbehave: answer(503)}, want: "URL/a.deb: 503 Service Unavailable (3 attempts)", requests: 3},
		{name: "429 with Retry-After, then good", server: &server{misbehave: first(1, answer(429, "Retry-After", "1"))}, requests: 2},
		{name: "429 with a long Retry-After", server: &server{misbehave: answer(429, "Retry-After", "3600")}, requests: 1,
			want: "URL/a.deb: 429 Too Many Requests: the server asks to wait for 1h0m0s, which is more than 2s: run again later"},
		{name: "503 until a date", server: &server{misbehave: answer(503, "Retry-After", "Mon, 30 Nov 2026 13:00:00 GMT", "Date", "Mon, 30 Nov 2026 12:00:00 GMT")}, requests: 1,
			want: "URL/a.deb: 503 Service Unavailable: the server asks to wait for 1h0m0s, which is more than 2s: run again later"},
		{name: "redirect in a circle", server: &server{misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			nethttp.Redirect(w, r, map[string]string{"/a.deb": "/b.deb", "/b.deb": "/c.deb", "/c.deb": "/b.deb"}[r.URL.Path], nethttp.StatusFound)
			return true
		}}, want: "URL/a.deb: the server redirects in a circle, from URL/c.deb back to URL/b.deb", requests: 3},
		{name: "endless redirects", server: &server{misbehave: func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			nethttp.Redirect(w, r, fmt.Sprintf("/%d", n), nethttp.StatusTemporaryRedirect)
			return true
		}}, want: "URL/a.deb: more than 10 redirects, the last one to URL/10", requests: 11},
		{name: "redirect to another scheme", server: &server{misbehave: answer(302, "Location", "file:///etc/passwd")}, requests: 1,
			want: "URL/a.deb: the server redirects to file:///etc/passwd, but only http and https are followed"},
		{name: "stall before the answer", server: &server{misbehave: func(_ int, _ nethttp.ResponseWriter, r *nethttp.Request) bool {
			<-r.Context().Done()
			return true
		}}, want: "URL/a.deb: the server sent no answer for 300ms (3 attempts)", requests: 3},
		{name: "stall in the middle", server: &server{misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			w.Header().Set("Content-Length", "300000")
			w.Write(body[:1000])
			w.(nethttp.Flusher).Flush()
			<-r.Context().Done()
			return true
		}}, want: "URL/a.deb: the server sent nothing more for 300ms, after 1000 of 300000 bytes (3 attempts)", requests: 3},
		{name: "trickle", server: &server{misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			w.Header().Set("Content-Length", "300000")
			for i := range 1000 {
				if w.Write(body[i : i+1]); r.Context().Err() != nil {
					return true
				}
				w.(nethttp.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
			return true
		}}, want: "URL/a.deb: the server sent nothing more for 300ms, after ", requests: 3},
		{name: "short body", server: &server{etag: `"1"`, misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			return s.part(w, r, 1000)
		}}, want: "URL/a.deb: the connection ended after 1000 of 300000 bytes (3 attempts)", requests: 3},
		{name: "connection lost, then resumed", server: &server{etag: `"1"`, misbehave: first(2, func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			return s.part(w, r, 100_000)
		})}, requests: 3},
		{name: "connection lost, no ranges", server: &server{etag: `"1"`, noRanges: true, misbehave: first(1, func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			return s.part(w, r, 100_000)
		})}, requests: 2},
		{name: "connection lost, no version", server: &server{misbehave: first(1, func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			return s.part(w, r, 100_000)
		})}, requests: 2},
		{name: "connection lost again and again at one place", server: &server{etag: `"1"`, noRanges: true, misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			return s.part(w, r, 100_000)
		}}, want: "URL/a.deb: the connection ended after 100000 of 300000 bytes (3 attempts)", requests: 3, parts: true},
		{name: "changed in the middle", server: &server{etag: `"1"`, misbehave: first(1, func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			defer func() { s.body, s.etag = other, `"2"` }()
			return s.part(w, r, 100_000)
		})}, requests: 2},
		{name: "changed in the middle, part of the new one", server: &server{etag: `"1"`, misbehave: first(2, func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			if n == 1 { // ignores If-Range
				s.body, s.etag = other, `"2"`
			}
			return s.part(w, r, 100_000+200_000*int64(n))
		})}, requests: 3},
		{name: "always another one", server: &server{etag: `"1"`, misbehave: func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			s.etag = fmt.Sprintf(`"%d"`, n)
			return s.part(w, r, 100_000)
		}}, want: "URL/a.deb: the connection ended after 100000 of 300000 bytes (3 attempts)", parts: true},
		{name: "wrong part", server: &server{etag: `"1"`, misbehave: func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			if n == 0 {
				return s.part(w, r, 100_000)
			}
			return answer(206, "ETag", `"1"`, "Content-Range", "bytes 0-299999/300000")(n, w, r)
		}}, want: "URL/a.deb: the server sent bytes 0 to 299999 instead of 65536 to 299999", requests: 2, parts: true},
		{name: "part without a place", server: &server{etag: `"1"`, misbehave: func(n int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			if n == 0 {
				return s.part(w, r, 100_000)
			}
			return answer(206, "ETag", `"1"`)(n, w, r)
		}}, want: `URL/a.deb: the server sent a part with the header Content-Range "", which is not valid`, requests: 2, parts: true},
		{name: "no length", server: &server{noLength: true}, requests: 1},
		{name: "no length, connection lost", server: &server{noLength: true, misbehave: first(1, func(_ int, w nethttp.ResponseWriter, _ *nethttp.Request) bool {
			w.Write(body[:100_000])
			w.(nethttp.Flusher).Flush()
			panic(nethttp.ErrAbortHandler)
		})}, requests: 2},
		{name: "endless", server: &server{misbehave: func(_ int, w nethttp.ResponseWriter, _ *nethttp.Request) bool {
			for range 200 {
				w.Write(body[:100_000])
			}
			return true
		}}, want: "URL/a.deb: the file has more than the 10000000 bytes that are allowed", requests: 1},
		{name: "stated size too large", server: &server{misbehave: answer(200, "Content-Length", "1152921504606846976")},
			want: "URL/a.deb: the file has 1152921504606846976 bytes, more than the 10000000 that are allowed", requests: 1},
		{name: "another size than expected", size: 300_001, want: "URL/a.deb: the server says that the file has 300000 bytes, but 300001 are expected", requests: 1},
		{name: "pinned", pin: sumOf(body), requests: 1},
		{name: "digest that does not match", pin: sumOf(other), requests: 1,
			want: "URL/a.deb: sha256: the file has " + sumOf(body) + ", but " + sumOf(other) + " is expected"},
		{name: "pinned, changed in the middle", pin: sumOf(other), server: &server{etag: `"1"`, misbehave: first(1, func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
			defer func() { s.body, s.etag = other, `"2"` }()
			return s.part(w, r, 100_000)
		})}, requests: 2},
		{name: "304 that nobody asked for", server: &server{misbehave: answer(304)}, requests: 1,
			want: "URL/a.deb: the server answers 304 Not Modified to a request that does not allow it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if s = test.server; s == nil {
				s = new(server)
			}
			s.body = body
			newServer(t, s)
			c := newClient(t)
			c.MaxSize = 10_000_000
			if strings.Contains(test.want, "300ms") {
				c.Stall = 300 * time.Millisecond
			}
			f, err := c.Fetch(background(), http.Request{URL: s.URL + "/a.deb", SHA256: test.pin, Size: test.size})
			if n := s.requests(); test.requests > 0 && n != test.requests {
				t.Errorf("got %d requests (%q), want %d", n, s.log, test.requests)
			}
			if test.want != "" {
				want := strings.ReplaceAll(test.want, "URL", s.URL)
				if err == nil || err.Error() != want && (test.name != "trickle" || !strings.HasPrefix(err.Error(), want)) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				if names := left(t, c); len(names) > 0 && !test.parts {
					t.Errorf("left behind: %q", names)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			if string(got) != string(s.body) || err != nil {
				t.Errorf("got %d bytes, %v, want %d others", len(got), err, len(s.body))
			}
			if state := f.State(); !state.Whole || state.SHA256 != sumOf(s.body) {
				t.Errorf("got %+v", state)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCertificates: a server that nobody vouches for, one whose certificate is for another host, and one that is no TLS server.
func TestCertificates(t *testing.T) {
	tls := httptest.NewTLSServer(&server{body: []byte("file")})
	defer tls.Close()
	tls.Config.ErrorLog = nil
	plain := newServer(t, &server{body: []byte("file")})
	for _, test := range []struct{ url, want string }{
		{tls.URL, ": the certificate of the server is not valid: x509: certificate signed by unknown authority: SSL_CERT_FILE names a file with certificates to trust"},
		{strings.Replace(plain.URL, "http", "https", 1), ": the server does not use TLS: check the port and the scheme of the URL"},
	} {
		c := newClient(t)
		_, err := c.Fetch(background(), http.Request{URL: test.url})
		if err == nil || err.Error() != test.url+test.want {
			t.Errorf("got  %v\nwant %s%s", err, test.url, test.want)
		}
	}

	// With the certificate, the same server is read; but not if it redirects to a scheme without protection.
	c := newClient(t)
	c.Transport = tls.Client().Transport
	f, err := c.Fetch(background(), http.Request{URL: tls.URL})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c = newClient(t)
	c.Transport = tls.Client().Transport
	other := strings.Replace(tls.URL, "127.0.0.1", "localhost", 1)
	_, err = c.Fetch(background(), http.Request{URL: other})
	if want := other + ": the certificate of the server is not valid: x509: certificate is valid for "; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("for another host: got %v\nwant %s", err, want)
	}
	down := httptest.NewTLSServer(nethttp.RedirectHandler(plain.URL+"/a", nethttp.StatusFound))
	defer down.Close()
	c = newClient(t)
	c.Transport = down.Client().Transport
	_, err = c.Fetch(background(), http.Request{URL: down.URL})
	want := down.URL + ": the server redirects from https to " + plain.URL + "/a, which is not protected"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestUnreachable: nobody listens, and the host does not exist.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = newClient(t).Fetch(background(), http.Request{URL: "http://user:secret@" + address + "/a"})
	if err == nil || !strings.HasPrefix(err.Error(), "http://user:xxxxx@"+address+"/a: dial tcp") || !strings.HasSuffix(err.Error(), "connection refused (3 attempts)") {
		t.Errorf("got %v", err)
	}
	for url, want := range map[string]string{
		"ftp://example.org/a": `ftp://example.org/a: the scheme "ftp" is not supported: give a URL with http or https, or the path of a file`,
		"http:///a":           "http:///a: the URL names no host",
		"http://[":            "http://[ is not a URL: missing ']' in host",
	} {
		if _, err := newClient(t).Open(background(), http.Request{URL: url}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestInterrupt: a cancelled context ends a wait for the server at once.
func TestInterrupt(t *testing.T) {
	s := newServer(t, &server{body: contents(1, 300_000), misbehave: func(_ int, w nethttp.ResponseWriter, r *nethttp.Request) bool {
		w.(nethttp.Flusher).Flush()
		<-r.Context().Done()
		return true
	}})
	ctx, cancel := context.WithTimeout(background(), 50*time.Millisecond)
	defer cancel()
	c := newClient(t)
	start := time.Now()
	_, err := c.Fetch(ctx, http.Request{URL: s.URL})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	if names := left(t, c); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}
