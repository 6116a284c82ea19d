package elf

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// HasData tells whether the section's bytes are in the file.
func (s *Section) HasData() bool { return s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL }

// raw reads a section as it is stored.
func (f *File) raw(s *Section) ([]byte, error) {
	if !s.HasData() {
		return nil, nil
	}
	if err := f.checkPlace(s); err != nil {
		return nil, err
	}
	b := make([]byte, s.Size)
	if err := f.readAt(b, s.Off, s.place()); err != nil {
		return nil, err
	}
	return b, nil
}

// checkPlace tells whether the section lies in the file.
func (f *File) checkPlace(s *Section) error {
	if s.Off > f.size || s.Size > f.size-s.Off {
		return &FormatError{s.place(), 0, fmt.Sprintf("%d bytes at file offset %#x reach past the end of the file (%d bytes)", s.Size, s.Off, f.size)}
	}
	return nil
}

func (s *Section) place() string {
	if s.Name == "" {
		return fmt.Sprintf("section %d", s.Index)
	}
	return s.Name
}

// Data reads a section whole: decompressed, and relocated if the file is relocatable.
func (f *File) Data(s *Section) ([]byte, error) {
	b, err := f.raw(s)
	if err != nil {
		return nil, err
	}
	if b, err = f.decompress(s, b); err != nil {
		return nil, err
	}
	if f.Type == elf.ET_REL && !f.asStored {
		err = f.relocate(s, b)
	}
	return b, err
}

// Plain tells whether a section's bytes lie in the file as Data would return them, so that ReadAt may be used.
func (f *File) Plain(s *Section) bool {
	return s.HasData() && s.Flags&elf.SHF_COMPRESSED == 0 && !strings.HasPrefix(s.Name, ".zdebug_") && f.Type != elf.ET_REL
}

// ReadAt reads bytes of a Plain section.
func (f *File) ReadAt(s *Section, b []byte, off uint64) error {
	if off > s.Size || uint64(len(b)) > s.Size-off {
		return &FormatError{s.place(), off, fmt.Sprintf("%d bytes reach past the end of the section (%d bytes)", len(b), s.Size)}
	}
	if s.Off > f.size || off > f.size-s.Off {
		return &FormatError{s.place(), off, fmt.Sprintf("lies past the end of the file (%d bytes)", f.size)}
	}
	return f.readAt(b, s.Off+off, s.place())
}

// DebugSection finds a debug section by its plain name: ".debug_info" or, in the old compressed form, ".zdebug_info".
func (f *File) DebugSection(name string) *Section {
	if s := f.Section(name); s != nil {
		return s
	}
	return f.Section(".z" + name[1:])
}

func (f *File) decompress(s *Section, b []byte) ([]byte, error) {
	var size uint64
	var open func(io.Reader) (io.Reader, error)
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
			open = openZlib
		case elf.COMPRESS_ZSTD:
			open = openZstd
		default:
			return nil, &FormatError{s.place(), 0, fmt.Sprintf("compression type %d is unknown", uint32(t))}
		}
		b = b[n:]
	case len(s.Name) > 8 && s.Name[:8] == ".zdebug_":
		if len(b) < 12 || string(b[:4]) != "ZLIB" {
			return b, nil
		}
		for _, c := range b[4:12] {
			size = size<<8 | uint64(c)
		}
		open, b = openZlib, b[12:]
	default:
		return b, nil
	}
	return inflate(s, b, size, open)
}

func openZlib(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

func openZstd(r io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// inflate decompresses b, which must yield exactly size bytes. What a lying size can make it allocate is bounded by the
// densest ratio either format reaches.
func inflate(s *Section, b []byte, size uint64, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	if size > maxDecompressed {
		return nil, &FormatError{s.place(), 0, fmt.Sprintf("decompressed size %d is absurd", size)}
	}
	r, err := open(bytes.NewReader(b))
	if err != nil {
		return nil, &FormatError{s.place(), 0, "compressed data: " + err.Error()}
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	var out bytes.Buffer
	out.Grow(int(min(size, 64*uint64(len(b))+4096)))
	n, err := io.Copy(&out, io.LimitReader(r, int64(size)))
	if err == nil && uint64(n) != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, &FormatError{s.place(), uint64(n), "compressed data: " + err.Error()}
	}
	return out.Bytes(), nil
}

func gunzip(f *os.File) ([]byte, error) {
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(zr, maxDecompressed))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return data, nil
}
