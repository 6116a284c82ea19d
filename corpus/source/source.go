// Package source says where the file of an image comes from.
//
// Input: the name of a file, or a Ref, which names a package or an image on a server. Output: a Source, which opens the file when it is asked
// to, and of a package one for each file that a pattern matches. Never: the package reads no more of an image than what tells that it is an
// ELF file and where its sections are, uses no network itself, and knows nothing about manifests.
package source

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Source is where the file of one image comes from.
//
// A run opens each file once: the digest of an image, its identity and its BTF all come from the one file that Open returned. A second
// Open may return a different file, may be expensive, or may be impossible.
type Source interface {
	// Open opens the file, which must be an ELF file, compressed or not. Renaming or removing it later has no effect on what was opened.
	// The caller closes it. Errors name the path only if no file is found there; see input.Named.
	Open(ctx context.Context) (*input.File, error)
	// Size is the number of bytes that are stored, or 0 if it is not known before the file is opened. It guides scheduling and progress.
	Size() int64
	// String is the name of the file in messages.
	String() string
}

// A File is the Source of a regular file in the file system: its path.
type File string

// Open opens the file. Pipes and devices are refused without opening them, because opening a pipe waits for a writer.
func (f File) Open(context.Context) (*input.File, error) {
	if _, err := input.Regular(string(f)); err != nil {
		return nil, err
	}
	return input.Open(string(f), input.ELF)
}

// Size is the size of the file, or 0 if it is not a regular file.
func (f File) Size() int64 {
	size, err := input.Regular(string(f))
	if err != nil {
		return 0
	}
	return size
}

// String is the path.
func (f File) String() string { return string(f) }
