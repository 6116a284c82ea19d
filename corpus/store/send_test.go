package store

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
)

// hasty is a client that does not wait long.
func hasty() *Client {
	return &Client{Agent: "test", Policy: retry.Policy{Attempts: 3, Backoff: time.Millisecond, MaxWait: time.Second}, Stall: 200 * time.Millisecond}
}

// serve starts a server whose answers are those of the functions, one after another; the last one repeats.
func serve(t *testing.T, answers ...http.HandlerFunc) (url string, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		answers[min(n, len(answers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

func code(n int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(n)
	}
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func stuck(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func stuckInside(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte("begun"))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// What passes is repeated, with the whole body each time; what does not is not.
func TestDo(t *testing.T) {
	for _, row := range []struct {
		name     string
		answers  []http.HandlerFunc
		requests int32
		err      string
	}{
		{"at once", []http.HandlerFunc{code(200)}, 1, ""},
		{"overloaded", []http.HandlerFunc{code(503), code(429, "Retry-After", "1"), code(200)}, 3, ""},
		{"asks for too much", []http.HandlerFunc{code(503, "Retry-After", "10000")}, 1, "503 Service Unavailable: the server asks to wait for 2h46m40s, which is more than 1s: run again later"},
		{"asks for a date", []http.HandlerFunc{code(429, "Retry-After", "Fri, 31 Dec 2199 23:59:59 GMT")}, 1, "which is more than 1s: run again later"},
		{"broken", []http.HandlerFunc{code(500)}, 3, "500 Internal Server Error, in 3 attempts"},
		{"lost", []http.HandlerFunc{abort, code(200)}, 2, ""},
		{"stalled", []http.HandlerFunc{stuck, code(200)}, 2, ""},
		{"stalled for good", []http.HandlerFunc{stuck}, 3, "the connection stalled, in 3 attempts"},
		{"stalled inside of an answer", []http.HandlerFunc{stuckInside}, 3, "the connection stalled, in 3 attempts"},
		{"forbidden", []http.HandlerFunc{code(403)}, 1, "403 Forbidden"},
		{"full", []http.HandlerFunc{code(507)}, 1, "507 Insufficient Storage"},
		{"redirects", []http.HandlerFunc{code(307, "Location", "/x")}, 5, "redirects again and again"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var body atomic.Value // of the last request that arrived whole; the handler of a request that stalled may still run beside it
			for i, answer := range row.answers {
				row.answers[i] = func(w http.ResponseWriter, r *http.Request) {
					if data, err := io.ReadAll(r.Body); err == nil {
						body.Store(string(data))
					}
					answer(w, r)
				}
			}
			url, requests := serve(t, row.answers...)
			file := Bytes("f", "", []byte("contents"))
			err := hasty().Do(context.Background(), &Request{Method: "PUT", URL: url + "?signature=SECRET", Body: &file, Accept: []int{200},
				Use: func(r *http.Response) error {
					_, err := io.ReadAll(r.Body)
					return err
				}})
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v, want %q", err, row.err)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error has the query: %v", err)
			}
			if n := requests.Load(); n != row.requests {
				t.Errorf("%d requests, want %d", n, row.requests)
			}
			if got := body.Load(); got != "contents" {
				t.Errorf("the last body is %q", got)
			}
		})
	}
}

// A request ends with its context, also while it waits for the next attempt.
func TestDoInterrupted(t *testing.T) {
	url, _ := serve(t, code(500))
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{Policy: retry.Policy{Backoff: time.Hour, MaxWait: time.Hour}, Notice: func(string) { cancel() }}
	start := time.Now()
	if err := c.Do(ctx, &Request{Method: "GET", URL: url}); !errors.Is(err, context.Canceled) || time.Since(start) > time.Minute {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

func TestRedirectToPlain(t *testing.T) {
	from, _ := http.NewRequest(http.MethodGet, "https://a/", nil)
	for to, ok := range map[string]bool{"https://b/": true, "http://b/": false} {
		r, _ := http.NewRequest(http.MethodGet, to, nil)
		if err := checkRedirect(r, []*http.Request{from}); (err == nil) != ok {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// What a server says about an error is shown in one line, without what a terminal would act on.
func TestMessage(t *testing.T) {
	for body, want := range map[string]string{
		"": "", "<html>Bad gateway</html>": "",
		`<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce` + "\n" + `your rate.</Message></Error>`: "SlowDown: Please reduce your rate.",
		`{"errors":[{"code":"DENIED","message":"requested access is denied\u001b"}]}`:                                     `DENIED: requested access is denied\u001b`,
		"<Code>\x1b[31mred</Code>":                      "[31mred",
		"<Code>" + strings.Repeat("a", 300) + "</Code>": strings.Repeat("a", 200) + "…",
	} {
		if got := message([]byte(body)); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}
