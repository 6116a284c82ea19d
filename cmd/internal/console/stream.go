package console

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/term"
)

// A Stream is an output of the program that remembers its first write error, because code that prints help or logs a line cannot return
// one. After an error it writes nothing more, so that output with a gap does not look complete. It is safe for concurrent use.
type Stream struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

// NewStream returns a stream that writes to w.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

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

// leastColumns is the minimum width of a terminal on which progress is drawn.
const leastColumns = 40

// draws reports whether a writer is a terminal that can erase lines and is wide enough for progress.
func draws(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !IsTerminal(w) || os.Getenv("TERM") == "dumb" {
		return false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return err == nil && (columns == 0 || columns >= leastColumns) // 0 means unknown
}

// IsTerminal reports whether a writer is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && f.Fd() != math.MaxUint && term.IsTerminal(int(f.Fd()))
}

// Columns is the width of a line: that of a terminal, unless the environment variable COLUMNS says otherwise. It is 0 where it is unknown.
func Columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || f.Fd() == math.MaxUint {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
