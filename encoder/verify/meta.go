package verify

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The meta phase (rule 05/5) checks every record by itself, in the order of ids. It checks only that a reference could be an id, not the
// type that it refers to.

// A metaRule is one check of one record.
type metaRule func(c *checker, r *record) *Refusal

// metaRules lists the checks of each kind in the kernel's order.
var metaRules = [btf.NumKinds][]metaRule{
	btf.KindInt:       {whole, noVlen, kindFlag, intWord},
	btf.KindPtr:       {noVlen, kindFlag, idOrVoid, noName},
	btf.KindArray:     {whole, noName, noVlen, kindFlag, noSize, arrayWords},
	btf.KindStruct:    {whole, nameOrNone, members},
	btf.KindUnion:     {whole, nameOrNone, members},
	btf.KindEnum:      {whole, kindFlag, enumSize, nameOrNone, enumerators},
	btf.KindFwd:       {noVlen, noType, someName},
	btf.KindTypedef:   {noVlen, kindFlag, idOrVoid, someName},
	btf.KindVolatile:  {noVlen, kindFlag, idOrVoid, noName},
	btf.KindConst:     {noVlen, kindFlag, idOrVoid, noName},
	btf.KindRestrict:  {noVlen, kindFlag, idOrVoid, noName},
	btf.KindFunc:      {someName, linkage, kindFlag},
	btf.KindFuncProto: {whole, noName, kindFlag},
	btf.KindVar:       {whole, noVlen, kindFlag, someName, idNotVoid, varLinkage},
	btf.KindDatasec:   {whole, someEntry, sectionSize, kindFlag, sectionName, entries},
	btf.KindFloat:     {noVlen, kindFlag, floatSize},
	btf.KindDeclTag:   {whole, tagValue, noVlen, kindFlag, component},
	btf.KindTypeTag:   {noVlen, kindFlag, idOrVoid, tagName},
	btf.KindEnum64:    {whole, kindFlag, enumSize, nameOrNone, enumerators},
}

// meta walks the type section and records the offsets of the types.
func (c *checker) meta() *Refusal {
	size := uint32(len(c.types))
	c.recs = make([]uint32, 0, min(size/20, maxTypes))
	id := c.firstID
	var r record // one for all iterations, because a rule may keep it in a refusal
	for at := uint32(0); at < size; id++ {
		r = record{id: id, at: at}
		if left := size - at; left < recordSize {
			return c.plain(&r, fmt.Sprintf("meta_left:%d meta_needed:%d", left, recordSize))
		}
		r = c.read(id, at)
		if info := c.word(at + 4); info&^c.gen.info != 0 {
			r.kind = btf.KindVoid
			return c.plain(&r, fmt.Sprintf("Invalid btf_info:%x", info))
		}
		if r.kind == btf.KindVoid || r.kind > c.gen.lastKind {
			return c.plain(&r, fmt.Sprintf("Invalid kind:%d", uint8(r.kind)))
		}
		if !c.inStrings(r.name) {
			return c.plain(&r, fmt.Sprintf("Invalid name_offset:%d", r.name))
		}
		for _, rule := range metaRules[r.kind] {
			if refusal := rule(c, &r); refusal != nil {
				return refusal
			}
		}
		if id < maxTypes {
			c.recs = append(c.recs, at)
		}
		c.last = r
		at = r.body() + bodySize(&r)
	}
	return nil
}

// bodySize returns the size of the part after a record, in bytes.
func bodySize(r *record) uint32 {
	s := btf.ShapeOf(r.kind)
	return 4 * (uint32(s.Once) + uint32(s.Each)*r.vlen)
}

// whole checks that the part after the record exists. It runs before anything reads that part.
func whole(c *checker, r *record) *Refusal {
	left, needed := uint32(len(c.types))-r.body(), bodySize(r)
	if left < needed {
		return c.basic(r, fmt.Sprintf("meta_left:%d meta_needed:%d", left, needed))
	}
	return nil
}

func noVlen(c *checker, r *record) *Refusal {
	if r.vlen != 0 {
		return c.full(r, "vlen != 0")
	}
	return nil
}

func kindFlag(c *checker, r *record) *Refusal {
	if r.kflag && !c.gen.kflags.Has(r.kind) {
		return c.full(r, "Invalid btf_info kind_flag")
	}
	return nil
}

func idOrVoid(c *checker, r *record) *Refusal {
	if r.third > maxID {
		return c.full(r, "Invalid type_id")
	}
	return nil
}

func idNotVoid(c *checker, r *record) *Refusal {
	if !isID(r.third) {
		return c.full(r, "Invalid type_id")
	}
	return nil
}

func isID(id uint32) bool { return id != 0 && id <= maxID }

func noName(c *checker, r *record) *Refusal {
	if r.name != 0 {
		return c.full(r, "Invalid name")
	}
	return nil
}

func someName(c *checker, r *record) *Refusal {
	if !c.named(identifierBytes, r.name) {
		return c.full(r, "Invalid name")
	}
	return nil
}

func nameOrNone(c *checker, r *record) *Refusal {
	if !c.anonymousOr(r.name) {
		return c.full(r, "Invalid name")
	}
	return nil
}

func sectionName(c *checker, r *record) *Refusal {
	if !c.named(c.gen.section, r.name) {
		return c.full(r, "Invalid name")
	}
	return nil
}

func tagName(c *checker, r *record) *Refusal {
	if c.empty(r.name) {
		return c.full(r, "Invalid name")
	}
	return nil
}

func tagValue(c *checker, r *record) *Refusal {
	if c.empty(r.name) {
		return c.full(r, "Invalid value")
	}
	return nil
}

