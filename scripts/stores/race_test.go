package stores

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// writes returns a fault that writes another manifest under the tag once, when a request for the tag that is to be answered passes: before it
// reaches the registry, or after. The other manifest names the same blobs in another order, so that the registry takes it.
func writes(s *server, method string, after bool) (f fault, wrote func() bool) {
	var mu sync.Mutex
	done := false
	other := func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, s.url+"/v2/owner/btf/manifests/a",
			strings.NewReader(`{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "x/y", `+
				`"config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size": 2}, "layers": []}`))
		if err != nil {
			panic(err)
		}
		req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated {
			panic(resp.Status + string(text))
		}
	}
	s.mu.Lock()
	s.answer = func(resp *http.Response) error {
		mu.Lock()
		now := after && !done && resp.Request.Method == method && strings.HasSuffix(resp.Request.URL.Path, "/manifests/a")
		done = done || now
		mu.Unlock()
		if now {
			other()
		}
		return nil
	}
	s.mu.Unlock()
	f = func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		now := !after && !done && r.Method == method && strings.HasSuffix(r.URL.Path, "/manifests/a")
		done = done || now
		mu.Unlock()
		if now {
			other()
		}
		return false
	}
	return f, func() bool { mu.Lock(); defer mu.Unlock(); return done }
}

// TestRegistryRace: another process publishes something else under the tag at the same time. The run says so, wherever between its requests that
// happens, except that its own tag may be the later one.
func TestRegistryRace(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		after        bool
		code         int
	}{
		{"before the tag is read", "GET", false, 1},
		{"after the tag was read", "GET", true, 1},
		{"after the tag was written", "PUT", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRegistry(t)
			// The empty configuration must be there, so another artifact is published before.
			newWorkspace(t, "oci://"+s.host+"/owner/btf:b").publish(0)
			f, wrote := writes(s, tt.method, tt.after)
			s.misbehave(f)
			w := newWorkspace(t, "oci://"+s.host+"/owner/btf:a")
			out := w.publish(tt.code)
			if !wrote() {
				t.Fatal("the other process did not write")
			}
			if !strings.Contains(out, "has other contents") || !strings.Contains(string(w.read("r.json")), `"failure": "changed"`) {
				t.Errorf("the report does not say that another process was there:\n%s", out)
			}
			s.misbehave(nil)
			if files, _, _, err := pull(t, s.host, "a"); err == nil && files["a.btf"] != nil {
				t.Errorf("what the other process published is gone")
			}
		})
	}
}

// TestRegistryCondition: a registry that honours conditions decides the race, and a run that lost it says so.
func TestRegistryCondition(t *testing.T) {
	s := newRegistry(t)
	newWorkspace(t, "oci://"+s.host+"/owner/btf:b").publish(0)
	write, _ := writes(s, http.MethodPut, false)
	conditions := 0
	s.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/manifests/a") {
			return false
		}
		if r.Header.Get("If-None-Match") == "" { // the other process
			return false
		}
		conditions++
		write(w, r)
		w.WriteHeader(http.StatusPreconditionFailed)
		return true
	})
	w := newWorkspace(t, "oci://"+s.host+"/owner/btf:a")
	if out := w.publish(1); !strings.Contains(out, "has other contents") || conditions != 1 {
		t.Errorf("%d requests with a condition:\n%s", conditions, out)
	}
}

// TestRequests: publishing takes as many requests as the cost model of docs/scale.md has.
func TestRequests(t *testing.T) {
	const files = 3 // of the workspace
	for _, tt := range []struct {
		kind kind
		want int
	}{{kinds()[0], 6 + 4*files}, {kinds()[1], 4 + 3*files}} {
		s := tt.kind.start(t)
		if tt.kind.name == "registry" {
			newWorkspace(t, "oci://"+s.host+"/owner/btf:b").publish(0) // the empty configuration is there
		}
		s.misbehave(nil)
		w := tt.kind.workspace(t, s)
		if tt.kind.name == "registry" {
			w.write("m.yaml", strings.Replace(string(w.read("m.yaml")), "kind: any", "kind: any\n  features: [encode_force]", 1))
		}
		w.publish(0)
		got := 0
		for _, method := range []string{"GET", "HEAD", "PUT", "POST"} {
			got += s.count(method, "")
		}
		if got != tt.want {
			t.Errorf("%s: %d requests, want %d: %q", tt.kind.name, got, tt.want, s.requests)
		}
	}
}
