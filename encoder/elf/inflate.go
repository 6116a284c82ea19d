package elf

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A section has one buffer, of the size that it states, which is believed as far as input.Most allows.

// spare is the room that buffers have behind the section, for readers that append to it.
const spare = 128

// buffer is for the bytes of a section.
func buffer(size uint64) []byte { return make([]byte, size, size+spare) }

// decompress gives the contents of a section whose stored bytes are b.
func (f *File) decompress(s *Section, b []byte) ([]byte, error) {
	var size uint64
	unpack := unzlib
	switch {
	case s.Flags&elf.SHF_COMPRESSED != 0:
		n := 12
		if f.Is64 {
			n = 24
		}
		if len(b) < n {
			return nil, &FormatError{s.place(), 0, "compression header is cut short"}
		}
		if f.Is64 {
			size = f.Order.Uint64(b[8:])
		} else {
			size = uint64(f.Order.Uint32(b[4:]))
		}
		switch t := elf.CompressionType(f.Order.Uint32(b)); t {
		case elf.COMPRESS_ZLIB:
		case elf.COMPRESS_ZSTD:
			unpack = unzstd
		default:
			return nil, &FormatError{s.place(), 0, fmt.Sprintf("compression type %d is unknown", uint32(t))}
		}
		b = b[n:]
	case strings.HasPrefix(s.Name, ".zdebug_"):
		if len(b) < 12 || string(b[:4]) != "ZLIB" {
			return b, nil
		}
		for _, c := range b[4:12] {
			size = size<<8 | uint64(c)
		}
		b = b[12:]
	default:
		return b, nil
	}
	if size > input.Most(uint64(len(b))) {
		return nil, &FormatError{s.place(), 0, fmt.Sprintf("decompressed size %d is absurd for %d bytes of compressed data", size, len(b))}
	}
	out, err := unpack(b, buffer(size))
	if err != nil {
		return nil, &FormatError{s.place(), 0, "compressed data: " + err.Error()}
	}
	return out, nil
}

var errLonger = errors.New("it holds more than the stated size")

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
		return nil, errLonger
	case err != io.EOF: //nolint:errorlint // the one that ends a reader
		return nil, err
	}
	return out, nil
}

// unzstd decompresses b, which must fill out.
func unzstd(b, out []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxWindow(input.Highest)) // no window is allocated, as out is one
	if err != nil {
		return nil, err
	}
	defer d.Close()
	got, err := d.DecodeAll(b, out[:0:len(out)])
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, errLonger
	case err != nil:
		return nil, noEOF(err)
	case len(got) != len(out):
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil // got, which is at the same place
}

// noEOF is for data that end too early, wherever that is.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
