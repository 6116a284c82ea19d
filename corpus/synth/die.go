package synth

import (
	"debug/dwarf"
	"fmt"
)

// A DIE is one debugging information entry. It is its own label: other DIEs of any unit may refer to it before it is added to
// a unit.
type DIE struct {
	tag      dwarf.Tag
	attrs    []Attr
	children []*DIE
	parent   *DIE
	forced   bool // marked as having children although it has none

	heads *CU // the unit, set only in its root DIE
	off   uint64
}

// A Part is a part of a DIE: an Attr or a child *DIE.
type Part interface{ addTo(d *DIE) }

// NewDIE creates a DIE that is not yet in a tree.
func NewDIE(tag dwarf.Tag, parts ...Part) *DIE {
	d := &DIE{tag: tag}
	for _, p := range parts {
		p.addTo(d)
	}
	return d
}

func (a Attr) addTo(d *DIE) { d.attrs = append(d.attrs, a) }

func (d *DIE) addTo(parent *DIE) {
	if d.parent != nil {
		panic(fmt.Sprintf("synth: DIE %v is in a tree already", d.tag))
	}
	d.parent = parent
	parent.children = append(parent.children, d)
}

// DIE adds a child.
func (d *DIE) DIE(tag dwarf.Tag, parts ...Part) *DIE {
	c := NewDIE(tag, parts...)
	c.addTo(d)
	return c
}

// Add adds attributes and children made with NewDIE, and returns d.
func (d *DIE) Add(parts ...Part) *DIE {
	for _, p := range parts {
		p.addTo(d)
	}
	return d
}

// Set adds attributes, replaces existing ones of the same name, and returns d.
func (d *DIE) Set(attrs ...Attr) *DIE {
next:
	for _, a := range attrs {
		for i := range d.attrs {
			if d.attrs[i].at == a.at {
				d.attrs[i] = a
				continue next
			}
		}
		d.attrs = append(d.attrs, a)
	}
	return d
}

// Drop removes an attribute and returns d.
func (d *DIE) Drop(at dwarf.Attr) *DIE {
	for i := range d.attrs {
		if d.attrs[i].at == at {
			d.attrs = append(d.attrs[:i:i], d.attrs[i+1:]...)
			break
		}
	}
	return d
}

// EmptyChildren marks d as having children even if it has none: an abbrev with the flag set, then a null entry.
func (d *DIE) EmptyChildren() *DIE {
	d.forced = true
	return d
}

// Offset returns the position in .debug_info (or .debug_types). It is valid after the call of Bytes.
func (d *DIE) Offset() uint64 { return d.off }

// cu returns the unit of the DIE, or nil if the DIE is in no tree yet.
func (d *DIE) cu() *CU {
	for d.parent != nil {
		d = d.parent
	}
	return d.heads
}

// version returns the DWARF version of the unit that contains d, by which forms are chosen. It panics if d is in no unit.
func (d *DIE) version() int {
	u := d.cu()
	if u == nil {
		panic("synth: this needs a DIE that is in a unit")
	}
	return u.version
}

// An Attr is an attribute with its form and value.
type Attr struct {
	at       dwarf.Attr
	form     Form
	val      value
	indirect bool
}

// A value is the value of an attribute. collect is called once, before the layout, and assigns places to strings, addresses and lists. put is
// called in every pass of the layout.
type value interface {
	collect(u *CU, form Form)
	put(u *CU, e *enc, form Form)
}

// Indirect writes the form before the value (DW_FORM_indirect).
func Indirect(a Attr) Attr {
	a.indirect = true
	return a
}

// Num is a number in any form for numbers: data, udata, sdata, flag, implicit_const. In the forms for references, strx, addrx, sec_offset, strp
// and the alternate file, it is written as a raw index or offset.
func Num(at dwarf.Attr, form Form, v uint64) Attr { return Attr{at: at, form: form, val: number(v)} }

// Int is Num for negative numbers.
func Int(at dwarf.Attr, form Form, v int64) Attr { return Num(at, form, uint64(v)) }

// Flag is DW_FORM_flag_present.
func Flag(at dwarf.Attr) Attr { return Num(at, FormFlagPresent, 1) }

// Str is a string in the form string, strp, line_strp, strx or strx1 to strx4.
func Str(at dwarf.Attr, form Form, s string) Attr { return Attr{at: at, form: form, val: text(s)} }

// Name is DW_AT_name as a compiler writes it: strp for longer names, string for short ones.
func Name(s string) Attr { return Str(dwarf.AttrName, nameForm(s), s) }

func nameForm(s string) Form {
	if len(s) > 3 {
		return FormStrp
	}
	return FormString
}

