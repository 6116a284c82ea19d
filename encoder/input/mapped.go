package input

import (
	"fmt"
	"runtime/debug"
)

// Mapped returns a part of the file, which is valid until Close. Of a plain file, the system reads only what is used, and copies nothing: of
// the base of a module, that is a third of the time. If the file gets shorter meanwhile, reading its part is a fault, which ends the program
// unless debug.SetPanicOnFault is set. Read it in Guarded, or check Unchanged when it is no longer needed.
func (f *File) Mapped(off, size int64) ([]byte, error) {
	if off < 0 || size < 0 || off > f.Size || size > f.Size-off {
		return nil, fmt.Errorf("%d bytes at %#x reach past the end of the file (%d bytes)", size, off, f.Size)
	}
	if f.whole != nil {
		return f.whole[off : off+size : off+size], nil
	}
	if f.file != nil && f.Packed == "" && size > 0 {
		if whole, at, err := mapFile(f.file, off, size); err == nil {
			f.maps = append(f.maps, whole)
			return whole[at : at+size : at+size], nil
		}
	}
	b := make([]byte, size)
	if size == 0 {
		return b, nil
	}
	_, err := f.ReadAt(b, off)
	return b, err
}

// Guarded calls do, which reads mapped parts of the file. If the file was changed meanwhile, that is the error, whatever do led to: reading what is missing
// of a file that was cut short is a fault, and so a panic. Other panics stay.
func (f *File) Guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		panicked := recover()
		if changed := f.Unchanged(); changed != nil {
			err = changed
		} else if panicked != nil {
			panic(panicked)
		}
	}()
	return do()
}
