// Package stores tests publishing against servers and clients that others wrote: a registry, a bucket, and the libraries that people use to
// read from them. It is a module of its own, so that the program does not depend on them.
package stores

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// program is btfbatch, built from the checkout.
var program string

const image = "../../corpus/images/gcc12-x86_64-dwarf5-based.elf"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "stores-")
		if err != nil {
			log.Print(err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "btfbatch")
		build := exec.Command("go", "build", "-o", program, "github.com/btfbatch/btfbatch/cmd/btfbatch")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			log.Printf("%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// A fault is what a proxy does with a request instead of passing it on. It reports whether it did something.
type fault func(w http.ResponseWriter, r *http.Request) bool

// A server is a store on loopback, with a proxy in front of it that can misbehave.
type server struct {
	url      string // of the proxy
	host     string
	mu       sync.Mutex
	fault    fault
	requests []string // method and path of each request that reached the proxy
	answer   func(*http.Response) error
}

// start starts a proxy in front of a store.
func start(t *testing.T, store http.Handler) *server {
	t.Helper()
	behind := httptest.NewServer(store)
	t.Cleanup(behind.Close)
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			s.mu.Lock()
			answer := s.answer
			s.mu.Unlock()
			if answer != nil {
				return answer(r)
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		f := s.fault
		s.mu.Unlock()
		if f != nil && f(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(front.Close)
	s.url, s.host = front.URL, strings.TrimPrefix(front.URL, "http://")
	return s
}

// misbehave sets the fault of the proxy, and forgets the requests so far.
func (s *server) misbehave(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.requests = f, nil
}

// count counts the requests with a method whose path contains a text.
func (s *server) count(method, path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if m, p, _ := strings.Cut(r, " "); m == method && strings.Contains(p, path) {
			n++
		}
	}
	return n
}

func newRegistry(t *testing.T) *server {
	t.Helper()
	return start(t, plainRegistry())
}

func plainRegistry() http.Handler { return registry.New(registry.Logger(log.New(io.Discard, "", 0))) }

func newBucket(t *testing.T, name string) *server {
	t.Helper()
	return start(t, plainBucket(t, name))
}

func plainBucket(t *testing.T, name string) http.Handler {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(name); err != nil {
		t.Fatal(err)
	}
	return gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
}

// A workspace is a folder with a manifest, and the environment in which btfbatch runs.
type workspace struct {
	t   *testing.T
	dir string
	env []string
}

func newWorkspace(t *testing.T, publish string, env ...string) *workspace {
	t.Helper()
	w := &workspace{t: t, dir: t.TempDir()}
	path, err := filepath.Abs(image)
	if err != nil {
		t.Fatal(err)
	}
	w.write("m.yaml", fmt.Sprintf(`version: 1
images:
- name: a
  path: %s
  kind: any
  evidence: true
  publish: %s
  outputs: {btf: out/a.btf, dump: out/a.txt.zst}
`, path, publish))
	home := filepath.Join(w.dir, "home")
	w.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "BTFBATCH_CACHE=" + filepath.Join(w.dir, "cache")}, env...)
	return w
}

func (w *workspace) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workspace) read(name string) []byte {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// command returns a call of btfbatch.
func (w *workspace) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// run runs btfbatch and checks its exit code.
func (w *workspace) run(code int, args ...string) (output string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := w.command(ctx, args...).CombinedOutput()
	got := 0
	if err != nil {
		got = -1
		if exit, ok := err.(*exec.ExitError); ok {
			got = exit.ExitCode()
		}
	}
	if got != code {
		w.t.Fatalf("btfbatch %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

// publish runs the manifest and publishes.
func (w *workspace) publish(code int) (output string) {
	w.t.Helper()
	return w.run(code, "run", "--publish", "m.yaml", "--report", "text", "--report", "json=r.json", "-v")
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// dropInside closes the connection after it has read a part of the body.
func dropInside(w http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, 100)
	drop(w, r)
}

// damage changes a byte of the body and lets the request pass.
func damage(r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	if len(data) > 0 {
		data[len(data)/2] ^= 1
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
}

// flipped changes a bit of each read.
type flipped struct{ io.ReadCloser }

func (f flipped) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if n > 0 {
		p[0] ^= 1
	}
	return n, err
}
