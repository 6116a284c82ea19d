package synth

import (
	"debug/dwarf"
	"fmt"
)

// A CU is one unit of .debug_info or .debug_types. It embeds its root DIE, so whatever can be added to a DIE can be
// added to the unit.
type CU struct {
	*root
	target    Target
	version   int
	kind      unitKind
	dwarf64   bool
	addrSize  int
	signature uint64 // the signature of a type unit, or the id of a skeleton unit
	sigType   *DIE   // the type of a type unit
	abbrevs   *abbrevTable
	first     uint64 // first abbrev code

	// The following fields are used during a call of Bytes.
	im    *image
	off   uint64
	strs  []string
	addrs []Place
	locs  listTable
	rngs  listTable
}

// root is another name of DIE, so that CU can embed a DIE and have a method of the name DIE.
type root = DIE

type unitKind uint8

// The unit types of DWARF 5.
const (
	compileUnit  unitKind = 1
	typeUnit     unitKind = 2
	partialUnit  unitKind = 3
	skeletonUnit unitKind = 4
)

// A CUOption is an option for the creation of a unit.
type CUOption func(*CU)

// Version sets the DWARF version of the unit.
func Version(n int) CUOption { return func(u *CU) { u.version = n } }

// Dwarf64 writes the unit in the 64-bit format.
func Dwarf64(u *CU) { u.dwarf64 = true }

// AddrSize sets the address size of the unit, in bytes.
func AddrSize(n int) CUOption { return func(u *CU) { u.addrSize = n } }

// Producer adds DW_AT_producer.
func Producer(s string) CUOption {
	return func(u *CU) { u.Add(Str(dwarf.AttrProducer, FormStrp, s)) }
}

// With adds attributes to the root DIE.
func With(attrs ...Attr) CUOption { return func(u *CU) { u.Set(attrs...) } }

// Partial makes the unit a partial unit.
func Partial(u *CU) { u.kind, u.tag = partialUnit, dwarf.TagPartialUnit }

// Skeleton makes the unit a skeleton unit, whose DIEs are in another file.
func Skeleton(id uint64) CUOption {
	return func(u *CU) { u.kind, u.tag, u.signature = skeletonUnit, dwarf.TagSkeletonUnit, id }
}

// TypeUnit makes the unit a type unit for a DIE that is added to it later. In DWARF 4 the unit goes into .debug_types.
func TypeUnit(signature uint64, about *DIE) CUOption {
	return func(u *CU) { u.kind, u.tag, u.signature, u.sigType = typeUnit, dwarf.TagTypeUnit, signature, about }
}

// RootTag replaces the tag of the root DIE, which by default follows from the unit type.
func RootTag(t dwarf.Tag) CUOption { return func(u *CU) { u.tag = t } }

// ShareAbbrevs makes the unit use the abbreviation table of another one.
func ShareAbbrevs(of *CU) CUOption { return func(u *CU) { u.abbrevs = of.abbrevs } }

// FirstAbbrev sets the first abbreviation code of the unit, which is 1 by default.
func FirstAbbrev(n uint64) CUOption { return func(u *CU) { u.first = n } }

// CU adds a unit. If the name is empty or the language is zero, that attribute is left out.
func (b *Builder) CU(name string, lang Lang, opts ...CUOption) *CU {
	u := &CU{target: b.target, version: b.target.DWARF, kind: compileUnit, addrSize: b.target.addrSize(), first: 1}
	u.root = NewDIE(dwarf.TagCompileUnit)
	u.root.heads = u
	u.abbrevs = &abbrevTable{}
	if name != "" {
		u.Add(Name(name))
	}
	if lang != 0 {
		u.Add(Num(dwarf.AttrLanguage, numForm(uint64(lang)), uint64(lang)))
	}
	for _, o := range opts {
		o(u)
	}
	b.units = append(b.units, u)
	return u
}

// Root returns the root DIE.
func (u *CU) Root() *DIE { return u.root }

// HeaderOffset returns the position of the unit's header in its section. It is valid after the call of Bytes.
func (u *CU) HeaderOffset() uint64 { return u.off }

func (u *CU) sectionName() string {
	if u.kind == typeUnit && u.version < 5 {
		return ".debug_types"
	}
	return ".debug_info"
}

func (u *CU) enc() *enc {
	e := &enc{order: u.im.target.Order, addr: u.addrSize, off: 4}
	if u.dwarf64 {
		e.off = 8
	}
	return e
}

// collect walks the tree once and writes its tables: strings, addresses, lists. Then it sets the attributes of the root that
// point to these tables.
func (u *CU) collect(im *image) {
	u.im = im
	u.strs, u.addrs, u.locs, u.rngs = nil, nil, listTable{}, listTable{}
	u.abbrevs.reset()
	u.collectDIE(u.root)
	if u.version >= 5 {
		// The offsets are not known before the tables are written, so the attributes hold pointers to them.
		u.base(AttrStrOffsetsBase, len(u.strs) > 0, u.writeStrOffsets)
		u.base(AttrLoclistsBase, u.locs.indexed > 0, func() Place { return u.locs.write5(u, ".debug_loclists") })
		u.base(AttrRnglistsBase, u.rngs.indexed > 0, func() Place { return u.rngs.write5(u, ".debug_rnglists") })
		u.base(AttrAddrBase, len(u.addrs) > 0, u.writeAddrs)
		return
	}
	u.locs.write4(u, ".debug_loc")
	u.rngs.write4(u, ".debug_ranges")
}

func (u *CU) collectDIE(d *DIE) {
	d.off = 0
	for _, a := range d.attrs {
		a.val.collect(u, a.form)
	}
	for _, c := range d.children {
		u.collectDIE(c)
	}
}

