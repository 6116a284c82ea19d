package xz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// The problem: decompression is slow, and most of an archive is not wanted.
//
// The idea: Debian compresses with several threads. Such an xz stream consists of independent blocks, and the index at its end has the sizes of
// all of them. So the blocks can be decoded in any order: in parallel, and only if they are read. Finding them takes two reads, of the index
// and of the first block's header. Each block's header, which may repeat the sizes, is compared with the index when the block is decoded.
//
// Streams with one large block are decoded from front to back, by a Serial. Other filters than LZMA2 are not supported.

const (
	magic       = "\xfd7zXZ\x00"
	footerMagic = "YZ"
	headerSize  = 12 // of the header of a stream, and of its footer, in bytes
	maxBlocks   = 1 << 20
	maxIndex    = 16 << 20
	filterLZMA2 = 0x21
)

// MaxBlock is the size of the largest block that is decoded as a whole, in bytes. Those of Debian have 24 MiB.
const MaxBlock = 64 << 20

// A block is one xz block.
type block struct {
	off      int64 // offset of its header in the file
	unpadded int64 // bytes of header, compressed data and check
	unpacked int64
	at       int64 // offset of its contents in the uncompressed stream
}

func (b *block) end() int64 { return b.off + (b.unpadded+3)&^3 }

// Blocks are the blocks of a stream.
type Blocks struct {
	r     io.ReaderAt
	list  []block
	check byte
	size  int64 // of the uncompressed stream
}

// Size returns the size of the contents in bytes.
func (b *Blocks) Size() int64 { return b.size }

// Len returns the number of blocks.
func (b *Blocks) Len() int { return len(b.list) }

// Bounds returns the range of the contents that block i holds.
func (b *Blocks) Bounds(i int) (start, end int64) {
	return b.list[i].at, b.list[i].at + b.list[i].unpacked
}

// checkSizes has the size of each type of check, in bytes.
var checkSizes = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

// ErrSerial says that a stream can only be decoded from front to back.
var ErrSerial = errors.New("the blocks of the xz stream cannot be decoded independently")

// Find finds the blocks of the xz stream at [off, off+size) of r. The error is ErrSerial if they cannot be decoded independently.
func Find(r io.ReaderAt, off, size int64) (*Blocks, error) {
	end := off + size
	head := make([]byte, min(size, headerSize+1024+4))
	if err := readFull(r, head, off, end); err != nil {
		return nil, err
	}
	check, err := streamHeader(head, off)
	if err != nil {
		return nil, err
	}
	if size < 2*headerSize {
		return nil, damage(end, "the xz stream is truncated")
	}
	b := &Blocks{r: r, check: check}
	var foot [headerSize]byte
	if err := readFull(r, foot[:], end-headerSize, end); err != nil {
		return nil, err
	}
	if string(foot[10:]) != footerMagic {
		if foot == [headerSize]byte{} {
			return nil, ErrSerial // padding, after which other streams may follow
		}
		return nil, damage(end-headerSize, "the xz stream has no footer: it is truncated or damaged")
	}
	index := 4 * (int64(binary.LittleEndian.Uint32(foot[4:])) + 1)
	switch {
	case crc32.ChecksumIEEE(foot[4:10]) != binary.LittleEndian.Uint32(foot[:]), foot[8] != 0:
		return nil, damage(end-headerSize, "the footer of the xz stream is damaged")
	case index > size-2*headerSize:
		return nil, damage(end-headerSize, "the footer of the xz stream states an index of %d bytes, too many", index)
	case foot[9] != check: // the header is that of another stream
		return nil, ErrSerial
	case index > maxIndex:
		return nil, ErrSerial
	}
	list := make([]byte, index)
	at := end - headerSize - index
	if err := readFull(r, list, at, end); err != nil {
		return nil, err
	}
	if err := b.readIndex(list, off+headerSize, at); err != nil {
		return nil, err
	}
	if len(b.list) > 0 {
		_, _, _, err = blockHeader(head[headerSize:], off+headerSize, &b.list[0], check)
	}
	return b, err
}

