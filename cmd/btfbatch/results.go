package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/retry"
	"github.com/btfbatch/btfbatch/corpus/store/address"
	"github.com/btfbatch/btfbatch/corpus/store/oci"
	storeresults "github.com/btfbatch/btfbatch/corpus/store/results"
	"github.com/btfbatch/btfbatch/corpus/store/s3"
)

// Results says how a run uses the cache of results.
type results struct {
	off    bool   // --no-cache
	verify bool   // --verify-inputs
	store  string // --cache
	claims claims // which are in the folder of the cache

	at address.Address // of the store; zero if there is none

	opened bool
	cache  *batch.Cache // nil if there cannot be one
}

func (r *results) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	r.claims.flags(flags)
	flags.BoolVar(&r.off, "no-cache", false, "make every image, and keep no results")
	flags.StringVar(&r.store, "cache", "", "`ADDRESS` of a store behind the cache, which several machines share: oci://HOST/REPOSITORY or s3://BUCKET/PREFIX;\ndefault: $BTFBATCH_CACHE, if it is such an address")
	flags.BoolVar(&r.verify, "verify-inputs", false, "read images to see whether they changed, even if their size, times and inode did not")
}

func (r *results) check(cmd *cobra.Command) error {
	if r.off && cmd.Flags().Changed("verify-inputs") {
		return usage(errors.New("--verify-inputs has no effect with --no-cache: every image is read"))
	}
	if r.off && cmd.Flags().Changed("cache") {
		return usage(errors.New("--cache has no effect with --no-cache"))
	}
	if env := os.Getenv("BTFBATCH_CACHE"); r.store == "" && strings.Contains(env, "://") && !cmd.Flags().Changed("cache") {
		return usage(checkCache("BTFBATCH_CACHE", env, &r.at))
	}
	if cmd.Flags().Changed("cache") {
		return usage(checkCache("--cache", r.store, &r.at))
	}
	return nil
}

// checkCache reads the address of a store of results.
func checkCache(what, text string, at *address.Address) error {
	a, err := address.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case a.Scheme == address.Folder:
		return fmt.Errorf("%s: a folder is named by $BTFBATCH_CACHE, as a path", what)
	case a.Tag != "":
		return fmt.Errorf("%s: %s has a tag; btfbatch makes a tag for each result", what, a)
	}
	*at = a
	return nil
}

// behind opens the store behind the cache.
func (r *results) behind(ctx context.Context, a *app) (cache.Store, error) {
	client := storeClient(a)
	client.Policy, client.Stall = retry.Policy{Attempts: 3, MaxWait: 10 * time.Second}, 20*time.Second // what cannot be taken soon is made
	if r.at.Scheme == address.Registry {
		return storeresults.InRegistry(ctx, oci.New(r.at, client, os.LookupEnv)), nil
	}
	b, err := s3.New(r.at, client, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return storeresults.InBucket(ctx, b), nil
}

// open opens the cache, once. If there cannot be one, the run goes on without it.
func (r *results) open(ctx context.Context, a *app) *batch.Cache {
	if !r.opened {
		r.opened, r.cache = true, r.openFirst(ctx, a)
	}
	return r.cache
}

func (r *results) openFirst(ctx context.Context, a *app) *batch.Cache {
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
	if r.at != (address.Address{}) {
		s, err := r.behind(ctx, a)
		if err != nil {
			a.console.Warning("cache", "results are not shared: "+err.Error(), nil)
		} else {
			c.Behind(s)
		}
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
	before, now := cache.StateOf(path), time.Now()
	if r, current, err := c.Recall(path, before); err == nil && current {
		return r.SHA256
	}
	sum, err := batch.Sum(path)
	if err == nil && cache.StateOf(path) == before {
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
