package corpus

import (
	"context"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// Inspect opens the file of every item, and that of every base, once, and looks at them as a run would before it encodes. What is wrong
// with an item becomes its Err. With a Hasher, sums that the manifest pins are compared, too. The images that follow the end of the
// context are not looked at.
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
				it.Err = it.InBase(items, err)
				continue
			}
		}
		if base == nil && (it.Base >= 0 || it.BaseFile != "") {
			continue // its base failed, and so will it
		}
		it.Doubts = it.File.Doubts(it.Image.Name, it.Image.Outputs.ELF != "", base)
	}
	passOnFailures(items)
}

// InBase is an error that an item has with its base, which it names.
func (it *Item) InBase(items []Item, err error) error {
	if it.Base >= 0 {
		return fmt.Errorf("base %q: %w", items[it.Base].Image.Name, err)
	}
	return fmt.Errorf("base: %w", input.Named(it.BaseFile, err))
}

// inspect opens the item's file, looks at it, and lets go of it.
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

// A baseFile is a file that items take their base from.
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

// pinned is what is wrong with a base of which a manifest pins the sum, if it does.
func (f *baseFile) pinned(sum string) error {
	if f.err != nil || sum == "" || f.sum == "" {
		return f.err
	}
	return CheckBase(f.sum, sum)
}
