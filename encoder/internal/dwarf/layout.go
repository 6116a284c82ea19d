package dwarf

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// The problem: reading attributes one by one, in a loop with branches, would take most of the time of translation.
//
// The idea: nine of ten DIEs of a kernel have a fixed length, and few attributes that matter: a name, a type, a sibling, one number (a size,
// offset, value, bound or list), and perhaps a flag. The abbreviations of such DIEs have a layout, with which these values are loaded without a
// loop or a branch.

// A layout has the positions of these attributes. They count from the byte before the first attribute, after a leading name. Attributes that a
// DIE lacks are loaded from an arbitrary position, and their bit in Has is not set. A layout has 56 bytes.
type layout struct {
	kind           RunKind
	fixity         fixity
	name, typ, sib uint8   // 4 bytes each
	num, width     uint8   // position of the number, and its length in bytes
	shift          uint8   // big endian: the shift that keeps only the number, which comes first in the eight loaded bytes
	word           uint8   // for runs: position of four bytes that end (big endian) or begin (little endian) with the number
	bits           uint8   // position of the size of a bit field, one byte
	slot, flag     Slot    // of the number and of the flag; noValue if there is none
	bitMask        uint8   // 0 if there is no size of a bit field
	quick          RunKind // for quick: see orderOf
	scale          uint32  // 8 if the number is a member offset in bytes, so that the result is in bits
	add            uint32
	nameMask       uint32           // 0 if there is no offset of a name
	mask           uint32           // cuts a load of four bytes to the number
	wide           uint64           // cuts a load of eight bytes to the number
	order          [quickSpan]uint8 // for quick: see orderOf
}

// A RunKind is a kind of DIEs that occur in long runs. Such DIEs have a name, and a type or a number or both. They have no children, and no other
// attributes that matter.
//
// Links are an exception: they may have no name, and a run of them has several kinds of DIEs. Composites are another one: they have children.
type RunKind uint8

// The kinds of runs.
const (
	RunNone        RunKind = iota
	RunMembers             // the number is the offset in bits | size of the bit field << 24
	RunParams              // formal parameters without a location
	RunEnumerators         // the number is the value, as unsigned 32 bits
	RunLinks               // see Link; the number does not matter
	RunComposites          // no run either: see Composite; the number is the size
)

// A fixity says whether a layout covers all attributes that must be read.
type fixity uint8

const (
	notFixed     fixity = iota
	namePrefixed        // it does, after a leading name
	fullyFixed          // it does, and there is no leading name
)

// noValue is a slot that no attribute fills.
const noValue Slot = maxSlots - 1

// layoutOf returns the layout of an abbreviation whose attributes have been read. It is zero if a layout cannot cover them.
func (t *abbrevs) layoutOf(a *Abbrev) layout {
	if a.fixed < 0 || t.key.scan {
		return layout{}
	}
	l := layout{slot: noValue, flag: noValue, scale: 1}
	for i := range t.attrs[a.first:] {
		if !l.put(&t.attrs[int(a.first)+i]) {
			return layout{}
		}
	}
	if a.Has&bit(SlotName) != 0 {
		l.nameMask = ^uint32(0)
	}
	l.mask, l.wide, l.shift, l.word = uint32(masks[l.width]), masks[l.width], (64-8*l.width)%64, l.num
	if l.kind = l.runOf(a); t.key.swap && l.width != 0 {
		if l.word = l.num + l.width - 4; l.num+l.width < 4 { // the four bytes would start before the DIE
			l.kind = RunNone
		}
	}
	l.quick, l.order = l.orderOf(a.lead, t.key.swap)
	switch {
	case l.bitMask != 0 || l.slot == SlotDataBit:
	case a.lead:
		l.fixity = namePrefixed
	default:
		l.fixity = fullyFixed
	}
	return l
}

