package xz

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"runtime"

	"crypto/sha256"
)

// maxDict is the largest dictionary of a block that is decoded in order, in bytes. `xz -9` uses 64 MiB.
const maxDict = 256 << 20

// A Serial decodes streams from front to back. Blocks that state their sizes are decoded in parallel, a few of them ahead.
type Serial struct {
	Context context.Context //nolint:containedctx // that of the caller, who may change it between calls
	r       *bufio.Reader
	off     int64 // in the stream
	check   byte
	started bool
	records []record // of the blocks so far, as in the index
	err     error    // after the blocks that are queued

	queue   []*queued // decoding or decoded
	free    []*queued
	rest    []byte // of the first one, not read yet
	ordered *ordered
}

// A queued is a block that is decoded as a whole.
type queued struct {
	worker
	out  []byte
	err  error
	done chan struct{}
}

// A record is an entry of the index.
type record struct{ unpadded, unpacked int64 }

// NewSerial returns a decoder for the streams in r. Offsets in errors count from start.
func NewSerial(ctx context.Context, r io.Reader, start int64) *Serial {
	return &Serial{Context: ctx, r: bufio.NewReaderSize(r, 64<<10), off: start}
}

// Read implements io.Reader.
func (s *Serial) Read(p []byte) (int, error) {
	if err := s.Context.Err(); err != nil {
		return 0, err
	}
	for {
		switch {
		case len(s.rest) > 0:
			n := copy(p, s.rest)
			if s.rest = s.rest[n:]; len(s.rest) == 0 {
				s.free, s.queue = append(s.free, s.queue[0]), s.queue[1:]
			}
			return n, nil
		case len(s.queue) > 0:
			s.fill()
			j := s.queue[0]
			<-j.done
			if j.err != nil {
				s.err, s.queue = j.err, nil
				return 0, s.err
			}
			if s.rest = j.out; len(s.rest) == 0 {
				s.free, s.queue = append(s.free, j), s.queue[1:]
			}
		case s.ordered != nil:
			n, err := s.ordered.read(p)
			if n > 0 {
				return n, nil
			}
			s.ordered = nil
			if err != nil && !errors.Is(err, io.EOF) {
				s.err = err
			}
		case s.err != nil:
			return 0, s.err
		default:
			s.fill()
		}
	}
}

// Close waits for the blocks that are being decoded.
func (s *Serial) Close() {
	for _, j := range s.queue {
		<-j.done
	}
}

// fill reads blocks until enough are queued, or until one comes that has to be decoded in order.
func (s *Serial) fill() {
	for s.err == nil && s.ordered == nil && len(s.queue) <= min(runtime.GOMAXPROCS(0), 16) {
		if err := s.next(); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = damage(s.off, "the xz stream is truncated")
			}
			s.err = err
		}
	}
}

