package dump

import (
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// uniqueName returns the name to print for a type: its own name for the first type that has it, and a numbered one for later ones. It is
// chosen on first use and then kept.
func (p *cPrinter) uniqueName(id uint32, uses map[string]int) string {
	if p.name[id] == "" {
		p.name[id] = countedName(uses, p.text(p.rec[id].Name()))
	}
	return p.name[id]
}

// countedName counts one more use of a name, and returns the name with the number of its use. The empty name is not numbered.
func countedName(uses map[string]int, name string) string {
	if name == "" {
		return ""
	}
	uses[name]++
	if n := uses[name]; n > 1 {
		name += "___" + strconv.Itoa(n)
		name = name[:min(len(name), 255)]
	}
	return name
}

// enumName is like uniqueName for enums. It does not count an enum that is only declared.
func (p *cPrinter) enumName(id uint32) string {
	if r := p.rec[id]; r.Kind() == btf.KindEnum && r.Vlen() == 0 {
		return p.text(r.Name())
	}
	return p.uniqueName(id, p.tags)
}

// declare prints the declaration of a name with a type. C writes types inside out, so declare first stacks the types from the outermost to
// the innermost one.
func (p *cPrinter) declare(id uint32, name string, level int) {
	defer p.leave()
	if !p.enter(id) {
		return
	}
	var stack []uint32
	for {
		if len(stack) > maxCDepth {
			p.fail(id, "refers to itself")
			return
		}
		stack = append(stack, id)
		r := p.rec[id]
		switch k := r.Kind(); {
		case k == btf.KindTypedef: // it is printed by its name
		case btf.References.Has(k), k == btf.KindFuncProto:
			id = r[2]
			continue
		case k == btf.KindArray:
			id = r[3]
			continue
		case undeclarable.Has(k):
			p.fail(id, "is no type to declare something of")
			return
		}
		break
	}
	d := declarator{p: p, stack: stack, name: name, level: level}
	d.print()
}

// undeclarable are the kinds with which nothing can be declared.
const undeclarable = btf.KindSet(1<<btf.KindFunc | 1<<btf.KindVar | 1<<btf.KindDatasec | 1<<btf.KindDeclTag)

// A declarator prints one declaration, from the end of the stack to the name.
type declarator struct {
	p     *cPrinter
	stack []uint32
	name  string
	level int
	star  bool // the last printed token was the star of a pointer, or nothing was printed yet
}

// top returns the type that encloses the one printed last, or void if there is none.
func (d *declarator) top() btf.Record {
	if len(d.stack) == 0 {
		return d.p.rec[0]
	}
	return d.p.rec[d.stack[len(d.stack)-1]]
}

func (d *declarator) pop() { d.stack = d.stack[:len(d.stack)-1] }

var qualifiers = map[btf.Kind]string{btf.KindVolatile: "volatile", btf.KindConst: "const", btf.KindRestrict: "restrict"}

// leading prints the qualifiers around the next type, before that type.
func (d *declarator) leading() {
	for {
		word, ok := qualifiers[d.top().Kind()]
		if !ok {
			return
		}
		d.p.buf = append(append(d.p.buf, word...), ' ')
		d.pop()
	}
}

// drop skips the qualifiers and type tags of an array or a function, because C has no syntax for them.
func (d *declarator) drop() {
	for {
		k := d.top().Kind()
		if !btf.Qualifiers.Has(k) && k != btf.KindTypeTag {
			return
		}
		d.pop()
	}
}

func (d *declarator) print() {
	p := d.p
	d.star = true
	for len(d.stack) > 0 {
		id, r := d.stack[len(d.stack)-1], d.top()
		d.pop()
		switch k := r.Kind(); {
		case k == btf.KindPtr:
			if !d.star {
				p.buf = append(p.buf, ' ')
			}
			p.buf = append(p.buf, '*')
			d.star = true
		case btf.Qualifiers.Has(k):
			p.buf = append(append(p.buf, ' '), qualifiers[k]...)
			d.star = false
		case k == btf.KindTypeTag:
			d.leading()
			if r.Kflag() {
				p.buf = append(append(append(p.buf, " __attribute__(("...), p.text(r.Name())...), "))"...)
			} else {
				p.buf = append(append(append(p.buf, ` __attribute__((btf_type_tag("`...), p.text(r.Name())...), `")))`...)
			}
			d.star = false
		case k == btf.KindArray:
			d.array(r)
			return
		case k == btf.KindFuncProto:
			d.prototype(r)
			return
		default:
			d.leading()
			d.base(id, r)
			d.star = false
		}
	}
	d.printName()
}

func (d *declarator) printName() {
	if d.name != "" && !d.star {
		d.p.buf = append(d.p.buf, ' ')
	}
	d.p.buf = append(d.p.buf, d.name...)
}

// base prints the type that a declaration starts with. A type without a name is printed in full.
func (d *declarator) base(id uint32, r btf.Record) {
	p := d.p
	name := p.text(r.Name())
	switch r.Kind() {
	case btf.KindVoid:
		p.buf = append(p.buf, "void"...)
	case btf.KindInt, btf.KindFloat:
		p.buf = append(p.buf, name...)
	case btf.KindTypedef:
		p.buf = append(p.buf, p.uniqueName(id, p.idents)...)
	case btf.KindFwd:
		word := "struct "
		if r.FwdKind() == btf.KindUnion {
			word = "union "
		}
		p.buf = append(append(p.buf, word...), name...)
	case btf.KindStruct, btf.KindUnion:
		if name == "" {
			p.defineComposite(id, d.level)
			return
		}
		word := "struct "
		if r.Kind() == btf.KindUnion {
			word = "union "
		}
		p.buf = append(append(p.buf, word...), p.uniqueName(id, p.tags)...)
	case btf.KindEnum, btf.KindEnum64:
		if name == "" {
			p.defineEnum(id, d.level)
			return
		}
		p.buf = append(append(p.buf, "enum "...), p.enumName(id)...)
	}
}

// array prints the types that enclose an array, and its length.
func (d *declarator) array(r btf.Record) {
	p := d.p
	d.drop()
	if len(d.stack) == 0 {
		d.printName()
	} else {
		if d.name != "" && !d.star {
			p.buf = append(p.buf, ' ')
		}
		nested := d.top().Kind() == btf.KindArray
		if !nested {
			p.buf = append(p.buf, '(')
		}
		d.print()
		if !nested {
			p.buf = append(p.buf, ')')
		}
	}
	p.buf = append(strconv.AppendUint(append(p.buf, '['), uint64(r[5]), 10), ']')
}

// prototype prints the types that enclose a function, and its parameters.
func (d *declarator) prototype(r btf.Record) {
	p := d.p
	d.drop()
	if len(d.stack) > 0 {
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
		p.declare(params[1], p.text(params[0]), d.level)
		if len(params) > 2 {
			p.buf = append(p.buf, ", "...)
		}
	}
	p.buf = append(p.buf, ')')
}
