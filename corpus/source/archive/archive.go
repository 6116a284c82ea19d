// Package archive reads the files of an archive inside a package, in the order in which they are stored.
//
// Input: a Payload, which says where the archive is in its package, and its format: tar or cpio, plain or compressed. Output: the entries of the
// archive one after another, and the contents of those that the caller wants. Where the archive has independent xz blocks, or is not
// compressed, contents that are skipped are not decoded, and a file can be read at any offset. Never: the package opens no files, writes only
// to what it is given, and trusts no stated size before it has compared it with the stored data.
//
// Errors about the format are *FormatError.
package archive

import (
	"fmt"
	"io"
	"strconv"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
)

// A Format is a format of archives.
type Format uint8

// The formats.
const (
	Tar Format = iota
	Cpio
)

// A Payload is an archive that is stored in a package.
type Payload struct {
	Name   string // "data.tar", for messages
	Format Format
	Off    int64 // of the stored bytes, in the package
	Size   int64 // stored bytes; -1 if they reach to the end of a stream

	// At reads the package at any offset. If it is nil, Stream reads the stored bytes in order.
	At     io.ReaderAt
	Stream io.Reader

	// Files are the files of the archive in the order of the list that the package has of them, which cpio entries of format 07070X refer to. May be
	// nil.
	Files []Listed

	Room *Room // bounds what is kept in memory of files that are read at any offset; may be nil
}

// A Room bounds the memory of the files of several archives.
type Room = xz.Room

// NewRoom returns a room of the given number of bytes.
func NewRoom(bytes int64) *Room { return xz.NewRoom(bytes) }

// A Kind is what an entry of an archive is.
type Kind uint8

// The kinds of entries.
const (
	File Kind = iota
	Folder
	Symlink
	HardLink
	Special // a device, a pipe or something unknown
)

// A Listed is a file in the list that a package has of its files.
type Listed struct {
	Name   string // from the root of the package, without a leading slash
	Kind   Kind   // File if the list does not say
	Size   int64  // -1 if the list does not say
	Target string // of a symbolic link; empty if the list does not say
}

// Info is what a package says about itself.
type Info struct {
	Name, Version, Arch string
	Installed           int64 // bytes that its files take when it is installed; 0 if it does not say
}

// A Package is a package whose headers were read.
type Package struct {
	Info
	// Files are the files of the package that its headers list, in the order of the list; nil if they list none. The list need not be right.
	Files   []Listed
	Payload Payload
}

// A FormatError says where a package violates its format.
type FormatError struct {
	Member  string // the file in the package; empty if the error is about the package itself
	Offset  int64  // in bytes, in the package or, if Unpacked is set, in the unpacked archive
	Archive string // name of the unpacked archive that the offset is in
	Problem string
}

func (e *FormatError) Error() string {
	where := fmt.Sprintf("offset 0x%x", e.Offset)
	if e.Archive != "" {
		where += " of the unpacked " + e.Archive
	}
	if e.Member != "" {
		where = Printable(e.Member) + ": " + where
	}
	return where + ": " + e.Problem
}

// Damage returns an error at an offset of the package.
func Damage(off int64, format string, args ...any) error {
	return &FormatError{Offset: off, Problem: fmt.Sprintf(format, args...)}
}

// Printable quotes a name from a package if it has characters that a terminal would interpret.
func Printable(name string) string {
	if q := strconv.Quote(name); name == "" || len(q) != len(name)+2 {
		return q
	}
	return name
}

// ReadFull fills b with the bytes at off. It is an error if they reach past end.
func ReadFull(r io.ReaderAt, b []byte, off, end int64) error {
	if int64(len(b)) > end-off {
		return Damage(end, "the package is truncated")
	}
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return Damage(off+int64(n), "the package is truncated")
	}
	return err
}

// Most returns the maximum unpacked size, in bytes, of data that is stored in a given number of bytes. Debug packages unpack to seven times
// their size.
func Most(stored int64) int64 {
	const (
		ratio  = 64
		always = 16 << 20
	)
	if stored > 1<<50 {
		stored = 1 << 50
	}
	return always + ratio*stored
}
