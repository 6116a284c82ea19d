// Package publish puts files in their places, whole or not at all.
//
// In come paths and functions that write what belongs there; out come files that a reader sees as they were or complete, whenever
// the program is killed. What a killed program left beside a path is removed by the next one that writes there. The package never
// looks at what it writes.
package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// A Publisher knows the folders that were written to. Its zero value is ready, and it may be used by several goroutines.
type Publisher struct {
	mu        sync.Mutex
	leftovers map[string][]string // by folder: temporary files that were there at the first look
}

// A Set is some files that appear together: all are written before the first takes its place.
type Set struct {
	p     *Publisher
	files []*pending
}

// A pending file is written under a name of its own. Its lock tells other programs that somebody is at it.
type pending struct {
	*renameio.PendingFile
	lock *os.File
	dir  string
}

// Set starts an empty set.
func (p *Publisher) Set() *Set { return &Set{p: p} }

// Add writes a file that Commit will put at path. Missing folders are made; a link is followed.
func (s *Set) Add(path string, write func(w io.Writer) error) error {
	path, err := s.p.Prepare(path)
	if err != nil {
		return err
	}
	working.RLock()
	f, err := create(path)
	if err == nil {
		unfinished.Store(f.Name(), true)
	}
	working.RUnlock()
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	if err := write(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Sync brings what has been written to the disk, so that Commit has little to wait for.
func (s *Set) Sync() error {
	for _, f := range s.files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// Prepare makes the folder of a path, removes what a killed program left there, and tells where the file will be: behind a link,
// if the path is one.
func (p *Publisher) Prepare(path string) (string, error) {
	path, err := destination(path)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	p.sweep(dir, filepath.Base(path))
	return path, nil
}

// Commit puts all files of the set in their places, and makes sure that they stay there.
func (s *Set) Commit() error {
	working.RLock()
	defer working.RUnlock()
	for _, f := range s.files {
		if err := f.CloseAtomicallyReplace(); err != nil {
			return err
		}
		syncFolder(f.dir)
	}
	return nil
}

// Discard removes what was not put in its place. It is called at the end in any case.
func (s *Set) Discard() {
	for _, f := range s.files {
		_ = f.Cleanup() // what cannot be removed is a leftover
		unfinished.Delete(f.Name())
		f.lock.Close() // nothing was written through it
	}
	s.files = nil
}

// destination follows links and refuses what is no file: replacing a device by a file is never what was meant.
func destination(path string) (string, error) {
	if found, err := filepath.EvalSymlinks(path); err == nil {
		path = found
	}
	switch st, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case !st.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	return path, nil
}

// create makes the temporary file and takes its lock.
func create(path string) (*pending, error) {
	dir := filepath.Dir(path)
	for range 100 {
		f, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
		if err != nil {
			return nil, err
		}
		// A second handle, which stays open while the file takes its place.
		lock, err := os.Open(f.Name())
		if err == nil {
			err = tryLock(lock)
			if err == nil || !errors.Is(err, unix.EWOULDBLOCK) { // some file systems know no locks
				if linked(lock) {
					return &pending{f, lock, dir}, nil
				}
			}
			lock.Close()
		}
		_ = f.Cleanup() // another program took it for a leftover and removes it as well
	}
	return nil, fmt.Errorf("%s: temporary files vanish", path)
}

func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// linked tells whether an open file still has its name.
func linked(f *os.File) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(have, named)
}

// Lengths of the number that ends the name of a temporary file: it is random, of up to 63 bits.
const minDigits, maxDigits = 12, 19

// isLeftover tells whether name is that of a temporary file for base.
func isLeftover(name, base string) bool {
	number, ok := strings.CutPrefix(name, "."+base)
	return ok && len(number) >= minDigits && len(number) <= maxDigits && strings.Trim(number, "0123456789") == ""
}

// sweep removes the temporary files for base that nobody has locked. A folder is read once.
func (p *Publisher) sweep(dir, base string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names, known := p.leftovers[dir]
	if !known {
		names = hidden(dir)
		if p.leftovers == nil {
			p.leftovers = map[string][]string{}
		}
		p.leftovers[dir] = names
	}
	for _, name := range names {
		if isLeftover(name, base) {
			remove(filepath.Join(dir, name))
		}
	}
}

// hidden lists the files of a folder that could be temporary ones.
func hidden(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // whoever writes there will say what is wrong
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

// remove removes a temporary file unless somebody is at it.
func remove(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if tryLock(f) == nil {
		_ = os.Remove(path) // left to the next time
	}
}

// syncFolder makes a new name last. Some file systems cannot do that for a folder, and then nobody can.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
