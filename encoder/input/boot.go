package input

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A bzImage contains the kernel's ELF file without DWARF, but with its BTF. The header that boot loaders read says where it is. It is taken out
// only for callers that want BTF: for all others, the bzImage is the wrong file.

const (
	bzSectors  = 0x1f1 // number of sectors of 512 bytes after the first one, in front of the kernel
	bzVersion  = 0x206 // of the boot protocol; the payload is stated since 2.08
	bzPayload  = 0x248 // offset of the payload, from the end of these sectors, and its length
	bzEnd      = 0x250
	sizeSuffix = 4 // bytes after the compressed data: its uncompressed size. gzip has it as part of its format.
)

// openBoot goes to the payload of a bzImage and decompresses it.
func openBoot(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(bzEnd)
	if err != nil {
		return nil, nil, err
	}
	if v := binary.LittleEndian.Uint16(head[bzVersion:]); v < 0x208 {
		return nil, nil, fmt.Errorf("boot protocol %d.%02d does not say where the kernel is", v>>8, v&0xff)
	}
	sectors := int64(head[bzSectors])
	if sectors == 0 {
		sectors = 4
	}
	start := (sectors+1)*512 + int64(binary.LittleEndian.Uint32(head[bzPayload:]))
	size := int64(binary.LittleEndian.Uint32(head[bzPayload+4:]))
	if _, err := io.CopyN(io.Discard, r, start); err != nil {
		return nil, nil, err
	}
	return openPayload(bufio.NewReaderSize(io.LimitReader(r, size), window), size, sizeSuffix)
}

// openPayload finds out how the payload is compressed. It reads no further than the compressed data, which unless it is gzip has so many bytes after it.
func openPayload(r *bufio.Reader, size, suffix int64) (io.Reader, func(), error) {
	magic, err := r.Peek(6)
	if err != nil {
		return nil, nil, err
	}
	has := func(m string) bool { return strings.HasPrefix(string(magic), m) }
	body := bufio.NewReaderSize(io.LimitReader(r, max(size-suffix, 0)), window)
	switch {
	case has(elfMagic):
		return &exact{body, size - suffix}, nil, nil
	case has("\x1f\x8b"):
		return GzipMember.open(r)
	case has(zstdMagic):
		return Zstd.open(body)
	case has("\xfd7zXZ\x00"):
		return KernelXZ.open(body)
	case has("BZh"):
		return Bzip2.open(body)
	case has(lz4Magic):
		return &lz4{r: body}, nil, nil
	case has("\x5d\x00\x00"):
		return LZMA.open(body)
	case has("\x89LZO"):
		return nil, nil, errors.New("the kernel is compressed by lzop, which is not supported: give raw BTF, such as /sys/kernel/btf/vmlinux of a system that runs it")
	}
	return nil, nil, fmt.Errorf("the kernel is compressed in an unknown format, which begins with % x", magic)
}

// exact is a reader of a known number of bytes. It is an error if there are fewer.
type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.left -= int64(n); errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// lz4 decodes the legacy format of lz4: blocks of up to 8 MiB, each with its compressed size in front.
type lz4 struct {
	r     io.Reader
	begun bool
	in    []byte
	out   []byte
	rest  []byte // of out
}

const (
	lz4Magic = "\x02\x21\x4c\x18"
	lz4Block = 8 << 20
)

var errLZ4 = errors.New("the lz4 data is damaged")

func (l *lz4) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// next decodes the next block.
func (l *lz4) next() error {
	var word [4]byte
	for {
		switch _, err := io.ReadFull(l.r, word[:]); {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return io.ErrUnexpectedEOF
		}
		if string(word[:]) != lz4Magic {
			break
		}
		l.begun = true // each part of a concatenated file has the magic number
	}
	n := int64(binary.LittleEndian.Uint32(word[:]))
	if !l.begun || n > lz4Block+lz4Block/255+16 {
		return errLZ4
	}
	if l.out == nil {
		l.in, l.out = make([]byte, lz4Block+lz4Block/255+16), make([]byte, 0, lz4Block)
	}
	if _, err := io.ReadFull(l.r, l.in[:n]); err != nil {
		return io.ErrUnexpectedEOF
	}
	var ok bool
	l.rest, ok = decodeLZ4(l.out[:0], l.in[:n])
	if !ok {
		return errLZ4
	}
	return nil
}

// decodeLZ4 decodes a block into out, which has the capacity for it. A block is a list of sequences: a token, literals, and a reference to bytes
// that were decoded before. The last sequence has literals only.
func decodeLZ4(out, in []byte) ([]byte, bool) {
	long := func(n int) (int, bool) { // the rest of a length whose first part is 15
		for {
			if len(in) == 0 {
				return 0, false
			}
			b := in[0]
			in = in[1:]
			if n += int(b); b != 255 {
				return n, true
			}
		}
	}
	for len(in) > 0 {
		token := in[0]
		in = in[1:]
		n := int(token >> 4)
		if n == 15 {
			var ok bool
			if n, ok = long(n); !ok {
				return nil, false
			}
		}
		if n > len(in) || n > cap(out)-len(out) {
			return nil, false
		}
		out, in = append(out, in[:n]...), in[n:]
		if len(in) == 0 {
			return out, true
		}
		if len(in) < 2 {
			return nil, false
		}
		back := int(in[0]) | int(in[1])<<8
		in = in[2:]
		n = int(token & 15)
		if n == 15 {
			var ok bool
			if n, ok = long(n); !ok {
				return nil, false
			}
		}
		n += 4
		if back == 0 || back > len(out) || n > cap(out)-len(out) {
			return nil, false
		}
		for from := len(out) - back; n > 0; n-- { // byte by byte: the bytes may include those that are being written
			out = append(out, out[from])
			from++
		}
	}
	return out, true
}
