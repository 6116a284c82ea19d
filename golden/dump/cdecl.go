package dump

import "github.com/btfbatch/btfbatch/encoder/btf"

// enumName is like uniqueName for enums. It does not count an enum that is only declared.
func (p *cPrinter) enumName(id uint32) declaredName {
	if r := p.rec(id); p.kind[id] == btf.KindEnum && r.Vlen() == 0 {
		return declaredName{off: r.Name()}
	}
	return p.uniqueName(id, &p.tags)
}

// undeclarable are the kinds with which nothing can be declared.
const undeclarable = btf.KindSet(1<<btf.KindFunc | 1<<btf.KindVar | 1<<btf.KindDatasec | 1<<btf.KindDeclTag)

// declare prints the declaration of a name with a type. C writes types inside out, so declare first stacks the types from the outermost to
// the innermost one.
func (p *cPrinter) declare(id uint32, name declaredName, level int) {
	if p.declareSimple(id, name) {
		return
	}
	if p.enter(id) {
		d := declarator{p: p, bottom: len(p.stack), name: name, level: level}
		p.stackTypes(id)
		if p.err == nil {
			d.print()
		}
		p.stack = p.stack[:d.bottom]
	}
	p.leave()
}

// declareSimple prints the declarations that C writes in the order of speech, which most are: a number, or a type with a name, perhaps
// const, or pointers to one, or an array of these. It reports whether this is one.
func (p *cPrinter) declareSimple(id uint32, name declaredName) bool {
	array, stars, constant := uint32(0), 0, false
	if p.kind[id] == btf.KindArray {
		array = id
		id = p.words[p.start[id]+3]
	}
	for ; p.kind[id] == btf.KindPtr; id = p.words[p.start[id]+2] {
		if stars++; stars > len(manyStars) {
			return false
		}
	}
	if p.kind[id] == btf.KindConst {
		constant = true
		id = p.words[p.start[id]+2]
	}
	word, uses, off := "", &p.tags, uint32(0)
	if id != 0 {
		off = p.words[p.start[id]]
	}
	switch k := p.kind[id]; k {
	case btf.KindVoid:
		if stars == 0 {
			return false
		}
		word = "void"
	case btf.KindInt:
	case btf.KindTypedef:
		uses = &p.idents
	case btf.KindStruct, btf.KindUnion, btf.KindEnum:
		if !p.named(off) {
			return false
		}
		word = "enum "
		if k != btf.KindEnum {
			word = composite(k)
		}
	default:
		return false
	}
	if constant {
		p.buf = append(p.buf, "const "...)
	}
	p.buf = append(p.buf, word...)
	switch p.kind[id] {
	case btf.KindVoid:
	case btf.KindInt:
		p.buf = appendText(p.buf, p.text, off)
	case btf.KindEnum:
		p.appendName(p.enumName(id))
	default:
		p.appendName(p.uniqueName(id, uses))
	}
	switch {
	case stars > 0:
		p.buf = append(append(p.buf, ' '), manyStars[:stars]...)
	case p.named(name.off):
		p.buf = append(p.buf, ' ')
	}
	p.appendName(name)
	if array != 0 {
		p.buf = append(appendUint(append(p.buf, '['), p.words[p.start[array]+5]), ']')
	}
	return true
}

const manyStars = "****"

// stackTypes appends a type and the types inside it to the stack, up to the one with which the declaration starts.
func (p *cPrinter) stackTypes(id uint32) {
	bottom := len(p.stack)
	for {
		if len(p.stack)-bottom > maxCDepth {
			p.fail(id, "refers to itself")
			return
		}
		p.stack = append(p.stack, id)
		switch k := p.kind[id]; {
		case k == btf.KindTypedef: // it is printed by its name
			return
		case btf.References.Has(k), k == btf.KindFuncProto:
			id = p.words[p.start[id]+2]
		case k == btf.KindArray:
			id = p.words[p.start[id]+3]
		case undeclarable.Has(k):
			p.fail(id, "is no type to declare something of")
			return
		default:
			return
		}
	}
}

// A declarator prints one declaration, from the end of the stack to the name.
type declarator struct {
	p      *cPrinter
	bottom int // the part of the stack from here belongs to the declaration
	name   declaredName
	level  int
	star   bool // the last printed token was the star of a pointer, or nothing was printed yet
}

// empty reports whether all types of the declaration are printed.
func (d *declarator) empty() bool { return len(d.p.stack) == d.bottom }

// top returns the kind of the type that encloses the one printed last, or void if there is none.
func (d *declarator) top() btf.Kind {
	if d.empty() {
		return btf.KindVoid
	}
	return d.p.kind[d.p.stack[len(d.p.stack)-1]]
}

