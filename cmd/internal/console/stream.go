package console

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"sync"

	"golang.org/x/term"
)

// A Stream is an output of the program that remembers the first failure to write to it, so that none is lost wherever it happens:
// what asks for help, or logs a line, has no way to return an error. After a failure nothing more is written, because what follows a
// gap would look whole. It may be used by several goroutines.
type Stream struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

// NewStream makes a stream that writes to w.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

// Write writes, or returns the first failure again.
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

// Err is the first failure to write.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Gone tells whether an error of writing says that nobody reads any more, as at the end of `btfbatch dump vmlinux | head`: not worth
// a word.
func Gone(err error) bool {
	return slices.ContainsFunc(noReader, func(e error) bool { return errors.Is(err, e) })
}

// Fd is the descriptor of the file behind the stream, or none.
func (s *Stream) Fd() uintptr {
	if f, ok := s.w.(*os.File); ok {
		return f.Fd()
	}
	return math.MaxUint
}

// leastColumns is how wide a terminal must be for a bar.
const leastColumns = 40

// draws tells whether a writer is a terminal that lines can be taken back on, and wide enough for a bar in one line.
func draws(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !IsTerminal(w) || os.Getenv("TERM") == "dumb" {
		return false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return err == nil && (columns == 0 || columns >= leastColumns) // 0 is not known
}

// IsTerminal tells whether a writer is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && f.Fd() != math.MaxUint && term.IsTerminal(int(f.Fd()))
}
