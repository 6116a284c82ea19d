package dwarf

// The problem: the target of a reference is looked up by offset. If there is no type at that offset, there may still be a DIE, because some DIEs
// become no type. The bytes do not show whether a DIE starts there. The idea: walk the whole unit, which passes all its DIEs. That is slow, but
// no valid image has many such references.

// Entries says at which positions of a unit DIEs start.
type Entries struct {
	from int
	bits []uint64 // by position - from
}

// Find walks a unit and records its DIEs. After an error, the DIEs before the error are known.
func (e *Entries) Find(u *Unit) {
	n := (u.end - u.root + 63) / 64
	if e.from = u.root; n > cap(e.bits) {
		e.bits = make([]uint64, n)
	}
	e.bits = e.bits[:n]
	clear(e.bits)
	var c Cursor
	c.Start(u)
	for pos := u.root; pos < u.end; pos = c.Next {
		if c.Read(pos) != nil {
			e.bits[(pos-e.from)/64] |= 1 << ((pos - e.from) % 64)
		} else if c.Err != nil {
			return
		}
	}
}

// Has reports whether a DIE starts at a position.
func (e *Entries) Has(pos int) bool {
	i := uint(pos - e.from)
	return i/64 < uint(len(e.bits)) && e.bits[i/64]>>(i%64)&1 != 0
}

// EntryAt reports whether a DIE starts at pos, by a walk from the DIE at from, which is before it.
func (u *Unit) EntryAt(from, pos int) bool {
	var c Cursor
	c.Start(u)
	for at := from; at < pos; at = c.Next {
		if c.Read(at); c.Err != nil {
			return false
		}
	}
	return c.Next == pos && c.Read(pos) != nil
}

// Root returns the position of the root DIE.
func (u *Unit) Root() int { return u.root }

// Referrer returns the first DIE with a reference to a position. It considers only references that the rules read.
func (u *Unit) Referrer(to Offset) (pos int, ok bool) {
	var c Cursor
	c.Start(u)
	for pos := u.root; pos < u.end; pos = c.Next {
		if c.Read(pos) == nil {
			if c.Err != nil {
				return 0, false
			}
			continue
		}
		for _, s := range []Slot{SlotType, SlotSpec, SlotOrigin, SlotAnnot, SlotSignature} {
			if c.Has&bit(s) != 0 && c.Val[s] == uint64(to) {
				return pos, true
			}
		}
	}
	return 0, false
}

// maxPadding is the maximum number of zero bytes after the DIEs of a unit.
const maxPadding = 64

// Ended is called when all DIEs of a unit were read: after the null entry that ends the children of the root, or after a root without children. All
// bytes after that must be padding, because a zeroed abbreviation code in a damaged image ends a unit early. In files that pahole does not relocate,
// it looks codes up in the abbreviations of another unit, which can also end a unit early. There the rest of the unit is ignored.
func (c *Cursor) Ended() {
	if c.Next != c.end && c.Err == nil && !c.u.d.File.Misread() {
		c.ended()
	}
}

func (c *Cursor) ended() {
	left := c.end - c.Next
	for i, b := range c.data[c.Next:c.end] {
		if b != 0 || i >= maxPadding {
			c.fail(max(c.Next-1, 0), "the unit ends here, and the %d bytes behind it are no padding", left)
			return
		}
	}
}
