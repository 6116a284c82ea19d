package source

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A standardInput is the Origin of a package on the standard input. Of a pipe, it is read once.
type standardInput struct{ opened atomic.Bool }

// errOnce is the error of a pipe that is opened again.
var errOnce = errors.New("the standard input is a pipe, which cannot be read again: give the package as a file")

func (*standardInput) Facts() Facts { return Facts{} }

func (*standardInput) String() string { return "standard input" }

// Open opens the standard input.
func (s *standardInput) Open(context.Context) (*Blob, error) {
	f, st, stream, err := input.OpenStdin()
	switch {
	case err != nil:
		return nil, err
	case f != nil:
		return &Blob{At: f, Size: st.Size(), Info: st, Changed: func() error { return input.Changed(f, st) }}, nil
	case s.opened.Swap(true):
		return nil, errOnce
	}
	return &Blob{Stream: stream, Size: -1}, nil
}
