// Package deb reads files out of Debian packages, .deb and .ddeb, without unpacking them.
//
// Input: an open package and a query for the wanted member. Output: the contents of that member. The tar archive inside is read in order, and
// reading stops at the member if no other one can match. Never: the package opens no files, writes only to the Sink it is given, and trusts no
// stated size before it has compared it with the stored data.
package deb

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// A Package is an open Debian package.
type Package struct {
	r    io.ReaderAt
	size int64
	data part
}

// Open reads the headers of the Debian package in r, which has size bytes. If a package is damaged, the errors of Open and Extract are
// *FormatError.
func Open(r io.ReaderAt, size int64) (*Package, error) {
	parts, err := readParts(r, size)
	if err != nil {
		return nil, err
	}
	return &Package{r, size, parts[len(parts)-1]}, nil
}

// A Query says which member is wanted.
type Query struct {
	Match func(name string) bool // reports whether a member matches, by its path from the root of the package, without a leading slash
	First bool                   // take the first match; otherwise a second match is an error
	Most  int64                  // the largest size to accept, in bytes
	Check func(head []byte) error
}

// A Sink is what a member is written to.
type Sink interface {
	io.Writer
	io.ReaderAt
}

// A NoMemberError says that no file of a package matches.
type NoMemberError struct{ Files int }

func (e *NoMemberError) Error() string {
	return fmt.Sprintf("none of the %d files in the package matches", e.Files)
}

// Extract writes the wanted member to dst and returns its name. If the wanted member is a link, both are those of its target. Before anything is
// written, Query.Check is called with up to 64 KiB from the beginning of the member. Of an ELF file, bytes after the end that its headers state
// are left out. After an error, the contents of dst are undefined.
func (p *Package) Extract(ctx context.Context, q Query, dst Sink) (name string, err error) {
	name, target, err := p.walk(ctx, q, dst)
	if err == nil && target != "" { // a link to an earlier file
		name, _, err = p.walk(ctx, Query{func(name string) bool { return name == target }, true, q.Most, q.Check}, dst)
	}
	return name, err
}

// walk reads the archive once. It returns the name of the member that it wrote to dst. If the wanted member is a link to a file that it has
// already passed, it writes nothing and returns the target of the link.
func (p *Package) walk(ctx context.Context, q Query, dst Sink) (name, target string, err error) {
	s, err := p.open(ctx)
	if err != nil {
		return "", "", err
	}
	defer s.close()
	t := tar.NewReader(s.tarReader())
	tree := newTree(q)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", "", s.broken("", s.offset(), err)
		}
		at := s.offset()
		wanted, err := tree.add(h, at)
		if err != nil {
			return "", "", s.broken(h.Name, at, err)
		}
		if !wanted {
			continue
		}
		if err := copyMember(dst, t, h.Size, min(q.Most, most(p.size)), q.Check); err != nil {
			return "", "", s.broken(h.Name, at, err)
		}
		if q.First {
			return tree.taken, "", nil
		}
	}
	return tree.result()
}

// most returns the maximum unpacked size, in bytes, of data that is stored in a given number of bytes. Debug packages unpack to seven times
// their size.
func most(stored int64) int64 {
	const (
		ratio  = 64
		always = 16 << 20
	)
	return always + ratio*stored
}
