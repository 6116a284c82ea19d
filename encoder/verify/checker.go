package verify

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

const (
	magic         = 0xeb9f
	recordSize    = 12
	entrySize     = 4        // of the layout section
	maxLoad       = 16 << 20 // the largest blob that BPF_BTF_LOAD accepts, in bytes
	maxStrings    = 0x1000000
	maxNameOffset = 0xffffff
	maxID         = 0xfffff // the highest id that the kernel allows as a reference
	maxTypes      = 0xfffff // types that the kernel keeps, including void; later ones are parsed and dropped
	maxDepth      = 32
	maxChain      = 32
	maxBits       = 128 // of an integer or bit field
	textPiece     = 1023
)

// A checker holds the state of the check of one blob.
type checker struct {
	gen     *generation
	kernel  Kernel
	path    Path
	ptrSize uint32
	big     bool
	blob    []byte

	// Set by header.
	strs     names // strings of the blob itself
	types    []byte
	typesAt  uint32 // offset of types in the blob
	baseStrs *names // strings of the base, nil without one
	strStart uint32 // offset of the blob's first own string: the length of the base's strings
	firstID  uint32

	under *checker // checker of the base, set only if a check looks at the base

	// Set by meta.
	recs []uint32 // offset in types, by id - firstID, except for types that the kernel drops
	last record   // the last type, dropped or not
}

func newChecker(blob []byte, opt Options) *checker {
	c := &checker{
		gen: opt.Kernel.generation(), kernel: opt.Kernel.known(), path: opt.Path,
		ptrSize: uint32(opt.PtrSize), blob: blob, firstID: 1,
	}
	if c.ptrSize == 0 {
		c.ptrSize = 8
	}
	switch {
	case opt.Order != nil:
		c.big = opt.Order.Uint16([]byte{1, 0}) != 1
	case !paths[opt.Path].user:
		c.big = len(blob) >= 2 && binary.BigEndian.Uint16(blob) == magic
	}
	return c
}

// order reads four bytes as a number in the given byte order.
func order(b []byte, big bool) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

// word reads four bytes of the type section.
func (c *checker) word(at uint32) uint32 { return order(c.types[at:], c.big) }

// A record is the decoded common part of a type.
type record struct {
	id, at uint32 // at is the offset in the type section
	name   uint32
	third  uint32 // size, type id or nothing, by kind
	vlen   uint32
	kind   btf.Kind
	kflag  bool
}

// body returns the offset of the part after the record.
func (r *record) body() uint32 { return r.at + recordSize }

// read decodes the record at an offset. The caller has checked that its twelve bytes exist.
func (c *checker) read(id, at uint32) record {
	info := c.word(at + 4)
	return record{
		id: id, at: at, name: c.word(at), third: c.word(at + 8),
		vlen: info & c.gen.vlens, kind: btf.Kind(info >> 24 & c.gen.kinds), kflag: info>>31 != 0,
	}
}

// exists reports whether an id is void or a type of the blob or its base.
func (c *checker) exists(id uint32) bool { return id < c.firstID+uint32(len(c.recs)) }

// rec returns a type of the blob itself. For void and types of the base it returns a record of kind void.
func (c *checker) rec(id uint32) record {
	if id < c.firstID {
		return record{}
	}
	return c.read(id, c.recs[id-c.firstID])
}

// kindOf is a faster rec(id).kind.
func (c *checker) kindOf(id uint32) btf.Kind {
	if id < c.firstID {
		return btf.KindVoid
	}
	return btf.Kind(c.word(c.recs[id-c.firstID]+4) >> 24 & c.gen.kinds)
}

// A child is a member, an enumerator, a parameter or a section entry: up to three words.
type child struct{ at, a, b, c uint32 }

// child returns the i-th child of r. The caller has checked that r's body is complete.
func (c *checker) child(r *record, i uint32) child {
	words := uint32(btf.ShapeOf(r.kind).Each)
	at := r.body() + 4*words*i
	ch := child{at: at, a: c.word(at), b: c.word(at + 4)}
	if words == 3 {
		ch.c = c.word(at + 8)
	}
	return ch
}

// inStrings reports whether a name offset is valid.
func (c *checker) inStrings(off uint32) bool {
	return off <= maxNameOffset && off < c.strStart+uint32(len(c.strs.strs))
}

// strings returns the string table that an offset belongs to, and the offset in that table.
func (c *checker) strings(off uint32) (*names, uint32) {
	if off < c.strStart {
		return c.baseStrs, off
	}
	return &c.strs, off - c.strStart
}

// text returns the string at a valid offset, cut to the length at which the kernel's log cuts it.
func (c *checker) text(off uint32) string { return string(c.bytes(off)) }

// bytes is text without a copy.
func (c *checker) bytes(off uint32) []byte {
	n, at := c.strings(off)
	b := n.strs[at:min(uint64(at)+textPiece, uint64(len(n.strs)))]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// empty reports whether the string at a valid offset is empty.
func (c *checker) empty(off uint32) bool {
	n, at := c.strings(off)
	return n.strs[at] == 0
}

// named reports whether a non-empty name of the class is at a valid offset.
func (c *checker) named(cl class, off uint32) bool {
	n, at := c.strings(off)
	return n.valid(cl, at, c.gen.identifier)
}

// anonymousOr reports whether there is no name, or the name is an identifier.
func (c *checker) anonymousOr(off uint32) bool { return off == 0 || c.named(identifierBytes, off) }
