package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	nethttp "net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStrayBytes: a server that sends more than it announced does not get its bytes onto standard error, where each line is btfbatch's own.
func TestStrayBytes(t *testing.T) {
	image, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-based.elf"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := nethttp.ReadRequest(bufio.NewReader(c)); err == nil {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: %d\r\n\r\n%sstray", len(image), image)
			}
			defer c.Close() // the client closes it first
		}
	}()
	dir := t.TempDir()
	text := "version: 1\ndefaults: {kind: any}\nimages:\n"
	for i := range 4 {
		text += fmt.Sprintf("  - {name: i%d, from: {url: \"http://%s/%d\"}}\n", i, l.Addr(), i)
	}
	if err := os.WriteFile(filepath.Join(dir, "m.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("btfbatch", "run", "m.yaml", "-j", "1")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CI=", "BTFBATCH_CACHE="+filepath.Join(dir, "cache"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte("4 of 4 images ok")) {
		t.Errorf("%v\n%s%s", err, out, stderr.Bytes())
	}
	if bytes.Contains(stderr.Bytes(), []byte("stray")) {
		t.Errorf("the server wrote to standard error:\n%s", stderr.Bytes())
	}
}
