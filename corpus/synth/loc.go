package synth

import "debug/dwarf"

// An Op is one operation of a location expression.
type Op func(u *CU, e *enc)

// OpRaw is a sequence of raw bytes.
func OpRaw(b ...byte) Op { return func(_ *CU, e *enc) { e.bytes(b) } }

// OpU is an operation with one unsigned LEB128 operand.
func OpU(code byte, v uint64) Op {
	return func(_ *CU, e *enc) {
		e.u8(code)
		e.uleb(v)
	}
}

// OpS is an operation with one signed LEB128 operand.
func OpS(code byte, v int64) Op {
	return func(_ *CU, e *enc) {
		e.u8(code)
		e.sleb(v)
	}
}

// OpAddr is DW_OP_addr.
func OpAddr(p Place) Op {
	return func(_ *CU, e *enc) {
		e.u8(0x03)
		e.place(e.addr, p)
	}
}

// OpAddrx is DW_OP_addrx: the address is in .debug_addr.
func OpAddrx(p Place) Op {
	return func(u *CU, e *enc) {
		e.u8(0xa1)
		e.uleb(u.addrIndex(p))
	}
}

// OpReg is DW_OP_reg0 to reg31, above that regx.
func OpReg(n int) Op {
	if n > 31 {
		return OpU(0x90, uint64(n))
	}
	return OpRaw(0x50 + byte(n))
}

// OpBreg is DW_OP_breg0 to breg31.
func OpBreg(n int, off int64) Op { return OpS(0x70+byte(n), off) }

// OpFbreg is DW_OP_fbreg.
func OpFbreg(off int64) Op { return OpS(0x91, off) }

// OpLit is DW_OP_lit0 to lit31.
func OpLit(n int) Op { return OpRaw(0x30 + byte(n)) }

// OpConstu is DW_OP_constu.
func OpConstu(v uint64) Op { return OpU(0x10, v) }

// OpConsts is DW_OP_consts.
func OpConsts(v int64) Op { return OpS(0x11, v) }

// OpPlusUconst is DW_OP_plus_uconst.
func OpPlusUconst(v uint64) Op { return OpU(0x23, v) }

// OpPiece is DW_OP_piece.
func OpPiece(n uint64) Op { return OpU(0x93, n) }

// OpStackValue is DW_OP_stack_value.
func OpStackValue() Op { return OpRaw(0x9f) }

// OpEntryValue is DW_OP_entry_value around an expression.
func OpEntryValue(ops ...Op) Op { return opNested(0xa3, ops) }

// OpGNUEntryValue is the older DW_OP_GNU_entry_value.
func OpGNUEntryValue(ops ...Op) Op { return opNested(0xf3, ops) }

func opNested(code byte, ops []Op) Op {
	return func(u *CU, e *enc) {
		inner := u.expr(ops)
		e.u8(code)
		e.uleb(uint64(len(inner.b)))
		e.appendEnc(inner)
	}
}

// expr writes an expression by itself.
func (u *CU) expr(ops []Op) *enc {
	e := u.enc()
	for _, op := range ops {
		op(u, e)
	}
	return e
}

// Expr is an expression in the form exprloc or a block form.
func Expr(at dwarf.Attr, form Form, ops ...Op) Attr {
	return Attr{at: at, form: form, val: expression(ops)}
}

// Loc is DW_AT_location with one expression, in the form of the unit's DWARF version.
func (u *CU) Loc(ops ...Op) Attr {
	if u.version < 4 {
		return Expr(dwarf.AttrLocation, FormBlock1, ops...)
	}
	return Expr(dwarf.AttrLocation, FormExprloc, ops...)
}

type expression []Op

func (x expression) collect(u *CU, _ Form) { u.expr(x) } // assigns indexes to addresses

func (x expression) put(u *CU, e *enc, form Form) {
	body := u.expr(x)
	blob(body.b).put(u, e, form)
	for _, f := range body.fixups {
		f.off += len(e.b) - len(body.b)
		e.fixups = append(e.fixups, f)
	}
}

// A LocEntry is one entry of a location list. Bytes writes it in the form of the unit's DWARF version.
type LocEntry struct {
	kind   uint8 // DW_LLE_*
	lo, hi uint64
	at, to Place
	ops    []Op
	raw    []byte
}

// LocRange is a range of offsets from the base address.
func LocRange(lo, hi uint64, ops ...Op) LocEntry { return LocEntry{kind: 4, lo: lo, hi: hi, ops: ops} }

// LocBase changes the base address.
func LocBase(p Place) LocEntry { return LocEntry{kind: 6, at: p} }

// LocDefault is the location if no other entry applies. It and the following entries need DWARF 5.
func LocDefault(ops ...Op) LocEntry { return LocEntry{kind: 5, ops: ops} }

// LocStartEnd is a range of two addresses.
func LocStartEnd(lo, hi Place, ops ...Op) LocEntry {
	return LocEntry{kind: 7, at: lo, to: hi, ops: ops}
}

// LocStartLength is a range of an address and a length.
func LocStartLength(lo Place, n uint64, ops ...Op) LocEntry {
	return LocEntry{kind: 8, at: lo, hi: n, ops: ops}
}

// LocBasex changes the base address to one in .debug_addr.
func LocBasex(p Place) LocEntry { return LocEntry{kind: 1, at: p} }

