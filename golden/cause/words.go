package cause

import (
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// spellings spells two different types so that the texts differ too, as far as possible.
func spellings(old *side, o uint32, new *side, n uint32) (string, string) {
	a, b := old.spell(o), new.spell(n)
	if a != b {
		return a, b
	}
	// The difference is after the cut, or in which of several types of one name is meant.
	const most, context = 1 << 14, 24
	long := func(s *side, id uint32) string {
		w := speller{s: s, left: maxSpelt * 64, most: most}
		return cut(w.declare(id, ""), most)
	}
	a2, b2 := long(old, o), long(new, n)
	if a2 == b2 {
		return a, b + " (another type of this name)"
	}
	at := 0
	for at < min(len(a2), len(b2)) && a2[at] == b2[at] {
		at++
	}
	at = max(at-context, 0)
	window := func(s string) string { return "… " + strings.ToValidUTF8(cut(s[at:], maxLength), "") }
	return window(a2), window(b2)
}

// class is the sort of a value. A program can use another type of the same class and size without a change.
type class uint8

const (
	otherClass class = iota
	numberClass
	pointerClass
	floatClass
	arrayClass
	bodyClass
)

// classOf returns the class of a type without typedefs and qualifiers.
func (s *side) classOf(id uint32) class {
	for range maxQualifiers {
		r, ok := s.record(id)
		if !ok {
			return otherClass
		}
		switch k := r.Kind(); {
		case btf.Modifiers.Has(k):
			id = r[2]
			continue
		case k == btf.KindInt, btf.Enums.Has(k):
			return numberClass
		case k == btf.KindPtr:
			return pointerClass
		case k == btf.KindFloat:
			return floatClass
		case k == btf.KindArray:
			return arrayClass
		case btf.Composites.Has(k):
			return bodyClass
		}
		return otherClass
	}
	return otherClass
}

// severityOfTypes returns Neutral if a type was replaced by one of the same class and size. A pointer must also point to the same type, or
// to a function that is called in the same way, because a program that follows it would read something else.
func severityOfTypes(old *side, o uint32, new *side, n uint32) Severity {
	if usedAlike(old, o, new, n, 0) {
		return Neutral
	}
	return Break
}

// usedAlike reports whether a program can use one type as the other. depth is the number of prototypes around it.
func usedAlike(old *side, o uint32, new *side, n uint32, depth int) bool {
	for range maxQualifiers {
		was, is := old.classOf(o), new.classOf(n)
		a, b := old.unqualified(o), new.unqualified(n)
		switch {
		case was != is || old.sized(o) != new.sized(n):
			return false
		case a != 0 && b != 0 && old.ref(a).own == new.ref(b).own: // they differ only in typedefs and qualifiers
			return true
		case was == numberClass || was == floatClass:
			return countsAlike(old, a, new, b)
		case was != pointerClass:
			return false
		}
		if o, n = old.pointee(o), new.pointee(n); o == 0 || old.ref(o).own == new.ref(n).own {
			return true // a pointer to void was not followed
		}
		p, _ := old.record(o)
		if q, ok := new.record(n); ok && p.Kind() == btf.KindFuncProto && q.Kind() == btf.KindFuncProto {
			return depth < maxPrototypes && calledAlike(old, p, new, q, depth+1)
		}
	}
	return false
}

// calledAlike reports whether the return types and parameters of two prototypes are used in the same way.
func calledAlike(old *side, a btf.Record, new *side, b btf.Record, depth int) bool {
	alike := func(o, n uint32) bool { return old.ref(o).own == new.ref(n).own || usedAlike(old, o, new, n, depth) }
	if a.Vlen() != b.Vlen() || !alike(a[2], b[2]) {
		return false
	}
	for i := range a.Vlen() {
		if !alike(a.Elem(i)[1], b.Elem(i)[1]) {
			return false
		}
	}
	return true
}

// maxPrototypes is the nesting depth up to which prototypes are compared parameter by parameter.
const maxPrototypes = 3

// countsAlike reports whether two numbers are read in the same way. For two enums it reports whether the second has all values of the
// first.
func countsAlike(old *side, a uint32, new *side, b uint32) bool {
	p, _ := old.record(a)
	if q, _ := new.record(b); !btf.Enums.Has(p.Kind()) || !btf.Enums.Has(q.Kind()) {
		return true
	}
	return !slices.ContainsFunc(enumChanges(old, a, new, b), func(c Change) bool { return c.Severity == Break })
}

// pointee returns the type that a pointer leads to, without typedefs and qualifiers on the way, or 0 for void.
func (s *side) pointee(id uint32) uint32 {
	r, ok := s.record(s.unqualified(id))
	if !ok || r.Kind() != btf.KindPtr {
		return 0
	}
	return s.unqualified(r[2])
}

// unqualified returns a type without typedefs and qualifiers around it, or 0 for void.
func (s *side) unqualified(id uint32) uint32 {
	for range maxQualifiers {
		r, ok := s.record(id)
		if !ok {
			return 0
		}
		if !btf.Modifiers.Has(r.Kind()) {
			return id
		}
		id = r[2]
	}
	return id
}

func widthText(width uint32) string {
	switch width {
	case 0:
		return "no bit field"
	case 1:
		return "1 bit"
	}
	return strconv.FormatUint(uint64(width), 10) + " bits"
}

// tagText spells the tags of a component.
func (s *side) tagText(id uint32, component int32) string {
	if list := s.tags.names(s, id, component); list != nil {
		return strings.Join(list, ", ")
	}
	return "no tag"
}

// linkageText returns a linkage in the words of C.
func linkageText(linkage int) string {
	switch linkage {
	case btf.LinkageStatic:
		return "static"
	case btf.LinkageGlobal:
		return "global"
	case btf.LinkageExtern:
		return "extern"
	}
	return "unknown linkage"
}

// encodingText says how the bits of a number are read.
func encodingText(word uint32) string {
	word = btf.PrintedInt(word)
	text := "unsigned"
	switch word >> 24 {
	case 0:
	case btf.IntSigned:
		text = "signed"
	case btf.IntChar:
		text = "character"
	case btf.IntBool:
		text = "boolean"
	default:
		text = "of unknown encoding"
	}
	if off := word >> 16 & 0xff; off != 0 {
		text += ", from bit " + strconv.FormatUint(uint64(off), 10)
	}
	return text + ", " + strconv.FormatUint(uint64(word&0xff), 10) + " bits"
}
