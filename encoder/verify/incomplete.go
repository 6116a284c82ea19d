package verify

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// incomplete finds members, elements and parameters that hold what has no size: void, a function, or a struct or union that is only
// declared. No program in C has any, so something was lost on the way: the image was compiled with reduced debug information, or it has
// types that the encoder did not know. Kernels look at it only on some of their ways, and a header in C made of it does not compile.
func (l *linter) incomplete() {
	for i := range l.recs {
		r := l.rec(l.firstID + uint32(i))
		switch r.kind {
		case btf.KindStruct, btf.KindUnion:
			for i := range r.vlen {
				m := l.child(&r, i)
				l.holds(&r, "member "+l.label(m.a), m.b)
			}
		case btf.KindFuncProto:
			for i := range r.vlen {
				if p := l.child(&r, i); p.b != 0 { // else any number of parameters
					l.holds(&r, fmt.Sprintf("parameter %d", i+1), p.b)
				}
			}
		case btf.KindArray:
			l.holds(&r, "an element", l.word(r.body()))
		case btf.KindVar:
			l.holds(&r, "the variable", r.third)
		}
	}
}

// holds warns if what is of a type has no size.
func (l *linter) holds(r *record, what string, id uint32) {
	switch kind, name := l.held(id); kind {
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

// hasSize stands for every kind that has a size.
const hasSize = btf.KindInt

// held is the kind of what something of a type holds, behind typedefs and qualifiers; of what has a size it is hasSize. Arrays have one,
// since their elements are looked at where they are.
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
			return hasSize, "" // what it is nobody knows
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
