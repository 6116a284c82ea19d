package stores

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// cacheKinds are stores of results: how they start, and the environment for them.
func cacheKinds() map[string]struct {
	start func(*testing.T) *server
	env   func(*server) []string
} {
	return map[string]struct {
		start func(*testing.T) *server
		env   func(*server) []string
	}{
		"registry": {newRegistry, func(s *server) []string { return []string{"STORE=oci://" + s.host + "/owner/results"} }},
		"bucket": {func(t *testing.T) *server { return newBucket(t, "kernels") }, func(s *server) []string {
			return []string{"STORE=s3://kernels/results", "AWS_ENDPOINT_URL=" + s.url, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey}
		}},
	}
}

// A machine is a workspace with a cache folder of its own, and with an image that is another file.
func machine(t *testing.T, env []string) *workspace {
	t.Helper()
	w := newWorkspace(t, "site", env...)
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	w.write("a.elf", string(data))
	w.write("m.yaml", `{version: 1, images: [{name: a, path: a.elf, kind: any, verify: [newest, "6.1"], outputs: {btf: out/a.btf, json: out/a.json, c: out/a.h}}]}`)
	return w
}

// make runs the manifest. It reports whether the result came from the cache.
func (w *workspace) make(more ...string) (cached bool, output string) {
	w.t.Helper()
	store, _ := strings.CutPrefix(w.env[3], "STORE=")
	output = w.run(0, append([]string{"run", "m.yaml", "--cache", store, "--report", "text", "--report", "json=r.json"}, more...)...)
	return strings.Contains(string(w.read("r.json")), `"from_cache": true`), output
}

func (w *workspace) outputs() string {
	w.t.Helper()
	return string(w.read("out/a.btf")) + string(w.read("out/a.json")) + string(w.read("out/a.h"))
}

func TestSharedResults(t *testing.T) {
	for name, k := range cacheKinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := k.start(t)
			first, second := machine(t, k.env(s)), machine(t, k.env(s))
			if cached, out := first.make(); cached || strings.Contains(out, "WRN cache") {
				t.Fatalf("the first run: cached %t\n%s", cached, out)
			}
			cached, out := second.make()
			if !cached || strings.Contains(out, "WRN cache") {
				t.Errorf("the second machine: cached %t\n%s", cached, out)
			}
			if first.outputs() != second.outputs() {
				t.Error("the outputs differ")
			}
			noSecrets(t, second, out, accessKey, secretKey)
			s.misbehave(nil)
			if cached, _ := second.make(); !cached || len(s.requests) != 0 {
				t.Errorf("what is in the folder was asked for: %q", s.requests)
			}
			// The address may be that of the environment, which then names no folder.
			third := machine(t, k.env(s))
			for i, v := range third.env {
				if strings.HasPrefix(v, "BTFBATCH_CACHE=") {
					third.env[i] = strings.Replace(third.env[3], "STORE", "BTFBATCH_CACHE", 1)
				}
			}
			third.run(0, "run", "m.yaml", "--report", "json=r.json")
			if !strings.Contains(string(third.read("r.json")), `"from_cache": true`) {
				t.Error("BTFBATCH_CACHE is not used as an address")
			}
			if _, err := os.Stat(filepath.Join(third.dir, "home", ".cache", "btfbatch", "results")); err != nil {
				t.Error(err)
			}
			fourth := machine(t, k.env(s))
			fourth.write("m.yaml", strings.Replace(string(fourth.read("m.yaml")), "kind: any", "kind: any, features: [encode_force]", 1))
			if cached, _ := fourth.make(); cached {
				t.Error("other settings have the same result")
			}
		})
	}
}

// A store that does not work is a warning, once, and the results are right.
func TestBrokenCache(t *testing.T) {
	for name, k := range cacheKinds() {
		for what, f := range map[string]fault{
			"broken":    func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true },
			"forbidden": func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(403); return true },
			"lost":      func(w http.ResponseWriter, _ *http.Request) bool { drop(w, nil); return true },
			"full": func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == "GET" || r.Method == "HEAD" {
					return false
				}
				w.WriteHeader(507)
				return true
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				s := k.start(t)
				w := machine(t, k.env(s))
				s.misbehave(f)
				start := time.Now()
				_, out := w.make()
				if n := strings.Count(out, "results are not shared any more"); n != 1 || time.Since(start) > time.Minute {
					t.Errorf("%d warnings, %s\n%s", n, time.Since(start), out)
				}
				other := machine(t, []string{"STORE="})
				other.run(0, "run", "m.yaml", "--no-cache")
				if w.outputs() != other.outputs() {
					t.Error("the outputs differ")
				}
				noSecrets(t, w, out, accessKey, secretKey)
			})
		}
	}
}

// What a store has damaged is made again. In a bucket it is also repaired.
func TestDamagedCache(t *testing.T) {
	for name, k := range cacheKinds() {
		for _, what := range []string{"blobs", "entries"} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				s := k.start(t)
				first, second, third := machine(t, k.env(s)), machine(t, k.env(s)), machine(t, k.env(s))
				first.make()
				var damaged atomic.Int32
				s.answer = func(r *http.Response) error {
					path := r.Request.URL.Path
					is := strings.Contains(path, "/"+what+"/") || name == "registry" && (what == "blobs") == strings.Contains(path, "/blobs/sha256:")
					if r.Request.Method == "GET" && r.StatusCode == 200 && is && damaged.Load() < 1 {
						damaged.Add(1)
						r.Body = flipped{r.Body}
					}
					return nil
				}
				cached, out := second.make()
				if cached || damaged.Load() == 0 {
					t.Errorf("a damaged result was taken: %d\n%s", damaged.Load(), out)
				}
				if first.outputs() != second.outputs() {
					t.Error("the outputs differ")
				}
				s.answer = nil
				if cached, out := third.make(); !cached || first.outputs() != third.outputs() {
					t.Errorf("after that: cached %t\n%s", cached, out)
				}
			})
		}
	}
}

func TestCacheAddresses(t *testing.T) {
	w := machine(t, nil)
	for address, says := range map[string]string{
		"oci://localhost/a:1": "has a tag", "file:///srv": "a folder is named by $BTFBATCH_CACHE", "x": "not an address",
		"s3://KEY:SECRET@bucket/x": "user name or a password",
	} {
		out := w.run(2, "run", "m.yaml", "--cache", address)
		if !strings.Contains(out, says) || strings.Contains(out, "SECRET") {
			t.Errorf("%s: %s", address, out)
		}
	}
	w.run(2, "run", "m.yaml", "--cache", "s3://bucket/x", "--no-cache")
}
