package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Outputs are published in stores when the row of their image is final: kernels have accepted the BTF, and it is as its golden. Publishing mostly
// waits, so it runs in parallel with the encoding of other images.

// A Publishing puts an artifact in a place. It is safe for concurrent use.
type Publishing func(ctx context.Context, to config.Publish, a *store.Artifact) (store.Receipt, error)

// uploads is the number of images that are published at once.
const uploads = 4

// A shipping runs in parallel with the encoding of images: it publishes their outputs, and shares their results.
type shipping struct {
	wg    sync.WaitGroup
	slots chan struct{}
}

// publishes reports whether the outputs of a job are published in stores.
func (b *batch) publishes(j *Job) bool { return b.opt.Publish != nil && len(j.Publish) > 0 }

// ship publishes the outputs of an image, and calls then with its row.
func (b *batch) ship(ctx context.Context, j *Job, row report.Row, then func(report.Row)) {
	if !b.publishes(j) || !row.Good() {
		then(row)
		return
	}
	b.shipping.wg.Go(func() {
		b.shipping.slots <- struct{}{}
		defer func() { <-b.shipping.slots }()
		b.step(j.Name, StepPublishing)
		b.toStores(ctx, j, &row)
		then(row)
	})
}

// toStores publishes the outputs of an image in all its places, and records in the row what became of it.
func (b *batch) toStores(ctx context.Context, j *Job, row *report.Row) {
	a := artifactOf(row)
	var errs []error
	for _, to := range j.Publish {
		r, err := b.opt.Publish(ctx, to, a)
		if err != nil {
			errs = append(errs, fmt.Errorf("publish: %w", err))
			continue
		}
		row.Published = append(row.Published, report.Publication{To: r.At, SHA256: r.SHA256, State: string(r.State)})
	}
	err := errors.Join(errs...)
	switch {
	case err == nil:
		return
	case ctx.Err() != nil:
		*row = report.Row{Name: row.Name, Line: row.Line, Path: row.Path, Interrupted: true}
		return
	}
	row.Error, row.Failure = oneLine(err), report.Unpublished
	row.Transient = !slices.ContainsFunc(errs, func(err error) bool { return !Transient(err) })
	if _, ok := errors.AsType[*store.ChangedError](err); ok {
		row.Failure = report.Changed
	}
	b.failures.Add(1)
	if b.opt.Events.Error != nil {
		b.opt.Events.Error(row.Name, err)
	}
}

// artifactOf returns the outputs of an image as what is published.
func artifactOf(row *report.Row) *store.Artifact {
	a := &store.Artifact{Name: row.Name, Annotations: map[string]string{}}
	for key, value := range map[string]string{"org.opencontainers.image.version": row.Release, annotation + "arch": row.Arch, annotation + "kind": row.Kind,
		annotation + "build-id": row.BuildID, annotation + "profile": row.Profile} {
		if value != "" {
			a.Annotations[key] = value
		}
	}
	for _, o := range row.Outputs {
		a.Files = append(a.Files, store.File{Name: filepath.Base(o.Path), Kind: o.Kind, Packed: cmp.Or(input.Archive(o.Path), input.Compression(o.Path)),
			Size: o.Bytes, SHA256: o.SHA256, Open: func() (io.ReadSeekCloser, error) {
				f, _, err := input.OpenRaw(o.Path)
				return f, err
			}})
	}
	return a
}

// annotation is the start of the names of btfbatch's own annotations.
const annotation = "com.github.btfbatch."

// objectsOf lists the addresses of the files that publishing an image in one place writes. An artifact in a registry is one.
func objectsOf(o *config.Outputs, a address.Address) (list []string) {
	if a.Scheme == address.Registry {
		return []string{a.String()}
	}
	sums := store.Artifact{}
	for _, x := range o.List() {
		name := filepath.Base(x.Path)
		sums.Files = append(sums.Files, store.File{Name: name})
		list = append(list, in(a, name))
	}
	if len(list) == 0 {
		return nil
	}
	return append(list, in(a, sums.SumsName()))
}

// in returns the address, or the path, of a file in a bucket or a folder.
func in(a address.Address, name string) string {
	if a.Scheme == address.Folder {
		return filepath.Join(a.Path, name)
	}
	a.Path = strings.TrimPrefix(a.Path+"/"+name, "/")
	return a.String()
}

// publishedFiles lists the files that publishing a job writes into folders.
func publishedFiles(j *Job) (list []string) {
	for i := range j.Publish {
		if a, err := j.Publish[i].Address(); err == nil && a.Scheme == address.Folder {
			list = append(list, objectsOf(&j.Outputs, a)...)
		}
	}
	return list
}

// publishConflicts finds images that would be published under one name. A folder has one name, however it is spelt.
func publishConflicts(manifest string, items []corpus.Item) (problems []config.Problem) {
	first, folders := map[string]string{}, map[string]string{}
	for i := range items {
		im := &items[i].Image
		for p := range im.Publish {
			a, err := im.Publish[p].Address()
			if err != nil || config.Open(im.Publish[p].To) || items[i].Err != nil {
				continue
			}
			if a.Scheme == address.Folder && folders[a.Path] == "" {
				folders[a.Path] = paths.Key(a.Path)
			}
			for _, name := range objectsOf(&im.Outputs, a) {
				key := name
				if a.Scheme == address.Folder {
					key = folders[a.Path] + "/" + filepath.Base(name)
				}
				other, taken := first[key]
				first[key] = im.Label()
				switch {
				case !taken:
				case other == im.Label():
					problems = append(problems, im.Problem(manifest, config.KeyPublish, fmt.Sprintf("two outputs would be published as %s; give them different names", name)))
				default:
					problems = append(problems, im.Problem(manifest, config.KeyPublish, fmt.Sprintf("%s is also published by %q; use ${{ image.name }} in the address", name, other)))
				}
				if taken {
					break
				}
			}
		}
	}
	return problems
}

// Published counts the images that are published in stores.
func Published(items []corpus.Item) (n int) {
	for i := range items {
		if len(items[i].Image.Publish) > 0 {
			n++
		}
	}
	return n
}
