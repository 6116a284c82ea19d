package input

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// A Scratch is a temporary file that has no name, where the system allows that. Nothing is left behind, however the program ends.
type Scratch struct {
	file *os.File // not embedded: its other methods to write would leave Size as it is
	Size int64    // bytes that Write has written
}

// NewScratch returns an empty file.
func NewScratch() (*Scratch, error) {
	f, err := os.CreateTemp("", "btfbatch-*")
	if err != nil {
		return nil, fmt.Errorf("a temporary file is needed (see TMPDIR): %w", err)
	}
	_ = os.Remove(f.Name()) // fails on systems that keep the names of open files; then Close removes it
	return &Scratch{file: f}, nil
}

// ReadAt implements io.ReaderAt.
func (s *Scratch) ReadAt(b []byte, off int64) (int, error) { return s.file.ReadAt(b, off) }

// WriteAt implements io.WriterAt. It leaves Size as it is.
func (s *Scratch) WriteAt(b []byte, off int64) (int, error) {
	n, err := s.file.WriteAt(b, off)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: there is no room for a temporary file of %d bytes: free some, or set TMPDIR to a folder with more", err, max(s.Size, off+int64(len(b))))
	}
	return n, err
}

// Write appends to the file.
func (s *Scratch) Write(b []byte) (int, error) {
	n, err := s.WriteAt(b, s.Size)
	s.Size += int64(n)
	return n, err
}

// Close closes and removes the file.
func (s *Scratch) Close() error {
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// A LateScratch is a Scratch that is created when it is first written to. It is safe for concurrent use. The zero value is ready.
type LateScratch struct {
	mu  sync.Mutex
	s   *Scratch
	err error
}

// file returns the file. It creates the file, if it has to.
func (l *LateScratch) file(create bool) (*Scratch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.s == nil && l.err == nil && create {
		l.s, l.err = NewScratch()
	}
	return l.s, l.err
}

// ReadAt implements io.ReaderAt.
func (l *LateScratch) ReadAt(b []byte, off int64) (int, error) {
	s, err := l.file(false)
	if s == nil {
		return 0, cmp.Or(err, io.EOF)
	}
	return s.ReadAt(b, off)
}

// WriteAt implements io.WriterAt.
func (l *LateScratch) WriteAt(b []byte, off int64) (int, error) {
	s, err := l.file(true)
	if err != nil {
		return 0, err
	}
	return s.WriteAt(b, off)
}

// Close closes and removes the file, if there is one.
func (l *LateScratch) Close() error {
	if s, _ := l.file(false); s != nil {
		return s.Close()
	}
	return nil
}
