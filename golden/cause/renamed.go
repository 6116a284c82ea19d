package cause

import (
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A declaration that got another name is gone for every program that uses it, and another one is there: a cause each. But whoever reads the
// comparison wants to know that both are the same. They are, if they have the same content, with their own names left out, and if no other
// declaration that was added or removed has that content. Content that is too small says nothing.

// The smallest number of members or enumerators, and of parameters, of a declaration that is recognised under another name. Many functions that have
// nothing to do with each other take the same three parameters.
const (
	minRenamed = 3
	minParams  = 4
)

// renames marks the causes that are one declaration under two names.
func (c *comparer) renames(r *Comparison) {
	type match struct{ old, new, nOld, nNew int }
	byContent := map[string]*match{}
	var order []*match
	for i := range c.items {
		it := &c.items[i]
		if !it.cause || it.old != 0 && it.new != 0 || it.base || it.oldAll+it.newAll > 1 {
			continue
		}
		s, id := c.new, it.new
		if it.old != 0 {
			s, id = c.old, it.old
		}
		content := s.bodyText(uint32(id), it.kind, it.name)
		if content == "" {
			continue
		}
		m := byContent[content]
		if m == nil {
			m = new(match)
			byContent[content] = m
			order = append(order, m)
		}
		if it.old != 0 {
			m.old, m.nOld = it.id, m.nOld+1
		} else {
			m.new, m.nNew = it.id, m.nNew+1
		}
	}
	for _, m := range order {
		if m.nOld == 1 && m.nNew == 1 {
			old, new := &r.Causes[m.old-1], &r.Causes[m.new-1]
			old.RenamedTo, new.RenamedFrom = new.Name, old.Name
		}
	}
}

// bodyText spells the content of a struct, union, enum or function without its own name; "" if it is too small.
func (s *side) bodyText(id uint32, kind Kind, name string) string {
	r, ok := s.record(id)
	if !ok || name == "" {
		return ""
	}
	b := make([]byte, 0, 512)
	number := func(n uint64) { b = append(strconv.AppendUint(b, n, 10), 0) }
	text := func(t string) { b = append(append(b, t...), 0) }
	text(string(kind))
	switch kind {
	case Struct, Union:
		if !btf.Composites.Has(r.Kind()) || r.Vlen() < minRenamed {
			return ""
		}
		number(uint64(r[2]))
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			text(string(s.text(m[0])))
			text(withoutName(s.spell(m[1]), name))
			number(uint64(m[2]))
		}
	case Enum:
		list, signed := s.enumeratorsOf(id)
		if len(list) < minRenamed {
			return ""
		}
		for _, e := range list {
			text(e.name)
			text(valueText(e.value, signed))
		}
	case Func:
		proto, ok := s.record(r[2])
		if !ok || proto.Kind() != btf.KindFuncProto || proto.Vlen() < minParams {
			return ""
		}
		number(uint64(r.Vlen())) // linkage
		text(s.spell(proto[2]))
		for p := proto[3:]; len(p) >= 2; p = p[2:] {
			text(string(s.text(p[0])))
			text(s.spell(p[1]))
		}
	default:
		return ""
	}
	return string(b)
}

// withoutName replaces a name, as a whole word, in the spelling of a type.
func withoutName(text, name string) string {
	const blank = "\x01"
	word := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
	}
	var b strings.Builder
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			if at == 0 {
				return text
			}
			return b.String() + text[at:]
		}
		i += at
		end := i + len(name)
		b.WriteString(text[at:i])
		if i > 0 && word(text[i-1]) || end < len(text) && word(text[end]) {
			b.WriteString(name)
		} else {
			b.WriteString(blank)
		}
		at = end
	}
}
