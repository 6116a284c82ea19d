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

// TestManyImages: the time of a manifest grows with its images and no faster, to 10,000 of them, when nothing is to be done, when everything is encoded
// and when everything comes from the cache. Quadratic code would take a hundred times as long for ten times as many. The memory stays within bounds that
// are some three times of what was measured; docs/performance.md has the figures for 100,000 images.
func TestManyImages(t *testing.T) {
	if testing.Short() {
		t.Skip("the bounds are those of a program without the race detector")
	}
	const few, grows, most = 1_000, 10, 25
	elf, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("BTFBATCH_CACHE", filepath.Join(t.TempDir(), "cache"))
	writeManyImages(t, elf, "few", few)
	writeManyImages(t, elf, "many", grows*few)
	time.Sleep(cache.Settling + time.Second) // a file that was changed just now is read again
	for _, tt := range []struct {
		args string // %s is the name of the manifest
		mib  int
		want string // in the output, %d is the number of images
	}{
		{"plan %s.yaml", 200, "\nmany%d "},
		{"run %s.yaml --progress quiet --report text --report json=%[1]s.json", 400, "%d of %[1]d images ok"}, // fills the cache
		{"run %s.yaml --progress quiet --report json", 400, `"ok": %d`},
	} {
		cpu := func(name string, images int) time.Duration {
			args := fmt.Sprintf(tt.args, name)
			cmd := exec.Command("btfbatch", strings.Fields(args)...)
			stdout, stderr, mib, err := runMeasured(t, cmd)
			if err != nil {
				t.Fatalf("%s: %v: %.1000s", args, err, stderr)
			}
			cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("%s: %v of CPU time, %d MiB", args, cpu, mib)
			if want := fmt.Sprintf(strings.ReplaceAll(tt.want, "many", name), images); !strings.Contains(stdout, want) {
				t.Errorf("%s: the output lacks %q: %.2000s", args, want, stdout)
			}
			if mib == 0 || mib > tt.mib {
				t.Errorf("%s: %d MiB, more than %d MiB", args, mib, tt.mib)
			}
			if n := strings.Count(stdout, `"from_cache": true`); strings.HasSuffix(args, " json") && n != images {
				t.Errorf("%s: %d of %d images came from the cache", args, n, images)
			}
			return cpu
		}
		one := cpu("few", few)
		if ten := cpu("many", grows*few); ten > most*one {
			t.Errorf("%s: %d images take %v of CPU time, %d take %v", tt.args, few, one, grows*few, ten)
		}
	}
}

// writeManyImages writes a manifest of that many small images, named by its name and a number from 1. Every thousand of them are one file under several
// names, and every twentieth has an output.
func writeManyImages(t *testing.T, elf []byte, name string, images int) {
	t.Helper()
	const each = 1000
	text := bytes.NewBufferString("version: 1\ndefaults: {kind: any}\nimages:\n")
	for i := range images {
		dir := fmt.Sprintf("%s/%d", name, i/each)
		path := fmt.Sprintf("%s/%d.elf", dir, i)
		var err error
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
		fmt.Fprintf(text, "  - {name: %s%d, path: %s", name, i+1, path)
		if i%20 == 0 {
			fmt.Fprintf(text, ", outputs: {btf: out/%s%d.btf}", name, i+1)
		}
		text.WriteString("}\n")
	}
	if err := os.WriteFile(name+".yaml", text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
