package corpus

import (
	"context"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// Inspect opens the file of every item and of every base, each once, and makes the checks that a run makes before it encodes. Problems of
// an item become its Err. With a Hasher, digests that the manifest pins are checked too. Inspect stops when the context ends.
func Inspect(ctx context.Context, items []Item, h *Hasher) {
	bases := map[string]*baseFile{}
	for i := range items {
		it := &items[i]
		if ctx.Err() != nil {
			return
		}
		var base *Base
		switch {
		case it.Base >= 0 && items[it.Base].Err == nil:
			b := items[it.Base].AsBase()
			base = &b
		case it.Base < 0 && it.BaseFile != "":
			if bases[it.BaseFile] == nil {
				bases[it.BaseFile] = readBaseFile(ctx, it.BaseFile, h)
			}
		}
		if it.Err != nil {
			continue
		}
		if it.Err = it.inspect(ctx, h); it.Err != nil {
			continue
		}
		if f := bases[it.BaseFile]; f != nil && it.Base < 0 {
			if it.Err = f.pinned(it.Image.BaseSHA256); it.Err != nil {
				continue
			}
			base = &f.Base
		}
		if base != nil {
			if err := it.Continues(base); err != nil {
				it.Err = it.inBase(items, err)
				continue
			}
		}
		if base == nil && (it.Base >= 0 || it.BaseFile != "") {
			continue // passOnFailures will say why
		}
		use := Use{Name: it.Image.Name, Manifest: true, Embedded: it.Image.Outputs.ELF != "", Base: base}
		it.Doubts, it.Err = it.File.Doubts(use), it.File.Mistaken(use)
	}
	passOnFailures(items)
}

// inBase adds the name of an item's base to an error about it.
func (it *Item) inBase(items []Item, err error) error {
	if it.Base >= 0 {
		return fmt.Errorf("base %q: %w", items[it.Base].Image.Name, err)
	}
	return fmt.Errorf("base: %w", input.Named(it.BaseFile, err))
}

// inspect opens the file of the item, checks it, and closes it.
func (it *Item) inspect(ctx context.Context, h *Hasher) error {
	f, err := it.Open(ctx)
	if err != nil {
		return err
	}
	if h != nil && it.Pins.SHA256 != "" {
		_, err = h.Pin(ctx, &it.File, f.Input)
	}
	return errors.Join(err, f.Close())
}

// A baseFile is a file that contains the base of items.
type baseFile struct {
	Base
	sum string
	err error
}

func readBaseFile(ctx context.Context, path string, h *Hasher) *baseFile {
	in, base, err := OpenBase(path)
	if err != nil {
		return &baseFile{err: fmt.Errorf("base: %w", err)}
	}
	defer in.Close()
	f := &baseFile{Base: base}
	if h != nil {
		if f.sum, err = h.Sum(ctx, in); err != nil {
			f.err = fmt.Errorf("base: %w", input.Named(path, err))
		}
	}
	return f
}

// pinned returns the error of an item for which the manifest pins this digest of its base file, if it pins one.
func (f *baseFile) pinned(sum string) error {
	if f.err != nil || sum == "" || f.sum == "" {
		return f.err
	}
	return CheckBase(f.sum, sum, false)
}
