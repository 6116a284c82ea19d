package elf_test

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
)

// packedSection returns an image with one compressed section.
func packedSection(name string, size uint64, kind elf.CompressionType, packed []byte) []byte {
	head := binary.LittleEndian.AppendUint32(nil, uint32(kind))
	head = binary.LittleEndian.AppendUint64(append(head, 0, 0, 0, 0), size)
	head = binary.LittleEndian.AppendUint64(head, 1)
	b := synth.New(synth.Target{})
	b.Section(name, elf.SHT_PROGBITS, elf.SHF_COMPRESSED, 0, append(head, packed...))
	return b.Bytes()
}

// zstdZeros returns a frame that decompresses to n zeros, a multiple of 128 KiB, in blocks of one repeated byte (RFC 8878).
func zstdZeros(n uint64) []byte {
	const single, size8, block = 0x20, 0xc0, 128 << 10
	b := binary.LittleEndian.AppendUint32(nil, 0xfd2fb528)
	b = binary.LittleEndian.AppendUint64(append(b, single|size8), n)
	for ; n > 0; n -= block {
		head := uint32(block)<<3 | 1<<1
		if n == block {
			head |= 1 // the last block
		}
		b = append(b, byte(head), byte(head>>8), byte(head>>16), 0)
	}
	return b
}

func zlibZeros(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for ; n > 0; n -= len(zeros) {
		w.Write(zeros[:min(n, len(zeros))])
	}
	w.Close()
	return b.Bytes()
}

// allocated runs do and returns how many bytes it allocated.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestCompressionBounds: a stated size is accepted up to the ratio that compilers can reach, and there is one buffer of that size.
func TestCompressionBounds(t *testing.T) {
	const mib = 1 << 20
	text := bytes.Repeat([]byte("struct task_struct *"), mib)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	w.Write(text[:8*mib])
	w.Close()
	zeros := zlibZeros(64 * mib)
	for _, tt := range []struct {
		name   string
		size   uint64
		kind   elf.CompressionType
		packed []byte
		want   string // the error
	}{
		{"zstd, 3 GiB in 100 KB", 3 << 30, elf.COMPRESS_ZSTD, zstdZeros(3 << 30), "decompressed size of 3221225472 bytes is implausible for 98317 bytes of compressed data"},
		{"zlib, 64 MiB in 64 KB", 64 * mib, elf.COMPRESS_ZLIB, zeros, "decompressed size of 67108864 bytes is implausible"},
		{"a size above all", 1 << 40, elf.COMPRESS_ZSTD, zstdZeros(1 << 20), "is implausible"},
		{"the greatest size", 1<<64 - 1, elf.COMPRESS_ZLIB, zeros, "is implausible"},
		{"zstd, more than stated", 1 * mib, elf.COMPRESS_ZSTD, zstdZeros(3 << 30), "compressed data: data is longer than the stated size"},
		{"zstd without its size, more than stated", 1000, elf.COMPRESS_ZSTD, noSize(zstdZeros(3 << 30)), "compressed data: data is longer than the stated size"},
		{"zlib, more than stated", 1 * mib, elf.COMPRESS_ZLIB, zeros, "compressed data: data is longer than the stated size"},
		{"zstd, less than stated", 16 * mib, elf.COMPRESS_ZSTD, zstdZeros(8 * mib), "compressed data: unexpected EOF"},
		{"zlib, less than stated", 16 * mib, elf.COMPRESS_ZLIB, zlibZeros(8 * mib), "compressed data: unexpected EOF"},
		{"zlib, bad checksum", 8 * mib, elf.COMPRESS_ZLIB, append(deflated.Bytes()[:deflated.Len()-1:deflated.Len()-1], 0x55), "compressed data: zlib: invalid checksum"},
		{"zstd, small and dense", 16 * mib, elf.COMPRESS_ZSTD, zstdZeros(16 * mib), ""},
		{"zlib, small and dense", 16 * mib, elf.COMPRESS_ZLIB, zlibZeros(16 * mib), ""},
		{"zstd, text", 8 * mib, elf.COMPRESS_ZSTD, z.EncodeAll(text[:8*mib], nil), ""},
		{"zlib, text", 8 * mib, elf.COMPRESS_ZLIB, deflated.Bytes(), ""},
	} {
		f := mustOpen(t, packedSection(".debug_str", tt.size, tt.kind, tt.packed))
		var got []byte
		var err error
		n := allocated(func() { got, err = f.Data(f.Section(".debug_str")) })
		if tt.want != "" {
			wantFormat(t, tt.name, err, ".debug_str", tt.want)
		} else if err != nil || uint64(len(got)) != tt.size {
			t.Errorf("%s: got %d bytes, %v, want %d", tt.name, len(got), err, tt.size)
		}
		// Apart from the buffer there are the compressed bytes, and the decompressors' own memory.
		if most := uint64(len(tt.packed)) + 4*mib; n > most+min(tt.size, 16*mib) || strings.Contains(tt.want, "implausible") && n > most {
			t.Errorf("%s: allocated %d bytes", tt.name, n)
		}
	}
}

