package cause

import (
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The members of a declaration are compared as one flat list, its rows. Structs and unions without a name are opened in place: their
// members follow as rows. An anonymous struct that is an unnamed member only adds a level; in C its members belong to the declaration
// itself. An anonymous struct that is the type of a named member, or of the elements of an array, has a row of its own, and its members
// have paths.
//
// Anonymous types can be nested as deep as a file is long, and a few of them, each used twice in the next, give an exponential list. So the
// code uses a stack of its own and a budget. A type that is not opened is compared as a whole, by its reading.

// A row is one member, or one level of nesting.
type row struct {
	path  string // "" for a level
	leaf  string // the last name of the path
	typ   uint32
	reads reading
	wrap  uint64 // hash of qualifiers and arrays around the opened type; reads.own if it is not opened
	bit   uint64 // from the start of the declaration
	width uint32 // of a bit field
	nest  uint64 // hash of the structs and unions around it, up to the next row above
	tags  uint64 // hash

	open      bool // its members follow
	union     bool // it is an opened union
	parent    int32
	end       int32 // after the last row of its content
	in        uint32
	component int32  // index of the member in the record in
	size      uint64 // size in bytes of the opened type; for an array, of one element
}

// rows is the opened body of a declaration.
type rows struct {
	list  []row
	body  uint32 // the record whose members come first; 0 if the declaration has none
	union bool
	wrap  uint64 // hash of what is around the body
	array bool
	whole bool // nothing was left unopened because of the budget
}

// Limits of opening.
const (
	maxRows       = 1 << 16 // of a declaration
	maxAllRows    = 1 << 21 // of a comparison, on either side
	maxNamed      = 16      // nesting of members in members
	maxQualifiers = 64      // around a type
)

// unwrap removes qualifiers and arrays around a struct, union or enum without a name. ok is false if there is none inside.
func (s *side) unwrap(id uint32) (body uint32, wrap uint64, array, ok bool) {
	wrap = readsBody
	for range maxQualifiers {
		r, there := s.record(id)
		if !there {
			return 0, 0, false, false
		}
		switch k := r.Kind(); {
		case btf.Qualifiers.Has(k), k == btf.KindTypeTag:
			wrap = mix(mix(wrap, uint64(k)), s.name(r.Name()))
			id = r[2]
			continue
		case k == btf.KindArray:
			wrap, array = mix(mix(wrap, uint64(k)), uint64(r[5])), true
			id = r[3]
			continue
		case btf.Composites.Has(k), btf.Enums.Has(k):
			ok = !s.named(r)
			return id, mix(wrap, uint64(categoryOf(r))), array, ok
		}
		return 0, 0, false, false
	}
	return 0, 0, false, false
}

// bodyOf returns the struct, union or enum that holds the members or enumerators of a declaration.
func (s *side) bodyOf(id uint32) (body uint32, wrap uint64, array bool) {
	r, _ := s.record(id)
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64:
		return id, 0, false
	case btf.KindTypedef, btf.KindVar:
		if body, wrap, array, ok := s.unwrap(r[2]); ok {
			return body, wrap, array
		}
	}
	return 0, 0, false
}

// frame is a level that is being opened.
type frame struct {
	id     uint32
	r      btf.Record
	next   int // member
	rest   []uint32
	bit    uint64
	prefix string
	nest   uint64
	row    int32
	named  int
}

// open lists the rows of a declaration, within the budget. They are valid until the next call.
func (s *side) open(id uint32, budget *int) rows {
	var t rows
	t.body, t.wrap, t.array = s.bodyOf(id)
	r, ok := s.record(t.body)
	if t.whole = true; !ok || categoryOf(r) == enumName {
		return t
	}
	t.union = r.Kind() == btf.KindUnion
	stack := append(s.frames[:0], frame{id: t.body, r: r, rest: r[3:], row: -1})
	t.list = s.rows[:0]
	defer func() { s.rows, s.frames = t.list, stack }()
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if len(f.rest) < 3 {
			if f.row >= 0 {
				t.list[f.row].end = int32(len(t.list))
			}
			stack = stack[:len(stack)-1]
			continue
		}
		m := f.rest[:3]
		f.rest = f.rest[3:]
		if len(t.list) >= maxRows || *budget <= 0 {
			t.whole = false
			return t
		}
		*budget--
		off, width := btf.MemberOffset(m[2], f.r.Kflag())
		row := row{typ: m[1], reads: s.ref(m[1]), bit: f.bit + uint64(off), width: width, nest: f.nest, parent: f.row,
			tags: s.tags.hash(s, f.id, int32(f.next)), in: f.id, component: int32(f.next)}
		f.next++
		row.wrap = row.reads.own
		name := string(s.text(m[0]))
		body, wrap, array, ok := s.unwrap(m[1])
		inner, _ := s.record(body)
		ok = ok && categoryOf(inner) != enumName && width == 0 && (name == "" || f.named < maxNamed)
		level := ok && name == "" && !array
		if !level {
			if row.leaf = name; name == "" {
				row.leaf = unnamed
			}
			row.path = f.prefix + row.leaf
		}
		next := frame{id: body, r: inner, bit: row.bit, prefix: f.prefix, row: int32(len(t.list)), named: f.named}
		if ok {
			row.open, row.union, row.wrap, row.size = true, inner.Kind() == btf.KindUnion, wrap, uint64(inner[2])
			next.rest = inner[3:]
			if level {
				next.nest = mix(f.nest, uint64(inner.Kind()))
			} else {
				next.named++
				if next.prefix = row.path + "."; array {
					next.prefix = row.path + "[]."
				}
			}
		}
		row.end = int32(len(t.list)) + 1
		t.list = append(t.list, row)
		if ok {
			stack = append(stack, next)
		}
	}
	t.number()
	return t
}

// unnamed is the path of a member without a name whose type is not opened: a bit field that is only padding.
const unnamed = "(unnamed)"

// number distinguishes rows with the same path, which C does not allow.
func (t *rows) number() {
	seen := make(map[string]int, len(t.list))
	for i := range t.list {
		p := &t.list[i]
		if p.path == "" {
			continue
		}
		seen[p.path]++
		if n := seen[p.path]; n > 1 {
			p.path += "#" + strconv.Itoa(n)
		}
	}
}

// around spells the levels around a row, from the outermost one.
func (t *rows) around(i int32) string {
	const most = 4
	text := ""
	for n, p := 0, t.list[i].parent; p >= 0 && t.list[p].path == ""; n, p = n+1, t.list[p].parent {
		word := "struct"
		if t.list[p].union {
			word = "union"
		}
		if text != "" {
			word += ", "
		}
		if n == most {
			return "…, " + text
		}
		text = word + text
	}
	return text
}

// container returns the row of the member that contains a row, or -1 if it is a row of the declaration itself.
func (t *rows) container(i int32) int32 {
	p := t.list[i].parent
	for p >= 0 && t.list[p].path == "" {
		p = t.list[p].parent
	}
	return p
}

// extent returns the place and size of a row.
func (t *rows) extent(s *side, i int32) *Extent {
	p := &t.list[i]
	return &Extent{Bit: p.bit, Bits: uint64(p.width), Bytes: s.sized(p.typ), Nest: t.around(i)}
}
