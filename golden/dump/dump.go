// Package dump prints BTF as text: the raw, JSON and C formats of `bpftool btf dump`, byte for byte as bpftool 7.8 prints
// them. Each format has its file: raw.go, json.go and c.go.
//
// Input: a BTF object (btf.Object). Output: text. Raw and JSON print everything in the BTF object, including invalid name offsets and
// unknown kinds. C returns an error for types that it cannot express. Never: the package does not check types, and does not read dumps (package
// golden does).
package dump

import (
	"io"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// anon and invalid replace an absent name, and a name with an offset out of range.
const (
	anon    = "(anon)"
	invalid = "(invalid)"
)

// flushAt is the number of bytes that are buffered before a write.
const flushAt = 256 << 10

// appendName appends the text for a string offset.
func appendName(dst []byte, o *btf.Object, off uint32) []byte {
	if off == 0 {
		return append(dst, anon...)
	}
	name, ok := o.Strings.Get(off)
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
