// Package folder keeps objects in a folder, as store.Objects.
//
// Input: the path of a folder. Output: files in it, each whole or absent. A file is written under a temporary name, synchronised, and linked
// to its name, so one that exists is not replaced. Never: the package leaves the folder, and follows no name with a slash.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
)

// A Folder is a folder. It is created when something is written.
type Folder struct {
	dir   string
	sweep sync.Once
}

// New returns the folder with an address.
func New(a address.Address) *Folder { return &Folder{dir: a.Path} }

// At implements store.Objects.
func (f *Folder) At(name string) string {
	return address.Address{Scheme: address.Folder, Path: f.path(name)}.String()
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, filepath.Base(name)) }

// Put implements store.Objects.
func (f *Folder) Put(ctx context.Context, o *store.File, replace bool) (err error) {
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return err
	}
	f.sweep.Do(f.removeLeftovers)
	tmp, err := os.CreateTemp(f.dir, temporary)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(fill(ctx, tmp, o), tmp.Close()); err != nil {
		return err
	}
	if replace {
		return os.Rename(tmp.Name(), f.path(o.Name))
	}
	if err = os.Link(tmp.Name(), f.path(o.Name)); errors.Is(err, fs.ErrExist) {
		return store.ErrExists
	}
	if err != nil { // a file system without links
		if _, there := os.Lstat(f.path(o.Name)); there == nil {
			return store.ErrExists
		}
		err = os.Rename(tmp.Name(), f.path(o.Name))
	}
	return err
}

// temporary is the pattern of names of files that are being written.
const temporary = ".btfbatch-*"

// removeLeftovers removes what killed processes left. No file takes an hour to be written.
func (f *Folder) removeLeftovers() {
	list, _ := os.ReadDir(f.dir)
	for _, e := range list {
		if is, _ := path.Match(temporary, e.Name()); !is || !e.Type().IsRegular() {
			continue
		}
		if st, err := e.Info(); err == nil && time.Since(st.ModTime()) > time.Hour {
			_ = os.Remove(f.path(e.Name())) // if it stays, nobody is harmed
		}
	}
}

// fill writes the contents of an object, and its permissions.
func fill(ctx context.Context, to *os.File, o *store.File) error {
	from, err := o.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err := io.Copy(to, reader{ctx, from}); err != nil {
		return err
	}
	return errors.Join(to.Chmod(0o644), to.Sync())
}

// A reader ends when its context does.
type reader struct {
	ctx context.Context //nolint:containedctx // io.Reader has no context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// Read implements store.Objects.
func (f *Folder) Read(ctx context.Context, name string, use func(io.Reader) error) error {
	at := f.path(name)
	st, err := os.Stat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return store.ErrAbsent
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", at)
	}
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	defer file.Close()
	return use(reader{ctx, file})
}

// Sum implements store.Objects.
func (f *Folder) Sum(ctx context.Context, name string) (string, error) {
	return store.ReadSum(ctx, f, name)
}

// Remove implements store.Objects.
func (f *Folder) Remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