// LocStartxEndx is a range of two addresses in .debug_addr.
func LocStartxEndx(lo, hi Place, ops ...Op) LocEntry {
	return LocEntry{kind: 2, at: lo, to: hi, ops: ops}
}

// LocStartxLength is a range of an address in .debug_addr and a length.
func LocStartxLength(lo Place, n uint64, ops ...Op) LocEntry {
	return LocEntry{kind: 3, at: lo, hi: n, ops: ops}
}

// LocRaw is a sequence of raw bytes, for view pairs and for damaged lists.
func LocRaw(b ...byte) LocEntry { return LocEntry{kind: 0xff, raw: b} }

// LocList is a location list, in the form sec_offset, loclistx or (DWARF 2 and 3) data4 or data8.
func LocList(at dwarf.Attr, form Form, entries ...LocEntry) Attr {
	return Attr{at: at, form: form, val: &list{locs: entries}}
}

// Ranges is a range list of address pairs, in the form sec_offset, rnglistx or (DWARF 2 and 3) data4 or data8.
func Ranges(form Form, pairs ...[2]Place) Attr {
	return Attr{at: dwarf.AttrRanges, form: form, val: &list{isRange: true, rngs: pairs}}
}

type list struct {
	isRange bool
	locs    []LocEntry
	rngs    [][2]Place

	body  *enc
	index int   // in the offset table, when the form is an index
	place Place // known when the table is written
}

// A listTable is a unit's part of a section of lists.
type listTable struct {
	lists   []*list
	indexed int
}

func (l *list) collect(u *CU, form Form) {
	t := &u.locs
	if l.isRange {
		t = &u.rngs
		l.body = u.rangeBody(l.rngs)
	} else {
		l.body = u.locBody(l.locs)
	}
	l.index = -1
	if form == FormLoclistx || form == FormRnglistx {
		l.index = t.indexed
		t.indexed++
	}
	t.lists = append(t.lists, l)
}

func (l *list) put(u *CU, e *enc, form Form) {
	switch form {
	case FormLoclistx, FormRnglistx:
		e.uleb(uint64(l.index))
	case FormData4:
		e.place(4, l.place)
	case FormData8:
		e.place(8, l.place)
	default:
		e.place(e.off, l.place)
	}
}

// write4 writes the lists in the form of DWARF 2 to 4, one after another.
func (t *listTable) write4(u *CU, section string) {
	for _, l := range t.lists {
		s := u.im.debugSection(section)
		l.place = s.At(uint64(len(s.data)))
		s.append(l.body)
	}
}

// write5 writes a DWARF 5 table: header, offsets of the indexed lists, lists. It returns where the offsets begin.
func (t *listTable) write5(u *CU, section string) Place {
	if len(t.lists) == 0 {
		return Nowhere
	}
	s := u.im.debugSection(section)
	e := u.enc()
	end := e.length()
	e.u16(5)
	e.u8(uint8(e.addr))
	e.u8(0)
	e.u32(uint32(t.indexed))
	base := len(e.b)
	next := base + t.indexed*e.off
	for _, l := range t.lists {
		if l.index >= 0 {
			e.uint(e.off, uint64(next-base))
		}
		l.place = s.At(uint64(len(s.data) + next))
		next += len(l.body.b)
	}
	for _, l := range t.lists {
		e.appendEnc(l.body)
	}
	end()
	s.append(e)
	return s.At(uint64(len(s.data) - len(e.b) + base))
}

func (u *CU) locBody(entries []LocEntry) *enc {
	e := u.enc()
	for _, x := range entries {
		switch {
		case x.kind == 0xff:
			e.bytes(x.raw)
		case u.version < 5:
			u.locEntry4(e, x)
		default:
			u.locEntry5(e, x)
		}
	}
	if u.version < 5 {
		e.uint(e.addr, 0)
		e.uint(e.addr, 0)
	} else {
		e.u8(0)
	}
	return e
}

func (u *CU) locEntry4(e *enc, x LocEntry) {
	switch x.kind {
	case 6:
		e.uint(e.addr, ^uint64(0))
		e.place(e.addr, x.at)
	case 4:
		e.uint(e.addr, x.lo)
		e.uint(e.addr, x.hi)
		body := u.expr(x.ops)
		e.u16(uint16(len(body.b)))
		e.appendEnc(body)
	default:
		panic("synth: this kind of location list entry needs DWARF 5")
	}
}

func (u *CU) locEntry5(e *enc, x LocEntry) {
	e.u8(x.kind)
	switch x.kind {
	case 1, 2, 3:
		e.uleb(u.addrIndex(x.at))
	case 4:
		e.uleb(x.lo)
	case 6, 7, 8:
		e.place(e.addr, x.at)
	}
	switch x.kind {
	case 1, 6:
		return
	case 2:
		e.uleb(u.addrIndex(x.to))
	case 3, 4, 8:
		e.uleb(x.hi)
	case 7:
		e.place(e.addr, x.to)
	}
	body := u.expr(x.ops)
	e.uleb(uint64(len(body.b)))
	e.appendEnc(body)
}

func (u *CU) rangeBody(pairs [][2]Place) *enc {
	e := u.enc()
	for _, p := range pairs {
		if u.version >= 5 {
			e.u8(6) // DW_RLE_start_end
		}
		e.place(e.addr, p[0])
		e.place(e.addr, p[1])
	}
	if u.version < 5 {
		e.uint(e.addr, 0)
		e.uint(e.addr, 0)
	} else {
		e.u8(0)
	}
	return e
}
