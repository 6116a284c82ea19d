package stores

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A kind is a kind of store, with what tests need to know about it.
type kind struct {
	name      string
	start     func(*testing.T) *server
	workspace func(*testing.T, *server, ...string) *workspace
	// published returns the BTF that readers see, or nil if the image is not published.
	published func(*testing.T, *server) []byte
	index     string // part of the path of what is written last
	data      string // part of the path of what is written before
}

func kinds() []kind {
	return []kind{
		{
			"registry", newRegistry,
			func(t *testing.T, s *server, env ...string) *workspace {
				return newWorkspace(t, "oci://"+s.host+"/owner/btf:${{ image.name }}", env...)
			},
			func(t *testing.T, s *server) []byte {
				files, _, _, err := pull(t, s.host, "a")
				if err != nil {
					return nil
				}
				return files["a.btf"]
			},
			"/manifests/a", "/blobs/uploads/",
		},
		{
			"bucket", func(t *testing.T) *server { return newBucket(t, "kernels") },
			func(t *testing.T, s *server, env ...string) *workspace {
				w := bucketWorkspace(t, s)
				w.env = append(w.env, env...)
				return w
			},
			func(t *testing.T, s *server) []byte {
				all := objects(t, s)
				if all["debian/a/a.btf.sha256sums"] == nil {
					return nil
				}
				return all["debian/a/a.btf"]
			},
			".sha256sums", "/a.btf",
		},
	}
}

// each runs a test for each kind of store.
func each(t *testing.T, test func(*testing.T, kind)) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// times makes a fault happen a number of times to requests of a method.
func times(n int32, method string, do func(w http.ResponseWriter, r *http.Request)) fault {
	var count atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || count.Add(1) > n {
			return false
		}
		do(w, r)
		return true
	}
}

func status(code int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// What passes is waited for: the image is published in the end.
func TestPassingFaults(t *testing.T) {
	for name, f := range map[string]func() fault{
		"500 to uploads":           func() fault { return times(2, "PUT", status(500)) },
		"503 with a time":          func() fault { return times(2, "PUT", status(503, "Retry-After", "1")) },
		"429 to questions":         func() fault { return times(2, "GET", status(429)) },
		"lost before an answer":    func() fault { return times(2, "PUT", drop) },
		"lost inside of an upload": func() fault { return times(1, "PUT", dropInside) },
		"damaged on the way": func() fault {
			return func(w http.ResponseWriter, r *http.Request) bool { return false }
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, k kind) {
				s := k.start(t)
				w := k.workspace(t, s)
				f := f()
				if name == "damaged on the way" {
					var count atomic.Int32
					f = func(_ http.ResponseWriter, r *http.Request) bool {
						if r.Method == "PUT" && count.Add(1) == 1 {
							damage(r)
						}
						return false
					}
				}
				s.misbehave(f)
				out := w.publish(0)
				s.misbehave(nil)
				if got := k.published(t, s); string(got) != string(w.read("out/a.btf")) {
					t.Errorf("%d bytes are published\n%s", len(got), out)
				}
			})
		})
	}
}

// What does not pass fails the image, soon or after some attempts, and readers see nothing of it. The next run publishes it.
func TestLastingFaults(t *testing.T) {
	for _, row := range []struct {
		name     string
		fault    func(http.ResponseWriter, *http.Request)
		requests int // how often an upload is tried, at most
		says     string
		shard    int // exit code of a shard: 75 if it should run again
	}{
		{"forbidden", status(403), 1, "403 Forbidden: the credentials do not allow it", 1},
		{"full", status(507), 1, "507 Insufficient Storage", 75},
		{"quota", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, _ = w.Write([]byte(`<Error><Code>QuotaExceeded</Code><Message>the bucket is full</Message></Error>`))
		}, 1, "QuotaExceeded: the bucket is full", 1},
		{"broken for good", status(500), 5, "500 Internal Server Error", 75},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, k kind) {
				s := k.start(t)
				w := k.workspace(t, s)
				s.misbehave(func(rw http.ResponseWriter, r *http.Request) bool {
					if r.Method != "PUT" {
						return false
					}
					row.fault(rw, r)
					return true
				})
				out := w.publish(1)
				if !strings.Contains(out, row.says) {
					t.Errorf("the error does not say %q:\n%s", row.says, out)
				}
				if !strings.Contains(string(w.read("r.json")), `"failure": "unpublished"`) {
					t.Error("the kind of failure is not unpublished")
				}
				if n := s.count("PUT", ""); n > row.requests || n == 0 {
					t.Errorf("%d uploads were tried, want at most %d", n, row.requests)
				}
				w.run(row.shard, "run", "--publish", "m.yaml", "--shard", "0/1")
				s.misbehave(nil)
				if k.published(t, s) != nil {
					t.Error("readers see something")
				}
				if out := w.publish(0); string(k.published(t, s)) != string(w.read("out/a.btf")) {
					t.Errorf("the next run:\n%s", out)
				}
			})
		})
	}
}

