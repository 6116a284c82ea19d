//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test goes on to repeat itself.
const patience = 3 * time.Second

// A sharedCache is a folder with a manifest of small images, whose runs share one cache. A run writes its outputs to a folder of its own.
type sharedCache struct {
	t     *testing.T
	dir   string
	want  map[string][]byte // the outputs, made without a cache
	takes time.Duration     // of a run that makes all images
}

// run returns the command of a run that writes into the folder out.
func (c *sharedCache) run(out string, args ...string) *exec.Cmd {
	cmd := c.command(append([]string{"run", "m.yaml", "-j", "2"}, args...)...)
	cmd.Env = append(cmd.Env, "OUT="+out)
	return cmd
}

func (c *sharedCache) command(args ...string) *exec.Cmd {
	cmd := exec.Command("btfbatch", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "CI=", "BTFBATCH_CACHE="+filepath.Join(c.dir, "cache"))
	return cmd
}

// must runs a command, which must succeed, and returns what it wrote.
func (c *sharedCache) must(cmd *exec.Cmd) string {
	c.t.Helper()
	text, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Errorf("%v: %v\n%s", cmd.Args, err, text)
	}
	return string(text)
}

// outputs returns the published files in a folder. There may be none.
func (c *sharedCache) outputs(out string) map[string][]byte {
	c.t.Helper()
	have := map[string][]byte{}
	list, err := os.ReadDir(filepath.Join(c.dir, out))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), ".") { // a killed run could not remove it
			continue
		}
		if have[e.Name()], err = os.ReadFile(filepath.Join(c.dir, out, e.Name())); err != nil {
			c.t.Fatal(err)
		}
	}
	return have
}

// whole checks that the outputs in a folder are what a run without a cache writes. All of them must be there, unless some is true.
func (c *sharedCache) whole(out string, some bool) {
	c.t.Helper()
	have := c.outputs(out)
	if len(have) != len(c.want) && !some {
		c.t.Errorf("%s has %d outputs, want %d", out, len(have), len(c.want))
	}
	for name, data := range have {
		if !bytes.Equal(data, c.want[name]) {
			c.t.Errorf("%s/%s is not what a run without a cache writes", out, name)
		}
	}
}

// sound checks that no file of the cache is damaged, and that no temporary file is left.
func (c *sharedCache) sound() {
	c.t.Helper()
	if text := c.must(c.command("cache", "verify")); !strings.HasSuffix(text, " 0 damaged\n") {
		c.t.Errorf("the cache is damaged:\n%s", text)
	}
	err := filepath.WalkDir(filepath.Join(c.dir, "cache"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Base(filepath.Dir(path)) == "tmp" {
			c.t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
}

// empty removes the cache.
func (c *sharedCache) empty() {
	c.t.Helper()
	if err := os.RemoveAll(filepath.Join(c.dir, "cache")); err != nil {
		c.t.Fatal(err)
	}
}

func newSharedCache(t *testing.T) *sharedCache {
	t.Helper()
	images, err := filepath.Glob(filepath.Join("..", "..", "corpus", "images", "*-based.elf"))
	if err != nil || len(images) < 10 {
		t.Fatalf("%d images: %v", len(images), err)
	}
	c := &sharedCache{t: t, dir: t.TempDir()}
	var m strings.Builder
	m.WriteString("version: 1\ndefaults: {kind: any, outputs: {btf: \"${{ env.OUT }}/${{ image.name }}.btf\", dump: \"${{ env.OUT }}/${{ image.name }}.raw\"}}\nimages:\n")
	for i, path := range images {
		if path, err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&m, "  - {name: i%d, path: %q}\n", i, path)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "m.yaml"), []byte(m.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c.must(c.run("made", "--no-cache"))
	c.takes = time.Since(start)
	if c.want = c.outputs("made"); len(c.want) != 2*len(images) {
		t.Fatalf("%d outputs of %d images", len(c.want), len(images))
	}
	return c
}

// TestCacheKilled kills runs at random moments. The cache and the outputs have whole files only, and the next run needs no help.
func TestCacheKilled(t *testing.T) {
	c := newSharedCache(t)
	rounds, seed := 15, uint64(time.Now().UnixNano())
	if testing.Short() {
		rounds = 5
	}
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for i, start := 0, time.Now(); i < rounds && time.Since(start) < patience; i++ {
		if i%5 == 0 {
			c.empty()
		}
		out := fmt.Sprint("killed", i)
		cmd := c.run(out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(c.takes))))
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		c.whole(out, true)
		c.sound()
	}
	c.must(c.run("after"))
	c.whole("after", false)
	if text := c.must(c.run("cached")); !strings.Contains(text, fmt.Sprintf("from the cache: %d images\n", len(c.want)/2)) {
		t.Errorf("not every result was kept:\n%s", text)
	}
	c.whole("cached", false)
	c.sound()
}

// TestCacheShared has several runs at once use an empty cache, and then while it is emptied again and again.
func TestCacheShared(t *testing.T) {
	c := newSharedCache(t)
	together := func(runs int, name string) {
		t.Helper()
		var wg sync.WaitGroup
		for i := range runs {
			wg.Go(func() {
				if text := c.must(c.run(fmt.Sprint(name, i))); strings.Contains(text, "warning: cache") {
					t.Errorf("there was trouble with the cache:\n%s", text)
				}
			})
		}
		wg.Wait()
		for i := range runs {
			c.whole(fmt.Sprint(name, i), false)
		}
	}
	for _, runs := range []int{2, 5} {
		c.empty()
		together(runs, fmt.Sprint("empty", runs, "-"))
		c.sound()
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				c.must(c.command("cache", "gc", "--max-size", "0"))
			}
		}
	}()
	for i, start := 0, time.Now(); i < 3 && time.Since(start) < patience; i++ {
		together(3, fmt.Sprint("emptied", i, "-"))
	}
	close(stop)
	<-stopped
	c.must(c.run("after"))
	c.whole("after", false)
}
