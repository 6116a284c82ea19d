package dwarf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A Cursor reads DIEs of one unit. Read fills Val for the slots in Has; the values of other slots are stale. The first error sets Err. After
// that, Read returns nil, so that every loop over siblings ends.
type Cursor struct {
	Has  uint64
	Pos  int // position of the DIE in the unit
	Next int // end of its attributes: position of its first child or next sibling
	Err  error
	Val  [maxSlots]uint64

	first int // start of the attributes, after a leading name; not set if Read only needed a layout
	lead  int // start of the leading name
	u     *Unit
	data  []byte // Unit.data: end is followed by at least slack bytes
	end   int
	limit int    // end, or the position from which stop must be called first; 0 after an error or a stray reference
	refs  uint64 // a reference minus 1 must be less
	rel   uint64 // in MergedUnits: position of the unit, to which references inside the unit are relative
	stray uint64 // the reference out of the unit that set limit to 0, plus 1; 0 if there was none
	dense []Abbrev
	low   *[lowCodes]Abbrev // the first elements of dense
	attrs []attr
	swap  bool
	stop  func() error // or nil
	runs  bounds
	lists window // for the offsets of location lists
}

// Start prepares the cursor for an opened unit.
func (c *Cursor) Start(u *Unit) {
	c.u, c.data, c.end, c.limit, c.refs, c.stray, c.Err = u, u.data, u.end, u.end, uint64(u.refEnd)-1, 0, nil
	c.stop, c.dense, c.attrs, c.swap = nil, u.abbrevs.dense, u.abbrevs.attrs, u.d.swap
	c.low = (*[lowCodes]Abbrev)(c.dense)
	c.runs = bounds{names: uint32(min(len(u.d.Strings.str), keyMask)), refs: uint32(c.refs), swap: c.swap}
	c.Next = u.root
	if c.rel = 0; u.part != nil {
		c.rel = uint64(u.at)
	}
}

// AskToStop makes the cursor call stop from time to time, until Start. An error of stop becomes the cursor's error. The fast paths compare
// positions with a limit anyway, so this costs them nothing.
func (c *Cursor) AskToStop(stop func() error) {
	if c.stop = stop; stop != nil {
		c.limit = min(c.end, c.Next+askEvery)
	}
}

// askEvery is the number of bytes after which stop is called.
const askEvery = 1 << 20

// beyond is called if pos is not below the limit. It reports whether the DIE at pos can be read, and calls stop if that is due.
func (c *Cursor) beyond(pos int) bool {
	if c.stop == nil || uint(pos) >= uint(c.end) {
		c.fail(pos, "DIE lies past the end of its unit (%d bytes)", c.end)
		return false
	}
	c.limit = min(c.end, pos+askEvery)
	if err := c.stop(); err != nil {
		c.Err, c.limit = err, 0
	}
	return c.Err == nil
}

// masks cut a load of eight bytes to the width of a value. There is one for each value of a byte, which saves a bounds check.
var masks = [256]uint64{0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0, 0, 0, 0xffffffffffffffff}

// Read reads the DIE at pos. It returns nil after an error, and for the null entry that ends a list of siblings; then Next is the position after
// that entry.
func (c *Cursor) Read(pos int) *Abbrev {
	if uint(pos) < uint(c.limit) {
		d := spanAt(c.data, pos)
		if code := d[0]; code < lowCodes { // most DIEs by far
			a := &c.low[code]
			next := pos + 1 + int(a.fixed)
			if l := &a.layout; l.fixity == fullyFixed && next <= c.end {
				c.Pos, c.Next, c.Has = pos, next, a.Has
				if c.swap {
					c.loadFixed(l, d)
					return a
				}
				c.Val[SlotName] = uint64(binary.LittleEndian.Uint32(d[l.name:])) + 1
				c.Val[SlotType] = uint64(binary.LittleEndian.Uint32(d[l.typ:]))
				c.Val[SlotSibling] = uint64(binary.LittleEndian.Uint32(d[l.sib:]))
				c.Val[l.slot%maxSlots] = binary.LittleEndian.Uint64(d[l.num:])&l.wide + uint64(l.add)
				c.Val[l.flag%maxSlots] = 1
				return a
			}
			if code == 0 {
				c.Pos, c.Next = pos, pos+1
				return nil
			}
		}
	}
	return c.readAny(pos)
}

