package main

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/corpus/cache"
)

// Results says how a run uses the cache of results.
type results struct {
	off    bool // --no-cache
	verify bool // --verify-inputs
}

func (r *results) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&r.off, "no-cache", false, "make every image, and keep no results")
	flags.BoolVar(&r.verify, "verify-inputs", false, "read images to see whether they changed, even if their size, times and inode did not")
}

func (r *results) check(cmd *cobra.Command) error {
	if r.off && cmd.Flags().Changed("verify-inputs") {
		return usage(errors.New("--verify-inputs has no effect with --no-cache: every image is read"))
	}
	return nil
}

// open opens the cache. If there cannot be one, the run goes on without it.
func (r *results) open(a *app) *batch.Cache {
	if r.off {
		return nil
	}
	folder, err := cache.Folder()
	if err != nil {
		return nil // a system without a home has no place for a cache
	}
	c, err := cache.Open(folder)
	if err != nil {
		a.console.Warning("cache", "results are not kept: "+err.Error(), nil)
		return nil
	}
	tool := programSum(c)
	if tool == "" {
		return nil
	}
	return &batch.Cache{Cache: c, Tool: tool, Verify: r.verify}
}

// programSum returns the digest of this program, or "" if it cannot be read. The cache, which may be nil, saves reading it in every run.
func programSum(c *cache.Cache) string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	if c == nil {
		sum, _ := batch.Sum(path)
		return sum
	}
	before, now := batch.State(path), time.Now()
	if r, current, err := c.Recall(path, before); err == nil && current {
		return r.SHA256
	}
	sum, err := batch.Sum(path)
	if err == nil && batch.State(path) == before {
		_ = c.Remember(path, before, now, sum, "") // it is read again in the next run
	}
	return sum
}

// cacheTrouble returns what tells about trouble with the cache. The same trouble with many images is told once.
func (a *app) cacheTrouble() func(error) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		text := err.Error()
		if e, ok := errors.AsType[*os.PathError](err); ok {
			text = e.Op + ": " + e.Err.Error()
		}
		if told[text] {
			return
		}
		told[text] = true
		a.console.Warning("cache", err.Error(), nil)
	}
}