// A run is killed at each of its uploads. Readers see nothing until the next run, which completes it.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		for at := int32(1); ; at++ {
			s := k.start(t)
			w := k.workspace(t, s)
			reached := make(chan struct{})
			var count atomic.Int32
			s.misbehave(func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != "PUT" || count.Add(1) != at {
					return false
				}
				close(reached)
				return hang(rw, r)
			})
			cmd := w.command(context.Background(), "run", "--publish", "m.yaml")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case <-reached:
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-ended
			case err := <-ended:
				if err != nil || at < 4 {
					t.Fatalf("ended at upload %d: %v", at, err)
				}
				return
			case <-time.After(time.Minute):
				t.Fatal("no upload in a minute")
			}
			s.misbehave(nil)
			if k.published(t, s) != nil {
				t.Errorf("killed at upload %d: readers see something", at)
			}
			w.publish(0)
			if string(k.published(t, s)) != string(w.read("out/a.btf")) {
				t.Errorf("killed at upload %d: the next run does not complete it", at)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "out", ".*")); left != nil {
				t.Errorf("left behind: %q", left)
			}
		}
	})
}

// A run that is told to leave while it uploads does so soon, and readers see nothing.
func TestInterrupted(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.start(t)
		w := k.workspace(t, s)
		reached := make(chan struct{})
		var once sync.Once
		s.misbehave(func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != "PUT" {
				return false
			}
			once.Do(func() { close(reached) })
			return hang(rw, r)
		})
		cmd := w.command(context.Background(), "run", "--publish", "m.yaml", "--report", "json=r.json")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-reached
		start := time.Now()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code, took := cmd.ProcessState.ExitCode(), time.Since(start); code != 130 || took > 5*time.Second {
			t.Errorf("exit code %d after %s", code, took)
		}
		if !strings.Contains(string(w.read("r.json")), `"status": "interrupted"`) {
			t.Error("the report does not say that the image was interrupted")
		}
		s.misbehave(nil)
		if k.published(t, s) != nil {
			t.Error("readers see something")
		}
		w.publish(0)
	})
}

// The tag, or the file of sums, is written after everything else.
func TestIndexLast(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.start(t)
		s.misbehave(nil)
		k.workspace(t, s).publish(0)
		last := ""
		for _, r := range s.requests {
			if strings.HasPrefix(r, "PUT ") {
				last = r
			}
		}
		if !strings.HasSuffix(last, k.index) {
			t.Errorf("the last upload is %s, want one of %s", last, k.index)
		}
		if s.count("PUT", k.data) == 0 {
			t.Error("no data was uploaded")
		}
	})
}

// Two runs publish the same image at once, and both find it published.
func TestTwoAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.start(t)
		done := make(chan error, 2)
		workspaces := []*workspace{k.workspace(t, s), k.workspace(t, s)}
		for _, w := range workspaces {
			go func() { done <- w.command(context.Background(), "run", "--publish", "m.yaml").Run() }()
		}
		for range workspaces {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if string(k.published(t, s)) != string(workspaces[0].read("out/a.btf")) {
			t.Error("it is not published")
		}
	})
}

// What a store returns is compared with its digest.
func TestLyingStore(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.start(t)
		w := k.workspace(t, s)
		s.answer = func(r *http.Response) error {
			if r.Request.Method == "GET" && r.StatusCode == 200 && !strings.Contains(r.Request.URL.Path, "manifests") {
				r.Body = flipped{r.Body}
			}
			return nil
		}
		if out := w.publish(1); !strings.Contains(out, "the store returns sha256") {
			t.Errorf("the error does not say what is wrong:\n%s", out)
		}
		s.answer = nil
		if k.published(t, s) != nil {
			t.Error("it is published")
		}
	})
}

// Nothing that is written or printed has a secret.
func noSecrets(t *testing.T, w *workspace, out string, secrets ...string) {
	t.Helper()
	texts := map[string]string{"output": out}
	_ = filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(path, "/home/") {
			data, _ := os.ReadFile(path)
			texts[path] = string(data)
		}
		return nil
	})
	for place, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the secret %q", place, secret)
			}
		}
	}
}
