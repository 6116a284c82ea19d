package dwarf

import (
	"encoding/binary"
	"math/bits"
)

// A Link is a DIE that stands for another type and has nothing else that matters: a pointer, a qualified type or a typedef. A third of the DIEs
// of types are links, and they often follow each other.
type Link struct {
	Ref  uint32 // position of the type that it refers to, which is not void
	Name StrKey // 0 unless it is a typedef
	Tag  Tag
}

// isLink reports whether DIEs with an abbreviation that have a type, and perhaps a size and a name, are links. Only pointers may have a size, which
// is that of an address. Only typedefs have a name, and all of them do.
func isLink(a *Abbrev) bool {
	has := a.Has & (bit(SlotSize) | bit(SlotName))
	switch a.Tag {
	case TagPointerType:
		return has&bit(SlotName) == 0
	case TagConstType, TagVolatileType, TagRestrictType:
		return has == 0
	case TagTypedef:
		return has == bit(SlotName)
	}
	return false
}

// KindAt returns the kind of run that the DIE at pos may be in. It is much cheaper than an attempt to read it. The kind can be wrong if the code of
// the abbreviation has more than one byte.
func (c *Cursor) KindAt(pos int) RunKind {
	if uint(pos) >= uint(c.limit) {
		return RunNone
	}
	return c.low[c.data[pos]%lowCodes].layout.kind
}

// A Composite is the DIE of a struct or union that has children, and no attributes that matter but its name and its size.
type Composite struct {
	Name  StrKey // 0 if it has none
	Size  uint32
	Union bool
}

// Composite reads the struct or union at pos. It returns the position of its first child, or 0 if Read must read the DIE at pos.
func (c *Cursor) Composite(pos int) (s Composite, child int) {
	if uint(pos) >= uint(c.limit) {
		return Composite{}, 0
	}
	d := spanAt(c.data, pos)
	code := d[0]
	a := &c.low[code%lowCodes]
	l := &a.layout
	child = pos + 1 + int(a.fixed)
	if l.kind != RunComposites || code >= lowCodes || child > c.end {
		return Composite{}, 0
	}
	name, size := binary.LittleEndian.Uint32(d[l.name:]), binary.LittleEndian.Uint32(d[l.word:])
	if c.swap {
		name, size = bits.ReverseBytes32(name), bits.ReverseBytes32(size)
	}
	if name = (name + 1) & l.nameMask; name > c.runs.names {
		return Composite{}, 0
	}
	return Composite{Name: StrKey(name), Size: size&l.mask + l.add, Union: a.Tag == TagUnionType}, child
}

// Link reads the link at pos. It returns the position after it, or 0 if the DIE at pos is no link or has an error, such as a reference out of the
// unit. Such a DIE is left to Read.
func (c *Cursor) Link(pos int) (l Link, next int) {
	if uint(pos) >= uint(c.limit) {
		return Link{}, 0
	}
	d := spanAt(c.data, pos)
	code := d[0]
	a := &c.low[code%lowCodes]
	next = pos + 1 + int(a.fixed)
	if a.layout.kind != RunLinks || code >= lowCodes || next > c.end {
		return Link{}, 0
	}
	name, ref := binary.LittleEndian.Uint32(d[a.layout.name:]), binary.LittleEndian.Uint32(d[a.layout.typ:])
	if c.swap {
		name, ref = bits.ReverseBytes32(name), bits.ReverseBytes32(ref)
	}
	if name = (name + 1) & a.layout.nameMask; name > c.runs.names || ref-1 >= c.runs.refs {
		return Link{}, 0
	}
	return Link{Ref: ref, Name: StrKey(name), Tag: a.Tag}, next
}