// full fills b from the stream.
func (s *Serial) full(b []byte) error {
	n, err := io.ReadFull(s.r, b)
	s.off += int64(n)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads the next part of the stream: a header, a block, or the index. The error is io.EOF after the last stream.
func (s *Serial) next() error {
	if !s.started {
		return s.begin()
	}
	one, err := s.r.Peek(1)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	if one[0] == 0 {
		return s.index()
	}
	head := make([]byte, 4*(int(one[0])+1))
	at := s.off
	if err := s.full(head); err != nil {
		return err
	}
	if len(s.records) == maxBlocks {
		return damage(at, "the xz stream has more than %d blocks", maxBlocks)
	}
	size, packed, dict, err := blockHeader(head, at, nil, s.check)
	switch {
	case errors.Is(err, ErrSerial) && size == 0:
		return damage(at, "the xz block has other filters than LZMA2, which is not supported")
	case errors.Is(err, ErrSerial):
		s.ordered, err = s.newOrdered(head, at, dict)
		return err
	case err != nil:
		return err
	}
	_, unpacked, _, _ := headerSizes(head)
	b := &block{off: at, unpadded: size + packed + checkSizes[s.check], unpacked: unpacked}
	j := new(queued)
	if n := len(s.free); n > 0 {
		j, s.free = s.free[n-1], s.free[:n-1]
	}
	n := int(b.end() - b.off)
	if cap(j.in) < n {
		j.in = make([]byte, 0, min(n, 8<<20))
	}
	j.in = append(j.in[:0], head...)
	for len(j.in) < n { // in pieces: the stream may be shorter than it says
		k := min(n-len(j.in), max(8<<20, len(j.in)))
		j.in = append(j.in, make([]byte, k)...)
		if err := s.full(j.in[len(j.in)-k:]); err != nil {
			return err
		}
	}
	if int64(cap(j.out)) < unpacked {
		j.out = make([]byte, unpacked)
	}
	j.out, j.err, j.done = j.out[:unpacked], nil, make(chan struct{})
	s.queue = append(s.queue, j)
	s.records = append(s.records, record{b.unpadded, b.unpacked})
	check := s.check
	go func() {
		defer close(j.done)
		in := j.in
		j.open()
		j.in = in
		j.err = j.advance(nil, b, check, j.out, len(j.out), len(j.out))
	}()
	return nil
}

// begin reads the header of a stream, and the padding before it.
func (s *Serial) begin() error {
	for {
		pad, err := s.r.Peek(4)
		if len(pad) == 0 && errors.Is(err, io.EOF) {
			if s.records == nil {
				return io.ErrUnexpectedEOF
			}
			return io.EOF
		}
		if len(pad) < 4 || s.records == nil || string(pad) != "\x00\x00\x00\x00" {
			break
		}
		if err := s.full(make([]byte, 4)); err != nil {
			return err
		}
	}
	var head [headerSize]byte
	at := s.off
	err := s.full(head[:])
	if err != nil {
		return err
	}
	s.check, err = streamHeader(head[:], at)
	s.started, s.records = true, []record{}
	return err
}

// index reads the index and the footer, and compares them with the blocks.
func (s *Serial) index() error {
	want := binary.AppendUvarint([]byte{0}, uint64(len(s.records)))
	for _, r := range s.records {
		want = binary.AppendUvarint(binary.AppendUvarint(want, uint64(r.unpadded)), uint64(r.unpacked))
	}
	for len(want)%4 != 0 {
		want = append(want, 0)
	}
	want = binary.LittleEndian.AppendUint32(want, crc32.ChecksumIEEE(want))
	foot := binary.LittleEndian.AppendUint32(nil, uint32(len(want)/4-1))
	foot = append(foot, 0, s.check)
	want = binary.LittleEndian.AppendUint32(want, crc32.ChecksumIEEE(foot))
	want = append(append(want, foot...), footerMagic...)
	got := make([]byte, len(want))
	at := s.off
	if err := s.full(got); err != nil {
		return err
	}
	if string(got) != string(want) {
		return damage(at, "the index of the xz stream does not list its blocks")
	}
	s.started = false
	return nil
}

// An ordered decodes one block in order, with a window of its dictionary.
type ordered struct {
	s *Serial
	lzma2
	dict       int
	buf        []byte // the dictionary, and what was decoded after it
	given      int    // end of what was read
	in         []byte
	sum        hash.Hash
	start      int64 // offset of the block
	head       int
	unpacked   int64
	sizes      [2]int64 // that the header states
	haveResult bool
}

func (s *Serial) newOrdered(head []byte, at, dict int64) (*ordered, error) {
	if dict > maxDict {
		return nil, damage(at, "the xz block needs a dictionary of %d bytes, and %d are allowed", dict, maxDict)
	}
	o := &ordered{s: s, dict: int(dict), start: at, head: len(head)}
	o.begin()
	o.sizes[0], o.sizes[1], _, _ = headerSizes(head)
	switch s.check {
	case checkCRC32:
		o.sum = crc32.NewIEEE()
	case checkCRC64:
		o.sum = crc64.New(crc64.MakeTable(crc64.ECMA))
	case checkSHA256:
		o.sum = sha256.New()
	}
	return o, nil
}

// read reads contents. It returns no bytes after the end of the block.
func (o *ordered) read(p []byte) (int, error) {
	for o.given == o.at {
		if o.haveResult {
			return 0, io.EOF
		}
		if err := o.step(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.buf[o.given:o.at])
	o.given += n
	return n, nil
}

// step decodes one chunk, or ends the block.
func (o *ordered) step() error {
	start := o.s.off
	var head [6]byte
	if err := o.s.full(head[:1]); err != nil {
		return err
	}
	n := headSize(head[0])
	if n == 1 {
		return o.end()
	}
	if err := o.s.full(head[1:n]); err != nil {
		return err
	}
	if err := o.enter(head[:n]); err != nil {
		return damage(start, "xz block: %v", err)
	}
	unpacked, packed := sizes(head[:n])
	o.room(unpacked)
	if cap(o.in) < packed {
		o.in = make([]byte, 64<<10)
	}
	in := o.in[:packed]
	if err := o.s.full(in); err != nil {
		return err
	}
	from := o.at
	if err := o.contents(o.buf[:from+unpacked], head[0], in); err != nil {
		return damage(start, "xz block: %v", err)
	}
	if o.sum != nil {
		o.sum.Write(o.buf[from:o.at])
	}
	o.unpacked += int64(unpacked)
	return nil
}

// room makes room for n more bytes, and keeps the dictionary before them. What was decoded has been read.
func (o *ordered) room(n int) {
	const slack = 4 << 20
	if o.at+n <= len(o.buf) {
		return
	}
	if len(o.buf) < o.dict+slack {
		buf := make([]byte, min(o.dict+slack, max(2*len(o.buf), o.at+n, 1<<20)))
		copy(buf, o.buf[:o.at])
		o.buf = buf
		if o.at+n <= len(o.buf) {
			return
		}
	}
	shift := o.at - o.dict
	copy(o.buf, o.buf[shift:o.at])
	o.at, o.given, o.lzma2.dict = o.at-shift, o.given-shift, o.lzma2.dict-shift
}

// end reads what follows the last chunk, and compares it with what was decoded.
func (o *ordered) end() error {
	packed := o.s.off - o.start - int64(o.head)
	if o.sizes[0] >= 0 && o.sizes[0] != packed || o.sizes[1] >= 0 && o.sizes[1] != o.unpacked {
		return damage(o.start, "the xz block has other sizes than its header states")
	}
	pad := make([]byte, -(int64(o.head)+packed)&3+checkSizes[o.s.check])
	at := o.s.off
	if err := o.s.full(pad); err != nil {
		return err
	}
	sum := pad[int64(len(pad))-checkSizes[o.s.check]:]
	for _, b := range pad[:len(pad)-len(sum)] {
		if b != 0 {
			return damage(at, "xz block: its padding is not zero")
		}
	}
	if o.sum != nil {
		want := o.sum.Sum(nil)
		if o.s.check != checkSHA256 { // crc32 and crc64 are stored in little-endian order
			for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
				want[i], want[j] = want[j], want[i]
			}
		}
		if string(want) != string(sum) {
			return damage(o.start, "xz block: its contents do not match their checksum")
		}
	}
	o.s.records = append(o.s.records, record{int64(o.head) + packed + int64(len(sum)), o.unpacked})
	o.haveResult = true
	return nil
}
