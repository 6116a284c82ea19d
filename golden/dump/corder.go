package dump

import "github.com/btfbatch/btfbatch/encoder/btf"

// typ prints a requested type after the types that it needs.
func (p *cPrinter) typ(id uint32) {
	p.queue = p.queue[:0]
	p.order(id, false)
	for _, q := range p.queue {
		if p.err != nil {
			return
		}
		p.emit(q, 0)
	}
}

// order queues a type after all types that C must know before it. It reports whether the reference to it is strong: a type that refers to
// it must come later. A reference through a pointer to a struct is not strong, because C then needs no definition. That breaks cycles.
func (p *cPrinter) order(id uint32, behindPointer bool) (strong bool) {
	if p.ordered[id] == done { // as most types are, so this should be inlined
		return true
	}
	return p.orderPending(id, behindPointer)
}

func (p *cPrinter) orderPending(id uint32, behindPointer bool) (strong bool) {
	if p.enter(id) {
		strong = p.orderNew(id, behindPointer)
	}
	p.leave()
	return strong
}

// orderNew is order for a type that is not done.
func (p *cPrinter) orderNew(id uint32, behindPointer bool) (strong bool) {
	r := p.rec(id)
	k := p.kind[id]
	composite := btf.Composites.Has(k) && p.named(r.Name())
	if p.ordered[id] == busy {
		if !composite || !behindPointer {
			p.fail(id, "contains itself")
		}
		return false
	}
	switch k {
	case btf.KindInt, btf.KindFloat, btf.KindFunc, btf.KindVar, btf.KindDatasec, btf.KindDeclTag:
		p.ordered[id] = done
		return false
	case btf.KindPtr:
		strong = p.order(r[2], true)
		p.ordered[id] = done
		return strong
	case btf.KindArray:
		return p.order(r[3], false)
	case btf.KindStruct, btf.KindUnion:
		if composite && behindPointer {
			return false
		}
		p.ordered[id] = busy
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			p.order(m[1], false)
		}
		if composite {
			p.queue = append(p.queue, id)
		}
		p.ordered[id] = done
		return true
	case btf.KindEnum, btf.KindEnum64, btf.KindFwd:
		if p.named(r.Name()) || !p.referenced[id] {
			p.queue = append(p.queue, id)
		}
		p.ordered[id] = done
		return true
	case btf.KindTypedef:
		strong = p.order(r[2], behindPointer)
		if behindPointer && !strong {
			return false
		}
		p.queue = append(p.queue, id)
		p.ordered[id] = done
		return true
	case btf.KindFuncProto:
		strong = p.order(r[2], behindPointer)
		for a := r[3:]; len(a) >= 2; a = a[2:] {
			strong = p.order(a[1], behindPointer) || strong
		}
		return strong
	default: // a qualifier or a type tag
		return p.order(r[2], behindPointer)
	}
}

// vaList is a type that every compiler predefines.
const vaList = "__builtin_va_list"

// armVectors maps types that only compilers for Arm predefine to the integer types that are printed for them.
var armVectors = map[string]string{
	"__Poly8_t": "unsigned char", "__Poly16_t": "unsigned short", "__Poly64_t": "unsigned long long", "__Poly128_t": "unsigned __int128",
}

// emit prints the definition of a type from the queue (cont is 0), or what the definition of the type cont needs of it: at least a forward
// declaration.
func (p *cPrinter) emit(id, cont uint32) {
	if p.emitted[id] != done {
		p.emitPending(id, cont)
	}
}

// emitPending is emit for a type that is not done. Most are pointers to a struct that is declared, which needs nothing more.
func (p *cPrinter) emitPending(id, cont uint32) {
	for emitTarget.Has(p.kind[id]) {
		if id = p.words[p.start[id]+2]; p.emitted[id] == done || !p.step(id) {
			return
		}
	}
	if cont != 0 && p.forward[id] && btf.Composites.Has(p.kind[id]) {
		return
	}
	if p.enter(id) {
		p.emitNew(id, cont)
	}
	p.leave()
}

