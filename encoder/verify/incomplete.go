package verify

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// incomplete finds members, elements, parameters and variables whose type has no size: void, a function, or a struct or union that is only
// declared. No C program has any, so information was lost: the image was compiled with reduced debug information, or has types that the
// encoder does not know. Kernels check this only on some paths, and a C header made from such BTF does not compile.
func (l *linter) incomplete() {
	for i := range l.recs {
		r := l.rec(l.firstID + uint32(i))
		switch r.kind {
		case btf.KindStruct, btf.KindUnion:
			for i := range r.vlen {
				m := l.child(&r, i)
				if kind, name := l.held(m.b); kind != hasSize {
					l.holds(&r, "member "+l.label(m.a), kind, name)
				}
			}
		case btf.KindFuncProto:
			for i := range r.vlen {
				p := l.child(&r, i)
				if kind, name := l.held(p.b); kind != hasSize && p.b != 0 { // 0 stands for a variable number of parameters
					l.holds(&r, fmt.Sprintf("parameter %d", i+1), kind, name)
				}
			}
		case btf.KindArray:
			kind, name := l.held(l.word(r.body()))
			l.holds(&r, "an element", kind, name)
		case btf.KindVar:
			kind, name := l.held(r.third)
			l.holds(&r, "the variable", kind, name)
		}
	}
}

// holds warns if the type of a part of r has no size. kind and name are what held returned for that type.
func (l *linter) holds(r *record, what string, kind btf.Kind, name string) {
	switch kind {
	case btf.KindFwd:
		l.warn(RuleIncomplete, r, "%s holds %s, which is only declared", what, quoted(name))
	case btf.KindFuncProto:
		l.warn(RuleIncomplete, r, "%s holds a function", what)
	case btf.KindVoid:
		l.warn(RuleIncomplete, r, "%s holds void", what)
	}
}

func (l *linter) label(name uint32) string {
	if name == 0 {
		return "without a name"
	}
	return quoted(l.text(name))
}

// hasSize is the result of held for every kind that has a size.
const hasSize = btf.KindInt

// held returns the kind that a type stands for, without typedefs and qualifiers, or hasSize if it has a size. Arrays count as having a
// size, because incomplete checks their elements separately.
func (l *linter) held(id uint32) (kind btf.Kind, name string) {
	c := l.checker
	for range 2 * maxTypes {
		for c.under != nil && id < c.firstID {
			c = c.under
		}
		switch {
		case id == 0:
			return btf.KindVoid, ""
		case id < c.firstID || !c.exists(id):
			return hasSize, "" // the type is not available
		}
		switch r := c.rec(id); {
		case btf.Modifiers.Has(r.kind):
			id = r.third
		case r.kind == btf.KindFwd, r.kind == btf.KindFuncProto:
			return r.kind, c.text(r.name)
		default:
			return hasSize, ""
		}
	}
	return hasSize, ""
}
