package deb

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A stream is the unpacked data.tar.
type stream struct {
	ctx   context.Context //nolint:containedctx // of the call that reads the stream
	r     io.Reader
	n     int64 // bytes that were read so far
	limit int64
	seek  *blockReader // nil if the stream is read from front to back
	ends  []func()
}

const window = 64 << 10

// open opens data.tar, and finds out how it is compressed.
func (p *Package) open(ctx context.Context) (*stream, error) {
	s := &stream{ctx: ctx, limit: most(p.data.size)}
	packed := func() *bufio.Reader {
		return bufio.NewReaderSize(io.NewSectionReader(p.r, p.data.off, p.data.size), window)
	}
	head := make([]byte, min(p.data.size, 512))
	if err := readFull(p.r, head, p.data.off, p.size); err != nil {
		return nil, err
	}
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	var err error
	switch {
	case has(xzMagic):
		err = s.openXZ(p, packed)
	case has("\x1f\x8b\x08"):
		s.r, err = gzip.NewReader(packed())
	case has("\x28\xb5\x2f\xfd"):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(packed(), zstd.WithDecoderMaxMemory(uint64(s.limit)), zstd.WithDecoderMaxWindow(128<<20)); err == nil {
			s.r, s.ends = z, append(s.ends, z.Close)
		}
	case has("BZh"):
		s.r = bzip2.NewReader(packed())
	case len(head) == 512 && string(head[257:262]) == "ustar":
		s.r = packed()
	default:
		return nil, damage(p.data.off, "%s is neither a tar archive nor compressed by xz, zstd, gzip or bzip2", printable(p.data.name))
	}
	var f *FormatError
	if err != nil && !errors.As(err, &f) {
		err = damage(p.data.off, "%s: %v", printable(p.data.name), err)
	}
	return s, err
}

// openXZ opens data.tar.xz. If the blocks of the stream allow it, they are decoded in parallel.
func (s *stream) openXZ(p *Package, packed func() *bufio.Reader) error {
	b, err := readBlocks(p.r, p.data.off, p.data.size)
	switch {
	case errors.Is(err, errSerial):
		s.r, err = xz.NewReader(packed())
		return err
	case err != nil:
		return err
	case b.size > s.limit:
		return damage(p.data.off, "%s unpacks to %d bytes, too many for %d", printable(p.data.name), b.size, p.data.size)
	}
	s.seek = newBlockReader(s.ctx, p.r, b)
	s.ends = append(s.ends, s.seek.wait)
	return nil
}

// tarReader returns the reader for the archive. If it is an io.Seeker, skipped members are not decoded.
func (s *stream) tarReader() io.Reader {
	if s.seek != nil {
		return s.seek
	}
	return s
}

// Read reads from a stream that cannot seek.
func (s *stream) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(b)
	if s.n += int64(n); s.n > s.limit {
		return n, fmt.Errorf("the archive unpacks to more than %d bytes, too many for its packed size", s.limit)
	}
	return n, err
}

// offset returns the position in the archive.
func (s *stream) offset() int64 {
	if s.seek != nil {
		return s.seek.pos
	}
	return s.n
}

// broken adds a member and an offset in the archive to an error.
func (s *stream) broken(member string, off int64, err error) error {
	var f *FormatError
	switch {
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case errors.As(err, &f):
		if f.Member == "" {
			f.Member = member
		}
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err, off = errors.New("the archive is truncated"), s.offset()
	}
	return &memberError{FormatError{member, off, true, err.Error()}, err}
}

// A memberError is a FormatError with its cause.
type memberError struct {
	FormatError
	cause error
}

func (e *memberError) Unwrap() []error { return []error{&e.FormatError, e.cause} }

// close releases the decoders.
func (s *stream) close() {
	for _, end := range s.ends {
		end()
	}
}
