package encoder

import (
	"runtime"
	"runtime/debug"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// The strings of a relocatable file are mapped, not read. If another program cuts the file short meanwhile, reading them is a fault, which would end
// the program.

// guarded calls do, and returns the error that a file was changed if do panics and one of the files was.
func guarded(files []*elf.File, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, fault := r.(runtime.Error); fault {
			for _, f := range files {
				if err = f.Unchanged(); err != nil {
					return
				}
			}
		}
		panic(r)
	}()
	return deep(do, false)
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
