package elf

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A section is decompressed into one buffer of the size that its header states. A stated size above input.Most is an error.

// spare is the extra capacity of a buffer after the section, for readers that append to it. Package dwarf appends the most.
const spare = 320

// buffer returns a buffer for the bytes of a section.
func buffer(size uint64) []byte { return make([]byte, size, size+spare) }

// decompress returns the contents of a section whose stored bytes are b.
func (f *File) decompress(s *Section, b []byte) ([]byte, error) {
	c, err := f.compression(s, b)
	if err != nil || c.unpack == nil {
		return b, err
	}
	b = b[c.header:]
	if c.size > input.Most(uint64(len(b))) {
		return nil, &FormatError{s.place(), 0, fmt.Sprintf("decompressed size of %d bytes is implausible for %d bytes of compressed data", c.size, len(b))}
	}
	out, err := c.unpack(b, buffer(c.size))
	switch {
	case errors.Is(err, input.ErrNoCodec):
		return nil, fmt.Errorf("%s: %w", s.place(), err)
	case err != nil:
		return nil, &FormatError{s.place(), 0, "compressed data: " + err.Error()}
	}
	return out, nil
}

// A compression is the content of a compression header.
type compression struct {
	size   uint64 // of the decompressed contents, in bytes
	header int    // size of the header itself, in bytes
	unpack func(b, out []byte) ([]byte, error)
}

// longestHeader is the size of the longest compression header, in bytes.
const longestHeader = 24

// compression reads the compression header at the start of a section. If unpack is nil, the section is not compressed.
func (f *File) compression(s *Section, b []byte) (compression, error) {
	switch {
	case s.Flags&elf.SHF_COMPRESSED != 0:
		c := compression{header: 12, unpack: unzlib}
		if f.Is64 {
			c.header = longestHeader
		}
		if len(b) < c.header {
			return c, &FormatError{s.place(), 0, "compression header is cut short"}
		}
		if f.Is64 {
			c.size = f.Order.Uint64(b[8:])
		} else {
			c.size = uint64(f.Order.Uint32(b[4:]))
		}
		switch t := elf.CompressionType(f.Order.Uint32(b)); t {
		case elf.COMPRESS_ZLIB:
		case elf.COMPRESS_ZSTD:
			c.unpack = unzstd
		default:
			return c, &FormatError{s.place(), 0, fmt.Sprintf("compression type %d is unknown", uint32(t))}
		}
		return c, nil
	case strings.HasPrefix(s.Name, ".zdebug_") && len(b) >= 12 && string(b[:4]) == "ZLIB":
		return compression{size: binary.BigEndian.Uint64(b[4:]), header: 12, unpack: unzlib}, nil
	}
	return compression{}, nil
}

// dataSize returns the size of a section's decompressed contents.
func (f *File) dataSize(s *Section) (uint64, error) {
	if !s.HasData() {
		return 0, nil
	}
	if err := f.checkPlace(s); err != nil {
		return 0, err
	}
	b := make([]byte, min(s.Size, longestHeader))
	if err := f.readAt(b, s.Off, s.place()); err != nil {
		return 0, err
	}
	c, err := f.compression(s, b)
	if err != nil || c.unpack == nil {
		return s.Size, err
	}
	return c.size, nil
}

// unzlib decompresses b, which must fill out.
func unzlib(b, out []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, noEOF(err)
	}
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); { // also compares the checksum
	case n > 0:
		return nil, input.ErrLonger
	case err != io.EOF: // io.EOF is the normal end
		return nil, err
	}
	return out, nil
}

// unzstd decompresses b, which must fill out.
func unzstd(b, out []byte) ([]byte, error) { return out, noEOF(input.Zstd.Fill(b, out)) }

// noEOF turns an unexpected end of the data, at any point, into io.ErrUnexpectedEOF.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