func (d *declarator) pop() (id uint32) {
	last := len(d.p.stack) - 1
	id = d.p.stack[last]
	d.p.stack = d.p.stack[:last]
	return id
}

// qualifier returns the word of a qualifier.
func qualifier(k btf.Kind) string {
	switch k {
	case btf.KindVolatile:
		return "volatile"
	case btf.KindConst:
		return "const"
	default:
		return "restrict"
	}
}

// leading prints the qualifiers around the next type, before that type.
func (d *declarator) leading() {
	for k := d.top(); btf.Qualifiers.Has(k); k = d.top() {
		d.p.buf = append(append(d.p.buf, qualifier(k)...), ' ')
		d.pop()
	}
}

// drop skips the qualifiers and type tags of an array or a function, because C has no syntax for them.
func (d *declarator) drop() {
	for k := d.top(); btf.Qualifiers.Has(k) || k == btf.KindTypeTag; k = d.top() {
		d.pop()
	}
}

func (d *declarator) print() {
	p := d.p
	d.star = true
	for !d.empty() {
		id := d.pop()
		switch k := p.kind[id]; {
		case k == btf.KindPtr:
			if !d.star {
				p.buf = append(p.buf, ' ')
			}
			p.buf = append(p.buf, '*')
			d.star = true
		case btf.Qualifiers.Has(k):
			p.buf = append(append(p.buf, ' '), qualifier(k)...)
			d.star = false
		case k == btf.KindTypeTag:
			d.leading()
			if r := p.rec(id); r.Kflag() {
				p.buf = append(append(append(p.buf, " __attribute__(("...), p.name(r.Name())...), "))"...)
			} else {
				p.buf = append(append(append(p.buf, ` __attribute__((btf_type_tag("`...), p.name(r.Name())...), `")))`...)
			}
			d.star = false
		case k == btf.KindArray:
			d.array(p.rec(id))
			return
		case k == btf.KindFuncProto:
			d.prototype(p.rec(id))
			return
		default:
			d.leading()
			d.base(id)
			d.star = false
		}
	}
	d.printName()
}

// space separates the name from what stands before it.
func (d *declarator) space() {
	if !d.star && d.p.named(d.name.off) {
		d.p.buf = append(d.p.buf, ' ')
	}
}

func (d *declarator) printName() {
	d.space()
	d.p.appendName(d.name)
}

// base prints the type that a declaration starts with. A type without a name is printed in full.
func (d *declarator) base(id uint32) {
	p := d.p
	if id == 0 {
		p.buf = append(p.buf, "void"...)
		return
	}
	r := p.rec(id)
	switch k := p.kind[id]; k {
	case btf.KindInt, btf.KindFloat:
		p.buf = appendText(p.buf, p.text, r.Name())
	case btf.KindTypedef:
		p.appendName(p.uniqueName(id, &p.idents))
	case btf.KindFwd:
		p.buf = append(append(p.buf, composite(r.FwdKind())...), p.name(r.Name())...)
	case btf.KindStruct, btf.KindUnion:
		if !p.named(r.Name()) {
			p.defineComposite(id, d.level)
			return
		}
		p.buf = append(p.buf, composite(k)...)
		p.appendName(p.uniqueName(id, &p.tags))
	case btf.KindEnum, btf.KindEnum64:
		if !p.named(r.Name()) {
			p.defineEnum(id, d.level)
			return
		}
		p.buf = append(p.buf, "enum "...)
		p.appendName(p.enumName(id))
	}
}

// array prints the types that enclose an array, and its length.
func (d *declarator) array(r btf.Record) {
	p := d.p
	d.drop()
	if d.empty() {
		d.printName()
	} else {
		d.space()
		nested := d.top() == btf.KindArray
		if !nested {
			p.buf = append(p.buf, '(')
		}
		d.print()
		if !nested {
			p.buf = append(p.buf, ')')
		}
	}
	p.buf = append(appendUint(append(p.buf, '['), r[5]), ']')
}

// prototype prints the types that enclose a function, and its parameters.
func (d *declarator) prototype(r btf.Record) {
	p := d.p
	d.drop()
	if !d.empty() {
		p.buf = append(p.buf, " ("...)
		d.print()
		p.buf = append(p.buf, ')')
	} else {
		d.printName()
	}
	p.buf = append(p.buf, '(')
	params := r[3:]
	if len(params) == 0 || len(params) == 2 && params[1] == 0 {
		p.buf = append(p.buf, "void)"...)
		return
	}
	for ; len(params) >= 2; params = params[2:] {
		if len(params) == 2 && params[1] == 0 {
			p.buf = append(p.buf, "..."...)
			break
		}
		p.declare(params[1], declaredName{off: params[0]}, d.level)
		if len(params) > 2 {
			p.buf = append(p.buf, ", "...)
		}
	}
	p.buf = append(p.buf, ')')
}
