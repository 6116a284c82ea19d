package dwarf

// The target of a reference is looked up by offset. If no type is there, it matters whether a DIE is: some DIEs become no type. A
// walk over the unit passes all its DIEs, so no position is checked without one. No valid image has many such references.

// Entries tells at which positions of a unit DIEs start.
type Entries struct {
	from int
	bits []uint64 // by position - from
}

// Find walks a unit. Where it breaks off, the DIEs before are known.
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

// Root is the position of the root DIE.
func (u *Unit) Root() int { return u.root }

// Referrer is the first DIE with a reference to a position that the rules read.
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

// maxPadding is how many bytes there may be behind the null entry that ends the entries of a unit. All are zero.
const maxPadding = 64

// Ended is called where all DIEs of a unit were read: behind the null entry that ends the children of the root, or behind a root
// without children. What is behind that must be padding: an abbreviation code that was zeroed ends a unit early. So does one that was
// looked up in the abbreviations of another unit, as pahole does where it does not relocate: then what is behind counts for nothing.
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
