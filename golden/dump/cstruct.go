package dump

import (
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// indent starts a line at a nesting level.
func (p *cPrinter) indent(level int) {
	p.buf = append(p.buf, '\n')
	p.tabs(level)
}

func (p *cPrinter) tabs(level int) {
	for range min(level, 13) {
		p.buf = append(p.buf, '\t')
	}
}

// alignment returns the alignment of a type in bytes, as far as its description shows it. 0 means that it is not known.
func (p *cPrinter) alignment(id uint32) uint64 {
	defer p.leave()
	if !p.enter(id) {
		return 0
	}
	r := p.rec[id]
	switch r.Kind() {
	case btf.KindInt, btf.KindEnum, btf.KindEnum64, btf.KindFloat:
		return min(p.pointer, uint64(r.Size()))
	case btf.KindPtr:
		return p.pointer
	case btf.KindArray:
		return p.alignment(r[3])
	case btf.KindStruct, btf.KindUnion:
		most, misaligned, known := p.memberAlignment(r)
		switch {
		case !known:
			return 0
		case misaligned || uint64(r.Size())%most != 0:
			return 1
		}
		return most
	}
	if btf.Modifiers.Has(r.Kind()) {
		return p.alignment(r[2])
	}
	return 0
}

// memberAlignment returns the largest alignment of the members in bytes, and whether a member is not aligned. A bit field may be anywhere.
// known is false if the alignment of a member is not known.
func (p *cPrinter) memberAlignment(r btf.Record) (most uint64, misaligned, known bool) {
	most, known = 1, true
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		a := p.alignment(m[1])
		if a == 0 {
			known = false
			continue
		}
		most = max(most, a)
		if off, bitfield := btf.MemberOffset(m[2], r.Kflag()); bitfield == 0 && uint64(off)%(8*a) != 0 {
			misaligned = true
		}
	}
	return most, misaligned, known
}

// packed reports whether C lays out a struct like this only with a packed attribute.
func (p *cPrinter) packed(r btf.Record) bool {
	most, misaligned, _ := p.memberAlignment(r)
	return misaligned || uint64(r.Size())%most != 0
}

// size returns the size of a type in bytes, or 0 if it has none.
func (p *cPrinter) size(id uint32) uint64 {
	defer p.leave()
	if !p.enter(id) {
		return 0
	}
	r := p.rec[id]
	switch k := r.Kind(); {
	case btf.Sized.Has(k):
		return uint64(r.Size())
	case k == btf.KindPtr:
		return p.pointer
	case btf.Modifiers.Has(k), k == btf.KindVar, k == btf.KindDeclTag:
		return p.size(r[2])
	case k == btf.KindArray:
		return uint64(r[5]) * p.size(r[3])
	}
	return 0
}

// defineComposite prints the definition of a struct or union.
func (p *cPrinter) defineComposite(id uint32, level int) {
	r := p.rec[id]
	isStruct := r.Kind() == btf.KindStruct
	if isStruct {
		p.buf = append(p.buf, "struct "...)
	} else {
		p.buf = append(p.buf, "union "...)
	}
	if p.text(r.Name()) != "" {
		p.buf = append(append(p.buf, p.uniqueName(id, p.tags)...), ' ')
	}
	p.buf = append(p.buf, '{')
	packed := isStruct && p.packed(r)
	at, wasBitfield := uint64(0), false
	for m := r[3:]; len(m) >= 3 && p.err == nil; m = m[3:] {
		off, bitfield := btf.MemberOffset(m[2], r.Kflag())
		align := p.alignment(m[1])
		if packed {
			align = 1
		}
		p.pad(m[1], at, uint64(off), align, wasBitfield && bitfield != 0, level+1)
		p.indent(level + 1)
		p.declare(m[1], p.text(m[0]), level+1)
		wasBitfield = bitfield != 0
		if wasBitfield {
			p.buf = strconv.AppendUint(append(p.buf, ": "...), uint64(bitfield), 10)
			at = uint64(off) + uint64(bitfield)
		} else {
			at = uint64(off) + 8*p.size(m[1])
		}
		p.buf = append(p.buf, ';')
	}
	if isStruct {
		p.pad(id, at, 8*uint64(r.Size()), p.alignment(id), false, level+1)
	}
	if r.Vlen() > 0 || r.Size() > 0 {
		p.indent(level)
	}
	p.buf = append(p.buf, '}')
	if packed {
		p.buf = append(p.buf, " __attribute__((packed))"...)
	}
}

// A padding type is a type for unnamed bit fields.
type paddingType struct {
	name string
	bits uint64
}

func roundUp(v, to uint64) uint64 { return (v + to - 1) / to * to }

// pad prints unnamed bit fields from bit at to bit next. There the next member (id, with the given alignment) or the end of the struct
// follows. It prefers padding that the compiler adds by itself.
func (p *cPrinter) pad(id uint32, at, next, align uint64, bitfields bool, level int) {
	if at >= next {
		return
	}
	types := [...]paddingType{{"long", 8 * p.pointer}, {"int", 32}, {"short", 16}, {"char", 8}}
	field := func(t string, bits uint64) {
		p.indent(level)
		p.buf = append(append(p.buf, t...), ": "...)
		p.buf = append(strconv.AppendUint(p.buf, bits, 10), ';')
	}
	unit := types[3]
	for _, t := range types {
		if roundUp(at, t.bits) <= next {
			unit = t
			break
		}
	}
	if to := roundUp(at, unit.bits); at < to && to <= next {
		switch {
		case bitfields:
			field(unit.name, to-at)
		case to == next && align == 0: // bpftool divides by it
			p.fail(id, "has no alignment, and cannot stand after padding")
		case to == next && roundUp(at, 8*align) != to, to != next && next-to <= to-at:
			field(unit.name, 0)
		}
		at = to
	}
	for at < next {
		n := min(next-at, unit.bits)
		name := unit.name
		for i := len(types) - 1; n < unit.bits && i >= 0; i-- {
			if types[i].bits >= n {
				name = types[i].name
				break
			}
		}
		field(name, n)
		at += n
	}
}

// defineEnum prints an enum with its values. An enum without values is only declared.
func (p *cPrinter) defineEnum(id uint32, level int) {
	r := p.rec[id]
	p.buf = append(p.buf, "enum"...)
	if p.text(r.Name()) != "" {
		p.buf = append(append(p.buf, ' '), p.enumName(id)...)
	}
	if r.Vlen() == 0 {
		return
	}
	p.buf = append(p.buf, " {"...)
	high := uint32(0)
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		p.indent(level + 1)
		p.buf = append(append(p.buf, countedName(p.idents, p.text(e[0]))...), " = "...)
		switch {
		case each == 3:
			v := uint64(e[2])<<32 | uint64(e[1])
			high |= e[2]
			if r.Kflag() {
				p.buf = append(strconv.AppendInt(p.buf, int64(v), 10), "LL"...)
			} else {
				p.buf = append(strconv.AppendUint(p.buf, v, 10), "ULL"...)
			}
		case r.Kflag():
			p.buf = strconv.AppendInt(p.buf, int64(int32(e[1])), 10)
		default:
			p.buf = strconv.AppendUint(p.buf, uint64(e[1]), 10)
		}
		p.buf = append(p.buf, ',')
	}
	p.indent(level)
	p.buf = append(p.buf, '}')
	switch {
	case r.Size() == 1:
		p.buf = append(p.buf, " __attribute__((mode(byte)))"...)
	case r.Size() == 8 && p.pointer == 8 && high == 0:
		p.buf = append(p.buf, " __attribute__((mode(word)))"...)
	}
}
