package btf

import (
	"bytes"
	"errors"
	"fmt"
)

// A kernel as it boots has no section headers any more that would say where its BTF is. The BTF is still there, as one run of bytes.

// mostCandidates is the number of places that may look like BTF. Of real kernels, there is one.
const mostCandidates = 64

// Find returns the largest BTF that data contains, and its offset. The BTF is not split, and has valid records, references and names. Anything
// may precede and follow it. If there is none, the error is ErrNone, or says what is wrong with what looks like it.
func Find(data []byte) (found []byte, off int, err error) {
	err = ErrNone
	candidates := 0
	for at := 0; at < len(data); {
		i := indexHeader(data[at:])
		if i < 0 {
			break
		}
		at += i
		one, ok := extent(data[at:])
		if !ok {
			at++
			continue
		}
		if candidates++; candidates > mostCandidates {
			return nil, 0, fmt.Errorf("more than %d places look like BTF", mostCandidates)
		}
		bad := check(one)
		switch {
		case bad != nil && len(found) == 0:
			err = fmt.Errorf("what looks like BTF at %#x: %w", at, bad)
			fallthrough
		case bad != nil:
			at++
			continue
		case len(one) > len(found):
			found, off, err = one, at, nil
		}
		at += len(one)
	}
	return found, off, err
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

// extent returns the part of data that its header describes. ok is false if that has no types, or is split.
func extent(data []byte) (one []byte, ok bool) {
	h, _, err := parseHeader(data)
	if err != nil || h.typeLen == 0 || h.strLen == 0 {
		return nil, false
	}
	end := int(h.hdrLen) + int(h.strOff) + int(h.strLen)
	return data[:end:end], data[int(h.hdrLen)+int(h.strOff)] == 0
}

// check reports what is wrong with BTF.
func check(data []byte) error {
	o, err := View(data)
	if err != nil {
		return err
	}
	return o.CheckReferences()
}
