package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// The fast path with a base.
//
// The problem: the class table knows what names mean in the units of a module. But every type of the module is also compared with those of the
// base, where a name can mean something else, mean several things, or be only declared. What a declaration then means depends on the order of
// comparisons, as it does in one image.
//
// The idea: a name of a struct, union or enum is plain if the base does not have it, or has it exactly once and means the same by it:
//
//   - The base defines it, and every definition in the module has the content of that definition. Both have one class.
//   - The base only declares it, and the module does, too.
//
// All other names are ambiguous, together with those of the class table: every type from which one can be reached goes into the object at every
// occurrence, as it does without a base (ambiguous.go).
//
// From the other types, only plain names can be reached. There, the module and the base agree about every name, so a comparison of two such
// types has the same answer in any order, and equal structs and unions with a name are those with equal names. The exact engine therefore need
// not compare them: bindNamesakes maps each to the type of the base with its name. It also maps declarations to definitions of the base before anything is
// compared. That is necessary: a type that stays out can have been the one whose comparison would have bound the declaration, and of two types of one
// comparison, one may then lead to the declaration and the other one to the definition.
//
// A comparison can find types equal that have different contents, since it ignores the elements of some arrays; and types different that have
// equal contents, since it looks only through so many levels of copies. Whether that happens depends on what was merged before.
// It can also find two types of the base that are equal, and choose by their order. The engine watches for all three, and gives up with ErrDoubt.
// The caller then starts again without classes. A module gets there if the base was not made as the module is: with other features, or by another
// version of pahole.

// Namesakes are the types of a base that have the plain names of an object.
type Namesakes struct {
	base *btf.Object
	of   map[uint32]uint32 // by offset of a name: the struct or union of the base
}

// A namesake says which types of the base have a name.
type namesake struct {
	tag, enum  uint32 // the first struct, union or declaration of one, and the first enum; 0 if there is none
	tags, more bool   // there are several structs or unions; several enums
}

// namesakes are types of a base by the offsets of their names.
type namesakes map[uint32]namesake

// Continue says which base the object has. Without it, a base that is prepared for many runs is searched as one that is not.
func (s *ClassTable) Continue(base *Base) { s.base = base }

// findNamesakes returns the plain names of o that its base defines, and the set of the tags whose names are not plain. tooLong reports
// whether that takes too long.
func (s *ClassTable) findNamesakes(o *btf.Object, offset func(key uint32) uint32) (k *Namesakes, others []uint64, tooLong bool) {
	base := o.Base
	k, others = &Namesakes{base: base, of: make(map[uint32]uint32)}, make([]uint64, len(s.tags)/64+1)
	named := s.base.namesakes()
	if named == nil {
		named = namedIn(base, s.tags, offset)
	}
	x := contents{o: o, equal: make([]uint32, o.Len()), steps: 64*o.WordCount() + 1<<20}
	differ := make(map[uint64]bool) // names in the form of nameIn that o defines in another way
	for id, r := range o.All() {
		n, known := named[r[0]]
		if !known {
			continue
		}
		switch g, declares := nominal.GroupOf(r); {
		case declares || g == nominal.None:
		case g == nominal.Enum:
			if b, _ := base.Record(btf.ID(n.enum)); n.enum != 0 && !equalWords(r, b) {
				differ[nameIn(r[0], uint64(g))] = true
			}
		case n.tag != 0 && !x.same(uint32(id), n.tag):
			differ[nameIn(r[0], uint64(g))] = true
		}
	}
	for i := range s.tags {
		t := &s.tags[i]
		off := offset(t.key)
		n, known := named[off]
		if !known {
			continue
		}
		id, several := n.tag, n.tags
		if t.group == nominal.Enum {
			id, several = n.enum, n.more
		}
		if id == 0 {
			continue
		}
		b, _ := base.Record(btf.ID(id))
		g, declares := nominal.GroupOf(b)
		defined := t.def != (Hash{})
		switch {
		case several, g != t.group, t.definedTwice, defined && (declares || differ[nameIn(off, uint64(t.group))]):
			others[i/64] |= 1 << (i % 64)
		case g != nominal.Enum && !declares:
			k.of[off] = id
		}
	}
	return k, others, x.steps <= 0
}

// namedIn returns the types of the base that have the names of tags.
func namedIn(base *btf.Object, tags []tag, offset func(key uint32) uint32) namesakes {
	end := base.Strings.End()
	wanted := make([]uint64, end/64+1)
	for i := range tags {
		if off := offset(tags[i].key); off < end {
			wanted[off/64] |= 1 << (off % 64)
		}
	}
	wanted[0] &^= 1 // no name
	named := make(namesakes)
	words, out, next := base.Words(), base.Outline(), 0
	for i, n := range out.Lengths() {
		head, id := words[next:][:2], base.First()+btf.ID(i)
		if next += int(n); n == btf.Untold {
			next = out.End(id, next)
		}
		if name := head[0]; !has(wanted, name) || !tagged.Has(btf.Record(head).Kind()) {
			continue
		}
		named.add(btf.Record(head), id)
	}
	return named
}

