package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
)

// An Entry is a file of an archive.
type Entry struct {
	Name   string // from the root of the package, without a leading slash
	Stored string // the name as it is stored
	Kind   Kind
	Size   int64  // of the contents of a File
	Target string // of a symbolic link, or the name that a hard link leads to, from the root
	At     int64  // offset of the contents in the unpacked archive
	Sparse bool   // the contents are not stored as they are
}

const maxEntries = 1 << 20

// A Reader reads an archive in order. It must not be used concurrently.
type Reader struct {
	p     *Payload
	s     *stream
	tar   *tar.Reader
	cpio  *cpioReader
	last  Entry
	seen  map[string]bool // by name
	count int
}

// Open opens the archive of a payload.
func Open(ctx context.Context, p *Payload) (*Reader, error) {
	s, err := p.open(ctx)
	if err != nil {
		if s != nil {
			s.close()
		}
		return nil, p.located(ctx, "", 0, err)
	}
	r := &Reader{p: p, s: s, seen: map[string]bool{}}
	if p.Format == Tar {
		r.tar = tar.NewReader(s.tarReader())
	} else {
		r.cpio = &cpioReader{s: s, files: p.Files, inodes: map[uint64]string{}}
	}
	return r, nil
}

// Use makes a context the one of the calls that follow.
func (r *Reader) Use(ctx context.Context) { r.s.use(ctx) }

// Close releases the decoders.
func (r *Reader) Close() { r.s.close() }

// Next returns the next entry, whose contents Read reads. The error is io.EOF at the end of the archive. Names that lead out of the package,
// and two entries of one name, are errors.
func (r *Reader) Next() (Entry, error) {
	e, err := r.next()
	if errors.Is(err, io.EOF) {
		return e, io.EOF
	}
	if err == nil {
		err = r.check(&e)
	}
	if err != nil {
		return e, r.broken(e.Stored, err)
	}
	r.last = e
	return e, nil
}

func (r *Reader) next() (e Entry, err error) {
	if r.cpio != nil {
		return r.cpio.next()
	}
	for {
		h, err := r.tar.Next()
		if errors.Is(err, tar.ErrHeader) {
			err = errors.New("the header of an entry is damaged")
		}
		if err != nil {
			return e, err
		}
		e = Entry{Stored: h.Name, Size: h.Size, Target: h.Linkname, At: r.s.offset()}
		switch h.Typeflag {
		case tar.TypeReg:
		case tar.TypeGNUSparse:
			e.Sparse = true
		case tar.TypeDir:
			e.Kind = Folder
		case tar.TypeSymlink:
			e.Kind = Symlink
		case tar.TypeLink:
			e.Kind = HardLink
		case tar.TypeXGlobalHeader:
			continue
		default:
			e.Kind = Special
		}
		for key := range h.PAXRecords {
			e.Sparse = e.Sparse || len(key) > 10 && key[:10] == "GNU.sparse"
		}
		return e, nil
	}
}

func (r *Reader) check(e *Entry) (err error) {
	if e.Name, err = clean(e.Stored); err != nil {
		return err
	}
	if e.Kind == HardLink {
		if e.Target, err = clean(e.Target); err != nil {
			return errors.New("the link leads out of the package")
		}
	}
	if e.Size < 0 {
		return fmt.Errorf("its size is %d", e.Size)
	}
	if e.Kind == Folder {
		return nil
	}
	if r.seen[e.Name] {
		return errors.New("two members have this name")
	}
	if r.count++; r.count > maxEntries {
		return fmt.Errorf("the archive has more than %d files", maxEntries)
	}
	r.seen[e.Name] = true
	return nil
}

// Read reads the contents of the current entry.
func (r *Reader) Read(b []byte) (int, error) {
	if r.cpio != nil {
		return r.cpio.Read(b)
	}
	return r.tar.Read(b)
}

// RandomAccess reports whether the contents of entries can be read at any offset, by View.
func (r *Reader) RandomAccess() bool { return r.s.blocks != nil || r.s.at != nil }

// A View reads a file of the archive at any offset.
type View interface {
	io.ReaderAt
	// Want says that a part will be read, which may be decoded before it is needed.
	Want(off, size int64)
	// WantOnce is Want for a part that will be read once, from front to back.
	WantOnce(off, size int64)
	// Ahead fetches what is wanted, if it comes from a Fetcher, and returns when it has been fetched.
	Ahead(ctx context.Context) error
	// Demand returns how many bytes are decoded of what is wanted: those that stay until the view is closed, and those that are given up before.
	Demand() (stay, pass int64)
	// Close frees the memory of the view.
	Close() error
}

// View returns a view of an entry's contents. What has to be decoded for it is stored in memory, as far as the room of the payload allows, and
// in the file. The view is valid until the reader is closed.
func (r *Reader) View(ctx context.Context, e *Entry, file xz.File) (View, error) {
	switch {
	case e.Kind != File || e.Sparse || !r.RandomAccess():
		return nil, errors.New("the entry cannot be read at any offset")
	case e.Size > r.s.size-e.At:
		return nil, r.brokenAt(e.Stored, e.At, r.contained(e))
	case r.s.at != nil:
		return NewPlainView(r.p.At, r.p.Off+e.At, e.Size), nil
	}
	return r.s.blocks.NewView(ctx, e.At, e.Size, file)
}

// contained returns an error for an entry that ends after the archive, whose size is known.
func (r *Reader) contained(e *Entry) error {
	if have := r.s.size - e.At; e.Size > have {
		return fmt.Errorf("it has %d bytes, and the archive ends after %d of them: it is truncated", e.Size, have)
	}
	return nil
}

// BrokenEntry adds an entry and its position to an error about its contents.
func (r *Reader) BrokenEntry(e *Entry, err error) error { return r.brokenAt(e.Stored, e.At, err) }

// Broken adds the current entry and the position to an error about its contents.
func (r *Reader) Broken(err error) error { return r.brokenAt(r.last.Stored, r.last.At, err) }

func (r *Reader) broken(member string, err error) error {
	return r.brokenAt(member, r.s.offset(), err)
}

func (r *Reader) brokenAt(member string, off int64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, off = errors.New("the archive is truncated"), r.s.offset()
	}
	if err := r.s.ctx.Err(); err != nil {
		return err
	}
	return r.p.located(r.s.ctx, member, off, err)
}

// Located adds an entry of the archive of that name, and its position, to an error about its contents. It needs no reader.
func Located(ctx context.Context, archive string, e *Entry, err error) error {
	return (&Payload{Name: archive}).located(ctx, e.Stored, e.At, err)
}

// located adds a member and an offset in the archive to an error.
func (p *Payload) located(ctx context.Context, member string, off int64, err error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f, ok := errors.AsType[*FormatError](err); ok {
		if f.Member == "" {
			f.Member = member
		}
		return err
	}
	if f, ok := errors.AsType[*xz.FormatError](err); ok {
		return &memberError{FormatError{member, f.Offset, "", f.Problem}, err}
	}
	return &memberError{FormatError{member, off, p.Name, err.Error()}, err}
}

// A memberError is a FormatError with its cause.
type memberError struct {
	FormatError
	cause error
}

func (e *memberError) Unwrap() []error { return []error{&e.FormatError, e.cause} }