// Block is bytes in the form block, block1, block2, block4, exprloc or data16.
func Block(at dwarf.Attr, form Form, b ...byte) Attr { return Attr{at: at, form: form, val: blob(b)} }

// Addr is an address in the form addr, addrx or addrx1 to addrx4.
func Addr(at dwarf.Attr, form Form, p Place) Attr {
	return Attr{at: at, form: form, val: &address{p: p}}
}

// Ref is a reference in the form ref1 to ref8, ref_udata, ref_addr or ref_sig8; the last needs a DIE in a type unit.
func Ref(at dwarf.Attr, form Form, to *DIE) Attr { return Attr{at: at, form: form, val: reference{to}} }

// Type is DW_AT_type in the form ref4. A nil target, void, must be left out by the caller.
func Type(to *DIE) Attr { return Ref(dwarf.AttrType, FormRef4, to) }

type number uint64

func (number) collect(*CU, Form) {}

func (n number) put(u *CU, e *enc, form Form) { u.number(e, form, uint64(n)) }

// number writes v in a form for numbers.
func (u *CU) number(e *enc, form Form, v uint64) {
	w, ok := widths[form]
	switch {
	case !ok:
		panic(fmt.Sprintf("synth: unknown form %#x", uint32(form)))
	case w == wNone:
		return
	case w == wULEB:
		e.uleb(v)
		return
	case w == wSLEB:
		e.sleb(int64(v))
		return
	case w == wOffset:
		w = e.off
	case w == wAddress:
		w = e.addr
	case w == wRefAddr:
		w = u.refAddrSize(e)
	case w < 0 || w > 8:
		panic(fmt.Sprintf("synth: form %#x does not hold a number", uint32(form)))
	}
	if s := int64(v) >> (8*w - 1); w < 8 && v>>(8*w) != 0 && s != -1 {
		panic(fmt.Sprintf("synth: %#x does not fit into form %#x", v, uint32(form)))
	}
	e.uint(w, v)
}

func (u *CU) refAddrSize(e *enc) int {
	if u.version == 2 {
		return e.addr
	}
	return e.off
}

type text string

func (t text) collect(u *CU, form Form) {
	switch form {
	case FormStrp:
		u.str(string(t))
	case FormLineStrp:
		u.im.strp(".debug_line_str", string(t))
	case FormStrx, FormStrx1, FormStrx2, FormStrx3, FormStrx4, FormGNUStrIndex:
		u.str(string(t))
		u.strIndex(string(t))
	}
}

func (t text) put(u *CU, e *enc, form Form) {
	switch form {
	case FormString:
		e.cstr(string(t))
	case FormStrp:
		e.place(e.off, u.str(string(t)))
	case FormLineStrp:
		e.place(e.off, u.im.strp(".debug_line_str", string(t)))
	default:
		u.number(e, form, u.strIndex(string(t)))
	}
}

// str returns the place of a string in .debug_str.
func (u *CU) str(text string) Place {
	if u.im.target.OwnStrings {
		return u.im.ownString(fmt.Sprintf("%p", u), ".debug_str", text)
	}
	return u.im.strp(".debug_str", text)
}

type blob []byte

func (blob) collect(*CU, Form) {}

func (v blob) put(u *CU, e *enc, form Form) {
	switch widths[form] {
	case wBlock1:
		e.u8(uint8(len(v)))
	case wBlock2:
		e.u16(uint16(len(v)))
	case wBlock4:
		e.u32(uint32(len(v)))
	case wBlock:
		e.uleb(uint64(len(v)))
	case 16:
		if len(v) != 16 {
			panic("synth: data16 wants 16 bytes")
		}
	default:
		panic(fmt.Sprintf("synth: form %#x does not hold bytes", uint32(form)))
	}
	e.bytes(v)
}

type address struct{ p Place }

func (a *address) collect(u *CU, form Form) {
	if form != FormAddr {
		u.addrIndex(a.p)
	}
}

func (a *address) put(u *CU, e *enc, form Form) {
	if form == FormAddr {
		e.place(e.addr, a.p)
	} else {
		u.number(e, form, u.addrIndex(a.p))
	}
}

type reference struct{ to *DIE }

func (r reference) collect(u *CU, form Form) {
	if r.to == nil || r.to.cu() == nil {
		panic("synth: reference to a DIE that is in no unit")
	}
}

func (r reference) put(u *CU, e *enc, form Form) {
	to := r.to.cu()
	switch {
	case form == FormRefSig8:
		e.uint(8, to.signature)
	case form == FormRefAddr:
		e.place(u.refAddrSize(e), u.im.debugSection(to.sectionName()).At(r.to.off))
	case to != u:
		panic("synth: this form of reference does not leave the unit")
	default:
		// In the first passes the target may not have an offset yet.
		u.number(e, form, max(r.to.off, u.off)-u.off)
	}
}
