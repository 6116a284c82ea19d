package xz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"
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

// A worker decodes blocks one after another, each as far as it is needed, and reuses its memory.
//
// The checksum of a block can be compared only when all of it is decoded. Of a block that is decoded in part, each chunk is checked by its own
// end: the range decoder must have used all of its bytes, and must be left with the value 0. After a changed bit, the bits that follow are decoded
// differently, so a damaged chunk ends that way only by chance, once in 2^24 times or less. Stored chunks have no such end. A block that has one
// is decoded and checked as a whole.
type worker struct {
	lzma2
	in           []byte // what was read of the block and not decoded yet, and some bytes before that
	from         int    // offset of in in the block
	head, packed int    // sizes of its header, and of the data after it; 0 before the header was read
	next         int    // offset in the block of the next chunk
	whole        bool   // the block is decoded to its end
	sum          uint64 // CRC-64 of the first bytes of its contents, if that is its check
	summed       int    // number of these bytes
}

// Blocks of a file are read in small steps, in bytes: what was read is still in the cache of the processor when it is decoded. Of other blocks, the
// steps are larger than what is fetched ahead of small reads over http.
const (
	fileStep  = 256 << 10
	leastRead = 64 << 10
	readStep  = 320 << 10
)

// open starts with another block.
func (w *worker) open() {
	w.in, w.from, w.head, w.packed, w.next, w.whole, w.sum, w.summed = w.in[:0], 0, 0, 0, 0, false, 0, 0
	w.begin()
}

// advance decodes the block until out has at least upto bytes. want is how many will be needed. It reads what it needs of the block from r. At the
// end of the block, it compares the check.
func (w *worker) advance(r io.ReaderAt, b *block, check byte, out []byte, upto, want int) error {
	w.whole = w.whole || upto == len(out)
	if w.head == 0 {
		if err := w.header(r, b, check, want); err != nil {
			return err
		}
	}
	end := w.head + w.packed
	for w.whole || w.at < upto {
		in := w.in[w.next-w.from : max(w.next-w.from, min(end-w.from, len(w.in)))]
		n, err := w.step(out, in)
		switch {
		case n == 0 && err == nil && w.from+len(w.in) < end:
			if err := w.more(r, b, want); err != nil {
				return err
			}
			continue
		case n == 0 && err == nil:
			err = errShort
		case err == nil && in[0] == 0 && (len(in) != 1 || w.at != len(out)):
			err = errChunk
		case err == nil && in[0] == 0:
			return w.verify(r, b, check, out)
		}
		if err != nil {
			return damage(b.off+int64(w.next), "xz block: %v", err)
		}
		w.whole = w.whole || stored(in[0]) || w.at == len(out)
		w.next += n
		if n := w.at - w.summed; check == checkCRC64 && want == len(out) && n >= crcStripes*crcStripe { // while it is in the cache
			end := w.summed + n&^(crcStripes*crcStripe-1)
			w.sum, w.summed = crcUpdate(w.sum, out[w.summed:end]), end
		}
	}
	return nil
}

// header reads the header of the block.
func (w *worker) header(r io.ReaderAt, b *block, check byte, want int) error {
	if len(w.in) == 0 {
		if err := w.more(r, b, want); err != nil {
			return err
		}
	}
	head, packed, _, err := blockHeader(w.in, b.off, b, check)
	if errors.Is(err, ErrSerial) {
		err = damage(b.off, "the xz block has other filters than the first one")
	}
	w.head, w.packed, w.next = int(head), int(packed), int(head)
	return err
}

// more reads more of the block, in place of what was decoded.
func (w *worker) more(r io.ReaderAt, b *block, want int) error {
	w.in = w.in[:copy(w.in, w.in[w.next-w.from:])]
	w.from = w.next
	at := w.from + len(w.in) // offset in the block of what comes next
	step := int(b.end()-b.off) - at
	if _, local := r.(*os.File); local {
		step = min(step, fileStep)
	} else if !w.whole && int64(want) < b.unpacked {
		if at == 0 { // half of what is plausible
			step = min(step, max(leastRead, int((b.end()-b.off)*int64(want)/b.unpacked/2)))
		} else {
			step = min(step, readStep)
		}
	}
	have := len(w.in)
	w.in = slices.Grow(w.in, step)[:have+step]
	if err := readFull(r, w.in[have:], b.off+int64(at), b.end()); err != nil {
		w.in = w.in[:have]
		return err
	}
	return nil
}

// verify compares what follows the data of the block with its contents.
func (w *worker) verify(r io.ReaderAt, b *block, check byte, out []byte) error {
	w.next = w.head + w.packed
	for int64(w.from+len(w.in)) < b.end()-b.off {
		if err := w.more(r, b, len(out)); err != nil {
			return err
		}
	}
	padded := (w.next + 3) &^ 3
	if len(bytes.Trim(w.in[w.next-w.from:padded-w.from], "\x00")) > 0 {
		return damage(b.off+int64(w.next), "xz block: its padding is not zero")
	}
	if !w.checks(check, out, w.in[padded-w.from:]) {
		return damage(b.off, "xz block: its contents do not match their checksum")
	}
	return nil
}

// Types of check.
const (
	checkCRC32  = 1
	checkCRC64  = 4
	checkSHA256 = 10
)

// checks reports whether contents match their checksum. Types of check that are unknown match.
func (w *worker) checks(check byte, out, sum []byte) bool {
	switch check {
	case checkCRC32:
		return binary.LittleEndian.Uint32(sum) == crc32.ChecksumIEEE(out)
	case checkCRC64:
		return binary.LittleEndian.Uint64(sum) == crcUpdate(w.sum, out[w.summed:])
	case checkSHA256:
		got := sha256.Sum256(out)
		return bytes.Equal(sum[:len(got)], got[:])
	}
	return true
}
