package deb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"runtime"
)

// The problem: decompression is slow, and most of the archive is not wanted.
//
// The idea: Debian compresses with several threads. In such an xz stream, each block states its compressed and its uncompressed size in its
// header. So the blocks can be found by going from header to header, which reads a few bytes of each. They are decoded independently: in
// parallel, and only if they are read. The index at the end of the stream repeats the sizes. It is compared with the headers before anything
// is decoded.
//
// Streams whose blocks do not state their sizes, or use other filters than LZMA2, are decoded from front to back by a library.

const (
	xzMagic     = "\xfd7zXZ\x00"
	xzFooter    = "YZ"
	xzHeader    = 12       // size of the header of a stream, and of its footer, in bytes
	maxBlock    = 64 << 20 // larger blocks are not decoded as a whole; those of Debian have 24 MiB
	maxBlocks   = 1 << 20
	filterLZMA2 = 0x21
)

// A block is one xz block.
type block struct {
	off      int64 // offset of its compressed data in the package
	packed   int64 // bytes of compressed data
	unpacked int64
	at       int64 // offset of its contents in the uncompressed stream
}

// blocks are the blocks of a stream.
type blocks struct {
	list  []block
	check byte
	size  int64 // of the uncompressed stream
}

// checkSizes has the size of each type of check, in bytes.
var checkSizes = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

// errSerial says that the blocks cannot be decoded independently.
var errSerial = errors.New("blocks without sizes")

// damage returns an error at an offset of the package.
func damage(off int64, format string, args ...any) error {
	return &FormatError{Offset: off, Problem: fmt.Sprintf(format, args...)}
}

