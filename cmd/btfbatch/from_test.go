package main

import (
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// TestNoPassword: the name of an image from a server is logged without the password of its URL.
func TestNoPassword(t *testing.T) {
	t.Setenv("BTFBATCH_CACHE", t.TempDir())
	server := httptest.NewServer(nethttp.NotFoundHandler())
	defer server.Close()
	url := strings.Replace(server.URL, "//", "//user:secret@", 1) + "/vmlinux"
	for _, kind := range []string{"url", "deb", "rpm"} {
		var stderr strings.Builder
		code := run([]string{"encode", "--log-level", "debug", "--from", kind + "=" + url, "-o", filepath.Join(t.TempDir(), "o.btf")}, io.Discard, &stderr)
		text := stderr.String()
		if code != exitcode.Failed || strings.Contains(text, "secret") || !strings.Contains(text, "user:xxxxx@") || !strings.Contains(text, "404") {
			t.Errorf("%s: got exit code %d and %q", kind, code, text)
		}
	}
}

// TestNameOfFile: the name of a file is its path as it is given.
func TestNameOfFile(t *testing.T) {
	if o := (origin{path: "a b%20c/ü?.elf"}); o.name() != o.path {
		t.Errorf("got %q, want %q", o.name(), o.path)
	}
}