// readAny is Read for any DIE.
func (c *Cursor) readAny(pos int) *Abbrev {
	a := c.head(pos)
	if a == nil {
		return nil
	}
	return c.load(a)
}

// head reads the abbreviation code of the DIE at pos, and sets first. If the attributes have a fixed length, it also sets Next. It returns what
// Read returns.
func (c *Cursor) head(pos int) *Abbrev {
	if c.limit == 0 {
		c.CheckRefs()
		return nil
	}
	if uint(pos) >= uint(c.limit) && !c.beyond(pos) {
		return nil
	}
	c.Pos = pos
	code := uint64(c.data[pos])
	pos++
	if code >= 0x80 {
		if code, pos = uleb(c.data[:c.end], pos-1); pos == 0 {
			c.fail(c.Pos, "abbrev code is cut short")
			return nil
		}
	}
	if code == 0 {
		c.Next = pos
		return nil
	}
	var a *Abbrev
	if code < uint64(len(c.dense)) {
		a = &c.dense[code]
	}
	if a == nil || a.Tag == 0 {
		if a = c.rare(code); a == nil {
			return nil
		}
	}
	if a.lead {
		c.lead = pos
		if pos = c.behindString(pos); pos == 0 {
			return nil
		}
	}
	c.first = pos
	if a.fixed < 0 {
		return a
	}
	c.Next = pos + int(a.fixed)
	if c.Next > c.end {
		c.fail(c.Pos, "DIE reaches past the end of its unit (%d bytes)", c.end)
		return nil
	}
	return a
}

// leadKey returns the key of the leading name, which ends before pos.
func (c *Cursor) leadKey(pos int) StrKey {
	if n := pos - 1 - c.lead; n == 1 || n == 2 || n == 3 {
		return keyShort | StrKey(binary.LittleEndian.Uint32(c.data[c.lead:])&uint32(masks[n]))
	}
	return c.u.d.keys.inline(c.data[c.lead : pos-1])
}

// behindString returns the position after the string at pos; 0 after an error.
func (c *Cursor) behindString(pos int) int {
	data := c.data[:c.end]
	for i := pos; i < len(data); i++ { // nearly all names have at most three characters
		if data[i] == 0 {
			return i + 1
		}
	}
	c.fail(pos, "string of attribute %#x is not terminated", atName)
	return 0
}

// load reads the attributes of the DIE whose head was read.
func (c *Cursor) load(a *Abbrev) *Abbrev {
	c.Has = a.Has
	pos := c.first
	if a.lead && a.Has&bit(SlotNameKey) != 0 {
		c.Val[SlotNameKey] = uint64(c.leadKey(pos))
	}
	if a.fixed < 0 {
		c.readVarying(a, pos)
		if c.Err != nil {
			return nil
		}
		return a
	}
	if a.layout.fixity != notFixed {
		c.loadFixed(&a.layout, spanAt(c.data, pos-1))
		return a
	}
	attrs := c.attrs[a.first : a.first+uint32(a.n)]
	if c.rel != 0 {
		c.loadRel(attrs, pos)
		return a
	}
	if c.swap {
		for i := range attrs {
			t := &attrs[i]
			c.Val[t.slot%maxSlots] = bits.ReverseBytes64(binary.LittleEndian.Uint64(c.data[pos+int(t.at):]))>>(64-8*uint(t.width)) + t.add
		}
		return a
	}
	for i := range attrs {
		t := &attrs[i]
		c.Val[t.slot%maxSlots] = binary.LittleEndian.Uint64(c.data[pos+int(t.at):])&masks[t.width] + t.add
	}
	return a
}

