package btf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A kernel as it boots has no section headers any more that would say where its BTF is. The BTF is still there, as one run of bytes.

// magicLen is the number of bytes that indexHeader looks for.
const magicLen = 3

// mostCandidates is the number of places that may look like BTF. Of real kernels, there is one.
const mostCandidates = 64

// Find returns the largest BTF that data contains, and its offset. The BTF is not split, and has valid records, references and names. Anything
// may precede and follow it. If there is none, the error is ErrNone, or says what is wrong with what looks like it.
func Find(data []byte) (found []byte, off int, err error) {
	found, at, _, err := FindIn(bytes.NewReader(data), len(data))
	if err != nil {
		return nil, 0, err
	}
	end := int(at) + len(found)
	return data[at:end:end], int(at), nil
}

// FindIn is Find for what r reads, up to its end. n is the number of bytes that were read. Of these, it holds no more than the BTF and as much as looks
// like it, of which the header states the length. What would have more than most bytes is not taken for BTF.
func FindIn(r io.Reader, most int) (found []byte, off, n int64, err error) {
	f := searcher{r: r}
	err = ErrNone
	for candidates := 0; ; {
		data := f.want(magicLen)
		i := indexHeader(data)
		if i < 0 && f.err != nil {
			break
		}
		if i < 0 {
			f.pos = len(f.buf) - magicLen + 1 // the next bytes may continue it
			continue
		}
		f.pos += i
		one, ok := f.extent(most)
		if !ok {
			f.pos++
			continue
		}
		if candidates++; candidates > mostCandidates {
			return nil, 0, f.end(), fmt.Errorf("more than %d places look like BTF", mostCandidates)
		}
		at := f.base + int64(f.pos)
		bad := check(one)
		switch {
		case bad != nil && len(found) == 0:
			err = fmt.Errorf("what looks like BTF at %#x: %w", at, bad)
			fallthrough
		case bad != nil:
			f.pos++
			continue
		case len(one) > len(found):
			found, off, err = one, at, nil
			f.leave(len(one))
			continue
		}
		f.pos += len(one)
	}
	if !errors.Is(f.err, io.EOF) {
		return nil, 0, f.end(), f.err
	}
	return found, off, f.end(), err
}

// A searcher has the bytes of a reader that are searched.
type searcher struct {
	r    io.Reader
	buf  []byte
	pos  int   // what comes before it is not needed any more
	base int64 // offset of buf in what is read
	err  error // of the reader
}

// findWindow is how many bytes are searched at a time.
const findWindow = 256 << 10

// want returns the bytes from pos on: at least n, or all that are left. They are valid until the next call.
func (f *searcher) want(n int) []byte {
	for len(f.buf)-f.pos < n && f.err == nil {
		f.read(n)
	}
	return f.buf[f.pos:]
}

// read reads more bytes, of which n are needed from pos on. It moves no more bytes than were passed, so that it does not matter how often something looks
// like long BTF.
func (f *searcher) read(n int) {
	switch {
	case len(f.buf) < cap(f.buf):
	case f.pos > 0 && f.pos >= len(f.buf)/2:
		left := copy(f.buf, f.buf[f.pos:])
		f.base, f.buf, f.pos = f.base+int64(f.pos), f.buf[:left], 0
	default:
		larger := make([]byte, len(f.buf), max(findWindow, f.pos+n, 2*len(f.buf))) // what is not written to takes no room
		copy(larger, f.buf)
		f.buf = larger
	}
	to := min(cap(f.buf), max(f.pos+n, len(f.buf)+findWindow))
	n, f.err = f.r.Read(f.buf[len(f.buf):to])
	f.buf = f.buf[:len(f.buf)+n]
}

// leave passes n bytes, which stay as they are.
func (f *searcher) leave(n int) {
	f.pos += n
	f.base, f.buf, f.pos = f.base+int64(f.pos), bytes.Clone(f.buf[f.pos:]), 0
}

// end returns the offset after the last byte that was read.
func (f *searcher) end() int64 { return f.base + int64(len(f.buf)) }

// extent returns the bytes from pos on that the header there describes. ok is false if they are too many, end early, have no types, or are split.
func (f *searcher) extent(most int) (one []byte, ok bool) {
	head := f.want(LongHeaderLen)
	size := uint64(most)
	if f.err != nil {
		size = min(size, uint64(len(head)))
	}
	h, _, err := parseHeaderOf(head, size)
	if err != nil || h.typeLen == 0 || h.strLen == 0 {
		return nil, false
	}
	end := int(h.hdrLen) + int(h.strOff) + int(h.strLen)
	data := f.want(end)
	if len(data) < end {
		return nil, false
	}
	return data[:end:end], data[int(h.hdrLen)+int(h.strOff)] == 0
}

// ErrNone is the error of data without BTF.
var ErrNone = errors.New("there is no BTF")

// indexHeader returns the offset of the first bytes that the header of BTF begins with, in either byte order, or -1. Both have the same byte, which
// is rare in code.
func indexHeader(data []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(data[at:], 0xeb)
		if i < 0 {
			return -1
		}
		switch at += i; {
		case at > 0 && data[at-1] == 0x9f && bytes.HasPrefix(data[at+1:], []byte{Version}):
			return at - 1
		case bytes.HasPrefix(data[at+1:], []byte{0x9f, Version}):
			return at
		}
	}
}

// check reports what is wrong with BTF.
func check(data []byte) error {
	o, err := View(data)
	if err != nil {
		return err
	}
	return o.CheckReferences()
}
