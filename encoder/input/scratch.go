package input

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A Scratch is a temporary file that has no name, where the system allows that. Nothing is left behind, however the program ends.
type Scratch struct {
	*os.File
	Size int64 // bytes that Write has written
}

// NewScratch returns an empty file.
func NewScratch() (*Scratch, error) {
	f, err := os.CreateTemp("", "btfbatch-*")
	if err != nil {
		return nil, fmt.Errorf("a temporary file is needed (see TMPDIR): %w", err)
	}
	_ = os.Remove(f.Name()) // fails on systems that keep the names of open files; then Close removes it
	return &Scratch{File: f}, nil
}

// Write appends to the file.
func (s *Scratch) Write(b []byte) (int, error) {
	n, err := s.WriteAt(b, s.Size)
	s.Size += int64(n)
	return n, err
}

// Close closes and removes the file.
func (s *Scratch) Close() error {
	err := s.File.Close()
	if e := os.Remove(s.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
