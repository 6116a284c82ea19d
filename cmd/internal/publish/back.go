package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keep gives what is at the place of a file a second name, which is that of a temporary file. Some file systems know no second names:
// then what was there is lost when the file takes its place.
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

// giveBack puts what was there before at the places that files of the set have taken.
func (s *Set) giveBack() error {
	var all error
	for _, f := range s.files {
		if !f.placed {
			continue
		}
		err := errors.New("nothing is left of what was there")
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

// forget removes the second names.
func (s *Set) forget() {
	for _, f := range s.files {
		if f.before != "" {
			_ = os.Remove(f.before) // what cannot be removed is a leftover
			unfinished.Delete(f.before)
			f.before = ""
		}
	}
}
