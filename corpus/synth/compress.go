package synth

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// A Compression is a way to store debug sections.
type Compression int

// The compressions that ELF readers support.
const (
	Plain   Compression = iota
	Zlib                // SHF_COMPRESSED, ELFCOMPRESS_ZLIB
	Zstd                // SHF_COMPRESSED, ELFCOMPRESS_ZSTD; the frame holds stored blocks only
	GNUZlib             // named .zdebug_*, with its own header
)

// compress compresses a debug section if the target asks for it.
func (im *image) compress(s *Section) {
	how := im.target.Compress
	if how == Plain || !strings.HasPrefix(s.Name, ".debug_") {
		return
	}
	size := uint64(len(s.data))
	if how == GNUZlib {
		head := binary.BigEndian.AppendUint64([]byte("ZLIB"), size)
		s.data = append(head, deflate(s.data)...)
		s.Name = ".z" + s.Name[1:]
		return
	}
	e := &enc{order: im.target.Order}
	typ, packed := elf.COMPRESS_ZLIB, []byte(nil)
	if how == Zstd {
		typ, packed = elf.COMPRESS_ZSTD, zstdFrame(s.data)
	} else {
		packed = deflate(s.data)
	}
	e.u32(uint32(typ))
	if im.target.Class == elf.ELFCLASS64 {
		e.u32(0)
	}
	e.uint(im.target.addrSize(), size)
	e.uint(im.target.addrSize(), s.Align)
	e.bytes(packed)
	s.data = e.b
	s.Flags |= elf.SHF_COMPRESSED
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b) // a bytes.Buffer never returns an error
	w.Close()
	return out.Bytes()
}

// zstdFrame wraps b into a Zstandard frame of raw blocks (RFC 8878).
func zstdFrame(b []byte) []byte {
	const single, size8, maxBlock = 0x20, 0xc0, 128 << 10
	out := binary.LittleEndian.AppendUint32(nil, 0xfd2fb528)
	out = append(out, single|size8)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(b)))
	for {
		n := min(len(b), maxBlock)
		head := uint32(n) << 3 // raw block
		if n == len(b) {
			head |= 1 // the last one
		}
		out = append(out, byte(head), byte(head>>8), byte(head>>16))
		out = append(out, b[:n]...)
		if b = b[n:]; len(b) == 0 {
			return out
		}
	}
}