// streamHeader checks the header of a stream and returns its type of check.
func streamHeader(head []byte, off int64) (check byte, err error) {
	if len(head) < headerSize || string(head[:6]) != magic || head[6] != 0 || head[7] > 15 ||
		crc32.ChecksumIEEE(head[6:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return 0, damage(off, "the header of the xz stream is damaged")
	}
	return head[7], nil
}

// readIndex reads the index, which is at an offset of the file. The first block begins at off.
func (b *Blocks) readIndex(index []byte, off, at int64) error {
	broken := func(i int) error { return damage(at+int64(i), "the index of the xz stream is damaged") }
	end := len(index) - 4
	if end < 1 || index[0] != 0 || crc32.ChecksumIEEE(index[:end]) != binary.LittleEndian.Uint32(index[end:]) {
		return broken(0)
	}
	i := 1
	number := func() (int64, bool) {
		v, n := binary.Uvarint(index[i:end])
		if n <= 0 || v > 1<<62 {
			return 0, false
		}
		i += n
		return int64(v), true
	}
	count, ok := number()
	if !ok {
		return broken(i)
	}
	if count > maxBlocks || count > int64(len(index)) {
		return damage(at, "the index of the xz stream states %d blocks, too many", count)
	}
	b.list = make([]block, 0, count)
	for range count {
		unpadded, ok1 := number()
		unpacked, ok2 := number()
		switch {
		case !ok1 || !ok2 || unpadded < 8:
			return broken(i)
		case unpadded > at-off:
			return damage(at, "the index of the xz stream states a block at 0x%x that reaches past the index", off)
		case unpacked > MaxBlock, unpadded > unpacked+unpacked>>10+2048: // LZMA2 never adds that much
			return ErrSerial
		}
		one := block{off, unpadded, unpacked, b.size}
		b.list = append(b.list, one)
		b.size += unpacked
		off = one.end()
	}
	switch {
	case len(bytes.Trim(index[i:end], "\x00")) > 0 || end-i > 3:
		return broken(i)
	case off > at:
		return damage(at, "the index of the xz stream does not list its blocks")
	case off < at: // other streams come first
		return ErrSerial
	}
	return nil
}

// blockHeader checks the header of a block, which head begins with. It returns the sizes of the header and of the compressed data.
func blockHeader(head []byte, off int64, b *block, check byte) (size, packed, dict int64, err error) {
	broken := damage(off, "the header of an xz block is damaged")
	if len(head) < 8 || head[0] == 0 {
		return 0, 0, 0, broken
	}
	size = 4 * (int64(head[0]) + 1)
	if int64(len(head)) < size || crc32.ChecksumIEEE(head[:size-4]) != binary.LittleEndian.Uint32(head[size-4:]) {
		return 0, 0, 0, broken
	}
	packed, unpacked, body, ok := headerSizes(head[:size-4])
	if !ok {
		return 0, 0, 0, broken
	}
	if head[1]&0x3f != 0 || len(body) < 3 || body[0] != filterLZMA2 || body[1] != 1 {
		return 0, 0, 0, ErrSerial
	}
	dict, ok = dictSize(body[2])
	if !ok {
		return 0, 0, 0, broken
	}
	if b == nil { // there is no index yet
		if packed < 0 || unpacked < 0 || packed == 0 || unpacked > MaxBlock || packed > unpacked+unpacked>>10+1024 {
			return size, packed, dict, ErrSerial
		}
		return size, packed, dict, nil
	}
	is := b.unpadded - size - checkSizes[check]
	if packed >= 0 && packed != is || unpacked >= 0 && unpacked != b.unpacked || is <= 0 {
		return 0, 0, 0, damage(off, "the header of an xz block and the index state different sizes")
	}
	return size, is, dict, nil
}

// headerSizes returns the sizes that the header of a block states, -1 for one that it does not state, and what follows them in the header. ok is
// false if the header is damaged.
func headerSizes(head []byte) (packed, unpacked int64, rest []byte, ok bool) {
	packed, unpacked, rest = -1, -1, head[2:]
	for _, f := range []struct {
		flag byte
		to   *int64
	}{{0x40, &packed}, {0x80, &unpacked}} {
		if head[1]&f.flag == 0 {
			continue
		}
		v, n := binary.Uvarint(rest)
		if n <= 0 || v > 1<<62 {
			return -1, -1, nil, false
		}
		*f.to, rest = int64(v), rest[n:]
	}
	return packed, unpacked, rest, true
}

// dictSize returns the size of the dictionary that a byte of a block's header stands for.
func dictSize(b byte) (size int64, ok bool) {
	if b > 40 {
		return 0, false
	}
	return int64(2|b&1) << (b/2 + 11), true
}

// readFull fills b with the bytes at off. It is an error if they reach past end.
func readFull(r io.ReaderAt, b []byte, off, end int64) error {
	if int64(len(b)) > end-off {
		return damage(end, "the xz stream is truncated")
	}
	if n, err := r.ReadAt(b, off); n < len(b) {
		if errors.Is(err, io.EOF) {
			return damage(off+int64(n), "the xz stream is truncated")
		}
		return err
	}
	return nil
}

var crc64Table = crc64.MakeTable(crc64.ECMA)

// A worker decodes blocks one after another, and reuses its memory.
type worker struct {
	lzma2
	in []byte
}

// read reads a block as it is stored.
func (w *worker) read(r io.ReaderAt, b *block) error {
	n := b.end() - b.off
	if int64(cap(w.in)) < n {
		w.in = make([]byte, n)
	}
	w.in = w.in[:n]
	return readFull(r, w.in, b.off, b.off+n)
}

// decodeBlock decodes the block that was read to out, and verifies its check.
func (w *worker) decodeBlock(b *block, check byte, out []byte) error {
	head, packed, _, err := blockHeader(w.in, b.off, b, check)
	if err != nil {
		if errors.Is(err, ErrSerial) {
			return damage(b.off, "the xz block has other filters than the first one")
		}
		return err
	}
	in := w.in[head:]
	if err := w.decode(out, in[:packed]); err != nil {
		return damage(b.off+head, "xz block: %v", err)
	}
	padded := (head+packed+3)&^3 - head
	if len(bytes.Trim(in[packed:padded], "\x00")) > 0 {
		return damage(b.off+head+packed, "xz block: its padding is not zero")
	}
	if !checks(check, out, in[padded:]) {
		return damage(b.off, "xz block: its contents do not match their checksum")
	}
	return nil
}

// checks reports whether contents match their checksum. Types of check that are unknown match.
func checks(check byte, out, sum []byte) bool {
	switch check {
	case 1:
		return binary.LittleEndian.Uint32(sum) == crc32.ChecksumIEEE(out)
	case 4:
		return binary.LittleEndian.Uint64(sum) == crc64.Checksum(out, crc64Table)
	case 10:
		got := sha256.Sum256(out)
		return bytes.Equal(sum[:len(got)], got[:])
	}
	return true
}