// put adds an attribute to the layout. It returns false if the layout has no place for it.
func (l *layout) put(at *attr) bool {
	if at.at >= math.MaxUint8 || at.shape != shapeFixed {
		return false
	}
	from := uint8(at.at) + 1
	switch at.slot {
	case SlotName:
		l.name = from
		return at.width == 4
	case SlotType:
		l.typ = from
		return at.width == 4 && at.add == 0
	case SlotSibling:
		l.sib = from
		return at.width == 4 && at.add == 0
	case SlotSize, SlotMember, SlotDataBit, SlotConst, SlotUpper, SlotCount, SlotInline, SlotList:
		if l.slot != noValue || at.add > math.MaxUint32 {
			return false
		}
		l.slot, l.num, l.width, l.add = at.slot, from, at.width, uint32(at.add)
		return true
	case SlotBitSize:
		l.bits, l.bitMask = from, 0xff
		return at.width == 1 && at.add == 0
	case SlotDecl, SlotExternal, SlotArtificial:
		if l.flag != noValue || at.width != 0 || at.add != 1 {
			return false
		}
		l.flag = at.slot
		return true
	}
	return false
}

// maxInRun is the largest length of the attributes of a DIE in a run: together with the code, the length must fit a byte.
const maxInRun = math.MaxUint8 - 1

// runOf returns the kind of runs in which DIEs with this layout can be.
func (l *layout) runOf(a *Abbrev) RunKind {
	name := bit(SlotName)
	if a.lead {
		name = bit(SlotNameKey)
	}
	has := a.Has &^ (bit(SlotSibling) | name) // a name may be missing
	if a.Children && !a.lead && has&^bit(SlotSize) == 0 && (a.Tag == TagStructureType || a.Tag == TagUnionType) && l.width <= 4 && a.fixed <= maxInRun {
		return RunComposites
	}
	if a.Children || l.width > 4 || a.fixed > maxInRun {
		return RunNone
	}
	if has&^bit(SlotSize) == bit(SlotType) && !a.lead && isLink(a) {
		return RunLinks
	}
	switch {
	case a.Tag == TagMember && has&^bit(SlotMember) == bit(SlotType): // in a union the offset may be missing
		l.scale = 8
		return RunMembers
	case a.Tag == TagMember && has == bit(SlotType)|bit(SlotDataBit)|bit(SlotBitSize):
		return RunMembers
	case a.Tag == TagFormalParameter && has == bit(SlotType):
		return RunParams
	case a.Tag == TagEnumerator && has == bit(SlotConst) && a.Has&name != 0:
		return RunEnumerators
	}
	return RunNone
}

// loadFixed loads the values of a layout. d starts at the byte before the attributes.
func (c *Cursor) loadFixed(l *layout, d span) {
	name, typ, sib := binary.LittleEndian.Uint32(d[l.name:]), binary.LittleEndian.Uint32(d[l.typ:]), binary.LittleEndian.Uint32(d[l.sib:])
	num := binary.LittleEndian.Uint64(d[l.num:])
	if c.swap {
		name, typ, sib = bits.ReverseBytes32(name), bits.ReverseBytes32(typ), bits.ReverseBytes32(sib)
		num = bits.ReverseBytes64(num) >> (l.shift % 64)
	}
	c.Val[SlotName], c.Val[SlotType], c.Val[SlotSibling] = uint64(name)+1, uint64(typ), uint64(sib)
	c.Val[l.slot%maxSlots], c.Val[l.flag%maxSlots] = num&l.wide+uint64(l.add), 1
}

// A Run holds the values of consecutive DIEs of one kind.
type Run struct {
	Words []uint32 // three for each DIE: key of the name, reference of the type, number; for parameters only the first two
	Next  int      // position of the first DIE after the run
	Bits  uint32   // bitwise or of all sizes of bit fields
}

