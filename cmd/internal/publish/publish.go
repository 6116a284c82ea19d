// Package publish puts files in their places, whole or not at all.
//
// Input: paths, and functions that write the contents. Output: files. A reader sees the old file or the complete new one, even if the
// program is killed at any moment; temporary files of a killed program are removed by the next one that writes to the same path. Never:
// the package does not look at what it writes. Nothing else in this program creates or replaces a file outside its caches.
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

// A Publisher remembers the folders that it wrote to. It is safe for concurrent use, and its zero value is ready.
type Publisher struct {
	Mode fs.FileMode // of new files, before the umask; 0 stands for 0644
	// Unsynced leaves it to the system when files reach the disk. After a power failure, a file may then be empty.
	Unsynced bool

	mu        sync.Mutex
	leftovers map[string][]string // by folder: temporary files that were there when it was read first
}

// A Set is a group of files that are published together: all are written before the first one takes its place.
type Set struct {
	p     *Publisher
	files []*pending
}

// A pending file is written under a temporary name, in the folder of its final place. It is locked while it is open, so that other
// programs do not take it for a leftover.
type pending struct {
	*os.File
	path   string // its final place
	placed bool
	fresh  bool   // nothing was at its place
	before string // a second name of the file that was there, if it has one
}

// Set starts an empty set.
func (p *Publisher) Set() *Set { return &Set{p: p} }

// File writes one file to path, as a set of its own.
func (p *Publisher) File(path string, write func(w io.Writer) error) error {
	s := p.Set()
	defer s.Discard()
	if err := s.Add(path, write); err != nil {
		return err
	}
	return s.Commit()
}

// Add writes a file that Commit will put at path. It creates missing folders. A symbolic link is followed, and its target is replaced.
// The new file gets the mode of the file that it replaces, and its owner if that is permitted.
func (s *Set) Add(path string, write func(w io.Writer) error) error {
	return s.add(path, nil, func(f *os.File) error { return write(f) })
}

// Copy is Add for a changed copy of a file, which gets the mode of the original. If the copy replaces the original itself, it must get the
// owner and group too; otherwise the file is not replaced, because its users could lose access to it.
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
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (a file is written as a new one in its folder)", named(path, err))
	} else if err != nil {
		return named(path, err)
	}
	s.files = append(s.files, f)
	if err := write(f.File); err != nil {
		return named(path, err)
	}
	return named(path, inherit(f.File, old, of))
}

// named rewrites an error about a temporary file, or without a path, to name the file at its final place.
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

// inherit sets the owner and the mode of a new file. The mode comes last, because changing the owner clears the set-user-id bits.
func inherit(f *os.File, old, of fs.FileInfo) error {
	if old != nil {
		if err := keepOwner(f, old); err != nil && of != nil && os.SameFile(old, of) {
			if p, ok := errors.AsType[*fs.PathError](err); ok { // of the temporary file
				err = p.Err
			}
			return fmt.Errorf("the new file cannot get the owner of the old one: %w", err)
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

// Sync flushes what has been written to the disk, so that Commit has little to wait for.
func (s *Set) Sync() error {
	if s.p.Unsynced {
		return nil
	}
	for _, f := range s.files {
		if err := f.Sync(); err != nil {
			return named(f.path, err)
		}
	}
	return nil
}

// Commit moves all files of the set to their places and syncs them. If one of them cannot be moved, for example because a file system is
// mounted there, the files that were replaced before it are restored.
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
		if i < len(s.files)-1 { // after the last one nothing can fail
			f.keep()
		}
		if err := os.Rename(f.Name(), f.path); err != nil {
			return errors.Join(named(f.path, err), s.giveBack())
		}
		f.placed = true
		if !s.p.Unsynced {
			syncFolder(filepath.Dir(f.path))
		}
	}
	return nil
}

// Discard removes the files that Commit did not move. Every user of a set calls it at the end.
func (s *Set) Discard() {
	for _, f := range s.files {
		if !movesOpen {
			f.Close()
		}
		if !f.placed {
			_ = os.Remove(f.Name()) // what cannot be removed is a leftover
		}
		unfinished.Delete(f.Name())
		f.Close() // the contents were synced
	}
	s.files = nil
}

// destination follows links, and refuses places that hold anything but a regular file. old describes the file that is there, if any.
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

// syncFolder makes a rename durable, as far as the file system can.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
