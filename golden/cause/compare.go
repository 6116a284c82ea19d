package cause

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Schema is the version number of the model's JSON form.
const Schema = 2

// An Input is one of two objects to compare.
type Input struct {
	Object       *btf.Object
	Name, Digest string // see Side
	// Stubs says, by id, which types are stubs: placeholders for types that the side mentions without their content. Of a stub only the size
	// counts, if both sides have it; 0 is a size that is not known. Stubs is nil if the BTF is complete. Either both sides have stubs, or
	// neither: package selected reduces BTF to the declarations that the other side has.
	Stubs []bool
}

// Options of a comparison.
type Options struct {
	Exact   bool // ids and order are compared too
	Layouts int  // largest number of Comparison.Layouts
}

// Compare returns the differences between two BTF objects.
func Compare(old, new Input, opt Options) *Comparison {
	result := &Comparison{Schema: Schema, Exact: opt.Exact && old.Stubs == nil, Old: sideOf(old), New: sideOf(new),
		Causes: []Cause{}, Consequences: []Consequence{}, Substitutions: []Substitution{}, Sections: []SectionChange{}, Counts: []Count{}}
	if sameRecords(old.Object, new.Object) {
		result.Verdict.Equal = true
		return result
	}
	seed := maphash.MakeSeed()
	c := &comparer{old: newSide(old, seed), new: newSide(new, seed), exact: opt.Exact && old.Stubs == nil, rowsLeft: [2]int{maxAllRows, maxAllRows}}
	c.pairing = match(c.old, c.new, (old.Object.Base != nil || new.Object.Base != nil) && !sameRecords(old.Object.Base, new.Object.Base))
	c.list()
	// Below this line the items are all declarations that differ, in an order that does not depend on hashes.
	c.describe()
	c.arrange()
	// Below this line every item has its own changes, and the items that it holds by value or follows in a section.
	c.follow()
	// Below this line every item is a cause, or a consequence of at least one cause.
	c.fill(result)
	if opt.Layouts > 0 {
		result.Layouts = c.layouts(result.Causes, opt.Layouts)
	}
	return result
}

func sideOf(in Input) Side {
	return Side{Name: in.Name, Digest: in.Digest, Types: in.Object.Len(), Selected: in.Stubs != nil}
}

// sameRecords reports whether two objects, and their bases, are equal in every word.
func sameRecords(a, b *btf.Object) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil {
		return false
	}
	return a.First() == b.First() && slices.Equal(a.Words(), b.Words()) && slices.Equal(a.Starts(), b.Starts()) &&
		bytes.Equal(a.Strings.Bytes(), b.Strings.Bytes()) && sameRecords(a.Base, b.Base)
}

// An item is a declaration that differs.
type item struct {
	pair
	kind      Kind
	name      string
	cause     bool
	changes   []Change
	signature []Change
	shifts    []Shift
	size      *Size
	at        [2]*Extent // of a variable
	text      string     // spelling of a declaration that was added or removed
	because   []int32    // items that explain it, or part of it
	roots     []int32    // causes behind a consequence, by ID
	impact    Impact
	id        int
}

// A comparer is one comparison.
type comparer struct {
	old, new *side
	exact    bool
	pairing
	items    []item
	pointer  int32 // 1 + the item for the size of pointers; 0 if that did not change
	rowsLeft [2]int
	sections []sectionItems
}

// list makes items from the pairs that differ.
func (c *comparer) list() {
	type key struct { // the sort key of items, which are large
		pair int
		rank int
		name string
	}
	keys := make([]key, len(c.differ))
	for i, p := range c.differ {
		s, id := c.new, p.new
		if id == 0 {
			s, id = c.old, p.old
		}
		r, _ := s.record(uint32(id))
		keys[i] = key{i, rank(kindOf(r)), string(s.text(r.Name()))}
		if keys[i].name == "" {
			keys[i].name = s.unnamedText(r)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.rank != b.rank || a.name != b.name {
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name))
		}
		p, q := &c.differ[a.pair], &c.differ[b.pair]
		return cmp.Or(cmp.Compare(p.old, q.old), cmp.Compare(p.new, q.new))
	})
	c.items = make([]item, 0, len(keys)+1)
	for _, k := range keys {
		c.items = append(c.items, item{pair: c.differ[k.pair], kind: Kinds[k.rank], name: k.name})
	}
	if o, n := c.old.pointer, c.new.pointer; o != n && o != 0 && n != 0 {
		c.items = append(c.items, item{kind: Pointer, name: "*", cause: true, size: &Size{o, n},
			changes: []Change{{Part: SizePart, Op: Changed, Rule: SizeChanged, Severity: Break, Old: bytesText(o), New: bytesText(n)}}})
	}
	place := make([]int32, len(c.differ)+1) // by 1 + index of a pair in differ: its place
	for i := range c.items {
		it := &c.items[i]
		switch {
		case it.kind == Pointer:
			c.pointer = int32(i) + 1
		case it.old != 0:
			place[c.old.found[it.old]] = int32(i) + 1
		default:
			place[c.new.found[it.new]] = int32(i) + 1
		}
	}
	for _, s := range []*side{c.old, c.new} {
		for id := range s.found {
			s.found[id] = place[s.found[id]]
		}
	}
	c.differ = nil
}

// unnamedText spells a declaration without a name by the part that identifies it: "enum { RED, … }".
func (s *side) unnamedText(r btf.Record) string {
	text := word(r) + " { " + string(s.text(r[3]))
	switch {
	case btf.Enums.Has(r.Kind()):
		text += ","
	case r.Vlen() > 1:
		text += "; " + string(s.text(r.Elem(1)[0])) + ";"
	default:
		text += ";"
	}
	return text + " … }"
}

// kindOf returns the kind of a declaration.
func kindOf(r btf.Record) Kind {
	switch r.Declares() {
	case btf.KindStruct:
		return Struct
	case btf.KindUnion:
		return Union
	case btf.KindEnum, btf.KindEnum64:
		return Enum
	case btf.KindTypedef:
		return Typedef
	case btf.KindInt:
		return Int
	case btf.KindFloat:
		return Float
	case btf.KindFunc:
		return Func
	case btf.KindVar:
		return Var
	case btf.KindDatasec:
		return Section
	}
	return Type
}

// rank returns the index of a kind in Kinds.
func rank(k Kind) int { return slices.Index(Kinds, k) }
