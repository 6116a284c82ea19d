// Package dump prints BTF as text: the raw, JSON and C formats of `bpftool btf dump`, byte for byte as bpftool 7.8 prints
// them. Each format has its file: raw.go, json.go and c.go.
//
// Input: a BTF object (btf.Object). Output: text. Raw and JSON print everything in the BTF object, including invalid name offsets and
// unknown kinds. C returns an error for types that it cannot express. Never: the package does not check types, and does not read dumps (package
// golden does).
package dump

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"slices"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// anon and invalid replace an absent name, and a name with an offset out of range.
const (
	anon    = "(anon)"
	invalid = "(invalid)"
)

// flushAt is the number of bytes that are buffered before a write. A buffer of this size stays in the cache.
const flushAt = 64 << 10

// names turns string offsets of an object into text.
type names struct {
	strings *btf.Strings
	own     []byte // the strings of the object itself, and the offset of the first
	start   uint32
}

func newNames(o *btf.Object) names { return names{o.Strings, o.Strings.Bytes(), o.Strings.Start()} }

// append appends the text for a string offset.
func (n *names) append(dst []byte, off uint32) []byte {
	if off == 0 {
		return append(dst, anon...)
	}
	if at := off - n.start; at < uint32(len(n.own)) { // an offset before start is a large number
		return appendText(dst, n.own, at)
	}
	name, ok := n.strings.Get(off)
	if !ok {
		return append(dst, invalid...)
	}
	return append(dst, name...)
}

// linkage returns the text for the linkage of a FUNC or a VAR.
func linkage(l uint32) string {
	switch l {
	case btf.LinkageStatic:
		return "static"
	case btf.LinkageGlobal:
		return "global"
	case btf.LinkageExtern:
		return "extern"
	}
	return "(unknown)"
}

// enumEncoding returns the text for the kind flag of an ENUM or ENUM64.
func enumEncoding(signed bool) string {
	if signed {
		return "SIGNED"
	}
	return "UNSIGNED"
}

// fwdKind returns the text for the kind flag of a FWD.
func fwdKind(union bool) string {
	if union {
		return "union"
	}
	return "struct"
}

// kindName returns the name of a kind in a dump.
func kindName(k btf.Kind) string {
	if k >= btf.NumKinds {
		return btf.KindVoid.String()
	}
	return k.String()
}

// write prints the object's own types one after another through a buffer.
func write(w io.Writer, o *btf.Object, appendType func(dst []byte, id btf.ID, r btf.Record) []byte) error {
	buf := make([]byte, 0, flushAt+flushAt/4)
	for id := o.First(); id < o.End(); id++ {
		buf = appendType(buf, id, o.At(id))
		if len(buf) >= flushAt {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(buf)
	return err
}

// appendUint appends a number in decimal. Numbers are a third of a dump, and strconv.AppendUint takes twice as long: here a number of up to
// eight digits is computed in one word, in parallel and without a branch. Each step divides all fields of the word into two, first by
// 10000, then by 100 and by 10; the multiplications by 10486 and 103 divide small numbers exactly.
func appendUint(dst []byte, v uint32) []byte {
	if v < 10 {
		return append(dst, byte('0'+v))
	}
	if v >= 100_000_000 {
		return strconv.AppendUint(dst, uint64(v), 10)
	}
	x := uint64(v/10_000) | uint64(v%10_000)<<32
	high := x * 10486 >> 20 & 0x0000007f_0000007f
	x = high | (x-100*high)<<16
	high = x * 103 >> 10 & 0x000f000f_000f000f
	x = high | (x-10*high)<<8 // a digit in each byte, the first one in the lowest
	zeros := bits.TrailingZeros64(x|1<<56) &^ 7
	x = (x | 0x3030303030303030) >> zeros
	end := len(dst) + 8 - zeros/8
	return binary.LittleEndian.AppendUint64(dst, x)[:end]
}

// appendText appends the string that starts at text[off], without its NUL. Names are short: copying them by words is faster than looking
// for the end first.
func appendText(dst, text []byte, off uint32) []byte {
	if int(off) >= len(text) {
		return dst
	}
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := len(dst)
	for src := text[off:]; ; src = src[8:] {
		if cap(dst)-n < 8 {
			dst = slices.Grow(dst[:n], 64)
		}
		if len(src) < 8 {
			return append(dst[:n], src[:max(bytes.IndexByte(src, 0), 0)]...)
		}
		v := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst[n:n+8], v)
		if ends := (v - ones) &^ v & tops; ends != 0 { // the lowest bit is in the first byte that is 0
			return dst[:n+bits.TrailingZeros64(ends)/8]
		}
		n += 8
	}
}