// emitTarget are the kinds of which nothing is printed but what they refer to.
const emitTarget = btf.References &^ (1 << btf.KindTypedef)

// emitNew is emit for a type that is not done.
func (p *cPrinter) emitNew(id, cont uint32) {
	if p.emitted[id] == busy {
		p.emitBusy(id, cont)
		return
	}
	switch p.kind[id] {
	case btf.KindInt:
		p.emitInt(id)
	case btf.KindEnum, btf.KindEnum64:
		if cont == 0 {
			p.defineEnum(id, 0)
			p.endDefinition()
		}
		p.emitted[id] = done
	case btf.KindArray:
		p.emit(p.rec(id)[3], cont)
	case btf.KindFuncProto:
		r := p.rec(id)
		p.emit(r[2], cont)
		for a := r[3:]; len(a) >= 2; a = a[2:] {
			p.emit(a[1], cont)
		}
	case btf.KindFwd:
		p.forwardDeclaration(id)
		p.emitted[id] = done
	case btf.KindTypedef:
		p.emitted[id] = busy
		p.emit(p.rec(id)[2], id)
		if !p.forward[id] {
			p.defineTypedef(id)
		}
		p.emitted[id] = done
	case btf.KindStruct, btf.KindUnion:
		p.emitComposite(id, cont)
	}
}

// emitBusy handles a type that its own definition needs.
func (p *cPrinter) emitBusy(id, cont uint32) {
	if p.forward[id] {
		return
	}
	switch p.kind[id] {
	case btf.KindStruct, btf.KindUnion:
		if id == cont || !p.named(p.rec(id).Name()) {
			return
		}
		p.forwardDeclaration(id)
	case btf.KindTypedef:
		p.defineTypedef(id)
	default:
		return
	}
	p.forward[id] = true
}

func (p *cPrinter) emitInt(id uint32) {
	name := p.uniqueName(id, &p.tags)
	if of, ok := armVectors[string(p.name(name.off))]; ok && name.nth == 1 {
		p.buf = append(append(append(p.buf, "typedef "...), of...), ' ')
		p.appendName(name)
		p.endDefinition()
	}
	p.emitted[id] = done
}

// emitComposite prints a struct or union if it comes from the queue. Inside the definition of another type it prints only what that needs.
func (p *cPrinter) emitComposite(id, cont uint32) {
	r := p.rec(id)
	anonymous := !p.named(r.Name())
	p.emitted[id] = busy
	if cont == 0 || anonymous {
		of := id
		if anonymous {
			of = cont
		}
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			p.emit(m[1], of)
		}
	} else if !p.forward[id] && id != cont {
		p.forwardDeclaration(id)
		p.forward[id] = true
	}
	p.emitted[id] = untouched
	if cont == 0 {
		p.defineComposite(id, 0)
		p.endDefinition()
		p.emitted[id] = done
	}
}

func (p *cPrinter) forwardDeclaration(id uint32) {
	r, k := p.rec(id), p.kind[id]
	name := declaredName{off: r.Name()}
	if k == btf.KindFwd {
		k = r.FwdKind()
	} else {
		name = p.uniqueName(id, &p.tags)
	}
	p.buf = append(p.buf, composite(k)...)
	p.appendName(name)
	p.endDefinition()
}

// composite returns the word before the name of a struct or union.
func composite(k btf.Kind) string {
	if k == btf.KindUnion {
		return "union "
	}
	return "struct "
}

func (p *cPrinter) defineTypedef(id uint32) {
	r := p.rec(id)
	name := p.uniqueName(id, &p.idents)
	switch text := p.name(r.Name()); {
	case string(text) == vaList:
		return
	case r[2] == 0 && string(text) == "__gnuc_va_list":
		p.buf = append(p.buf, "typedef "+vaList+" __gnuc_va_list"...)
	default:
		p.buf = append(p.buf, "typedef "...)
		p.declare(r[2], name, 0)
	}
	p.endDefinition()
}

func (p *cPrinter) endDefinition() { p.buf = append(p.buf, ";\n\n"...) }
