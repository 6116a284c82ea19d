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
	p.buf = append(p.buf, "\t\t\t\t\t\t\t\t\t\t\t\t\t"[:min(level, 13)]...)
}

// What layout has of a type: the alignment in bytes plus 1, or 0 as long as it was not asked for, and a flag.
const (
	layoutPacked    = 1 << 7 // C lays out a struct like this only with a packed attribute
	layoutAlignment = layoutPacked - 1
)

// alignment returns the alignment of a type in bytes, as far as its description shows it. 0 means that it is not known.
func (p *cPrinter) alignment(id uint32) uint64 {
	return uint64(p.layoutOf(id)&layoutAlignment) - 1
}

// packed reports whether C lays out a struct like this only with a packed attribute.
func (p *cPrinter) packed(id uint32) bool { return p.layoutOf(id)&layoutPacked != 0 }

func (p *cPrinter) layoutOf(id uint32) uint8 {
	if l := p.layout[id]; l != 0 {
		return l
	}
	l := uint8(1)
	if p.enter(id) {
		l = p.newLayout(id)
		p.layout[id] = l
	}
	p.leave()
	return l
}

func (p *cPrinter) newLayout(id uint32) uint8 {
	if id == 0 {
		return 1
	}
	switch k := p.kind[id]; k {
	case btf.KindInt, btf.KindEnum, btf.KindEnum64, btf.KindFloat:
		return uint8(min(uint32(p.pointer), p.rec(id).Size())) + 1
	case btf.KindPtr:
		return uint8(p.pointer) + 1
	case btf.KindArray:
		return p.layoutOf(p.rec(id)[3]) & layoutAlignment
	case btf.KindStruct, btf.KindUnion:
		return p.compositeLayout(p.rec(id))
	default:
		if btf.Modifiers.Has(k) {
			return p.layoutOf(p.rec(id)[2]) & layoutAlignment
		}
		return 1
	}
}

// compositeLayout is the layout of a struct or union: aligned as the member with the largest alignment, but packed if a member or the end
// does not fit that. A bit field may be anywhere. The alignment is not known if that of a member is not.
func (p *cPrinter) compositeLayout(r btf.Record) uint8 {
	most, misaligned, known := uint32(1), false, true
	kflag := r.Kflag()
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		a := uint32(p.alignment(m[1]))
		if a == 0 {
			known = false
			continue
		}
		most = max(most, a)
		if off, bitfield := btf.MemberOffset(m[2], kflag); bitfield == 0 && off%(8*a) != 0 {
			misaligned = true
		}
	}
	l := uint8(most) + 1
	packed := misaligned || r.Size()%most != 0
	switch {
	case !known:
		l = 1
	case packed:
		l = 2
	}
	if packed {
		l |= layoutPacked
	}
	return l
}

// size returns the size of a type in bytes, or 0 if it has none.
func (p *cPrinter) size(id uint32) uint64 {
	n := uint64(1)
	for p.step(id) {
		switch k := p.kind[id]; {
		case btf.Sized.Has(k):
			return n * uint64(p.rec(id).Size())
		case k == btf.KindPtr:
			return n * p.pointer
		case k == btf.KindArray:
			r := p.rec(id)
			n *= uint64(r[5])
			id = r[3]
		case btf.Modifiers.Has(k), k == btf.KindVar, k == btf.KindDeclTag:
			id = p.rec(id)[2]
		default:
			return 0
		}
	}
	return 0
}

// defineComposite prints the definition of a struct or union.
func (p *cPrinter) defineComposite(id uint32, level int) {
	r, k := p.rec(id), p.kind[id]
	isStruct := k == btf.KindStruct
	p.buf = append(p.buf, composite(k)...)
	if p.named(r.Name()) {
		p.appendName(p.uniqueName(id, &p.tags))
		p.buf = append(p.buf, ' ')
	}
	p.buf = append(p.buf, '{')
	packed := isStruct && p.packed(id)
	kflag := r.Kflag()
	at, wasBitfield := uint64(0), false
	for m := r[3:]; len(m) >= 3 && p.err == nil; m = m[3:] {
		off, bitfield := btf.MemberOffset(m[2], kflag)
		if at < uint64(off) {
			align := uint64(1)
			if !packed {
				align = p.alignment(m[1])
			}
			p.pad(m[1], at, uint64(off), align, wasBitfield && bitfield != 0, level+1)
		}
		p.indent(level + 1)
		p.declare(m[1], declaredName{off: m[0]}, level+1)
		wasBitfield = bitfield != 0
		if wasBitfield {
			p.buf = appendUint(append(p.buf, ": "...), bitfield)
			at = uint64(off) + uint64(bitfield)
		} else {
			at = uint64(off) + 8*p.size(m[1])
		}
		p.buf = append(p.buf, ';')
	}
	if end := 8 * uint64(r.Size()); isStruct && at < end {
		p.pad(id, at, end, p.alignment(id), false, level+1)
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

// pad prints unnamed bit fields from bit at to bit next, which is larger. There the next member (id, with the given alignment) or the end of the struct
// follows. It prefers padding that the compiler adds by itself.
func (p *cPrinter) pad(id uint32, at, next, align uint64, bitfields bool, level int) {
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
	r := p.rec(id)
	p.buf = append(p.buf, "enum"...)
	if p.named(r.Name()) {
		p.buf = append(p.buf, ' ')
		p.appendName(p.enumName(id))
	}
	if r.Vlen() == 0 {
		return
	}
	p.buf = append(p.buf, " {"...)
	high := uint32(0)
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		p.indent(level + 1)
		p.appendName(declaredName{e[0], p.count(e[0], &p.idents)})
		p.buf = append(p.buf, " = "...)
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
			p.buf = appendUint(p.buf, e[1])
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
