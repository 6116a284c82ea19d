//go:build !linux

package input

import (
	"io"
	"os"
)

// cached returns a reader of a regular file, which must stay open while it is used.
func cached(f *os.File) io.ReaderAt { return f }
