package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/cache"
)

// TestManyImages: the time and the memory of a manifest with 20,000 images stay within bounds, when nothing is to be done and when everything comes
// from the cache. The bounds are some three times of what was measured; docs/performance.md has the figures for 100,000 images.
func TestManyImages(t *testing.T) {
	if testing.Short() {
		t.Skip("the bounds are those of a program without the race detector")
	}
	const images, each = 20_000, 1000 // images, and how many of them are one file under several names
	elf, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("BTFBATCH_CACHE", filepath.Join(t.TempDir(), "cache"))
	text := bytes.NewBufferString("version: 1\ndefaults: {kind: any}\nimages:\n")
	for i := range images {
		dir := fmt.Sprintf("k/%d", i/each)
		path := fmt.Sprintf("%s/%d.elf", dir, i)
		if i%each == 0 {
			err = os.MkdirAll(dir, 0o700)
			if err == nil {
				err = os.WriteFile(path, elf, 0o600)
			}
		} else {
			err = os.Link(fmt.Sprintf("%s/%d.elf", dir, i/each*each), path)
		}
		if err != nil {
			t.Skipf("no hard links here: %v", err)
		}
		fmt.Fprintf(text, "  - {name: k%d, path: %s", i, path)
		if i%20 == 0 {
			fmt.Fprintf(text, ", outputs: {btf: out/%d.btf}", i)
		}
		text.WriteString("}\n")
	}
	if err := os.WriteFile("m.yaml", text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(cache.Settling + time.Second) // a file that was changed just now is read again
	for _, tt := range []struct {
		args string
		cpu  time.Duration
		mib  int
		want string // in the output
	}{
		{"plan m.yaml", 8 * time.Second, 300, "\nk19999 "},
		{"run m.yaml --progress quiet --report text --report json=first.json", 2 * time.Minute, 500, "20000 of 20000 images ok"}, // fills the cache
		{"run m.yaml --progress quiet --report json", 20 * time.Second, 500, `"ok": 20000`},
	} {
		cmd := exec.Command("btfbatch", strings.Fields(tt.args)...)
		stdout, stderr, mib, err := runMeasured(t, cmd)
		if err != nil {
			t.Fatalf("%s: %v: %.1000s", tt.args, err, stderr)
		}
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		t.Logf("%s: %v of CPU time, %d MiB", tt.args, cpu, mib)
		if !strings.Contains(stdout, tt.want) {
			t.Errorf("%s: the output lacks %q: %.2000s", tt.args, tt.want, stdout)
		}
		if cpu > tt.cpu || mib == 0 || mib > tt.mib {
			t.Errorf("%s: %v of CPU time and %d MiB, more than %v and %d MiB", tt.args, cpu, mib, tt.cpu, tt.mib)
		}
		if strings.HasSuffix(tt.args, " json") && strings.Count(stdout, `"from_cache": true`) != images {
			t.Errorf("%s: %d images came from the cache", tt.args, strings.Count(stdout, `"from_cache": true`))
		}
	}
}
