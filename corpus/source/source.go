// Package source says where the file of an image comes from.
//
// Input: the name of a file. Output: a Source, which opens the file when an image's turn has come. Never: the package does not look
// into a file beyond telling that it is an ELF file, and does not open one before it is asked to.
package source

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Source is where the file of one image comes from.
//
// A file is opened once: whatever is found out about an image, its sum, what it says of itself and its BTF are all taken from the file
// that Open returned. Opening it again may give another file, may be expensive, or may be impossible.
type Source interface {
	// Open opens the file, which is an ELF file, compressed or not. What takes its name later has no influence on it. The caller closes
	// it. Errors name the path only where no file is found there, see input.Named.
	Open(ctx context.Context) (*input.File, error)
	// Size is how many bytes are stored, as far as that is known before the file is opened, and else 0. Batches are ordered by it.
	Size() int64
	// String names the file in messages.
	String() string
}

// A File is the Source of a regular file in the file system: its path.
type File string

// Open opens the file. Pipes and devices are refused before they are opened, since opening a pipe waits for a writer.
func (f File) Open(context.Context) (*input.File, error) {
	if _, err := input.Regular(string(f)); err != nil {
		return nil, err
	}
	return input.Open(string(f), input.ELF)
}

// Size is the size of the file, or 0 if there is no regular file.
func (f File) Size() int64 {
	size, err := input.Regular(string(f))
	if err != nil {
		return 0
	}
	return size
}

// String is the path.
func (f File) String() string { return string(f) }
