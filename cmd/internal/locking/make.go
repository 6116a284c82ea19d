package locking

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Maker makes locks. It keeps what an earlier lock has about packages and servers, except for the references that Fresh names.
type Maker struct {
	Manifest *config.Manifest
	Old      *lock.File             // the earlier lock; may be nil
	Fresh    func(from string) bool // references that are looked up again; nil: all
	Workers  int                    // images that are opened at once
	Cache    *cache.Cache           // has digests of files that did not change; may be nil

	sum    string // of what the manifest says of its sources
	lists  map[listKey][]*lock.Image
	hasher corpus.Hasher
	packs  sync.Map // by path: the digest of a package, or an error
}

// A listKey says which images of a lock a From with a pattern stands for.
type listKey struct{ from, glob string }

// A Failure says why an image has no place in a lock.
type Failure struct {
	Image string
	Err   error
}

// Text is the reason on one line.
func (f *Failure) Text() string {
	if p, ok := f.Err.(*fs.PathError); ok { //nolint:errorlint // a wrapped one has text before it
		return fmt.Sprintf("%s: %v", p.Path, p.Err)
	}
	return strings.ReplaceAll(f.Err.Error(), "\n", "; ")
}

// Resolve finds the images.
func (k *Maker) Resolve(ctx context.Context, s corpus.Sources) []corpus.Item {
	k.sum = k.Manifest.SourcesSHA256()
	if k.Fresh == nil {
		k.Fresh = func(string) bool { return true }
	}
	if k.Old != nil {
		k.lists = map[listKey][]*lock.Image{}
		for i := range k.Old.Images {
			im := &k.Old.Images[i]
			if key := (listKey{im.From, im.Glob}); im.From != "" {
				k.lists[key] = append(k.lists[key], im)
			}
		}
		s.Listed = func(im *config.Image) []corpus.Listed { return k.listed(ctx, im) }
		Pin(k.Manifest, k.Old, func(from string) bool { return isLocal(from) || k.Fresh(from) })
	}
	return corpus.Resolve(ctx, k.Manifest, s)
}

// listed returns the images that an image of the manifest stands for by the old lock; none if they have to be looked for.
func (k *Maker) listed(ctx context.Context, im *config.Image) (list []corpus.Listed) {
	from := k.Manifest.FromOf(im)
	s := k.Old.Source(from)
	if s == nil || k.Fresh(from) || im.From.SHA256 != "" && im.From.SHA256 != s.SHA256 {
		return nil
	}
	if isLocal(from) {
		if sum, err := k.fileSum(ctx, im.From.Where); err != nil || sum != s.SHA256 {
			return nil
		}
	}
	for _, was := range k.lists[listKey{from, im.From.Member}] {
		l := corpus.Listed{Member: was.Member, Release: was.Release, Package: s.Package, Version: s.Version}
		if one, err := l.Fill(im); err == nil && one.Name == was.Name {
			list = append(list, l)
		}
	}
	return list
}

// Make opens all images and returns the lock of what they are, or what is wrong with them. If the context ends, that is the error.
func (k *Maker) Make(ctx context.Context, items []corpus.Item) (*lock.File, []Failure, error) {
	images, sources, errs := make([]lock.Image, len(items)), make([]lock.Source, len(items)), make([]error, len(items))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(k.Workers, len(items))) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = k.image(ctx, &items[i], &images[i], &sources[i])
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	f := &lock.File{Version: lock.Version, Manifest: k.sum, Images: images}
	var failures []Failure
	known := map[string]lock.Source{}
	for i := range items {
		if errs[i] != nil {
			failures = append(failures, Failure{items[i].Image.Label(), errs[i]})
			continue
		}
		s := sources[i]
		if s.From == "" {
			continue
		}
		if other, there := known[s.From]; !there {
			known[s.From] = s
			f.Sources = append(f.Sources, s)
		} else if other != s {
			failures = append(failures, Failure{items[i].Image.Label(), fmt.Errorf("%s changed while it was read: %s, then %s", s.From, other.SHA256, s.SHA256)})
		}
	}
	if failures != nil {
		return nil, failures, nil
	}
	f.Sort()
	return f, nil, nil
}

// image finds out what an image is.
func (k *Maker) image(ctx context.Context, it *corpus.Item, im *lock.Image, s *lock.Source) (err error) {
	if it.Err != nil {
		return it.Err
	}
	place(k.Manifest, it, im)
	if it.BaseFile != "" {
		if im.BaseSHA256, err = k.baseSum(ctx, it); err != nil {
			return err
		}
	}
	if it.Source == nil {
		return k.kept(im, s)
	}
	if im.From == "" {
		im.Size, im.SHA256, err = k.file(ctx, it)
	} else {
		*s, err = k.source(ctx, it, im.From)
	}
	im.BuildID, im.Release, im.Arch = it.BuildID, it.Identity.Release, it.Arch
	return err
}

