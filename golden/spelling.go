package golden

import (
	"fmt"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Bounds of a spelling, so that no graph of types, however woven, makes it long.
const (
	maxSpelt  = 64  // types visited
	maxLength = 160 // bytes
)

// A speller writes types as C declares them.
type speller struct {
	o    *btf.Object
	left int // types that may still be visited
}

// spelling is a type as C would declare it, cut where it gets long.
func spelling(o *btf.Object, id btf.ID) string {
	s := speller{o: o, left: maxSpelt}
	text := s.declare(uint32(id), "")
	if len(text) > maxLength {
		text = text[:maxLength] + "…"
	}
	return text
}

// declare spells a declaration: the type around an inner declarator, which is built from the name outwards.
func (s *speller) declare(id uint32, inner string) string {
	if s.left--; s.left < 0 {
		return join("…", inner)
	}
	r, ok := s.o.Record(btf.ID(id))
	switch {
	case id == 0:
		return join("void", inner)
	case !ok:
		return join("type_id="+strconv.FormatUint(uint64(id), 10), inner)
	}
	switch r.Kind() {
	case btf.KindPtr:
		return s.declare(r[2], "*"+inner)
	case btf.KindConst:
		return s.qualify("const", r[2], inner)
	case btf.KindVolatile:
		return s.qualify("volatile", r[2], inner)
	case btf.KindRestrict:
		return s.qualify("restrict", r[2], inner)
	case btf.KindTypeTag:
		return s.qualify(string(nameText(s.o, r.Name())), r[2], inner)
	case btf.KindArray:
		return s.declare(r[3], bracket(inner)+"["+strconv.FormatUint(uint64(r[5]), 10)+"]")
	case btf.KindFuncProto:
		return s.declare(r[2], bracket(inner)+"("+s.params(r)+")")
	case btf.KindFunc:
		if inner == "" {
			inner = string(nameText(s.o, r.Name()))
		}
		return s.declare(r[2], inner)
	case btf.KindVar:
		return s.declare(r[2], string(nameText(s.o, r.Name())))
	case btf.KindDeclTag:
		return fmt.Sprintf("%s of %s, component %d", nameText(s.o, r.Name()), s.target(r[2]), int32(r[3]))
	}
	return join(s.base(r), inner)
}

// qualify puts a qualifier before a base type, or between a pointer's star and what it declares.
func (s *speller) qualify(word string, id uint32, inner string) string {
	if r, ok := s.o.Record(btf.ID(id)); ok && r.Kind() == btf.KindPtr {
		return s.declare(id, " "+join(word, inner))
	}
	return word + " " + s.declare(id, inner)
}

// base spells a type that a declaration starts with.
func (s *speller) base(r btf.Record) string {
	name := string(nameText(s.o, r.Name()))
	word := ""
	switch r.Kind() {
	case btf.KindStruct:
		word = "struct"
	case btf.KindUnion:
		word = "union"
	case btf.KindEnum, btf.KindEnum64:
		word = "enum"
	case btf.KindFwd:
		if word = "struct"; r.Kflag() {
			word = "union"
		}
		return join(word, name) + " (forward)"
	case btf.KindDatasec:
		word = "section"
	case btf.KindInt, btf.KindFloat, btf.KindTypedef:
		return name
	default:
		word = "UNKNOWN"
	}
	if name != "" {
		return word + " " + name
	}
	return word + " " + s.body(r)
}

// body spells the inside of an anonymous struct, union or enum.
func (s *speller) body(r btf.Record) string {
	text := "{"
	each := int(btf.ShapeOf(r.Kind()).Each)
	if each == 0 {
		return "{}"
	}
	for e := r[3:]; len(e) >= each && len(text) < maxLength; e = e[each:] {
		name := string(nameText(s.o, e[0]))
		if r.Kind() == btf.KindStruct || r.Kind() == btf.KindUnion {
			text += " " + s.declare(e[1], name) + ";"
		} else {
			text += " " + name + ","
		}
	}
	return text + " }"
}

func (s *speller) params(r btf.Record) string {
	text := ""
	for p := r[3:]; len(p) >= 2 && len(text) < maxLength; p = p[2:] {
		if text != "" {
			text += ", "
		}
		if p[0] == 0 && p[1] == 0 && len(p) == 2 {
			return text + "..."
		}
		text += s.declare(p[1], string(nameText(s.o, p[0])))
	}
	if text == "" {
		return "void"
	}
	return text
}

// target spells what a tag is on: kind and name, or the type itself if it has no name.
func (s *speller) target(id uint32) string {
	if r, ok := s.o.Record(btf.ID(id)); ok && named(s.o, r) {
		return r.Kind().String() + " " + string(nameText(s.o, r.Name()))
	}
	return s.declare(id, "")
}

// join puts a space between a type and a declarator, where C has one.
func join(word, inner string) string {
	if inner == "" || inner[0] == ' ' {
		return word + inner
	}
	return word + " " + inner
}

// bracket keeps a pointer declarator from binding to what follows it.
func bracket(inner string) string {
	if inner != "" && (inner[0] == '*' || inner[0] == ' ') {
		return "(" + inner + ")"
	}
	return inner
}
