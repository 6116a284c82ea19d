package cause

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The kinds that only a Finder returns.
const (
	MemberOf     Kind = "member"     // of a struct or union, by its path
	EnumeratorOf Kind = "enumerator" // of an enum
)

// findable are the kinds that a Finder searches, in the order in which it returns them.
var findable = []Kind{Struct, Union, Enum, Typedef, Int, Float, Func, Var, Section, MemberOf, EnumeratorOf}

// A Finder looks up one name in several BTF objects, and can compare what it found in them.
type Finder struct {
	kind Kind // "" for any
	name string
	seed maphash.Seed
}

// NewFinder returns a Finder for a name: the name of a declaration or an enumerator, or the path of a member or enumerator, which starts
// with the name of its type ("task_struct.on_cpu"). "kind:name" finds only that kind.
func NewFinder(text string) (*Finder, error) {
	f := &Finder{name: text, seed: maphash.MakeSeed()}
	if kind, name, ok := strings.Cut(text, ":"); ok && slices.Contains(findable, Kind(kind)) && !strings.HasPrefix(name, ":") {
		f.kind, f.name = Kind(kind), name
	}
	if f.name == "" {
		return nil, errors.New("the name is empty")
	}
	return f, nil
}

// Name returns the name without the kind.
func (f *Finder) Name() string { return f.name }

// A Found is a declaration, member or enumerator that a name stands for in one BTF object.
type Found struct {
	Kind Kind `json:"kind"`
	// Declaration is the spelling in C: type and name of a member or variable, the prototype of a function. For a struct or union it is
	// only the name, for an enumerator its enum.
	Declaration string  `json:"declaration"`
	Size        *uint64 `json:"size,omitempty"`    // bytes; missing for functions, enumerators and declarations without definition
	At          *Extent `json:"at,omitempty"`      // of a member: its place in the outermost struct
	Members     int     `json:"members,omitempty"` // of a struct or union, including members of anonymous ones in it; of an enum, enumerators
	Value       string  `json:"value,omitempty"`   // of an enumerator
	Section     string  `json:"section,omitempty"` // of a variable
	Linkage     string  `json:"linkage,omitempty"` // of a function or variable: static, global or extern
	Tags        string  `json:"tags,omitempty"`    // of a declaration
	Declared    bool    `json:"only_declared,omitempty"`

	reads reading
}

// SameContent reports whether two results of one Finder are equal except for sizes and offsets.
func (f *Found) SameContent(g *Found) bool { return f.Kind == g.Kind && f.reads.own == g.reads.own }

// Same reports whether two results of one Finder are equal in all fields of a Found, and in the members of a struct. The place of a
// variable in its section does not count, because it differs in every build.
func (f *Found) Same(g *Found) bool { return f.SameContent(g) && f.reads.lay == g.reads.lay }

// In returns the declarations, members and enumerators that the name stands for in a BTF object or its base, by kind. Equal ones are
// returned once.
func (f *Finder) In(in Input) []Found {
	s := newSide(in, f.seed)
	found := f.declared(s)
	if len(found) == 0 {
		found = f.parts(s)
	}
	slices.SortStableFunc(found, func(a, b Found) int { return slices.Index(findable, a.Kind) - slices.Index(findable, b.Kind) })
	defined := map[Kind]bool{}
	for i := range found {
		defined[found[i].Kind] = defined[found[i].Kind] || !found[i].Declared
	}
	var list []Found
	for i := range found {
		x := &found[i]
		if x.Declared && defined[x.Kind] || slices.ContainsFunc(list, func(y Found) bool { return x.Same(&y) }) {
			continue
		}
		list = append(list, *x)
	}
	return list
}

func (f *Finder) wants(k Kind) bool { return f.kind == "" || f.kind == k }

// declared finds declarations, and enumerators by their own name.
func (f *Finder) declared(s *side) (list []Found) {
	for id := uint32(1); int(id) < len(s.refs); id++ {
		r, ok := s.record(id)
		if !ok {
			continue
		}
		if k := kindOf(r); categoryOf(r) != noCategory && f.wants(k) && string(s.text(r.Name())) == f.name {
			list = append(list, s.describe(id, r, k))
		}
		if btf.Enums.Has(r.Kind()) && f.wants(EnumeratorOf) {
			list = append(list, s.enumeratorsNamed(r, f.name)...)
		}
	}
	return list
}

// parts finds members and enumerators by a path that starts with the name of their type. A name may contain dots itself.
func (f *Finder) parts(s *side) (list []Found) {
	if !f.wants(MemberOf) && !f.wants(EnumeratorOf) {
		return nil
	}
	for at := range len(f.name) {
		if f.name[at] != '.' || at == 0 {
			continue
		}
		head, path := f.name[:at], f.name[at+1:]
		for id := uint32(1); int(id) < len(s.refs); id++ {
			r, ok := s.record(id)
			if !ok || string(s.text(r.Name())) != head {
				continue
			}
			switch {
			case btf.Enums.Has(r.Kind()) && f.wants(EnumeratorOf):
				list = append(list, s.enumeratorsNamed(r, path)...)
			case (btf.Composites.Has(r.Kind()) || r.Kind() == btf.KindTypedef) && f.wants(MemberOf):
				if x, ok := s.memberAt(id, path); ok {
					list = append(list, x)
				}
			}
		}
	}
	return list
}

