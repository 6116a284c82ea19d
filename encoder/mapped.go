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
	return do()
}
