package dwarf

// A LocKind says how a location is stored.
type LocKind uint8

// The kinds of DW_AT_location.
const (
	LocNone    LocKind = iota
	LocExpr            // one expression: position and length in the unit
	LocList            // a list at an offset of .debug_loclists
	LocList4           // a list at an offset of .debug_loc (DWARF 2 to 4)
	LocListGNU         // a list at an offset of .debug_loc.dwo (before DWARF 5)
	LocOdd             // a form that cannot be decoded
)

// A Location is the undecoded value of a DW_AT_location.
type Location struct {
	Kind  LocKind
	Wide  bool // the unit has the 64-bit format
	Value uint64
}

// Location returns the DW_AT_location of the DIE that was just read.
func (c *Cursor) Location() Location {
	switch {
	case c.Has&bit(SlotExpr) != 0:
		return Location{LocExpr, c.u.dwarf64, c.Val[SlotExpr]}
	case c.Has&bit(SlotList) != 0:
		kind := LocList
		if c.u.Version < 5 {
			if kind = LocList4; c.u.d.split {
				kind = LocListGNU
			}
		}
		return Location{kind, c.u.dwarf64, c.Val[SlotList]}
	case c.Has&bit(SlotListX) != 0:
		if off, ok := c.u.loclistx(&c.lists, c.Val[SlotListX]); ok {
			return Location{LocList, c.u.dwarf64, off}
		}
		return Location{Kind: LocOdd}
	case c.Has&bit(SlotOddLoc) != 0:
		return Location{Kind: LocOdd}
	}
	return Location{}
}

// loclistx returns the section offset of an indexed location list. The offsets are read through a window, which is large enough for those of
// one unit.
func (u *Unit) loclistx(w *window, index uint64) (off uint64, ok bool) {
	width := u.offsetSize()
	if index > 1<<31 {
		return 0, false
	}
	b, err := w.at(&u.d.lists, u.listBase+index*width, width, offsetsWindow)
	if err != nil || uint64(len(b)) < width {
		return 0, false
	}
	if width == 8 {
		return u.listBase + u.d.order.Uint64(b), true
	}
	return u.listBase + uint64(u.d.order.Uint32(b)), true
}

// offsetsWindow is the number of bytes of list offsets that are read at a time.
const offsetsWindow = 4 << 10

// windowSize is the number of bytes of a location section that are read at a time. The lists of one unit are next to each other.
const windowSize = 64 << 10

// Locations decodes locations. It may be used by one goroutine at a time.
type Locations struct {
	ops []Op
	win window

	wide bool // the unit of the current location has the 64-bit format
}

// Each calls visit for every description of a location, numbered from 0. An expression is one description. The entries of a list are visited in
// order. Base address entries are not counted; empty ranges and empty expressions are. The walk ends at the first entry that cannot be decoded,
// or if visit returns false (rule 01/9.2). The operations and the expression are valid during the call.
func (l *Locations) Each(u *Unit, loc Location, visit func(k int, ops []Op, expr []byte) bool) {
	l.wide = loc.Wide
	switch loc.Kind {
	case LocExpr:
		expr := u.Block(loc.Value)
		if ops, ok := l.decode(u, expr); ok {
			visit(0, ops, expr)
		}
	case LocList:
		l.list5(u, loc.Value, visit)
	case LocList4:
		l.list4(u, loc.Value, visit)
	case LocListGNU:
		l.listGNU(u, loc.Value, visit)
	}
}

func (l *Locations) decode(u *Unit, expr []byte) (ops []Op, ok bool) {
	l.ops, ok = u.ops(l.ops[:0], expr, l.wide)
	return l.ops, ok
}

// Sub decodes an expression inside another one, such as the block of an entry value. single is false unless it has exactly one operation.
func (l *Locations) Sub(u *Unit, expr []byte) (op Op, single bool) {
	var buf [2]Op
	ops, ok := u.ops(buf[:0], expr, l.wide)
	if !ok || len(ops) != 1 {
		return Op{}, false
	}
	return ops[0], true
}

// bytes returns the bytes of a section from off on: at least want bytes, or fewer at its end. It returns nil if they cannot be read.
func (l *Locations) bytes(sec *section, off uint64, want uint64) []byte {
	b, err := l.win.at(sec, off, want, windowSize)
	if err != nil {
		return nil
	}
	return b
}

// entryMax bounds the bytes of a list entry before its expression: kind, two numbers and a length.
const entryMax = 48

// list4 walks .debug_loc (DWARF 4, section 2.6.2).
func (l *Locations) list4(u *Unit, off uint64, visit func(int, []Op, []byte) bool) {
	size := int(u.AddrSize)
	ones := ^uint64(0)
	if size == 4 {
		ones = 0xffffffff
	}
	for k := 0; ; {
		b := l.bytes(&u.d.loc, off, entryMax)
		if len(b) < 2*size {
			return
		}
		begin, end := u.addrAt(b), u.addrAt(b[size:])
		off += uint64(2 * size)
		if begin == 0 && end == 0 {
			return
		}
		if begin == ones {
			continue
		}
		if len(b) < 2*size+2 {
			return
		}
		n := uint64(u.d.order.Uint16(b[2*size:]))
		off += 2
		if !l.visitEntry(u, &u.d.loc, off, n, k, visit) {
			return
		}
		off += n
		k++
	}
}

func (u *Unit) addrAt(b []byte) uint64 {
	if u.AddrSize == 8 {
		return u.d.order.Uint64(b)
	}
	return uint64(u.d.order.Uint32(b))
}

// visitEntry decodes the expression of n bytes at off and calls visit with it. It returns false to end the walk.
func (l *Locations) visitEntry(u *Unit, sec *section, off, n uint64, k int, visit func(int, []Op, []byte) bool) bool {
	if n > sec.size-min(off, sec.size) {
		return false
	}
	expr := l.bytes(sec, off, n)
	if uint64(len(expr)) < n {
		return false
	}
	expr = expr[:n]
	ops, ok := l.decode(u, expr)
	return ok && visit(k, ops, expr)
}

// Kinds of location list entries (DWARF 5, section 7.7.3).
const (
	lleEnd = iota
	lleBaseAddrx
	lleStartxEndx
	lleStartxLength
	lleOffsetPair
	lleDefault
	lleBase
	lleStartEnd
	lleStartLength
)

// list5 walks .debug_loclists.
func (l *Locations) list5(u *Unit, off uint64, visit func(int, []Op, []byte) bool) {
	for k := 0; ; {
		b := l.bytes(&u.d.lists, off, entryMax)
		if len(b) == 0 {
			return
		}
		kind, pos := b[0], 1
		skipULEB := func() { _, pos = uleb(b, pos) }
		switch kind {
		case lleBaseAddrx:
			skipULEB()
		case lleStartxEndx, lleStartxLength, lleOffsetPair:
			if skipULEB(); pos != 0 {
				skipULEB()
			}
		case lleDefault:
		case lleBase:
			pos += int(u.AddrSize)
		case lleStartEnd:
			pos += 2 * int(u.AddrSize)
		case lleStartLength:
			pos += int(u.AddrSize)
			if pos < len(b) {
				skipULEB()
			}
		default: // the end, or an entry that cannot be decoded
			return
		}
		if pos == 0 || pos > len(b) {
			return
		}
		if kind == lleBaseAddrx || kind == lleBase {
			off += uint64(pos)
			continue
		}
		n, next := uleb(b, pos)
		if next == 0 {
			return
		}
		off += uint64(next)
		if !l.visitEntry(u, &u.d.lists, off, n, k, visit) {
			return
		}
		off += n
		k++
	}
}
