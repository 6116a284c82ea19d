package golden

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Details says what changed about a type, one statement each: members, values, prototypes, places in sections. For the
// other ops it is empty.
func (s *Summary) Details(c Change) []string {
	if c.Op != Changed {
		return nil
	}
	old, new := s.old.At(c.Old), s.new.At(c.New)
	var d details
	switch c.Kind {
	case btf.KindInt, btf.KindFloat:
		d.differ("size", old[2], new[2])
		if c.Kind == btf.KindInt {
			d.differ("nr_bits", old[3]&0xff, new[3]&0xff)
			d.differ("bits_offset", old[3]>>16&0xff, new[3]>>16&0xff)
			d.differ("encoding", intWord(old[3])>>24, intWord(new[3])>>24)
		}
	case btf.KindFwd:
		d.differ("fwd_kind", fwdKind(old), fwdKind(new))
	case btf.KindTypedef:
		d.differ("type", spelling(s.old, old.Type()), spelling(s.new, new.Type()))
	case btf.KindFunc:
		d.prototype(s, c)
		d.differ("linkage", old.Vlen(), new.Vlen())
	case btf.KindVar:
		d.differ("type", spelling(s.old, old.Type()), spelling(s.new, new.Type()))
		d.differ("linkage", old[3], new[3])
		d.differ("place", placeOf(s.old, s.oldSections, c.Old), placeOf(s.new, s.newSections, c.New))
	default:
		d.differ("size", old[2], new[2])
		d.differ("vlen", old.Vlen(), new.Vlen())
		if c.Kind == btf.KindEnum || c.Kind == btf.KindEnum64 {
			d.differ("signed", old.Kflag(), new.Kflag())
		}
		d.elements(elements(s.old, old), elements(s.new, new))
	}
	if len(d) == 0 {
		d = append(d, "differs beyond what its spelling shows")
	}
	return d
}

type details []string

// differ states a property whose values are not the same.
func (d *details) differ(what string, old, new any) {
	if old != new {
		*d = append(*d, fmt.Sprintf("%s %v -> %v", what, old, new))
	}
}

// prototype states how the prototypes of a FUNC differ: whole if they are short, else by parameter.
func (d *details) prototype(s *Summary, c Change) {
	old, new := spelling(s.old, c.Old), spelling(s.new, c.New)
	if len(old) <= maxLength && len(new) <= maxLength {
		d.differ("prototype", old, new)
		return
	}
	oldProto, okOld := s.old.Record(s.old.At(c.Old).Type())
	newProto, okNew := s.new.Record(s.new.At(c.New).Type())
	if !okOld || !okNew || oldProto.Kind() != btf.KindFuncProto || newProto.Kind() != btf.KindFuncProto {
		d.differ("prototype", old, new)
		return
	}
	d.differ("returned type", spelling(s.old, oldProto.Type()), spelling(s.new, newProto.Type()))
	d.differ("vlen", oldProto.Vlen(), newProto.Vlen())
	for i := range min(oldProto.Vlen(), newProto.Vlen()) {
		d.differ(fmt.Sprintf("parameter %d", i+1), param(s.old, oldProto.Elem(i)), param(s.new, newProto.Elem(i)))
	}
}

// param spells one parameter.
func param(o *btf.Object, p []uint32) string {
	s := speller{o: o, left: maxSpelt}
	return s.declare(p[1], string(nameText(o, p[0])))
}

func fwdKind(r btf.Record) string {
	if r.Kflag() {
		return "union"
	}
	return "struct"
}

// An element is a member, an enumerator or an entry of a section, as text.
type element struct {
	name, text string
}

// elements spells the elements of a record.
func elements(o *btf.Object, r btf.Record) []element {
	var list []element
	switch k := r.Kind(); k {
	case btf.KindStruct, btf.KindUnion:
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			name, typ := string(nameText(o, m[0])), spelling(o, btf.ID(m[1]))
			off, size := btf.MemberOffset(m[2], r.Kflag())
			e := element{name: name, text: fmt.Sprintf("%s at bit %d", typ, off)}
			if size != 0 {
				e.text += fmt.Sprintf(", %d wide", size)
			}
			if name == "" {
				e.name = typ
			}
			list = append(list, e)
		}
	case btf.KindEnum, btf.KindEnum64:
		each := int(btf.ShapeOf(k).Each)
		for e := r[3:]; len(e) >= each; e = e[each:] {
			v := int64(int32(e[1]))
			switch {
			case k == btf.KindEnum64:
				v = int64(uint64(e[2])<<32 | uint64(e[1]))
			case !r.Kflag():
				v = int64(e[1])
			}
			text := fmt.Sprint(v)
			if !r.Kflag() {
				text = fmt.Sprint(uint64(v))
			}
			list = append(list, element{string(nameText(o, e[0])), text})
		}
	case btf.KindDatasec:
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			if !isVar(o, e[0]) {
				list = append(list, element{spelling(o, btf.ID(e[0])), fmt.Sprintf("offset %d, size %d", e[1], e[2])})
			}
		}
	}
	return list
}

// elements states which elements were added and removed, and which say something else; elements of one name are told
// apart by their order.
func (d *details) elements(old, new []element) {
	type place struct {
		name string
		nth  int
	}
	index := func(list []element) (keys []place, at map[place]string) {
		at = make(map[place]string, len(list))
		seen := make(map[string]int, len(list))
		for _, e := range list {
			p := place{e.name, seen[e.name]}
			seen[e.name]++
			keys, at[p] = append(keys, p), e.text
		}
		return keys, at
	}
	oldKeys, oldAt := index(old)
	newKeys, newAt := index(new)
	start := len(*d)
	for _, p := range oldKeys {
		was := oldAt[p]
		if is, ok := newAt[p]; !ok {
			*d = append(*d, fmt.Sprintf("- %s (%s)", p.name, was))
		} else if is != was {
			*d = append(*d, fmt.Sprintf("%s: %s -> %s", p.name, was, is))
		}
	}
	for _, p := range newKeys {
		if _, ok := oldAt[p]; !ok {
			*d = append(*d, fmt.Sprintf("+ %s (%s)", p.name, newAt[p]))
		}
	}
	if len(*d) == start && !slices.Equal(oldKeys, newKeys) {
		*d = append(*d, "elements stand in another order")
	}
}

// placeOf is where the sections of an object put a VAR.
func placeOf(o *btf.Object, sections []btf.Record, id btf.ID) string {
	var places []string
	for _, sec := range sections {
		for e := sec[3:]; len(e) >= 3; e = e[3:] {
			if e[0] == uint32(id) {
				places = append(places, fmt.Sprintf("%s+%d, size %d", nameText(o, sec.Name()), e[1], e[2]))
			}
		}
	}
	if places == nil {
		return "in no section"
	}
	return strings.Join(places, "; ")
}