// describe returns the Found for a declaration.
func (s *side) describe(id uint32, r btf.Record, k Kind) Found {
	x := Found{Kind: k, Declaration: s.spell(id), Tags: strings.Join(s.tags.names(s, id, -1), ", "), reads: s.content(id, r)}
	switch k {
	case Func:
		x.Linkage = linkageText(min(r.Vlen(), btf.LinkageExtern+1))
		return x
	case Var:
		x.Linkage = linkageText(int(min(r[3], btf.LinkageExtern+1)))
		x.Section = s.sectionName(id)
		size := s.sized(r[2])
		x.Size = &size
		x.reads = reading{own: mix(mix(s.ref(r[2]).own, uint64(r[3])), maphash.String(s.seed, x.Section+"\x00"+x.Tags)), lay: size}
		return x
	case Section:
		size := uint64(r[2])
		x.Size, x.Members = &size, r.Vlen()
		x.reads.own = mix(x.reads.own, uint64(r.Vlen()))
		return x
	case Typedef:
		x.Declaration = "typedef " + s.declared(r[2], string(s.text(r.Name())))
	case Int:
		x.Declaration += " (" + encodingText(r[3]) + ")"
	}
	if r.Kind() == btf.KindFwd {
		x.Declared = true
		return x
	}
	if size := s.sized(id); size != 0 || k != Typedef {
		x.Size = &size
		x.reads.lay = mix(x.reads.lay, size)
	}
	if body, _, _ := s.bodyOf(id); body != 0 {
		budget := maxRows
		t := s.open(id, &budget)
		for i := range t.list {
			if t.list[i].path != "" {
				x.Members++
			}
		}
		if enumerators, _ := s.enumeratorsOf(body); enumerators != nil {
			x.Members = len(enumerators)
		}
	}
	return x
}

// sectionName returns the name of the section that has a variable. The section may be in the base.
func (s *side) sectionName(id uint32) string {
	for o := s.o; o != nil; o = o.Base {
		for _, r := range o.All() {
			if r.Kind() != btf.KindDatasec {
				continue
			}
			for e := r[3:]; len(e) >= 3; e = e[3:] {
				if e[0] == id {
					return string(s.text(r.Name()))
				}
			}
		}
	}
	return ""
}

// enumeratorsNamed finds an enumerator of an enum by name.
func (s *side) enumeratorsNamed(r btf.Record, name string) (list []Found) {
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		if string(s.text(e[0])) != name {
			continue
		}
		of := "enum"
		if text := s.text(r.Name()); text != nil {
			of += " " + string(text)
		}
		v := valueText(r.EnumValue(e), r.Kflag())
		list = append(list, Found{Kind: EnumeratorOf, Declaration: of, Value: v,
			reads: reading{own: maphash.String(s.seed, of+"\x00"+v)}})
	}
	return list
}

// maxPath is the largest number of named structs in the path of a member.
const maxPath = 64

// memberAt finds a member of a type by its path. The path may lead through named structs that the type holds by value.
func (s *side) memberAt(id uint32, path string) (Found, bool) {
	path = strings.ReplaceAll(path, "[]", "")
	start := uint64(0) // bits
	for range maxPath {
		if id = s.within(id); id == 0 {
			return Found{}, false
		}
		budget := maxRows
		t := s.open(id, &budget)
		next, rest := int32(-1), path
		for i := range t.list {
			p := strings.ReplaceAll(t.list[i].path, "[]", "")
			if p == path {
				return s.member(&t, int32(i), start), true
			}
			if after, ok := strings.CutPrefix(path, p+"."); p != "" && ok && len(after) < len(rest) {
				next, rest = int32(i), after
			}
		}
		if next < 0 {
			return Found{}, false
		}
		start += t.list[next].bit
		id, path = t.list[next].typ, rest
	}
	return Found{}, false
}

// within removes typedefs, qualifiers and arrays around a struct or union. It returns 0 if there is no struct or union inside.
func (s *side) within(id uint32) uint32 {
	for range maxQualifiers {
		r, ok := s.record(id)
		switch {
		case !ok:
			return 0
		case btf.Composites.Has(r.Kind()):
			return id
		case btf.Modifiers.Has(r.Kind()):
			id = r[2]
		case r.Kind() == btf.KindArray:
			id = r[3]
		default:
			return 0
		}
	}
	return 0
}

// member returns the Found for a row of a body that starts at the given bit.
func (s *side) member(t *rows, i int32, start uint64) Found {
	p := &t.list[i]
	at := t.extent(s, i)
	at.Bit += start
	size := at.Bytes
	text := s.declared(p.typ, p.leaf)
	if p.width != 0 {
		text += fmt.Sprintf(":%d", p.width)
	}
	return Found{Kind: MemberOf, Declaration: text, Size: &size, At: at, Tags: strings.Join(s.tags.names(s, p.in, p.component), ", "),
		reads: reading{own: mix(mix(p.reads.own, uint64(p.width)), p.tags), lay: mix(mix(p.reads.lay, at.Bit), size)}}
}