// base writes a table and, if DIEs refer to it by index, sets the root's attribute that points to it.
func (u *CU) base(at dwarf.Attr, used bool, write func() Place) {
	p := write()
	if used {
		u.Set(Attr{at: at, form: FormSecOffset, val: offsetOf{p}})
	}
}

// offsetOf is a section offset.
type offsetOf struct{ p Place }

func (offsetOf) collect(*CU, Form)           {}
func (o offsetOf) put(u *CU, e *enc, _ Form) { e.place(e.off, o.p) }

// strIndex is the index of s in the unit's part of .debug_str_offsets.
func (u *CU) strIndex(s string) uint64 {
	for i := range u.strs {
		if u.strs[i] == s {
			return uint64(i)
		}
	}
	u.strs = append(u.strs, s)
	return uint64(len(u.strs) - 1)
}

// addrIndex is the index of p in the unit's part of .debug_addr.
func (u *CU) addrIndex(p Place) uint64 {
	for i := range u.addrs {
		if u.addrs[i] == p {
			return uint64(i)
		}
	}
	u.addrs = append(u.addrs, p)
	return uint64(len(u.addrs) - 1)
}

// writeStrOffsets writes the unit's part of .debug_str_offsets and returns where its entries begin.
func (u *CU) writeStrOffsets() Place {
	if len(u.strs) == 0 {
		return Nowhere
	}
	s := u.im.debugSection(".debug_str_offsets")
	e := u.enc()
	end := e.length()
	e.u16(5)
	e.u16(0)
	start := uint64(len(s.data) + len(e.b))
	for _, t := range u.strs {
		e.place(e.off, u.im.strp(".debug_str", t))
	}
	end()
	s.append(e)
	return s.At(start)
}

// writeAddrs writes the unit's part of .debug_addr and returns where its entries begin.
func (u *CU) writeAddrs() Place {
	if len(u.addrs) == 0 {
		return Nowhere
	}
	s := u.im.debugSection(".debug_addr")
	e := u.enc()
	end := e.length()
	e.u16(5)
	e.u8(uint8(e.addr))
	e.u8(0)
	start := uint64(len(s.data) + len(e.b))
	for _, p := range u.addrs {
		e.place(e.addr, p)
	}
	end()
	s.append(e)
	return s.At(start)
}

// layoutUnits writes all units with the offsets of DIEs found so far, and reports whether none has changed.
func layoutUnits(im *image, units []*CU) (settled bool) {
	settled = true
	im.unitData = map[string]*enc{}
	for _, u := range units {
		name := u.sectionName()
		all := im.unitData[name]
		if all == nil {
			all = &enc{order: im.target.Order}
			im.unitData[name] = all
		}
		e := u.enc()
		if off := uint64(len(all.b)); off != u.off {
			u.off, settled = off, false
		}
		if !u.write(e) {
			settled = false
		}
		all.appendEnc(e)
	}
	return settled
}

// write writes the unit and reports whether every DIE has the same offset as in the previous pass.
func (u *CU) write(e *enc) (settled bool) {
	end := e.length()
	abbrev := u.im.debugSection(".debug_abbrev").At(u.im.abbrevOffset(u.abbrevs))
	e.u16(uint16(u.version))
	if u.version >= 5 {
		e.u8(uint8(u.kind))
		e.u8(uint8(u.addrSize))
		e.place(e.off, abbrev)
	} else {
		e.place(e.off, abbrev)
		e.u8(uint8(u.addrSize))
	}
	if u.kind == typeUnit || u.kind == skeletonUnit && u.version >= 5 {
		e.uint(8, u.signature)
	}
	if u.kind == typeUnit {
		var off uint64
		if u.sigType != nil {
			off = max(u.sigType.off, u.off) - u.off
		}
		e.uint(e.off, off)
	}
	settled = u.writeDIE(e, u.root)
	end()
	return settled
}

func (u *CU) writeDIE(e *enc, d *DIE) (settled bool) {
	off := u.off + uint64(len(e.b))
	settled = d.off == off
	d.off = off
	e.uleb(u.abbrevs.code(d, u.first))
	for _, a := range d.attrs {
		if a.indirect {
			e.uleb(uint64(a.form))
		}
		a.val.put(u, e, a.form)
	}
	if d.hasChildren() {
		for _, c := range d.children {
			settled = u.writeDIE(e, c) && settled
		}
		e.u8(0)
	}
	return settled
}

func (d *DIE) hasChildren() bool { return d.forced || len(d.children) > 0 }

// An abbrevTable is one table of .debug_abbrev.
type abbrevTable struct {
	codes map[string]uint64
	body  enc
}

func (t *abbrevTable) reset() { *t = abbrevTable{} }

// code returns the code of the abbreviation for d, and adds the abbreviation if there is none.
func (t *abbrevTable) code(d *DIE, first uint64) uint64 {
	var e enc
	e.uleb(uint64(d.tag))
	if d.hasChildren() {
		e.u8(1)
	} else {
		e.u8(0)
	}
	for _, a := range d.attrs {
		form := a.form
		if a.indirect {
			form = FormIndirect
		}
		e.uleb(uint64(a.at))
		e.uleb(uint64(form))
		if form == FormImplicitConst {
			n, ok := a.val.(number)
			if !ok {
				panic(fmt.Sprintf("synth: implicit_const of %v wants a number", a.at))
			}
			e.sleb(int64(n))
		}
	}
	e.bytes([]byte{0, 0})
	key := string(e.b)
	if c, ok := t.codes[key]; ok {
		return c
	}
	if t.codes == nil {
		t.codes = map[string]uint64{}
	}
	c := first + uint64(len(t.codes))
	t.codes[key] = c
	t.body.uleb(c)
	t.body.bytes(e.b)
	return c
}