// kept copies what the old lock has of an image.
func (k *Maker) kept(im *lock.Image, s *lock.Source) error {
	for _, was := range k.lists[listKey{im.From, im.Glob}] {
		if was.Member == im.Member && was.Name == im.Name {
			im.BuildID, im.Release, im.Arch = was.BuildID, was.Release, was.Arch
			*s = *k.Old.Source(im.From)
			return nil
		}
	}
	return fmt.Errorf("the lock has no member %s", im.Member) // not possible: listed found it
}

// file opens the file of an image, and returns its size and its digest.
func (k *Maker) file(ctx context.Context, it *corpus.Item) (size int64, sum string, err error) {
	before, began := cache.StateOf(it.Path), time.Now()
	image, err := it.Open(ctx)
	if err != nil {
		return 0, "", err
	}
	defer image.Close()
	_, size = image.Input.Raw()
	if v, ok := image.Input.Version(); ok && v.String() == before.ID {
		if sum = k.recall(it.Path, before); sum == "" {
			if sum, err = k.hasher.Sum(ctx, image.Input); err == nil {
				err = image.Input.Unchanged()
			}
			k.remember(it.Path, before, began, sum, err)
		}
	} else if sum, err = k.hasher.Sum(ctx, image.Input); err == nil {
		err = image.Input.Unchanged()
	}
	if want := it.Pins.SHA256; err == nil && want != "" && want != sum {
		err = &corpus.MismatchError{What: "sha256", Found: sum, Pinned: want}
	}
	return size, sum, err
}

// source opens an image of a package or a server, and describes what was fetched.
func (k *Maker) source(ctx context.Context, it *corpus.Item, from string) (s lock.Source, err error) {
	image, err := it.Open(ctx)
	if err != nil {
		return s, err
	}
	defer image.Close()
	s = lock.Source{From: from, Package: it.Origin.Package, Version: it.Origin.Version, Size: it.Origin.Size}
	if it.Origin.Member == "" {
		s.Size = it.Source.Size()
	}
	if s.SHA256, _, err = image.Input.Sum(ctx); err == nil {
		err = image.Input.Unchanged()
	}
	if err == nil && (s.SHA256 == "" || s.Size == 0) {
		err = fmt.Errorf("%s cannot be locked, because its digest is not known before it is read", from)
	}
	return s, err
}

// fileSum returns the digest of a package that is a file.
func (k *Maker) fileSum(ctx context.Context, path string) (string, error) {
	type result struct {
		sum string
		err error
	}
	if r, ok := k.packs.Load(path); ok {
		return r.(result).sum, r.(result).err
	}
	var r result
	before, began := cache.StateOf(path), time.Now()
	if r.sum = k.recall(path, before); r.sum == "" {
		f, st, err := input.OpenRaw(path)
		if r.err = err; err == nil {
			defer f.Close()
			if r.sum, r.err = source.Sum(ctx, f, st.Size()); r.err == nil {
				r.err = input.Changed(f, st)
			}
		}
		k.remember(path, before, began, r.sum, r.err)
	}
	k.packs.Store(path, r)
	return r.sum, r.err
}

// baseSum returns the digest of the file that a base is read from.
func (k *Maker) baseSum(ctx context.Context, it *corpus.Item) (string, error) {
	f, _, err := corpus.OpenBase(it.BaseFile)
	if err != nil {
		return "", fmt.Errorf("base_path: %w", err)
	}
	defer f.Close()
	sum, err := k.hasher.Sum(ctx, f)
	if err != nil {
		return "", fmt.Errorf("base_path: %w", err)
	}
	return sum, corpus.CheckBase(sum, it.Image.BaseSHA256, false)
}

func (k *Maker) recall(path string, s cache.State) string {
	if k.Cache == nil {
		return ""
	}
	if r, current, err := k.Cache.Recall(filepath.Clean(path), s); err == nil && current {
		return r.SHA256
	}
	return ""
}

func (k *Maker) remember(path string, s cache.State, began time.Time, sum string, err error) {
	if k.Cache != nil && err == nil && s.ID != "" && cache.StateOf(path) == s {
		_ = k.Cache.Remember(filepath.Clean(path), s, began, sum, "") // it is read again next time
	}
}
