// Package deb reads files out of Debian packages, .deb and .ddeb, without unpacking them.
//
// Input: an open package and what tells the wanted member. Output: the contents of that member. The tar archive inside is read in order,
// and reading stops at the member if no other one can be meant. Never: the package opens no file, writes none but the one it is given,
// and trusts no size before it has compared it with what is stored.
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

// Open reads the headers of the package in r, which has size bytes. Errors of this package are *FormatError if the package is broken.
func Open(r io.ReaderAt, size int64) (*Package, error) {
	parts, err := readParts(r, size)
	if err != nil {
		return nil, err
	}
	return &Package{r, size, parts[len(parts)-1]}, nil
}

// A Query says which member is wanted.
type Query struct {
	Match func(name string) bool // by its path from the root of the package, without a leading slash
	First bool                   // the first match is the wanted one; otherwise a second one is an error
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

// Extract writes the wanted member to dst and returns its name, which is that of the target if the wanted one is a link. Query.Check is
// called with up to 64 KiB of the beginning before they are written. What lies behind the end that the headers of an ELF file state is
// left out. dst has undefined contents after an error.
func (p *Package) Extract(ctx context.Context, q Query, dst Sink) (name string, err error) {
	name, target, err := p.walk(ctx, q, dst)
	if err == nil && target != "" { // a link to a file that stands before it
		name, _, err = p.walk(ctx, Query{func(name string) bool { return name == target }, true, q.Most, q.Check}, dst)
	}
	return name, err
}

// walk reads the archive. It returns the name of the member that it wrote, or the target of the link that is the wanted member.
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

// most is the largest size of what so many bytes of a package may stand for. Debug packages unpack to seven times their size.
func most(stored int64) int64 {
	const (
		ratio  = 64
		always = 16 << 20
	)
	return always + ratio*stored
}
