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

// TestNoPasswordOfFiles: the same for the files and bases of commands that read BTF.
func TestNoPasswordOfFiles(t *testing.T) {
	t.Setenv("BTFBATCH_CACHE", t.TempDir())
	server := httptest.NewServer(nethttp.FileServer(nethttp.Dir(filepath.Join("..", "..", "corpus", "images"))))
	defer server.Close()
	const image = "gcc12-x86_64-dwarf5-driver.ko"
	host := strings.Replace(server.URL, "//", "//user:secret@", 1)
	file, none := "url="+host+"/gcc12-x86_64-dwarf5-based.btf.golden", "url="+host+"/none"
	for _, test := range []struct {
		code int
		args []string
	}{
		{exitcode.OK, []string{"verify", file}},
		{exitcode.Failed, []string{"dump", none}},
		{exitcode.Differs, []string{"diff", file, filepath.Join("..", "..", "corpus", "images", "gcc12-arm64-dwarf5-based.btf.golden")}},
		{exitcode.Failed, []string{"diff", file, none}},
		{exitcode.OK, []string{"history", "bpf_file_get", file, file}},
		{exitcode.Failed, []string{"history", "bpf_file_get", none}},
		{exitcode.OK, []string{"stats", "url=" + host + "/" + image, "--base", file}},
		{exitcode.OK, []string{"explain", "url=" + host + "/" + image, "--list-excluded"}},
		{exitcode.Failed, []string{"explain", none, "main"}},
		{exitcode.OK, []string{"embed", "url=" + host + "/" + image, "--base", file, "-o", filepath.Join(t.TempDir(), "new.ko")}},
		{exitcode.OK, []string{"encode", filepath.Join("..", "..", "corpus", "images", image), "--base", file, "-o", filepath.Join(t.TempDir(), "o.btf")}},
		{exitcode.Failed, []string{"encode", filepath.Join("..", "..", "corpus", "images", image), "--base", none, "-o", filepath.Join(t.TempDir(), "o.btf")}},
	} {
		var out strings.Builder
		code := run(test.args, &out, &out)
		if text := out.String(); code != test.code || strings.Contains(text, "secret") || code == exitcode.Failed && !strings.Contains(text, "404") {
			t.Errorf("%s: got exit code %d and %q", test.args, code, text)
		}
	}
}

// TestNameOfFile: the name of a file is its path as it is given.
func TestNameOfFile(t *testing.T) {
	if o := (origin{path: "a b%20c/ü?.elf"}); o.name() != o.path {
		t.Errorf("got %q, want %q", o.name(), o.path)
	}
}
