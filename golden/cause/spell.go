package cause

import (
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Limits of a spelling, so that no graph of types makes it long.
const (
	maxSpelt  = 64  // types visited
	maxLength = 160 // bytes
)

// A Speller spells the types of one BTF object.
type Speller struct{ s side }

// NewSpeller returns a Speller for the types of an object and its bases.
func NewSpeller(o *btf.Object) *Speller {
	return &Speller{side{o: o, refs: make([]reading, o.End())}}
}

// Type returns a type as C would declare it, cut if it is long.
func (x *Speller) Type(id btf.ID) string { return x.s.spell(uint32(id)) }

// A speller writes types as C declares them.
type speller struct {
	s    *side
	left int // types that may still be visited
	most int // bytes of the content of an anonymous type
}

// spell returns a type as C would declare it, cut if it is long.
func (s *side) spell(id uint32) string { return s.declared(id, "") }

// declared returns the declaration of a name, cut if it is long.
func (s *side) declared(id uint32, name string) string {
	w := speller{s: s, left: maxSpelt, most: maxLength}
	return cut(w.declare(id, name), maxLength)
}

// whole returns the definition of a struct, union or enum that has a name, cut if it is long.
func (s *side) whole(r btf.Record) string {
	w := speller{s: s, left: maxSpelt, most: maxLength}
	return cut(w.base(r)+" "+w.body(r), maxLength)
}

// cut shortens a text, between two runes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// declare spells a declaration: the type around an inner declarator, which is built from the name outwards.
func (w *speller) declare(id uint32, inner string) string {
	if w.left--; w.left < 0 || len(inner) > 4*maxLength {
		return join("…", inner)
	}
	if id == 0 {
		return join("void", inner)
	}
	r, ok := w.s.record(id)
	if !ok {
		return join("type_id="+strconv.FormatUint(uint64(id), 10), inner)
	}
	switch r.Kind() {
	case btf.KindPtr:
		return w.declare(r[2], "*"+inner)
	case btf.KindConst:
		return w.qualify("const", r[2], inner)
	case btf.KindVolatile:
		return w.qualify("volatile", r[2], inner)
	case btf.KindRestrict:
		return w.qualify("restrict", r[2], inner)
	case btf.KindTypeTag:
		return w.qualify(string(w.s.text(r.Name())), r[2], inner)
	case btf.KindArray:
		return w.declare(r[3], bracket(inner)+"["+strconv.FormatUint(uint64(r[5]), 10)+"]")
	case btf.KindFuncProto:
		return w.declare(r[2], bracket(inner)+"("+w.params(r)+")")
	case btf.KindFunc, btf.KindVar:
		if inner == "" {
			inner = string(w.s.text(r.Name()))
		}
		return w.declare(r[2], inner)
	case btf.KindDeclTag:
		return "tag " + string(w.s.text(r.Name()))
	}
	return join(w.base(r), inner)
}

// qualify puts a qualifier before a base type, or between a pointer's star and what it declares.
func (w *speller) qualify(word string, id uint32, inner string) string {
	if r, ok := w.s.record(id); ok && r.Kind() == btf.KindPtr {
		return w.declare(id, " "+join(word, inner))
	}
	return word + " " + w.declare(id, inner)
}

// base spells a type that a declaration starts with.
func (w *speller) base(r btf.Record) string {
	name := string(w.s.text(r.Name()))
	word := word(r)
	switch {
	case word == "" && name != "":
		return name
	case word == "":
		word = "UNKNOWN"
	}
	if name != "" {
		return word + " " + name
	}
	return word + " " + w.body(r)
}

// word returns the keyword before the name of a type, or "" if there is none.
func word(r btf.Record) string {
	switch categoryOf(r) {
	case structName:
		return "struct"
	case unionName:
		return "union"
	case enumName:
		return "enum"
	case sectionName:
		return "section"
	}
	return ""
}

// body spells the content of an anonymous struct, union or enum.
func (w *speller) body(r btf.Record) string {
	each := int(btf.ShapeOf(r.Kind()).Each)
	if each == 0 {
		return "{ }"
	}
	var b strings.Builder
	b.WriteString("{")
	for e := r[3:]; len(e) >= each; e = e[each:] {
		if b.Len() > w.most {
			b.WriteString(" …")
			break
		}
		name := string(w.s.text(e[0]))
		if categoryOf(r) == enumName {
			b.WriteString(" " + name)
			if len(e) >= 2*each {
				b.WriteString(",")
			}
			continue
		}
		b.WriteString(" " + w.declare(e[1], name))
		if _, width := btf.MemberOffset(e[2], r.Kflag()); width != 0 {
			b.WriteString(":" + strconv.FormatUint(uint64(width), 10))
		}
		b.WriteString(";")
	}
	b.WriteString(" }")
	return b.String()
}

func (w *speller) params(r btf.Record) string {
	text := ""
	for p := r[3:]; len(p) >= 2; p = p[2:] {
		if len(text) > w.most {
			return text + ", …"
		}
		if text != "" {
			text += ", "
		}
		if p[0] == 0 && p[1] == 0 && len(p) == 2 {
			return text + "..."
		}
		text += w.declare(p[1], string(w.s.text(p[0])))
	}
	if text == "" {
		return "void"
	}
	return text
}

// join puts a space between a type and a declarator where C needs one.
func join(word, inner string) string {
	if inner == "" || inner[0] == ' ' || inner[0] == '[' {
		return word + inner
	}
	return word + " " + inner
}

// bracket adds parentheses, so that a pointer declarator does not bind to what follows it.
func bracket(inner string) string {
	if inner != "" && (inner[0] == '*' || inner[0] == ' ') {
		return "(" + inner + ")"
	}
	return inner
}