// loadRel loads attributes at fixed distances from pos. References can be relative to the unit, as in MergedUnits.
func (c *Cursor) loadRel(attrs []attr, pos int) {
	for i := range attrs {
		t := &attrs[i]
		v := c.loadAt(pos+int(t.at), t.width) + t.add
		if t.shape == shapeRel {
			v += c.rel
		}
		c.Val[t.slot%maxSlots] = v
	}
}

// Null reports whether the DIE at pos is the null entry that ends a list of siblings.
func (c *Cursor) Null(pos int) bool { return uint(pos) < uint(c.limit) && c.data[pos] == 0 }

func (c *Cursor) rare(code uint64) *Abbrev {
	if a, ok := c.u.abbrevs.sparse[code]; ok && a.Tag != 0 {
		return &a
	}
	c.fail(c.Pos, "abbrev code %d is not declared", code)
	return nil
}

func (c *Cursor) fail(pos int, format string, args ...any) {
	if c.Err == nil {
		c.Err, c.limit = c.u.Err(pos, format, args...), 0
	}
}

// FailWith makes err the cursor's error, unless err is nil.
func (c *Cursor) FailWith(err error) {
	if err != nil && c.Err == nil {
		c.Err, c.limit = err, 0
	}
}

// Fail sets the cursor's error to a problem at a position of the unit.
func (c *Cursor) Fail(pos int, format string, args ...any) { c.fail(pos, format, args...) }

// readVarying reads a DIE whose attributes have varying lengths. The attributes before the first varying one are at fixed distances from pos. The
// others are read one by one.
func (c *Cursor) readVarying(a *Abbrev, pos int) {
	attrs := c.attrs[a.first : a.first+uint32(a.n)]
	if pos+int(a.prefix) > c.end {
		c.fail(c.Pos, "DIE reaches past the end of its unit (%d bytes)", c.end)
		return
	}
	c.loadRel(attrs[:a.pre], pos)
	pos += int(a.prefix)
	for i := range attrs[a.pre:] {
		if pos = c.readAttr(&attrs[int(a.pre)+i], pos); pos == 0 {
			return
		}
	}
	c.Next = pos
}

// readAttr reads one attribute and returns the position after it; 0 after an error.
func (c *Cursor) readAttr(t *attr, pos int) int {
	data := c.data[:c.end]
	var v uint64
	next := pos
	switch t.shape {
	case shapeFixed, shapeRel:
		if next = pos + int(t.size); next > c.end {
			c.fail(pos, "attribute %#x reaches past the end of its unit", t.name)
			return 0
		}
		if t.slot != noSlot {
			c.Val[t.slot] = c.loadAt(pos, t.width) + t.add
			if t.shape == shapeRel {
				c.Val[t.slot] += c.rel
			}
		}
		return next
	case shapeString:
		n := bytes.IndexByte(data[min(pos, c.end):], 0)
		if n < 0 {
			c.fail(pos, "string of attribute %#x is not terminated", t.name)
			return 0
		}
		next = pos + n + 1
		if t.slot != noSlot {
			v = uint64(c.u.d.keys.inline(data[pos : pos+n]))
		}
	case shapeULEB:
		v, next = uleb(data, pos)
	case shapeRelULEB:
		if v, next = uleb(data, pos); next != 0 {
			v += c.rel
		}
	case shapeSig:
		if next = pos + 8; next > c.end {
			next = 0
		} else {
			v = c.u.signed(c.loadAt(pos, 8))
			if v == NoRef && c.u.part != nil && c.u.part.w.signed {
				c.fail(pos, "no type unit has the signature %#x", c.loadAt(pos, 8))
			}
		}
	case shapeSLEB:
		var s int64
		s, next = sleb(data, pos)
		v = uint64(s)
	case shapeBlock:
		v, next = c.block(t, pos)
	case shapeIndirect:
		return c.indirect(t, pos)
	}
	if next == 0 {
		c.fail(pos, "attribute %#x is cut short", t.name)
		return 0
	}
	if t.slot != noSlot {
		if t.add == blankValue {
			v = 0
		}
		c.Val[t.slot] = v
	}
	return next
}

