package publish

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
)

// A temporary file is named .btfbatch-HASH.RANDOM, where HASH is a hash of the final name. This name is valid wherever the final one is,
// however long that is, and it tells which file the temporary one belongs to.
const (
	prefix = ".btfbatch-"
	digits = 16 // of the hash and of the random number
)

// hashed is the beginning of the names of all temporary files for a file of that name.
func hashed(base string) string {
	h := fnv.New64a()
	h.Write([]byte(base))
	return fmt.Sprintf("%s%0*x.", prefix, digits, h.Sum64())
}

// temporary returns a new name of a temporary file for a file of that name.
func temporary(base string) string { return fmt.Sprintf("%s%0*x", hashed(base), digits, rand.Uint64()) }

// isTemporary reports whether a name is that of a temporary file.
func isTemporary(name string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && len(rest) == digits+1+digits && rest[digits] == '.' && strings.Trim(rest[:digits]+rest[digits+1:], "0123456789abcdef") == ""
}

// create creates and locks the temporary file.
func (p *Publisher) create(place string) (*pending, error) {
	mode := p.Mode
	if mode == 0 {
		mode = 0o644
	}
	dir, base := filepath.Dir(place), filepath.Base(place)
	for range 100 {
		f, err := os.OpenFile(filepath.Join(dir, temporary(base)), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !busy(f) && linked(f) {
			return &pending{File: f, path: place}, nil
		}
		_ = os.Remove(f.Name()) // another program took it for a leftover, and removes it too
		f.Close()
	}
	return nil, errors.New("temporary files are removed by another program as soon as they are created")
}

// linked reports whether an open file still has its name.
func linked(f *os.File) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(have, there)
}

// Sweep removes what killed programs left beside these files, which may or may not be written later. Paths that cannot be resolved are
// skipped.
func (p *Publisher) Sweep(files []string) {
	for _, path := range files {
		if place, err := paths.Resolve(path); err == nil {
			p.sweep(place)
		}
	}
}

// sweep removes the unlocked temporary files for a place. Each folder is read once.
func (p *Publisher) sweep(place string) {
	dir, start := filepath.Dir(place), hashed(filepath.Base(place))
	p.mu.Lock()
	defer p.mu.Unlock()
	names, known := p.leftovers[dir]
	if !known {
		names = temporaries(dir)
		if p.leftovers == nil {
			p.leftovers = map[string][]string{}
		}
		p.leftovers[dir] = names
	}
	for _, name := range names {
		if strings.HasPrefix(name, start) {
			remove(filepath.Join(dir, name))
		}
	}
}

// temporaries lists the temporary files of a folder. The folder may have many other files, which are not sorted or looked at.
func temporaries(dir string) (list []string) {
	d, err := os.Open(dir)
	if err != nil {
		return nil // writing there will report the error
	}
	defer d.Close()
	for err == nil {
		var names []string
		names, err = d.Readdirnames(256)
		for _, name := range names {
			if !isTemporary(name) {
				continue
			}
			if st, err := os.Lstat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
				list = append(list, name)
			}
		}
	}
	return list
}

// remove removes a temporary file unless a program is writing to it.
func remove(path string) {
	if !movesOpen { // an open file cannot be removed
		_ = os.Remove(path)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if !busy(f) {
		_ = os.Remove(path) // if that fails, the next run tries again
	}
}
