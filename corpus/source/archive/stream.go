package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
)

// A stream is the unpacked archive.
type stream struct {
	ctx    context.Context //nolint:containedctx // of the call that reads the stream
	r      io.Reader
	n      int64         // bytes that were read so far
	packed func() int64  // stored bytes that were read so far
	blocks *xz.Decoder   // nil if there are no independent blocks
	at     io.ReaderAt   // of an archive that is not compressed, else nil
	size   int64         // of the unpacked archive; -1 if unknown
	seek   io.ReadSeeker // nil if the stream is read from front to back
	ends   []func()
}

const window = 64 << 10

// open opens the archive, and finds out how it is compressed.
func (p *Payload) open(ctx context.Context) (*stream, error) {
	s := &stream{ctx: ctx, size: -1}
	var in *bufio.Reader
	var head []byte
	count := &meter{}
	if p.At != nil {
		count.r = io.NewSectionReader(p.At, p.Off, p.Size)
		head = make([]byte, min(p.Size, 512))
		if err := ReadFull(p.At, head, p.Off, p.Off+p.Size); err != nil {
			return nil, err
		}
	} else {
		count.r = p.Stream
		if p.Size >= 0 {
			count.r = io.LimitReader(p.Stream, p.Size)
		}
	}
	s.packed = count.n.Load
	in = bufio.NewReaderSize(count, window)
	if head == nil {
		var err error
		if head, err = in.Peek(512); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		head = bytes.Clone(head)
	}
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	var err error
	switch {
	case has("\xfd7zXZ\x00"):
		err = s.openXZ(p, in)
	case has("\x1f\x8b\x08"):
		s.r, err = gzip.NewReader(in)
	case has("\x28\xb5\x2f\xfd"):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(in, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderMaxWindow(256<<20)); err == nil {
			s.r, s.ends = z, append(s.ends, z.Close)
		}
	case has("BZh"):
		s.r = bzip2.NewReader(in)
	case p.Format == Tar && len(head) == 512 && string(head[257:262]) == "ustar", p.Format == Cpio && has("07070"):
		s.r = in
		if p.At != nil {
			plain := io.NewSectionReader(p.At, p.Off, p.Size)
			s.at, s.seek, s.size = plain, plain, p.Size
		}
	default:
		return nil, Damage(p.Off, "%s is neither %s archive nor compressed by xz, zstd, gzip or bzip2", Printable(p.Name), [...]string{"a tar", "a cpio"}[p.Format])
	}
	_, own := errors.AsType[*FormatError](err)
	if _, ok := errors.AsType[*xz.FormatError](err); err != nil && !ok && !own {
		err = Damage(p.Off, "%s: %v", Printable(p.Name), err)
	}
	return s, err
}

// openXZ opens an archive in xz. If its blocks are independent, they are decoded where they are read.
func (s *stream) openXZ(p *Payload, in *bufio.Reader) error {
	if p.At != nil {
		b, err := xz.Find(p.At, p.Off, p.Size)
		switch {
		case errors.Is(err, xz.ErrSerial):
		case err != nil:
			return err
		case b.Size() > Most(p.Size):
			return Damage(p.Off, "%s unpacks to %d bytes, too many for %d", Printable(p.Name), b.Size(), p.Size)
		default:
			s.blocks, s.size = xz.NewDecoder(b), b.Size()
			s.blocks.Room = p.Room
			r := s.blocks.NewReader(s.ctx)
			s.seek = r
			s.ends = append(s.ends, r.Close, s.blocks.Close)
			return nil
		}
	}
	r := xz.NewSerial(s.ctx, in, p.Off)
	s.r, s.ends = r, append(s.ends, r.Close)
	return nil
}

// use makes a context the one of the calls that follow.
func (s *stream) use(ctx context.Context) {
	s.ctx = ctx
	if r, ok := s.seek.(*xz.Reader); ok {
		r.Context = ctx
	}
	if r, ok := s.r.(*xz.Serial); ok {
		r.Context = ctx
	}
}

// Read reads the archive in order.
func (s *stream) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if s.seek != nil {
		return s.seek.Read(b)
	}
	n, err := s.r.Read(b)
	if s.n += int64(n); s.n > Most(s.packed()) {
		return n, fmt.Errorf("the archive unpacks to more than %d bytes, too many for %d packed ones", Most(s.packed()), s.packed())
	}
	return n, err
}

// tarReader returns the stream for archive/tar. If it is an io.Seeker, skipped members are not decoded.
func (s *stream) tarReader() io.Reader {
	if s.seek != nil {
		return struct {
			io.Reader
			io.Seeker
		}{s, s.seek}
	}
	return s
}

// offset returns the position in the archive.
func (s *stream) offset() int64 {
	if s.seek != nil {
		n, _ := s.seek.Seek(0, io.SeekCurrent) // cannot fail
		return n
	}
	return s.n
}

// skip skips n bytes.
func (s *stream) skip(n int64) error {
	if s.seek != nil {
		if n > s.size-s.offset() {
			return io.ErrUnexpectedEOF
		}
		_, err := s.seek.Seek(n, io.SeekCurrent)
		return err
	}
	if m, err := io.CopyN(io.Discard, s, n); m < n {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// close releases the decoders.
func (s *stream) close() {
	for _, end := range s.ends {
		end()
	}
	s.ends = nil
}

// A meter counts the bytes that are read. A decoder may read ahead in a goroutine of its own.
type meter struct {
	r io.Reader
	n atomic.Int64
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.n.Add(int64(n))
	return n, err
}