func noSize(c *checker, r *record) *Refusal {
	if r.third != 0 {
		return c.full(r, "size != 0")
	}
	return nil
}

func noType(c *checker, r *record) *Refusal {
	if r.third != 0 {
		return c.full(r, "type != 0")
	}
	return nil
}

func linkage(c *checker, r *record) *Refusal {
	if r.vlen > btf.LinkageGlobal {
		return c.full(r, "Invalid func linkage")
	}
	return nil
}

func varLinkage(c *checker, r *record) *Refusal {
	if c.word(r.body()) > btf.LinkageGlobal {
		return c.full(r, "Linkage not supported")
	}
	return nil
}

func component(c *checker, r *record) *Refusal {
	if int32(c.word(r.body())) < -1 {
		return c.full(r, "Invalid component_idx")
	}
	return nil
}

func floatSize(c *checker, r *record) *Refusal {
	switch r.third {
	case 2, 4, 8, 12, 16:
		return nil
	}
	return c.full(r, "Invalid type_size")
}

func enumSize(c *checker, r *record) *Refusal {
	switch r.third {
	case 1, 2, 4, 8:
		return nil
	}
	return c.full(r, "Unexpected size")
}

func someEntry(c *checker, r *record) *Refusal {
	if r.vlen == 0 && !c.gen.emptySec {
		return c.full(r, "vlen == 0")
	}
	return nil
}

func sectionSize(c *checker, r *record) *Refusal {
	if r.third == 0 {
		return c.full(r, "size == 0")
	}
	return nil
}

// An integer is the word that follows an INT.
type integer struct{ encoding, off, bits uint32 }

func (c *checker) integer(r *record) integer {
	data := c.word(r.body())
	encoding, off, bits := btf.IntData(data)
	return integer{encoding, off, bits}
}

// regular reports whether arrays and bit fields accept the integer. Its size in bytes does not matter.
func (i integer) regular() bool {
	switch i.bits {
	case 8, 16, 32, 64, 128:
		return i.off == 0
	}
	return false
}

func intWord(c *checker, r *record) *Refusal {
	if data := c.word(r.body()); data&0xf0000000 != 0 {
		return c.basic(r, fmt.Sprintf("Invalid int_data:%x", data))
	}
	i := c.integer(r)
	switch {
	case i.off+i.bits > maxBits:
		return c.full(r, "nr_bits exceeds 128")
	case bytesOf(i.off+i.bits) > r.third:
		return c.full(r, "nr_bits exceeds type_size")
	}
	switch i.encoding {
	case 0, btf.IntSigned, btf.IntChar, btf.IntBool:
		return nil
	}
	return c.full(r, "Unsupported encoding")
}

// bytesOf converts bits to bytes, rounded up, without overflow.
func bytesOf(bits uint32) uint32 { return bits/8 + (bits%8+7)/8 }

// An array is the part that follows an ARRAY.
type array struct{ elem, index, n uint32 }

func (c *checker) array(r *record) array {
	at := r.body()
	return array{c.word(at), c.word(at + 4), c.word(at + 8)}
}

func arrayWords(c *checker, r *record) *Refusal {
	a := c.array(r)
	switch {
	case !isID(a.elem):
		return c.full(r, "Invalid elem")
	case !isID(a.index):
		return c.full(r, "Invalid index")
	}
	return nil
}

// A member is a member with its third word decoded.
type member struct{ name, typ, off, bits uint32 }

func memberOf(r *record, ch child) member {
	off, bits := btf.MemberOffset(ch.c, r.kflag)
	return member{ch.a, ch.b, off, bits}
}

func members(c *checker, r *record) *Refusal {
	var last uint32
	for i := range r.vlen {
		ch := c.child(r, i)
		m := memberOf(r, ch)
		switch {
		case !c.inStrings(m.name):
			return c.inside(r, ch, fmt.Sprintf("Invalid member name_offset:%d", m.name))
		case !c.anonymousOr(m.name):
			return c.inside(r, ch, "Invalid name")
		case !isID(m.typ):
			return c.inside(r, ch, "Invalid type_id")
		case r.kind == btf.KindUnion && m.off != 0, m.off < last:
			return c.inside(r, ch, "Invalid member bits_offset")
		case bytesOf(m.off) > r.third:
			return c.inside(r, ch, "Member bits_offset exceeds its struct size")
		}
		last = m.off
	}
	return nil
}

func enumerators(c *checker, r *record) *Refusal {
	for i := range r.vlen {
		ch := c.child(r, i)
		switch {
		case !c.inStrings(ch.a):
			return c.refuse(fault{rec: r, at: ch.at, phrase: fmt.Sprintf("Invalid name_offset:%d", ch.a), line: bareLine})
		case !c.named(identifierBytes, ch.a):
			return c.refuse(fault{rec: r, at: ch.at, phrase: "Invalid name", line: fullLine})
		}
	}
	return nil
}

func entries(c *checker, r *record) *Refusal {
	var end uint32  // end of the entry before; wraps as in the kernel
	var used uint64 // the sum of all sizes
	for i := range r.vlen {
		ch := c.child(r, i)
		id, off, size := ch.a, ch.b, ch.c
		switch {
		case !isID(id):
			return c.inside(r, ch, "Invalid type_id")
		case off < end || off >= r.third:
			return c.inside(r, ch, "Invalid offset")
		case size == 0 || size > r.third:
			return c.inside(r, ch, "Invalid size")
		}
		end = off + size
		if end > r.third {
			return c.inside(r, ch, "Invalid offset+size")
		}
		used += uint64(size)
	}
	if used > uint64(r.third) {
		return c.full(r, "Invalid btf_info size")
	}
	return nil
}
