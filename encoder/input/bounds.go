package input

import (
	"fmt"
	"io"
)

// A file may claim any size, and pay with next to nothing for it: zlib packs a thousand zeros into a byte, zstd thirty thousand, and a
// sparse file does not store them at all. What compilers write, and dumps of it, shrink to a quarter, at best to a twentieth. So a
// size is believed up to a multiple of what is stored, and up to what offsets of 32 bits reach.

// Highest is the end of what offsets of 32 bits reach.
const Highest = 4 << 30

// Bounds of what is held in memory. Plain ELF files are not bounded: they are read where they lie.
const (
	maxImage = Highest   // an ELF file that was compressed or came through a pipe
	maxOther = 256 << 20 // dumps and other text: several times what the largest kernels have
	maxBTF   = 128 << 20
	maxWrong = 16 << 20 // what is neither, and is judged all the same
)

// Most is how many bytes so many stored bytes may stand for.
func Most(stored uint64) uint64 {
	const (
		ratio  = 64
		always = 16 << 20 // what is small may be as dense as it likes
	)
	if stored >= (Highest-always)/ratio {
		return Highest
	}
	return always + ratio*stored
}

// limitOf is how many bytes contents of a kind may have.
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

// A meter counts what is read.
type meter struct {
	r io.Reader
	n int64
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.n += int64(n)
	return n, err
}

func tooLong(limit int64) error { return fmt.Errorf("the contents are longer than %d bytes", limit) }

// tooDense is the error of contents that no compiler writes.
func tooDense(size, stored int64) error {
	return fmt.Errorf("%d bytes of contents are absurd for %d bytes that are stored", size, stored)
}

// Stored is how many bytes of the contents are stored: fewer than their size where the file is sparse.
func (f *File) Stored() uint64 {
	if f.Info == nil || f.Packed != "" {
		return uint64(f.Size)
	}
	return StoredSize(f.Info)
}

// chunks are contents whose size nobody knew before. They are not copied together, so that there is never room for both.
type chunks struct {
	list [][]byte // all but the last are chunkSize long
	size int64
}

const chunkSize = 1 << 20

// readChunks reads everything.
func readChunks(r io.Reader) (c chunks, err error) {
	for {
		b := make([]byte, chunkSize)
		n, err := io.ReadFull(r, b)
		c.list, c.size = append(c.list, b[:n]), c.size+int64(n)
		switch err { // those that io.ReadFull makes
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return c, nil
		default:
			return c, err
		}
	}
}

// ReadAt reads as if they were one.
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