// loadAt returns the value of width bytes at pos.
func (c *Cursor) loadAt(pos int, width uint8) uint64 {
	v := binary.LittleEndian.Uint64(c.data[pos:])
	if c.swap {
		return bits.ReverseBytes64(v) >> (64 - 8*uint(width))
	}
	return v & masks[width]
}

// block reads the length of a block. v is the position and length of its contents, as in SlotExpr, and next the position after it.
func (c *Cursor) block(t *attr, pos int) (v uint64, next int) {
	var n uint64
	if t.width == 0 {
		if n, pos = uleb(c.data[:c.end], pos); pos == 0 {
			return 0, 0
		}
	} else {
		if pos+int(t.width) > c.end {
			return 0, 0
		}
		n = c.loadAt(pos, t.width)
		pos += int(t.width)
	}
	if n > uint64(c.end-pos) {
		return 0, 0
	}
	return uint64(pos) | n<<32, pos + int(n)
}

// indirect reads an attribute whose form is stored in the DIE (DWARF 5, section 7.5.3).
func (c *Cursor) indirect(t *attr, pos int) int {
	f, next := uleb(c.data[:c.end], pos)
	if next == 0 || form(f) == formIndirect || form(f) == formImplicitConst || f > 0xffff {
		c.fail(pos, "attribute %#x has the indirect form %#x", t.name, f)
		return 0
	}
	u := c.u
	tag := u.abbrevTag(c.Pos)
	at, ok := classify(t.name, form(f), u.key())
	if !ok {
		c.fail(pos, "form %#x is unknown", f)
		return 0
	}
	if at.slot != noSlot && interest(tag)&bit(at.slot) == 0 {
		at.slot = noSlot
	}
	if at.slot != noSlot {
		c.Has |= bit(at.slot)
	}
	return c.readAttr(&at, next)
}

// abbrevTag returns the tag of the DIE at pos. Its code must have been read before.
func (u *Unit) abbrevTag(pos int) Tag {
	code, _ := uleb(u.data[:u.end], pos)
	if code < uint64(len(u.abbrevs.dense)) && u.abbrevs.dense[code].Tag != 0 {
		return u.abbrevs.dense[code].Tag
	}
	return u.abbrevs.sparse[code].Tag
}

// Skip returns the position after all descendants of the DIE that was just read. a is its abbreviation.
func (c *Cursor) Skip(a *Abbrev) int {
	if !a.Children {
		return c.Next
	}
	if next, ok := c.sibling(); ok {
		return next
	}
	depth := 1
	for pos := c.Next; ; {
		b := c.Read(pos)
		switch {
		case c.Err != nil:
			return c.end
		case b == nil:
			depth--
		case b.Children:
			if next, ok := c.sibling(); ok {
				pos = next
				continue
			}
			depth++
		}
		pos = c.Next
		if depth == 0 {
			return pos
		}
	}
}

// sibling returns the target of DW_AT_sibling of the DIE that was just read. ok is false if it does not lead forward to the end of the children.
func (c *Cursor) sibling() (pos int, ok bool) {
	if c.Has&bit(SlotSibling) == 0 {
		return 0, false
	}
	s := c.Val[SlotSibling]
	if s < uint64(c.Next) || s >= uint64(c.end) || c.data[s-1] != 0 { // a null entry ends the children
		return 0, false
	}
	return int(s), true
}

