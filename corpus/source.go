package corpus

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Source gives the file of an image. Whoever has opened it keeps that file, whatever takes its name in the meantime.
type Source interface {
	Open() (*input.File, error)
}

// A Path is the Source of images that lie in the file system.
type Path string

// Open opens the file. Pipes and devices are refused before they are opened: opening a pipe would wait.
func (p Path) Open() (*input.File, error) {
	if _, err := input.Regular(string(p)); err != nil {
		return nil, err
	}
	return input.Open(string(p), input.ELF)
}

// An Image is the open file of an item. All that is told about the item, pins included, is about this file.
type Image struct {
	*elf.File
	Input *input.File
}

// Open opens the item's file, and looks at it as Resolve did if it may be another file by now.
func (it *Item) Open() (*Image, error) {
	f, err := it.open()
	if err != nil {
		return nil, err
	}
	version, ok := f.Input.Version()
	if ok && version == it.seen && !f.Input.Recent() {
		return f, nil
	}
	if err := it.look(f.File); err != nil {
		f.Close()
		return nil, err
	}
	it.seen = version
	return f, nil
}

func (it *Item) open() (*Image, error) {
	in, err := it.Source.Open()
	if err != nil {
		return nil, err
	}
	f, err := elf.FromInput(in)
	if err != nil {
		in.Close()
		return nil, err
	}
	f.Path = it.Image.Path
	it.Size = in.Size
	if in.Info != nil {
		it.Size = in.Info.Size()
	}
	return &Image{f, in}, nil
}

// look compares the header of the item's file and what it says of itself with the manifest.
func (it *Item) look(f *elf.File) (err error) {
	it.order = f.Order
	arch := archOf(f)
	if it.Image.Arch != "" && it.Image.Arch != arch {
		return archError(arch, it.Image.Arch, "the manifest says")
	}
	it.Image.Arch = arch
	if it.BuildID, err = buildID(f); err != nil {
		return err
	}
	if want := it.Image.BuildID; want != "" && want != it.BuildID {
		return &MismatchError{"build_id", it.BuildID, want}
	}
	if it.Identity, err = Identify(f); err == nil { // else the encoder tells what is damaged
		it.identified = true
	}
	return it.Identity.check(&it.Image)
}

// inspect opens the item's file, looks at it, and lets go of it. What is wrong with its base is wrong with the item.
func (it *Item) inspect() error {
	f, err := it.Open()
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if it.Image.BasePath != "" {
		if err := it.inspectBase(it.Image.BasePath); err != nil {
			return fmt.Errorf("base_path %s: %w", it.Image.BasePath, err)
		}
	}
	return nil
}
