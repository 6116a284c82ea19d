package deb

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	arMagic  = "!<arch>\n"
	arHeader = 60 // bytes before each member
	maxAr    = 64 // members; a package has three, and perhaps a signature
)

// A part is a member of the ar container.
type part struct {
	name      string
	off, size int64 // of its contents
}

// readParts returns the members of an ar container up to and including data.tar.
func readParts(r io.ReaderAt, size int64) ([]part, error) {
	magic := make([]byte, len(arMagic))
	if err := readFull(r, magic, 0, size); err != nil {
		return nil, err
	}
	if string(magic) != arMagic {
		return nil, damage(0, "not a Debian package")
	}
	var list []part
	for at := int64(len(arMagic)); len(list) < maxAr; {
		if at == size {
			return nil, damage(at, "the package has no data.tar")
		}
		head := make([]byte, arHeader)
		if err := readFull(r, head, at, size); err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(strings.TrimRight(string(head[48:58]), " "), 10, 64)
		if err != nil || n < 0 || string(head[58:]) != "`\n" {
			return nil, damage(at, "the header of a member of the ar container is damaged")
		}
		p := part{strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/"), at + arHeader, n}
		if n > size-p.off {
			return nil, damage(p.off, "%s has %d bytes, but the package ends after %d: it is truncated", printable(p.name), n, size-p.off)
		}
		if len(list) == 0 {
			if err := checkVersion(r, p); err != nil {
				return nil, err
			}
		}
		list = append(list, p)
		if strings.HasPrefix(p.name, "data.tar") {
			return list, nil
		}
		at = p.off + n + n%2
		at = min(at, size) // the padding of the last member may be missing
	}
	return nil, damage(0, "the package has no data.tar among its first %d members", maxAr)
}

// checkVersion checks the first member of a package, which contains the version of the format.
func checkVersion(r io.ReaderAt, p part) error {
	if p.name != "debian-binary" || p.size > 64 {
		return damage(p.off-arHeader, "not a Debian package but an ar archive that begins with %s", printable(p.name))
	}
	text := make([]byte, p.size)
	if err := readFull(r, text, p.off, p.off+p.size); err != nil {
		return err
	}
	if !strings.HasPrefix(string(text), "2.") {
		return damage(p.off, "the format of the package is version %s, not 2", printable(strings.TrimSpace(string(text))))
	}
	return nil
}

// printable quotes a name from a package if it has characters that a terminal would interpret.
func printable(name string) string {
	if q := strconv.Quote(name); name == "" || len(q) != len(name)+2 {
		return q
	}
	return name
}

// A FormatError says where a package violates its format.
type FormatError struct {
	Member  string // the file in the package; empty if the error is about the package itself
	Offset  int64  // in bytes, in the package or, if InData, in the unpacked data.tar
	InData  bool
	Problem string
}

func (e *FormatError) Error() string {
	where := fmt.Sprintf("offset 0x%x", e.Offset)
	if e.InData {
		where += " of the unpacked data.tar"
	}
	if e.Member != "" {
		where = printable(e.Member) + ": " + where
	}
	return where + ": " + e.Problem
}
