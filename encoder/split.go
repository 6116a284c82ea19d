package encoder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// splitFiles are the opened files of split units. Their strings are not in the .debug_str of the image, so equal names have several keys, and
// only the exact engine can merge their types (errSplit).
type splitFiles struct {
	once    sync.Once
	pack    *dwarf.Split // IMAGE.dwp, or nil
	packErr error

	mu    sync.Mutex              // guards the fields below
	files map[string]*dwarf.Split // by path: files that were opened twice, which are kept; nil for files that were opened once
}

// used reports whether a file of split units was opened, or searched for.
func (s *splitFiles) used() bool { return s.pack != nil || s.packErr != nil }

// maxUses is how many skeletons may name the same contents. It bounds the work that an image can cause with few contents.
const maxUses = 16

// countUse counts a skeleton when it is joined. It returns an error if too many skeletons name the same contents.
func (p *pipeline) countUse(u *unit) error {
	if p.uses == nil {
		p.uses = make(map[uint64]int)
	}
	if p.uses[u.contents]++; p.uses[u.contents] > maxUses {
		return u.types.Place.Err(0, "more than %d skeletons name the contents of unit %016x", maxUses, u.contents)
	}
	return nil
}

// openSplit opens the contents of a skeleton in u. They are in IMAGE.dwp if that exists. Otherwise they are in the file that the skeleton
// names, in the folder of the compilation or in that of the image.
func (in *image) openSplit(skeleton, u *dwarf.Unit) error {
	in.split.once.Do(func() { in.split.pack, in.split.packErr = in.openSplitFile(in.f.Path + ".dwp") })
	if in.split.packErr != nil && !errors.Is(in.split.packErr, os.ErrNotExist) {
		return in.split.packErr
	}
	if in.split.pack != nil {
		if err := splitUnit(in.split.pack, skeleton, u); err != nil {
			return fmt.Errorf("%s.dwp: %w", in.f.Path, err)
		}
		return nil
	}
	var scratch [4]byte
	name := string(in.d.Strings.Get(skeleton.DwoName, &scratch))
	paths := []string{filepath.Join(filepath.Dir(in.f.Path), filepath.Base(name))}
	if filepath.IsAbs(name) {
		paths = append([]string{name}, paths...)
	} else {
		dir := string(in.d.Strings.Get(skeleton.Dir, &scratch))
		paths = append([]string{filepath.Join(dir, name), filepath.Join(filepath.Dir(in.f.Path), name)}, paths...)
	}
	var last error
	for _, path := range paths {
		s, err := in.splitFile(path)
		if err == nil {
			if err = splitUnit(s, skeleton, u); err == nil {
				return nil
			}
			err = fmt.Errorf("%s: %w", path, err)
		}
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, dwarf.ErrNoSplit) {
			return err
		}
		last = err
	}
	return skeleton.Err(0, "contents of the unit are elsewhere: %v", last)
}

// splitUnit opens the contents of a skeleton, which are in s, in u.
func splitUnit(s *dwarf.Split, skeleton, u *dwarf.Unit) error {
	if err := s.Unit(skeleton, u); err != nil {
		return err
	}
	if u.Uses().Signature {
		return u.Err(0, "type units in split DWARF are not supported")
	}
	return nil
}

// splitFile opens a file that a skeleton names. Nearly every file contains one unit and is opened once. A file that is opened again is kept.
func (in *image) splitFile(path string) (*dwarf.Split, error) {
	f := &in.split
	f.mu.Lock()
	s, again := f.files[path]
	f.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := in.openSplitFile(path)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files == nil {
		f.files = make(map[string]*dwarf.Split)
	}
	switch {
	case f.files[path] != nil: // by another worker
		return f.files[path], nil
	case again:
		f.files[path] = s
	default:
		f.files[path] = nil
	}
	return s, nil
}

func (in *image) openSplitFile(path string) (*dwarf.Split, error) {
	if in.f.Path == "" {
		return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
	}
	if _, err := input.Regular(path); err != nil { // the image may name any path, and a pipe would never end
		return nil, err
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := in.d.OpenSplit(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
