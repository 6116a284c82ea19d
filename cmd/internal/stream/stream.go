// Package stream has outputs that remember their first error.
//
// Input: a writer. Output: a writer, and its first error. Never: the package does not buffer.
package stream

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"sync"
)

// A Stream is an output of the program that remembers its first write error, because code that prints help or logs a line cannot return
// one. After an error it writes nothing more, so that output with a gap does not look complete. It is safe for concurrent use.
type Stream struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

// New returns a stream that writes to w.
func New(w io.Writer) *Stream { return &Stream{w: w} }

// Write writes p, or returns the first error again.
func (s *Stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

// Err is the first write error.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Gone reports whether a write error means that the reader is gone, as in `btfbatch dump vmlinux | head`. Such an error is not worth a
// message.
func Gone(err error) bool {
	return slices.ContainsFunc(noReader, func(e error) bool { return errors.Is(err, e) })
}

// Fd is the descriptor of the underlying file, or math.MaxUint if there is none.
func (s *Stream) Fd() uintptr {
	if f, ok := s.w.(*os.File); ok {
		return f.Fd()
	}
	return math.MaxUint
}