// namesakes returns the types of the base by the names of structs, unions and enums, or nil if it is not prepared for many runs.
func (b *Base) namesakes() namesakes {
	if b == nil || b.lazy {
		return nil
	}
	b.named.once.Do(func() {
		b.named.by = make(namesakes)
		for id := b.o.First(); id < b.o.End(); id++ {
			if r, _ := b.o.Record(id); r[0] != 0 && tagged.Has(r.Kind()) {
				b.named.by.add(r, id)
			}
		}
	})
	return b.named.by
}

// add adds a type of the base with a name.
func (n namesakes) add(r btf.Record, id btf.ID) {
	s := n[r[0]]
	if btf.Enums.Has(r.Kind()) {
		s.more = s.enum != 0
		s.enum = uint32(id)
	} else {
		s.tags = s.tag != 0
		s.tag = uint32(id)
	}
	n[r[0]] = s
}

// tagged are the kinds whose names are those of structs, unions and enums.
const tagged = btf.Composites | btf.Enums | 1<<btf.KindFwd

// contents compares types of an object with types of its base by what nominal classes cover: a reference to a named struct, union or enum counts
// as its kind and name.
type contents struct {
	o     *btf.Object
	equal []uint32 // by index in o: a type of the base with equal content
	steps int      // words that may still be compared
	depth int
}

// same reports whether a type of the object and a type of the base have the same content.
func (x *contents) same(own, base uint32) bool {
	i := own - uint32(x.o.First())
	if x.equal[i] == base {
		return true
	}
	a := x.o.At(btf.ID(own))
	b, ok := x.o.Base.Record(btf.ID(base))
	if x.steps -= len(a); !ok || x.steps <= 0 || x.depth == maxNesting || a[1] != b[1] || a[0] != b[0] || len(a) != len(b) {
		return false
	}
	x.depth++
	defer func() { x.depth-- }()
	if !x.sameWords(a, b) {
		return false
	}
	x.equal[i] = base
	return true
}

// maxNesting bounds the types without names between a type and the names that it leads to.
const maxNesting = 1 << 10

// sameWords compares the words of two records after the first two.
func (x *contents) sameWords(a, b btf.Record) bool {
	shape := btf.ShapeOf(a.Kind())
	switch {
	case !shape.Refers && a[2] != b[2], shape.Refers && !x.sameReference(a[2], b[2]):
		return false
	case a.Kind() == btf.KindArray:
		return a[5] == b[5] && x.sameReference(a[3], b[3])
	}
	each, once := int(shape.Each), int(shape.Once)
	for at := 3; at < len(a); at++ {
		if i := at - 3 - once; i >= 0 && each > 0 && i%each == int(shape.TypeAt) {
			if !x.sameReference(a[at], b[at]) {
				return false
			}
		} else if a[at] != b[at] {
			return false
		}
	}
	return true
}

// sameReference compares what two references contribute to a class.
func (x *contents) sameReference(own, base uint32) bool {
	if own == 0 || base == 0 {
		return own == base
	}
	a := x.o.At(btf.ID(own))
	b, ok := x.o.Base.Record(btf.ID(base))
	if !ok { // the references of a lazy base have not been checked
		return false
	}
	g, _ := nominal.GroupOf(a)
	if h, _ := nominal.GroupOf(b); g != h {
		return false
	}
	if g != nominal.None && a[0] != 0 {
		return a[0] == b[0]
	}
	return x.same(own, base)
}

// drop leaves out the names in the form of nameIn that are not plain after all.
func (k *Namesakes) drop(reached map[uint64]bool) {
	for name := range k.of {
		b, _ := k.base.Record(btf.ID(k.of[name]))
		if g, _ := nominal.GroupOf(b); reached[nameIn(name, uint64(g))] {
			delete(k.of, name)
		}
	}
}

// bindNamesakes maps the structs and unions with plain names, and declarations of them, to the types of the base.
func (e *engine) bindNamesakes(k *Namesakes) {
	for id := e.first; id < e.end; id++ {
		r := e.rec(id)
		switch r.Kind() {
		case btf.KindStruct, btf.KindUnion:
		case btf.KindFwd:
			if e.m[id] != id {
				continue
			}
		default:
			continue
		}
		if to := k.of[r[0]]; to != 0 && r[0] != 0 {
			e.m[id] = to
		}
	}
}
