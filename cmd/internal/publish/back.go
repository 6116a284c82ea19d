package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keep gives the file that will be replaced a second name, which is that of a temporary file. On file systems without hard links there is
// no second name, and the old file is lost when it is replaced.
func (f *pending) keep() {
	name := filepath.Join(filepath.Dir(f.path), temporary(filepath.Base(f.path)))
	unfinished.Store(name, true)
	switch err := os.Link(f.path, name); {
	case err == nil:
		f.before = name
		return
	case errors.Is(err, fs.ErrNotExist):
		f.fresh = true
	}
	unfinished.Delete(name)
}

// giveBack restores the files that the set has replaced.
func (s *Set) giveBack() error {
	var all error
	for _, f := range s.files {
		if !f.placed {
			continue
		}
		err := errors.New("the old file could not be kept")
		switch {
		case f.fresh:
			err = os.Remove(f.path)
		case f.before != "":
			err = os.Rename(f.before, f.path)
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%w, and it has been replaced", named(f.path, err)))
		}
	}
	return all
}

// forget removes the second names of replaced files.
func (s *Set) forget() {
	for _, f := range s.files {
		if f.before != "" {
			_ = os.Remove(f.before) // what cannot be removed is a leftover
			unfinished.Delete(f.before)
			f.before = ""
		}
	}
}
