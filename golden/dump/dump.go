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

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// anon and invalid replace an absent name, and a name with an offset out of range.
const (
	anon    = "(anon)"
	invalid = "(invalid)"
)

// flushAt is the number of bytes that are buffered before a write.
const flushAt = 256 << 10

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

// digits holds the numbers from 00 to 99.
const digits = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

// appendUint appends a number in decimal. It is faster than strconv.AppendUint, and numbers are a third of a dump.
func appendUint(dst []byte, v uint32) []byte {
	if v < 10 {
		return append(dst, byte('0'+v))
	}
	var b [10]byte
	i := len(b)
	for v >= 100 {
		i -= 2
		pair := v % 100 * 2
		v /= 100
		b[i], b[i+1] = digits[pair], digits[pair+1]
	}
	if v >= 10 {
		i -= 2
		b[i], b[i+1] = digits[2*v], digits[2*v+1]
	} else {
		i--
		b[i] = byte('0' + v)
	}
	return append(dst, b[i:]...)
}

// appendText appends the string that starts at text[off], without its NUL. Names are short: copying them by words is faster than looking
// for the end first.
func appendText(dst, text []byte, off uint32) []byte {
	if int(off) >= len(text) {
		return dst
	}
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	src := text[off:]
	for len(src) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		dst = binary.LittleEndian.AppendUint64(dst, v)
		if ends := (v - ones) &^ v & tops; ends != 0 { // the lowest bit is in the first byte that is 0
			return dst[:len(dst)-8+bits.TrailingZeros64(ends)/8]
		}
		src = src[8:]
	}
	return append(dst, src[:max(bytes.IndexByte(src, 0), 0)]...)
}
