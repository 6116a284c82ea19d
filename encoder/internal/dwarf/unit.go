package dwarf

import (
	"bytes"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// An Offset is a position in a unit in bytes, from the start of its header, or a position in MergedUnits.
type Offset uint32

// A Unit is one unit of .debug_info or .debug_types: its header, the attributes of its root that apply to the whole unit, and its bytes. A Unit
// may be reused for another unit. Its previous contents are then no longer valid.
type Unit struct {
	Index int     // number in section order
	Off   uint64  // offset of its header, from the start of the section
	Empty Nothing // why the unit is empty, if it is
	unitBytes
	header
	rootAttrs
	origin

	abbrevs *abbrevs
	long    bool // the abbreviations are longer than the unit
	buf     []byte
}

// unitBytes says where the unit is in memory.
type unitBytes struct {
	data   []byte // the unit from its header on, and slack; in MergedUnits, all units
	at     int    // where its header starts in data
	end    int    // where the unit ends in data
	refEnd int    // references must be less
	root   int    // where its root DIE starts in data
}

// header has the fields of the unit header.
type header struct {
	Version  uint16
	AddrSize uint8
	dwarf64  bool
	kind     uint8
	dwoID    uint64 // from the header or the root
	sig      uint64 // signature of a type unit
	sigType  uint64 // position of its type, from the start of the header
}

// rootAttrs has the attributes of the root DIE.
type rootAttrs struct {
	Tag      Tag
	Children bool   // the root has children
	Lang     uint64 // DW_AT_language
	Name     StrKey
	Clang    bool   // DW_AT_producer contains "clang"
	DwoName  StrKey // DW_AT_dwo_name: the file with the contents of a skeleton
	Dir      StrKey // DW_AT_comp_dir

	strBase, addrBase, listBase uint64 // where its tables start
}

// origin says where the unit was read from.
type origin struct {
	d       *Data
	sec     *section // the section that contains it
	part    *part    // the part of MergedUnits that contains it, or nil
	inTypes bool     // it is in .debug_types
}

// Forget drops what refers to an image, and keeps memory for another unit.
func (u *Unit) Forget() { *u = Unit{buf: u.buf} }

// Len returns the length of the unit in bytes, including its header. Every offset in the unit is less. In MergedUnits it returns the end of the
// unit.
func (u *Unit) Len() int { return u.end }

// TypeUnitIDs returns the highest local id of a type in .debug_types that references of the unit can give; see MergedUnits.Number.
func (u *Unit) TypeUnitIDs() uint32 {
	if u.part != nil {
		return 0
	}
	return uint32(u.d.sigMax)
}

// A Reader reads the units of an image in section order, those of .debug_types first (rule 01/2.1). It may be used by one goroutine at a time.
type Reader struct {
	d       *Data
	sec     *section
	inTypes bool
	off     uint64
	index   int // number of the next unit, including gaps
	gaps    int
	buf     []byte
}

// Units returns a Reader at the first unit. If TypeUnits has read the units of .debug_types, that is the first unit of .debug_info.
func (d *Data) Units() *Reader {
	r := &Reader{d: d, sec: &d.types, inTypes: true}
	if d.types.size == 0 || d.sigs != nil {
		r.sec, r.inTypes = &d.info, false
	}
	return r
}

// Next reads the bytes of the next unit into u. more is false after the last unit. Unit.Open reads the attributes of the root.
func (r *Reader) Next(u *Unit) (more bool, err error) {
	if more, err = r.Reserve(u); more {
		err = u.Load()
	}
	return more && err == nil, err
}

// Reserve makes u the next unit. Until Load, only the place of u is known. more is false after the last unit.
func (r *Reader) Reserve(u *Unit) (more bool, err error) {
	if r.off >= r.sec.size {
		if !r.inTypes {
			return false, nil
		}
		r.sec, r.inTypes, r.off = &r.d.info, false, 0
		return r.Reserve(u)
	}
	h, err := r.sec.stored(&r.buf, r.off, min(12, r.sec.size-r.off))
	if err != nil {
		return false, err
	}
	n, err := r.length(h[:min(12, r.sec.size-r.off)])
	gap := uint64(0)
	if (err != nil || n == 4) && h[0] == 0 {
		var bad error
		if gap, bad = r.gap(); bad != nil {
			return false, bad
		}
	}
	switch {
	case gap != 0:
		n = gap
	case err != nil:
		return false, err
	}
	if u.reset(r, int(n)); gap != 0 {
		u.Empty = Padding
		r.gaps++
	}
	r.off += n
	r.index++
	return true, nil
}

// Load reads the bytes of a reserved unit.
func (u *Unit) Load() (err error) {
	if u.data, err = u.sec.at(&u.buf, u.Off, uint64(u.end)); err == nil && u.sec.pieces != nil && !u.asReserved() {
		err = elf.ErrPieces
	}
	return err
}

// asReserved reports whether no relocation has changed what Reserve saw: the length of the unit, or zeros.
func (u *Unit) asReserved() bool {
	if u.Empty == Padding {
		return len(bytes.Trim(u.data[:u.end], "\x00")) == 0
	}
	r := Reader{d: u.d, sec: u.sec, off: u.Off}
	n, err := r.length(u.data[:min(12, u.end)])
	return err == nil && n == uint64(u.end)
}

// reset makes u the unit at the position of r. Its tables and buffers are kept for reuse.
func (u *Unit) reset(r *Reader, end int) {
	table := u.abbrevs
	if table == nil {
		table = &abbrevs{}
	}
	*u = Unit{Index: r.index - r.gaps, Off: r.off, unitBytes: unitBytes{end: end, refEnd: end}, origin: origin{d: r.d, sec: r.sec, inTypes: r.inTypes},
		abbrevs: table, buf: u.buf}
	if r.d.sigMax != 0 {
		u.refEnd += int(r.d.sigMax) + 1
	}
}

// length returns the length of the unit in bytes, including its length field. h has its first bytes.
func (r *Reader) length(h []byte) (uint64, error) {
	if len(h) < 4 {
		return 0, r.sec.err(r.off, "unit header is cut short")
	}
	n, field := uint64(r.d.order.Uint32(h)), uint64(4)
	if n == 0xffffffff {
		if len(h) < 12 {
			return 0, r.sec.err(r.off, "unit header is cut short")
		}
		n, field = r.d.order.Uint64(h[4:]), 12
	} else if n >= 0xfffffff0 {
		return 0, r.sec.err(r.off, "unit length %#x is reserved", n)
	}
	if n > r.sec.size-r.off-min(field, r.sec.size-r.off) || n > 1<<31-64 {
		return 0, r.sec.err(r.off, "unit of %d bytes reaches past the end of the section (%d bytes)", n, r.sec.size)
	}
	return n + field, nil
}

// Open reads the unit's header, compiles its abbreviations and reads its root. If the unit is Empty, other fields are not set.
func (u *Unit) Open() error {
	if u.Empty == Padding {
		u.root = u.end
		u.abbrevs.upTo(lowCodes - 1) // a Cursor requires this
		return nil
	}
	abbrevOff, err := u.readHeader()
	if err != nil {
		return err
	}
	if u.long, err = u.abbrevs.compile(&u.d.abbrev, abbrevOff, u.key(), u.d.tables, u.tableLen()); err != nil {
		return fmt.Errorf("CU %d: %w", u.Index, err)
	}
	if u.Empty = u.nothing(); u.Empty != NotEmpty {
		return nil
	}
	u.defaultBases()
	var c Cursor
	c.Start(u)
	a := c.Read(u.root)
	if c.Err != nil {
		return c.Err
	}
	if a == nil {
		u.Tag = 0
		return nil
	}
	u.Tag, u.Children = a.Tag, a.Children
	u.Lang = c.Value(SlotLang)
	if c.Has&bit(SlotStrBase) != 0 {
		u.strBase = c.Val[SlotStrBase]
	}
	if c.Has&bit(SlotAddrBase) != 0 {
		u.addrBase = c.Val[SlotAddrBase]
	}
	if c.Has&bit(SlotListBase) != 0 {
		u.listBase = c.Val[SlotListBase]
	}
	if err := u.checkBases(c.Has); err != nil {
		return err
	}
	u.Name = c.Name()
	u.DwoName, u.Dir = c.text(SlotDwo, SlotDwoKey, SlotDwoX), c.text(SlotDir, SlotDirKey, SlotDirX)
	if c.Has&bit(SlotDwoID) != 0 {
		u.dwoID = c.Val[SlotDwoID]
	}
	var scratch [4]byte
	u.Clang = bytes.Contains(u.d.keys.whole(c.text(SlotProducer, SlotProdKey, SlotProdX), &scratch), []byte("clang"))
	return nil
}

// tableLen is the length up to which an abbreviation table is compiled each time the unit is opened. It is the length of the unit. In
// MergedUnits it is 0, because there a unit can be opened for each reference into it.
func (u *Unit) tableLen() int {
	if u.part != nil {
		return 0
	}
	return u.end - u.at
}

// readHeader reads the unit header (DWARF 5, section 7.5.1; DWARF 4, section 7.5.1).
func (u *Unit) readHeader() (abbrevOff uint64, err error) {
	pos, offset := u.at+4, 4
	if u.end-u.at < 11 {
		return 0, u.Err(u.at, "unit of %d bytes is too short for a header", u.end-u.at)
	}
	if u.d.order.Uint32(u.data[u.at:]) == 0xffffffff {
		u.dwarf64 = true
		pos, offset = u.at+12, 8
	}
	if u.end < pos+2+offset+1 {
		return 0, u.Err(u.at, "unit of %d bytes is too short for a header", u.end-u.at)
	}
	u.Version = u.d.order.Uint16(u.data[pos:])
	pos += 2
	switch {
	case u.Version < 2 || u.Version > 5:
		return 0, u.Err(pos-2, "DWARF version %d is not supported", u.Version)
	case u.Version == 5:
		u.kind, u.AddrSize = u.data[pos], u.data[pos+1]
		pos += 2
		abbrevOff = u.offset(pos)
		pos += offset
	default:
		u.kind = unitCompile
		if u.inTypes {
			u.kind = unitType
		}
		abbrevOff = u.offset(pos)
		pos += offset
		u.AddrSize = u.data[pos]
		pos++
	}
	switch u.kind {
	case unitCompile, unitPartial:
	case unitSkeleton, unitSplitCompile:
		if pos+8 <= u.end {
			u.dwoID = u.d.order.Uint64(u.data[pos:])
		}
		pos += 8
	case unitType, unitSplitType:
		if pos+8+offset <= u.end {
			u.sig, u.sigType = u.d.order.Uint64(u.data[pos:]), u.offset(pos+8)
		}
		pos += 8 + offset
	default:
		return 0, u.Err(u.at, "unit type %#x is unknown", u.kind)
	}
	if u.AddrSize != 4 && u.AddrSize != 8 {
		return 0, u.Err(u.at, "addresses of %d bytes are not supported", u.AddrSize)
	}
	if pos > u.end {
		return 0, u.Err(u.at, "unit of %d bytes is too short for its header", u.end-u.at)
	}
	u.root = pos
	return abbrevOff, nil
}

// offset reads a section offset in the format of the unit: 4 or 8 bytes.
func (u *Unit) offset(pos int) uint64 {
	if u.dwarf64 {
		return u.d.order.Uint64(u.data[pos:])
	}
	return uint64(u.d.order.Uint32(u.data[pos:]))
}

// defaultBases sets the starts of the tables for a root that does not state them: after a table header in DWARF 5, otherwise 0.
func (u *Unit) defaultBases() {
	if u.Version < 5 {
		return
	}
	u.strBase, u.addrBase, u.listBase = 8, 8, 12
	if u.dwarf64 {
		u.strBase, u.addrBase, u.listBase = 16, 16, 20
	}
}

// checkBases returns an error if a table that the root refers to does not start after a table header, as DWARF 5 requires.
func (u *Unit) checkBases(has uint64) error {
	if u.Version < 5 || u.d.split || !u.d.File.Relocated() {
		return nil
	}
	for _, t := range []struct {
		slot Slot
		name string
		data []byte
		base uint64
	}{{SlotStrBase, ".debug_str_offsets", u.d.strOff, u.strBase}, {SlotAddrBase, ".debug_addr", u.d.addr, u.addrBase}} {
		header := 2 * u.offsetSize()
		if has&bit(t.slot) == 0 {
			continue
		}
		if t.base < header || t.base > uint64(len(t.data)) || u.d.order.Uint16(t.data[t.base-4:]) != 5 {
			return u.Err(u.root, "%s+%#x: no table of version 5 starts here (%d bytes)", t.name, t.base, len(t.data))
		}
		if n := u.tableLength(t.data[t.base-header:]); n > uint64(len(t.data))-t.base+4 {
			return u.Err(u.root, "%s+%#x: table of %d bytes reaches past the end of the section (%d bytes)", t.name, t.base, n, len(t.data))
		}
	}
	return nil
}

// tableLength reads the length field at the start of a table.
func (u *Unit) tableLength(b []byte) uint64 {
	if u.dwarf64 {
		return u.d.order.Uint64(b[4:])
	}
	return uint64(u.d.order.Uint32(b))
}

// strx returns the key of an indexed string; 0 if the index is out of range.
func (u *Unit) strx(index uint64) StrKey {
	width := u.offsetSize()
	at := u.strBase + index*width
	if index > 1<<31 || at+width > uint64(len(u.d.strOff)) || at < u.strBase {
		return 0
	}
	if width == 8 {
		return u.d.strp(u.d.order.Uint64(u.d.strOff[at:]))
	}
	return u.d.strp(uint64(u.d.order.Uint32(u.d.strOff[at:])))
}

func (u *Unit) offsetSize() uint64 {
	if u.dwarf64 {
		return 8
	}
	return 4
}

// addrx returns an indexed address.
func (u *Unit) addrx(index uint64) (addr uint64, ok bool) {
	width := uint64(u.AddrSize)
	at := u.addrBase + index*width
	if index > 1<<31 || at < u.addrBase || at+width > uint64(len(u.d.addr)) {
		return 0, false
	}
	if width == 8 {
		return u.d.order.Uint64(u.d.addr[at:]), true
	}
	return uint64(u.d.order.Uint32(u.d.addr[at:])), true
}

// BigEndian reports whether the unit's data is big endian.
func (u *Unit) BigEndian() bool { return u.d.swap }

// Index returns the number of units that were read or reserved, including gaps between units.
func (r *Reader) Index() int { return r.index }

// Fail ends the reading after an error. It returns the number of the unit that could not be read.
func (r *Reader) Fail() int {
	n := r.index
	r.sec, r.inTypes, r.off = &r.d.info, false, r.d.info.size
	r.index++
	return n
}

// InfoSize returns the size of .debug_info in bytes.
func (d *Data) InfoSize() uint64 { return d.info.size }

// At reads the unit at the place of a unit that was read before. The result of Next is undefined afterwards.
func (r *Reader) At(p Place, u *Unit) error {
	r.inTypes = p.Section == ".debug_types"
	r.sec = &r.d.info
	if r.inTypes {
		r.sec = &r.d.types
	}
	r.off, r.index = p.Off, p.Index
	_, err := r.Next(u)
	return err
}