// Value returns the value of a slot; 0 if the DIE does not fill it.
func (c *Cursor) Value(s Slot) uint64 {
	if c.Has&bit(s) == 0 {
		return 0
	}
	return c.Val[s]
}

// Present reports whether the DIE fills a slot.
func (c *Cursor) Present(s Slot) bool { return c.Has&bit(s) != 0 }

// Only reports whether the DIE fills no slots except these.
func (c *Cursor) Only(a, b, d, e Slot) bool { return c.Has&^(bit(a)|bit(b)|bit(d)|bit(e)) == 0 }

// Ref returns the target of a reference, as an offset in the unit. ok is false if the reference is absent or cannot be followed. A reference that
// leads out of the unit, or to its header, is an error, which the next Read or CheckRefs reports.
func (c *Cursor) Ref(s Slot) (off Offset, ok bool) {
	if c.Has&bit(s) == 0 {
		return 0, false
	}
	v := c.Val[s]
	if v-1 >= c.refs {
		if v != NoRef {
			c.limit, c.stray = 0, v+1 // a call would keep this from being inlined
		}
		return 0, false
	}
	return Offset(v), true
}

// CheckRefs sets the cursor's error if a reference of the DIE that was just read leads out of the unit. Read does this too.
func (c *Cursor) CheckRefs() {
	if c.stray != 0 && c.Err == nil {
		c.fail(c.Pos, "reference to %#x, where no DIE starts", c.u.Place().Off+c.stray-1)
	}
}

// Name returns the key of DW_AT_name; 0 if there is none.
func (c *Cursor) Name() StrKey {
	switch {
	case c.Has&bit(SlotName) != 0:
		if v := c.Val[SlotName]; v <= uint64(len(c.u.d.Strings.str)) {
			return StrKey(v)
		}
	case c.Has&bit(SlotNameKey) != 0:
		if v := c.Val[SlotNameKey]; v < strValue {
			return StrKey(v)
		}
	}
	return c.text(SlotName, SlotNameKey, SlotNameX)
}

// ConstString returns the key of a DW_AT_const_value that is a string; 0 if there is none.
func (c *Cursor) ConstString() StrKey { return c.text(SlotConstStr, SlotConstKey, SlotConstX) }

// text returns the key of a string. A string outside of its section is an error. Otherwise a type or a function would be lost without a message.
func (c *Cursor) text(strp, key, index Slot) (k StrKey) {
	d := c.u.d
	switch {
	case c.Has&bit(strp) != 0:
		if k = d.Strings.strp(c.Val[strp] - 1); k == 0 {
			c.fail(c.Pos, "string at %#x lies outside .debug_str (%d bytes)", c.Val[strp]-1, len(d.Strings.str))
		}
	case c.Has&bit(key) != 0:
		v := c.Val[key]
		if k = d.elsewhere(v); k == 0 && v >= lineStrValue && v-lineStrValue >= uint64(len(d.Strings.line)) {
			c.fail(c.Pos, "string at %#x lies outside .debug_line_str (%d bytes)", v-lineStrValue, len(d.Strings.line))
		}
	case c.Has&bit(index) != 0:
		if k = c.u.strx(c.Val[index]); k == 0 && d.keys == &d.Strings {
			c.fail(c.Pos, "string %d is not in .debug_str_offsets or lies outside .debug_str (%d bytes)", c.Val[index], len(d.Strings.str))
		}
	}
	return k
}

// LowPC returns DW_AT_low_pc. ok is false if there is none.
func (c *Cursor) LowPC() (addr uint64, ok bool) {
	if c.Has&bit(SlotLowPCX) != 0 {
		if addr, ok = c.u.addrx(c.Val[SlotLowPCX]); !ok {
			c.fail(c.Pos, "address %d is not in .debug_addr (%d bytes)", c.Val[SlotLowPCX], len(c.u.d.addr))
		}
		return addr, ok
	}
	return c.Value(SlotLowPC), c.Has&bit(SlotLowPC) != 0
}