// readBlocks finds the blocks of the xz stream at [off, off+size) of a package. The error is errSerial if they do not state their sizes.
func readBlocks(r io.ReaderAt, off, size int64) (*blocks, error) {
	end := off + size
	var head [xzHeader]byte
	if err := readFull(r, head[:], off, end); err != nil {
		return nil, err
	}
	if string(head[:6]) != xzMagic || head[6] != 0 || head[7] > 15 || crc32.ChecksumIEEE(head[6:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, damage(off, "the header of the xz stream is damaged")
	}
	b := &blocks{check: head[7]}
	var index []byte // the expected index
	count := uint64(0)
	at := off + xzHeader
	for {
		var one [1]byte
		if err := readFull(r, one[:], at, end); err != nil {
			return nil, err
		}
		if one[0] == 0 {
			break
		}
		if count++; count > maxBlocks {
			return nil, damage(at, "the xz stream has more than %d blocks", maxBlocks)
		}
		next, unpadded, err := b.header(r, at, end, 4*(int64(one[0])+1))
		if err != nil {
			return nil, err
		}
		index = binary.AppendUvarint(index, uint64(unpadded))
		index = binary.AppendUvarint(index, uint64(b.list[len(b.list)-1].unpacked))
		at = next
	}
	index = append(binary.AppendUvarint([]byte{0}, count), index...)
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	got := make([]byte, len(index)+xzHeader)
	if err := readFull(r, got, at, end); err != nil {
		return nil, err
	}
	footer := got[len(index):]
	switch {
	case !bytes.Equal(got[:len(index)], index):
		return nil, damage(at, "the xz index does not list the blocks of the stream")
	case string(footer[10:]) != xzFooter, crc32.ChecksumIEEE(footer[4:10]) != binary.LittleEndian.Uint32(footer),
		footer[8] != head[6], footer[9] != head[7],
		4*(int64(binary.LittleEndian.Uint32(footer[4:]))+1) != int64(len(index)):
		return nil, damage(at+int64(len(index)), "the footer of the xz stream is damaged")
	}
	if at+int64(len(got)) != end {
		return nil, errSerial // another stream or padding follows
	}
	return b, nil
}

// header reads the header of the block at off, which has size bytes, and adds the block. next is the end of the block, and unpadded its size
// without padding.
func (b *blocks) header(r io.ReaderAt, off, end, size int64) (next, unpadded int64, err error) {
	head := make([]byte, size)
	if err := readFull(r, head, off, end); err != nil {
		return 0, 0, err
	}
	body := head[:size-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(head[size-4:]) {
		return 0, 0, damage(off, "the header of an xz block is damaged")
	}
	if body[1] != 0xc0 { // both sizes, one filter
		return 0, 0, errSerial
	}
	packed, n := binary.Uvarint(body[2:])
	unpacked, m := binary.Uvarint(body[2+max(n, 0):])
	filter := body[2+max(n, 0)+max(m, 0):]
	switch {
	case n <= 0 || m <= 0 || len(filter) < 3 || packed == 0:
		return 0, 0, damage(off, "the header of an xz block is damaged")
	case filter[0] != filterLZMA2 || filter[1] != 1 || unpacked > maxBlock || packed > unpacked+unpacked>>10+1024: // LZMA2 never adds that much
		return 0, 0, errSerial
	}
	start := off + size
	check := checkSizes[b.check]
	if packed > uint64(end-start) {
		return 0, 0, damage(off, "an xz block of %d bytes is longer than the stream, which is truncated or damaged", packed)
	}
	unpadded = size + int64(packed) + check
	b.list = append(b.list, block{start, int64(packed), int64(unpacked), b.size})
	b.size += int64(unpacked)
	return start + (int64(packed)+3)&^3 + check, unpadded, nil
}

// readFull fills b with the bytes at off. It is an error if they reach past end.
func readFull(r io.ReaderAt, b []byte, off, end int64) error {
	if int64(len(b)) > end-off {
		return damage(end, "the data is truncated")
	}
	if n, err := r.ReadAt(b, off); n < len(b) {
		if errors.Is(err, io.EOF) {
			return damage(off+int64(n), "the package is truncated")
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

// block decodes a block to out, and verifies its check.
func (w *worker) block(r io.ReaderAt, b block, check byte, out []byte) error {
	padded := (b.packed + 3) &^ 3
	n := padded + checkSizes[check]
	if int64(cap(w.in)) < n {
		w.in = make([]byte, n)
	}
	in := w.in[:n]
	if err := readFull(r, in, b.off, b.off+n); err != nil {
		return err
	}
	if err := w.decode(out, in[:b.packed]); err != nil {
		return damage(b.off, "xz block: %v", err)
	}
	if len(bytes.Trim(in[b.packed:padded], "\x00")) > 0 {
		return damage(b.off+b.packed, "xz block: its padding is not zero")
	}
	sum, ok := in[padded:], true
	switch check {
	case 1:
		ok = binary.LittleEndian.Uint32(sum) == crc32.ChecksumIEEE(out)
	case 4:
		ok = binary.LittleEndian.Uint64(sum) == crc64.Checksum(out, crc64Table)
	case 10:
		got := sha256.Sum256(out)
		ok = bytes.Equal(sum, got[:])
	}
	if !ok {
		return damage(b.off, "xz block: its contents do not match their checksum")
	}
	return nil
}

// A blockReader reads the contents of a stream. It decodes the current block and the following ones in parallel. Seek costs nothing, because
// skipped blocks are not decoded.
type blockReader struct {
	ctx    context.Context //nolint:containedctx // of the call that reads the stream
	r      io.ReaderAt
	blocks *blocks
	pos    int64
	jobs   map[int]*job // by number of the block: the current one and the following ones
	free   []*job
	ahead  int // number of blocks that are decoded ahead
}

// A job is the decoding of one block, running or done.
type job struct {
	worker
	out  []byte
	err  error
	done chan struct{}
}

func newBlockReader(ctx context.Context, r io.ReaderAt, b *blocks) *blockReader {
	return &blockReader{ctx: ctx, r: r, blocks: b, jobs: map[int]*job{}, ahead: min(runtime.GOMAXPROCS(0), 16)}
}

// Seek implements io.Seeker. The position may be after the end.
func (b *blockReader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += b.pos
	case io.SeekEnd:
		off += b.blocks.size
	}
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	b.pos = off
	return off, nil
}

// Read implements io.Reader.
func (b *blockReader) Read(p []byte) (int, error) {
	if b.pos >= b.blocks.size {
		return 0, io.EOF
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	i := b.find(b.pos)
	j := b.need(i)
	<-j.done
	if j.err != nil {
		return 0, j.err
	}
	n := copy(p, j.out[b.pos-b.blocks.list[i].at:])
	b.pos += int64(n)
	return n, nil
}

// find returns the number of the block that contains a position.
func (b *blockReader) find(pos int64) int {
	lo, hi := 0, len(b.blocks.list) // searches for the last block that begins at pos or before it
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; b.blocks.list[mid].at <= pos {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// need returns the job of a block. It also starts the jobs of the blocks ahead, and frees the jobs of other blocks.
func (b *blockReader) need(i int) *job {
	if j := b.jobs[i]; j != nil && b.jobs[min(i+b.ahead, len(b.blocks.list)-1)] != nil {
		return j
	}
	for k, j := range b.jobs {
		if k < i || k > i+b.ahead {
			<-j.done
			b.free = append(b.free, j)
			delete(b.jobs, k)
		}
	}
	for k := i; k <= min(i+b.ahead, len(b.blocks.list)-1); k++ {
		if b.jobs[k] == nil {
			b.start(k)
		}
	}
	return b.jobs[i]
}

func (b *blockReader) start(i int) {
	j := new(job)
	if n := len(b.free); n > 0 {
		j, b.free = b.free[n-1], b.free[:n-1]
	}
	one := b.blocks.list[i]
	if int64(cap(j.out)) < one.unpacked {
		j.out = make([]byte, one.unpacked)
	}
	j.out, j.err, j.done = j.out[:one.unpacked], nil, make(chan struct{})
	b.jobs[i] = j
	go func() {
		defer close(j.done)
		j.err = j.block(b.r, one, b.blocks.check, j.out)
	}()
}

// wait waits for the blocks that are being decoded.
func (b *blockReader) wait() {
	for _, j := range b.jobs {
		<-j.done
	}
}
