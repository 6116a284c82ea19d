// Package deb reads the headers of Debian packages, .deb and .ddeb.
//
// Input: the bytes of a package, at any offset or in order. Output: its name and version, the list of its files, and the place of its archive.
// Never: the package opens no files, reads nothing of the archive, and trusts no stated size before it has compared it with the stored data.
package deb

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

const (
	arMagic  = "!<arch>\n"
	arHeader = 60 // bytes before each member
	maxAr    = 64 // members; a package has three, and perhaps a signature

	maxControl = 64 << 20 // bytes of control.tar, packed
	maxFields  = 1 << 20  // bytes of the file control
	maxSums    = 64 << 20 // bytes of the file md5sums
)

// Open reads the headers of the Debian package in r, which has size bytes. Errors about the format are *archive.FormatError.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*archive.Package, error) {
	p, err := read(ctx, &front{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10), size: size})
	if err == nil {
		p.Payload.At = r
	}
	return p, err
}

// OpenStream reads the headers of a Debian package that is read in order. size is -1 if it is unknown. The payload continues the stream.
func OpenStream(ctx context.Context, r io.Reader, size int64) (*archive.Package, error) {
	f := &front{r: bufio.NewReaderSize(r, 64<<10), size: size}
	p, err := read(ctx, f)
	if err == nil {
		p.Payload.Stream = f.r
	}
	return p, err
}

// A front reads the beginning of a package in order.
type front struct {
	r    *bufio.Reader
	at   int64
	size int64 // -1 if unknown
}

func (f *front) full(b []byte) error {
	n, err := io.ReadFull(f.r, b)
	f.at += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return archive.Damage(f.at, "the package is truncated")
	}
	return err
}

// read reads the ar container up to the beginning of data.tar.
func read(ctx context.Context, f *front) (*archive.Package, error) {
	magic := make([]byte, len(arMagic))
	if err := f.full(magic); err != nil {
		return nil, err
	}
	if string(magic) != arMagic {
		return nil, archive.Damage(0, "not a Debian package")
	}
	p := &archive.Package{}
	for n := range maxAr {
		if f.at == f.size {
			return nil, archive.Damage(f.at, "the package has no data.tar")
		}
		name, size, err := f.member()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			err = f.version(name, size)
		}
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(name, "data.tar"):
			p.Payload = archive.Payload{Name: "data.tar", Off: f.at, Size: size}
			return p, nil
		case strings.HasPrefix(name, "control.tar"):
			err = f.control(ctx, p, size)
		case n > 0:
			err = f.skip(size)
		}
		if err == nil && size%2 != 0 && f.at != f.size {
			err = f.skip(1)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, archive.Damage(0, "the package has no data.tar among its first %d members", maxAr)
}

// member reads the header of a member of the ar container.
func (f *front) member() (name string, size int64, err error) {
	at := f.at
	head := make([]byte, arHeader)
	if err := f.full(head); err != nil {
		return "", 0, err
	}
	size, err = strconv.ParseInt(strings.TrimRight(string(head[48:58]), " "), 10, 64)
	if err != nil || size < 0 || string(head[58:]) != "`\n" {
		return "", 0, archive.Damage(at, "the header of a member of the ar container is damaged")
	}
	name = strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/")
	if f.size >= 0 && size > f.size-f.at {
		return "", 0, archive.Damage(f.at, "%s has %d bytes, but the package ends after %d: it is truncated", archive.Printable(name), size, f.size-f.at)
	}
	return name, size, nil
}

// version checks the first member of a package, which contains the version of the format.
func (f *front) version(name string, size int64) error {
	if name != "debian-binary" || size > 64 {
		return archive.Damage(f.at-arHeader, "not a Debian package but an ar archive that begins with %s", archive.Printable(name))
	}
	at, text := f.at, make([]byte, size)
	if err := f.full(text); err != nil {
		return err
	}
	if !strings.HasPrefix(string(text), "2.") {
		return archive.Damage(at, "the format of the package is version %s, not 2", archive.Printable(strings.TrimSpace(string(text))))
	}
	return nil
}

func (f *front) skip(n int64) error {
	m, err := io.CopyN(io.Discard, f.r, n)
	f.at += m
	if errors.Is(err, io.EOF) {
		return archive.Damage(f.at, "the package is truncated")
	}
	return err
}

// control reads control.tar: the fields of the package, and the list of its files.
func (f *front) control(ctx context.Context, p *archive.Package, size int64) error {
	if size > maxControl {
		return archive.Damage(f.at, "control.tar has %d bytes, and %d are allowed", size, maxControl)
	}
	at := f.at
	var packed bytes.Buffer // grows as bytes come
	n, err := io.CopyN(&packed, f.r, size)
	f.at += n
	if errors.Is(err, io.EOF) {
		return archive.Damage(f.at, "the package is truncated")
	} else if err != nil {
		return err
	}
	r, err := archive.Open(ctx, &archive.Payload{Name: "control.tar", Off: at, Size: size, Stream: &packed})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e.Name {
		case "control":
			var text []byte
			if text, err = limited(r, maxFields); err == nil {
				fields(p, text)
			}
		case "md5sums":
			var text []byte
			if text, err = limited(r, maxSums); err == nil {
				p.Files = sums(text)
			}
		}
		if err != nil {
			return r.Broken(err)
		}
	}
}

func limited(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("the file has more than %d bytes", most)
	}
	return b, err
}

// fields reads the file control.
func fields(p *archive.Package, text []byte) {
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); !ok {
			continue
		}
		switch key {
		case "Package":
			p.Name = value
		case "Version":
			p.Version = value
		case "Architecture":
			p.Arch = value
		case "Installed-Size": // in KiB
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 && n < 1<<40 {
				p.Installed = n << 10
			}
		}
	}
}

// sums reads the file md5sums, which lists the regular files of the package: 32 digits, two blanks and the path.
func sums(text []byte) []archive.Listed {
	var list []archive.Listed
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) < 35 || line[32:34] != "  " {
			continue
		}
		list = append(list, archive.Listed{Name: strings.TrimPrefix(line[34:], "./"), Size: -1})
	}
	return list
}
