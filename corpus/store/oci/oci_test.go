package oci

import (
	"maps"
	"net/url"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/store"
)

func TestParseChallenge(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`Bearer realm="https://auth.example/token",service="a, b",scope="repository:x:pull,push"`: {"": "bearer", "realm": "https://auth.example/token",
			"service": "a, b", "scope": "repository:x:pull,push"},
		`BASIC Realm="x"`:           {"": "basic", "realm": "x"},
		`Bearer realm=x, service=y`: {"": "bearer", "realm": "x", "service": "y"},
		`Basic`:                     {"": "basic"}, ``: {"": ""}, `Bearer realm="open`: {"": "bearer", "realm": "open"}, `Bearer x,,=`: {"": "bearer", "x,,": ""},
	} {
		scheme, got := parseChallenge(text)
		if got[""] = scheme; !maps.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestMediaType(t *testing.T) {
	for want, f := range map[string]store.File{
		"application/vnd.btfbatch.btf.v1":           {Kind: "btf"},
		"application/vnd.btfbatch.btf.v1+zstd":      {Kind: "btf", Packed: "zstd"},
		"application/vnd.btfbatch.dump.v1+gzip":     {Kind: "dump", Packed: "gzip"},
		"application/vnd.btfbatch.archive.v1+xz":    {Kind: "archive", Packed: "xz"},
		"application/vnd.btfbatch.json.v1+json":     {Kind: "json"},
		"application/vnd.btfbatch.json.v1+zstd":     {Kind: "json", Packed: "zstd"},
		"application/vnd.btfbatch.evidence.v1+json": {Kind: "evidence"},
	} {
		if got := MediaType(&f); got != want {
			t.Errorf("%+v: got %s, want %s", f, got, want)
		}
	}
}

// Only a registry on this machine is used without TLS.
func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "localhost:5000": true, "127.0.0.1:1": true, "[::1]:5000": true, "ghcr.io": false,
		"10.0.0.1:5000": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false} {
		if isLoopback(host) != want {
			t.Errorf("%s: got %t", host, !want)
		}
	}
	for place, ok := range map[string]bool{"https://other.example/x?state=1": true, "http://other.example/x": false, "http://127.0.0.1/x": true} {
		u, err := url.Parse(place)
		if err != nil {
			t.Fatal(err)
		}
		got, err := withDigest(u, "sha256:1")
		if (err == nil) != ok || ok && got == place {
			t.Errorf("%s: got %s, %v", place, got, err)
		}
	}
}
