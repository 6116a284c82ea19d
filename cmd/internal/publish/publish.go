// Package publish puts files in their places, whole or not at all.
//
// In come paths and functions that write what belongs there; out come files that a reader sees as they were or complete, whenever
// the program is killed. What a killed program left beside a path is removed by the next one that writes there. The package never
// looks at what it writes. It is the one way by which this program makes or replaces a file.
package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
)

// A Publisher knows the folders that were written to. It may be used by several goroutines, and its zero value is ready.
type Publisher struct {
	Mode fs.FileMode // of files that are not there yet, before the umask; 0 is 0644

	mu        sync.Mutex
	leftovers map[string][]string // by folder: temporary files that were there at the first look
}

// A Set is some files that appear together: all are written before the first takes its place.
type Set struct {
	p     *Publisher
	files []*pending
}

// A pending file is written under a name of its own, in the folder where it belongs. It is locked while it is open, which tells
// other programs that somebody is at it.
type pending struct {
	*os.File
	path   string // its place
	placed bool
	fresh  bool   // nothing was at its place
	before string // another name of what was there, if there is one
}

// Set starts an empty set.
func (p *Publisher) Set() *Set { return &Set{p: p} }

// File puts one file at path, as a set of its own.
func (p *Publisher) File(path string, write func(w io.Writer) error) error {
	s := p.Set()
	defer s.Discard()
	if err := s.Add(path, write); err != nil {
		return err
	}
	return s.Commit()
}

// Add writes a file that Commit will put at path. Missing folders are made; a link is followed, and what it leads to is replaced.
// A file that is replaced lends its mode, and its owner where that is allowed.
func (s *Set) Add(path string, write func(w io.Writer) error) error {
	return s.add(path, nil, func(f *os.File) error { return write(f) })
}

// Copy is Add for a changed copy of a file: it gets the mode of that one. A file that is replaced by a changed copy of itself keeps
// its owner and group, or is not replaced: it would no longer be the same to those who use it.
func (s *Set) Copy(path string) func(of fs.FileInfo, write func(f *os.File) error) error {
	return func(of fs.FileInfo, write func(f *os.File) error) error { return s.add(path, of, write) }
}

func (s *Set) add(path string, of fs.FileInfo, write func(f *os.File) error) error {
	place, old, err := destination(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.p.sweep(place)
	working.RLock()
	f, err := s.p.create(place)
	if err == nil {
		unfinished.Store(f.Name(), true)
	}
	working.RUnlock()
	if err != nil {
		return named(path, err)
	}
	s.files = append(s.files, f)
	if err := write(f.File); err != nil {
		return named(path, err)
	}
	return named(path, inherit(f.File, old, of))
}

// named is an error about a temporary file, or one without a path, as one about the file that it will be.
func named(path string, err error) error {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok && isTemporary(filepath.Base(p.Path)) {
		err = p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// inherit gives a new file the mode and the owner that it shall have. The mode comes last, because a change of the owner takes the
// set-user-id bits away.
func inherit(f *os.File, old, of fs.FileInfo) error {
	if old != nil {
		if err := keepOwner(f, old); err != nil && of != nil && os.SameFile(old, of) {
			return err
		}
	}
	switch {
	case of != nil:
		return f.Chmod(of.Mode())
	case old != nil:
		return f.Chmod(old.Mode().Perm())
	}
	return nil
}

// Sync brings what has been written to the disk, so that Commit has little to wait for.
func (s *Set) Sync() error {
	for _, f := range s.files {
		if err := f.Sync(); err != nil {
			return named(f.path, err)
		}
	}
	return nil
}

// Commit puts all files of the set in their places, and makes sure that they stay there. If one of them cannot take its place, as
// where another file system is mounted there, the others give theirs back to what was there before.
func (s *Set) Commit() error {
	if err := s.Sync(); err != nil {
		return err
	}
	working.RLock()
	defer working.RUnlock()
	defer s.forget()
	for i, f := range s.files {
		if !movesOpen {
			if err := f.Close(); err != nil {
				return errors.Join(named(f.path, err), s.giveBack())
			}
		}
		if i < len(s.files)-1 { // behind the last one nothing can fail
			f.keep()
		}
		if err := os.Rename(f.Name(), f.path); err != nil {
			return errors.Join(named(f.path, err), s.giveBack())
		}
		f.placed = true
		syncFolder(filepath.Dir(f.path))
	}
	return nil
}

// Discard removes what was not put in its place. It is called at the end in any case.
func (s *Set) Discard() {
	for _, f := range s.files {
		if !movesOpen {
			f.Close()
		}
		if !f.placed {
			_ = os.Remove(f.Name()) // what cannot be removed is a leftover
		}
		unfinished.Delete(f.Name())
		f.Close() // what counts was synced
	}
	s.files = nil
}

// destination follows links and refuses what is no file: replacing a device by a file is never what was meant. It returns what is
// there, if there is something.
func destination(path string) (place string, old fs.FileInfo, err error) {
	if place, err = paths.Resolve(path); err != nil {
		return "", nil, err
	}
	if paths.Opened(path) {
		return "", nil, paths.OpenedError(path)
	}
	switch st, err := os.Lstat(place); {
	case errors.Is(err, fs.ErrNotExist):
		return place, nil, nil
	case err != nil:
		return "", nil, err
	case !st.Mode().IsRegular():
		return "", nil, fmt.Errorf("%s is not a regular file", path)
	default:
		return place, st, nil
	}
}

// syncFolder makes a new name last. Some file systems cannot do that for a folder, and then nobody can.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
