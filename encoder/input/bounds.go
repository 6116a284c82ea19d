package input

import (
	"fmt"
	"io"
)

// A small file can stand for very large contents: zlib packs a thousand zeros into one byte, zstd thirty thousand, and a sparse file does
// not store them at all. The output of compilers, and dumps of it, compress to a quarter of their size, at best to a twentieth.
// Therefore a size is accepted up to a multiple of the stored bytes, and up to what 32-bit offsets reach.

// Highest is one more than the highest 32-bit offset.
const Highest = 4 << 30

// Limits of contents that are held in memory. Plain ELF files have no such limit: they are read in place.
const (
	maxImage = Highest   // an ELF file that was compressed or came through a pipe
	maxOther = 256 << 20 // dumps and other text: several times the size for the largest kernels
	maxBTF   = 128 << 20
	maxWrong = 16 << 20 // unknown data, which verify judges all the same
)

// Most returns the largest accepted size of contents of which so many bytes are stored.
func Most(stored uint64) uint64 {
	const (
		ratio  = 64
		always = 16 << 20 // small contents may have any ratio
	)
	if stored >= (Highest-always)/ratio {
		return Highest
	}
	return always + ratio*stored
}

// limitOf returns the largest size of contents of a kind, in bytes.
func limitOf(k Kind) int64 {
	switch k {
	case ELF:
		return maxImage
	case BTF:
		return maxBTF
	case Unknown, zeros:
		return maxWrong
	}
	return maxOther
}

// A meter counts the bytes that are read. It reads a page first: that tells nearly all files that are then read at random, and a larger buffer would take
// memory that is touched for nothing.
type meter struct {
	r io.Reader
	n int64
}

func (m *meter) Read(b []byte) (int, error) {
	if m.n == 0 && len(b) > firstRead {
		b = b[:firstRead]
	}
	n, err := m.r.Read(b)
	m.n += int64(n)
	return n, err
}

// firstRead is the size of the first read of a file, in bytes.
const firstRead = 4 << 10

func tooLong(limit int64) error { return fmt.Errorf("the contents are longer than %d bytes", limit) }

// tooDense is the error for contents that are too large for what is stored of them.
func tooDense(size, stored int64) error {
	return fmt.Errorf("%d bytes of contents are too many for %d stored bytes", size, stored)
}

// Stored returns the number of bytes that are stored, which is less than the size for a sparse file.
func (f *File) Stored() uint64 {
	if f.Info == nil || f.Packed != "" {
		return uint64(f.Size)
	}
	return StoredSize(f.Info)
}

// chunks are contents whose size was not known in advance. They stay in pieces: joining them would take twice the memory.
type chunks struct {
	list [][]byte // all but the last are chunkSize long
	size int64
}

const chunkSize = 1 << 20

// readChunks reads r to its end.
func readChunks(r io.Reader) (c chunks, err error) {
	for {
		b := make([]byte, chunkSize)
		n, err := io.ReadFull(r, b)
		c.list, c.size = append(c.list, b[:n]), c.size+int64(n)
		switch err { // io.ReadFull does not wrap these
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return c, nil
		default:
			return c, err
		}
	}
}

// ReadAt reads across the pieces, as io.ReaderAt.
func (c *chunks) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	for n < len(b) && off < c.size {
		m := copy(b[n:], c.list[off/chunkSize][off%chunkSize:])
		n, off = n+m, off+int64(m)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