// noSize removes the content size from a zstd frame, which gets a window of 1 MiB instead.
func noSize(frame []byte) []byte {
	return append(append(bytes.Clone(frame[:4]), 0, 10<<3), frame[13:]...)
}

// TestHoles: the holes of a sparse file are not read into memory.
func TestHoles(t *testing.T) {
	b := synth.New(synth.Target{})
	b.Section(".hole", elf.SHT_PROGBITS, 0, 0, make([]byte, 16))
	b.Section(".symtab", elf.SHT_SYMTAB, 0, 0, make([]byte, 48)).Align = 8
	data := b.Bytes()
	f := mustOpen(t, data)
	shoff := binary.LittleEndian.Uint64(data[40:])
	const size = 1 << 40
	for _, name := range []string{".hole", ".symtab"} { // they reach from their offset to the end
		s := f.Section(name)
		binary.LittleEndian.PutUint64(data[shoff+64*uint64(s.Index)+32:], size-s.Off)
	}
	path := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	f, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := allocated(func() {
		_, err := f.Data(f.Section(".hole"))
		wantFormat(t, "whole", err, ".hole", "bytes is implausible: only")
		wantFormat(t, "in pieces", f.ReadAt(f.Section(".hole"), make([]byte, 16), 1<<30), ".hole", "bytes is implausible: only")
		_, err = f.Symbols()
		wantFormat(t, "symbols", err, ".symtab", "bytes is implausible: only")
	})
	if n > 1<<20 {
		t.Errorf("allocated %d bytes", n)
	}
}

// TestSectionsOverlap: overlapping sections do not multiply the work.
func TestSectionsOverlap(t *testing.T) {
	b := synth.New(synth.Target{})
	for range 2000 {
		b.Section(".notes", elf.SHT_NOTE, 0, 0, make([]byte, 12))
	}
	b.Section(".big", elf.SHT_PROGBITS, 0, 0, make([]byte, 1<<20))
	data := b.Bytes()
	f := mustOpen(t, data)
	big := f.Section(".big")
	shoff := binary.LittleEndian.Uint64(data[40:])
	for i := range f.Sections {
		if f.Sections[i].Name == ".notes" {
			h := data[shoff+64*uint64(i):]
			binary.LittleEndian.PutUint64(h[24:], big.Off)
			binary.LittleEndian.PutUint64(h[32:], big.Size)
		}
	}
	f = mustOpen(t, data)
	n := allocated(func() {
		_, err := f.BuildID()
		wantFormat(t, "notes", err, ".notes", "are larger than the file")
	})
	if n > 16<<20 {
		t.Errorf("allocated %d bytes", n)
	}
}
