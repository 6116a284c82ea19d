package encoder

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// Another program may write to the files of an image while they are read. What is then found in them says nothing about them. The strings of a
// relocatable file are even mapped, not read: if it is cut short, reading them is a fault, which would end the program.

// openFiles are the files that an encoding reads.
type openFiles struct {
	images  []*elf.File
	several bool        // an error about an image is an *ImageError
	beside  []*elf.File // opened in addition to the images
}

// close closes what was opened in addition to the images.
func (o *openFiles) close() {
	for _, f := range o.beside {
		f.Close()
	}
}

// guarded calls do, which reads the files. If one of them was changed meanwhile, that is the error, also if do has panicked. Other errors are
// explained.
func (o *openFiles) guarded(ctx context.Context, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, fault := r.(runtime.Error); fault {
			if err = o.changed(); err != nil {
				return
			}
		}
		panic(r)
	}()
	err = deep(do, false)
	if ctx.Err() != nil {
		return err
	}
	if changed := o.changed(); changed != nil {
		return changed
	}
	return explained(err) // which reads a file again, and follows what it says
}

// changed returns the error that says that one of the files was changed, or nil.
func (o *openFiles) changed() error {
	for i, f := range o.images {
		err := f.Unchanged()
		switch {
		case err != nil && o.several:
			return &ImageError{i, f.Path, err}
		case err != nil:
			return err
		}
	}
	for _, f := range o.beside {
		if err := f.Unchanged(); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

// deepStack is more than the recursion through the types of most images needs.
const deepStack = 128 << 10

// deep calls do on a stack that has grown to deepStack at once. A stack that grows step by step is copied each time, frame by frame. use is false: the
// frame of deep has the room although nothing is put there.
//
//go:noinline
func deep(do func() error, use bool) error {
	if use {
		var room [deepStack]byte
		return onto(&room, do)
	}
	return do()
}

//go:noinline
func onto(_ *[deepStack]byte, do func() error) error { return do() }