// Read appends the DIEs of a kind from pos on. It stops at the first DIE that has another kind or an error, such as a reference out of the unit.
// That DIE is left to the slow path. More than four of ten DIEs of a kernel are members.
func (r *Run) Read(c *Cursor, kind RunKind, pos int) {
	words := r.Words
	c.runs.each, c.runs.bits, r.Bits = kind.words(), 0, 0
	if kind == RunEnumerators {
		c.runs.refs = math.MaxUint32 // they have no reference
	}
	for pos < c.limit {
		words = slices.Grow(words, quickWords)
		room := (*[quickWords]uint32)(words[len(words) : len(words)+quickWords])
		n, next := quick(c.low, c.data, pos, c.end, kind, room, &c.runs)
		words, pos = words[:len(words)+n], next
		if n > quickLast { // there was no room for more
			continue
		}
		if pos >= c.limit || c.data[pos] == 0 { // the null entry ends most runs
			break
		}
		r.Words = words
		next = r.one(c, kind, pos)
		if words = r.Words; next == 0 {
			break
		}
		pos = next
	}
	r.Words, r.Next = words, pos
	r.Bits |= c.runs.bits
	if kind == RunEnumerators {
		c.runs.refs = uint32(c.refs)
	}
}

// words returns the number of words per DIE of a run.
func (k RunKind) words() uint {
	if k == RunParams {
		return 2
	}
	return 3
}

// bounds are limits for the DIEs of a run.
type bounds struct {
	names, refs uint32 // the highest key of a name, which is 0 for no name; a reference minus 1 must be less than refs
	each        uint   // words per DIE
	swap        bool   // big endian
	bits        uint32 // bitwise or of the sizes of bit fields that quick has read
}

// one reads the DIE at pos and returns the position after it. It returns 0 if the DIE has another kind or an error.
//
//go:noinline
func (r *Run) one(c *Cursor, kind RunKind, pos int) int {
	code, at := uint(c.data[pos]), pos+1
	if code >= 0x80 {
		if code = code&0x7f | uint(c.data[at])<<7; code >= 1<<14 {
			return 0
		}
		at++
	}
	if code >= uint(len(c.dense)) || c.dense[code].layout.kind != kind {
		return 0
	}
	a := &c.dense[code]
	l, key := &a.layout, uint32(0)
	if a.lead {
		var n int
		if key, n = shortName(spanAt(c.data, at)); n == 0 {
			return 0
		}
		at += n
	}
	d := spanAt(c.data, at-1)
	name, typ, num := binary.LittleEndian.Uint32(d[l.name:]), binary.LittleEndian.Uint32(d[l.typ:]), binary.LittleEndian.Uint32(d[l.num:])
	if c.swap {
		name, typ, num = bits.ReverseBytes32(name), bits.ReverseBytes32(typ), bits.ReverseBytes32(num)>>(l.shift%32)
	}
	if name = (name + 1) & l.nameMask; name > uint32(min(len(c.u.d.Strings.str), keyMask)) {
		return 0
	}
	if at += int(a.fixed); at > c.end {
		return 0
	}
	if kind != RunEnumerators && typ-1 >= uint32(c.refs) {
		return 0
	}
	num = (num&l.mask + l.add) * l.scale
	if l.bitMask != 0 {
		size := uint32(d[l.bits])
		if size == 0 || num > 0xffffff {
			return 0
		}
		r.Bits |= size
		num |= size << 24
	}
	if r.Words = append(r.Words, key|name, typ); kind != RunParams {
		r.Words = append(r.Words, num)
	}
	return at
}

// shortName returns the key of a name of one to three bytes at the start of d, and the length of the name with its zero byte. n is 0 for
// other names.
func shortName(d span) (key uint32, n int) {
	v := binary.LittleEndian.Uint32(d[:])
	n = bits.TrailingZeros32(zeroBytes(v)) / 8
	if n == 0 || n > 3 {
		return 0, 0
	}
	return uint32(keyShort) | v&(1<<(8*uint(n))-1), n + 1
}

// zeroBytes sets the high bit of the lowest byte of v that is 0. Higher bits of the result have no meaning. The result is 0 if v has no zero byte.
func zeroBytes(v uint32) uint32 { return (v - 0x01010101) &^ v & 0x80808080 }
