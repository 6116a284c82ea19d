// Package results keeps results for several machines in a bucket or a registry, as cache.Store.
//
// Input: the address of a bucket or of a repository. Output: entries and blobs as they were put, or nothing. In a bucket, blobs are objects named
// blobs/SHA256, and entries objects named entries/KEY. In a registry, an entry is an artifact with the key as its tag, and the blobs are
// its layers. Never: the package decides whether what it returns is right; package cache compares it with its digest.
package results

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/oci"
)

// Limits of what is read from a store, in bytes.
const (
	maxEntry = 64 << 20
	maxBlob  = 1 << 30
)

// read returns what a reader has, up to a limit.
func read(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("an object has more than %d bytes", limit)
	}
	return data, err
}

// absent returns the error of package cache for something that is not in a store.
func absent(err error) error {
	if errors.Is(err, store.ErrAbsent) {
		return cache.ErrAbsent
	}
	return err
}

// A Bucket has results as objects.
type Bucket struct {
	ctx     context.Context //nolint:containedctx // of the run
	objects store.Objects

	mu      sync.Mutex
	damaged map[string]bool // blobs that must be replaced
}

// InBucket returns the results in a bucket. The context is that of the run.
func InBucket(ctx context.Context, o store.Objects) *Bucket {
	return &Bucket{ctx: ctx, objects: o, damaged: map[string]bool{}}
}

func (b *Bucket) get(name string, limit int64) (data []byte, err error) {
	err = b.objects.Read(b.ctx, name, func(r io.Reader) (err error) {
		data, err = read(r, limit)
		return err
	})
	return data, absent(err)
}

// Entry implements cache.Store.
func (b *Bucket) Entry(key string) ([]byte, error) { return b.get("entries/"+key, maxEntry) }

// Blob implements cache.Store.
func (b *Bucket) Blob(sum string) ([]byte, error) {
	data, err := b.get("blobs/"+sum, maxBlob)
	if err == nil && cache.Sum(data) != sum {
		b.mu.Lock()
		b.damaged[sum] = true
		b.mu.Unlock()
	}
	return data, err
}

// Put implements cache.Store.
func (b *Bucket) Put(key string, text []byte, sums []string, blob func(string) ([]byte, error)) error {
	for _, sum := range sums {
		b.mu.Lock()
		replace := b.damaged[sum]
		b.mu.Unlock()
		if !replace {
			have, err := b.objects.Sum(b.ctx, "blobs/"+sum)
			if err == nil && have == sum {
				continue
			}
			if err != nil && !errors.Is(err, store.ErrAbsent) {
				return err
			}
		}
		data, err := blob(sum)
		if err != nil {
			return err
		}
		f := store.Bytes("blobs/"+sum, "", data)
		if err := b.objects.Put(b.ctx, &f, true); err != nil {
			return err
		}
	}
	f := store.Bytes("entries/"+key, "", text)
	return b.objects.Put(b.ctx, &f, true)
}

// A Registry has results as artifacts.
type Registry struct {
	ctx        context.Context //nolint:containedctx // of the run
	repository *oci.Repository
}

// InRegistry returns the results in a repository. The context is that of the run.
func InRegistry(ctx context.Context, r *oci.Repository) *Registry { return &Registry{ctx, r} }

// artifactType is the type of the artifact of a result.
const artifactType = "application/vnd.btfbatch.result.v1"

// nameOfEntry is the title of an entry among the files of its artifact.
const nameOfEntry = "entry"

// Entry implements cache.Store.
func (r *Registry) Entry(key string) ([]byte, error) {
	files, err := r.repository.Tagged(key).Files(r.ctx)
	if err != nil {
		return nil, absent(err)
	}
	i := slices.IndexFunc(files, func(f store.File) bool { return f.Name == nameOfEntry })
	if i < 0 {
		return nil, cache.ErrAbsent
	}
	return r.get(files[i].SHA256, maxEntry)
}

// Blob implements cache.Store.
func (r *Registry) Blob(sum string) ([]byte, error) { return r.get(sum, maxBlob) }

func (r *Registry) get(sum string, limit int64) (data []byte, err error) {
	err = r.repository.Read(r.ctx, sum, func(body io.Reader) (err error) {
		data, err = read(body, limit)
		return err
	})
	return data, absent(err)
}

// Put implements cache.Store.
func (r *Registry) Put(key string, text []byte, sums []string, blob func(string) ([]byte, error)) error {
	a := &store.Artifact{Name: key, Type: artifactType, Files: []store.File{store.Bytes(nameOfEntry, "result", text)}}
	for _, sum := range sums {
		data, err := blob(sum)
		if err != nil {
			return err
		}
		a.Files = append(a.Files, store.Bytes(sum, "blob", data))
	}
	_, err := r.repository.Tagged(key).Publish(r.ctx, a, true)
	if _, ok := errors.AsType[*store.ChangedError](err); ok { // another machine made it at the same time
		return nil
	}
	return err
}
