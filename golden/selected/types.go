package selected

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// body reads size, tags and content of a struct, union or enum into the record of an id.
func (r *reader) body(word string, id uint32, depth int) {
	if depth >= maxDepth {
		r.fail("more than %d types without a name are inside each other", maxDepth)
	}
	kind := map[string]btf.Kind{"struct": btf.KindStruct, "union": btf.KindUnion, "enum": btf.KindEnum, "enum64": btf.KindEnum64}[word]
	words := []uint32{r.records[id-1][0], 0, r.u32()}
	kflag := btf.Enums.Has(kind) && r.accept("signed")
	r.tags(id, -1)
	r.open()
	b := body{reader: r, id: id, kind: kind, kflag: kflag, words: words, depth: depth + 1, layout: layout{id: id, line: r.tokens[0].line}}
	for n := int32(0); r.line(); n++ {
		b.element(n)
		r.expect(newLine)
	}
	if btf.Composites.Has(kind) {
		r.bodies = append(r.bodies, b.layout)
	}
	each := btf.ShapeOf(kind).Each
	if vlen := (len(b.words) - 3) / int(each); vlen > 0xffffff {
		r.fail("it has too many members")
	} else {
		b.words[1] = btf.Info(kind, uint32(vlen), kflag || b.packed)
	}
	r.records[id-1] = b.words
}

// A body is a struct, union or enum that is being read.
type body struct {
	*reader
	id     uint32
	kind   btf.Kind
	kflag  bool
	words  []uint32
	packed bool // it has a bit field: offsets share their word with widths
	layout layout
	depth  int
}

// element reads a member or enumerator.
func (b *body) element(n int32) {
	switch b.kind {
	case btf.KindStruct, btf.KindUnion:
		b.member(n)
		return
	}
	off := b.name()
	b.expect("=")
	least, most := int64(0), uint64(math.MaxUint32)
	switch {
	case b.kind == btf.KindEnum64 && b.kflag:
		least, most = math.MinInt64, math.MaxInt64
	case b.kind == btf.KindEnum64:
		most = math.MaxUint64
	case b.kflag:
		least, most = math.MinInt32, math.MaxInt32
	}
	v := b.integer(least, most)
	if b.words = append(b.words, off, uint32(v)); b.kind == btf.KindEnum64 {
		b.words = append(b.words, uint32(v>>32))
	}
}

func (b *body) member(n int32) {
	typ, off, width := b.typ(0, b.depth), uint32(0), uint32(0)
	if b.isName() {
		off = b.name()
	}
	if b.accept(":") {
		width = uint32(b.integer(1, 0xff))
		b.packed = true
	}
	p := b.place()
	p.width = width
	b.layout.places = append(b.layout.places, p)
	b.words = append(b.words, off, typ, width<<24)
	b.tags(b.id, n)
}

// offset reads BYTE or BYTE.BIT, and returns bits.
func (r *reader) offset() uint64 {
	bytes, bit, found := strings.Cut(r.tokens[0].text, ".")
	t := &r.tokens[0]
	if found {
		if len(bit) != 1 || bit[0] < '1' || bit[0] > '7' {
			r.fail("%s is not an offset", r.shown())
		}
		t.text = bytes
	}
	n := r.integer(0, math.MaxUint32) * 8
	if found && r.err == nil {
		n += uint64(bit[0] - '0')
	}
	return n
}

// tags reads the tags of a component of a type.
func (r *reader) tags(id uint32, component int32) {
	for r.accept("tag") {
		r.add(r.quoted(), btf.Info(btf.KindDeclTag, 0, false), id, uint32(component))
	}
}

// typ reads a type. fn is the function whose prototype it is, or 0.
func (r *reader) typ(fn uint32, depth int) uint32 {
	var before [][]uint32 // the qualifiers in front of the base
	for {
		q := r.qualifier()
		if q == nil {
			break
		}
		if before = append(before, q); len(before) > maxChain {
			r.fail("more than %d qualifiers follow each other", maxChain)
		}
	}
	id := r.base(depth)
	for _, q := range slices.Backward(before) {
		q[2] = id
		id = r.add(q...)
	}
	for n := 0; r.err == nil; n++ {
		if n > maxChain {
			r.fail("more than %d pointers, arrays and qualifiers follow each other", maxChain)
		}
		switch {
		case r.accept("*"):
			id = r.add(0, btf.Info(btf.KindPtr, 0, false), id)
		case r.peek("["):
			id = r.arrays(id)
		case r.accept("("):
			id = r.params(id, fn, depth)
		default:
			q := r.qualifier()
			if q == nil {
				return id
			}
			q[2] = id
			id = r.add(q...)
		}
	}
	return id
}

// qualifier reads a qualifier or type tag, and returns its record, which refers to nothing yet.
func (r *reader) qualifier() []uint32 {
	for kind, word := range qualifiers {
		if r.accept(word) {
			return []uint32{0, btf.Info(kind, 0, false), 0}
		}
	}
	if !r.accept("attr") {
		return nil
	}
	return []uint32{r.quoted(), btf.Info(btf.KindTypeTag, 0, false), 0}
}

// arrays reads the lengths of arrays, the outermost first.
func (r *reader) arrays(id uint32) uint32 {
	var lengths []uint32
	for r.accept("[") {
		lengths = append(lengths, r.u32())
		r.expect("]")
		if len(lengths) > maxChain {
			r.fail("more than %d pointers, arrays and qualifiers follow each other", maxChain)
			return 0
		}
	}
	for _, n := range slices.Backward(lengths) {
		id = r.add(0, btf.Info(btf.KindArray, 0, false), 0, id, 0, n)
	}
	return id
}

// params reads the parameters of a prototype that returns a type. Its tags belong to fn, if the prototype is that of the function itself.
func (r *reader) params(id, fn uint32, depth int) uint32 {
	if depth >= maxDepth {
		r.fail("more than %d types without a name are inside each other", maxDepth)
		return 0
	}
	words := []uint32{0, 0, id}
	type tagged struct{ at, text uint32 }
	var tags []tagged
	for n := uint32(0); !r.accept(")"); n++ {
		if n > 0 {
			r.expect(",")
		}
		if r.accept("...") {
			words = append(words, 0, 0)
		} else {
			typ, off := r.typ(0, depth+1), uint32(0)
			if !r.peek(",") && !r.peek(")") && !r.peek("tag") {
				off = r.name()
			}
			if typ == 0 && off == 0 {
				r.fail("a parameter is void")
			}
			words = append(words, off, typ)
		}
		for r.accept("tag") {
			tags = append(tags, tagged{n, r.quoted()})
		}
		if r.err != nil {
			return 0
		}
	}
	if len(words)/2 > 0xffff {
		r.fail("a function has too many parameters")
	}
	words[1] = btf.Info(btf.KindFuncProto, uint32(len(words)-3)/2, false)
	proto := r.add(words...)
	if len(tags) > 0 && (fn == 0 || r.peek("*") || r.peek("(") || r.peek("[")) {
		r.fail("only parameters of functions have tags")
	}
	for _, t := range tags {
		r.add(t.text, btf.Info(btf.KindDeclTag, 0, false), fn, t.at)
	}
	return proto
}

// base reads a type with a name, void, or a type with a body.
func (r *reader) base(depth int) uint32 {
	for _, word := range []string{"struct", "union", "enum", "enum64"} {
		if !r.accept(word) {
			continue
		}
		if !r.isName() {
			id := r.add(0, 0, 0)
			r.body(word, id, depth)
			return id
		}
		if word == "enum64" {
			r.fail("an enum with a name is mentioned as enum")
		}
		return r.mention(name{word, r.next().text})
	}
	if r.accept("void") {
		return 0
	}
	text := r.baseName()
	if r.err != nil {
		return 0
	}
	return r.mention(name{"", text})
}

// finish makes the object.
func (r *reader) finish() (*Golden, error) {
	g := new(Golden)
	var err error
	if g.Selection, err = ParseSelection(r.patterns); err != nil {
		return nil, &ParseError{1, err.Error()}
	}
	for _, long := range longs { // the size of a pointer
		if n := (name{"", long}); r.sizes[n].line > 0 {
			r.mention(n)
		}
	}
	stubs := map[int]bool{}
	for _, n := range r.order {
		if id := r.at[n]; r.records[id-1] == nil {
			r.stub(id, n)
			stubs[id] = true
		}
	}
	m := r.measurer(stubs)
	g.measures = slices.Clone(m.known)
	if err := r.layOut(m); err != nil {
		return nil, err
	}
	g.Object = btf.New(binary.LittleEndian, nil)
	g.Object.Strings = r.strings
	for _, words := range r.records {
		g.Object.Append(words...)
	}
	g.Stubs = make([]bool, g.Object.End())
	for id := range stubs {
		g.Stubs[id] = true
	}
	return g, nil
}

// measurer returns a measurer that knows the measures of stubs.
func (r *reader) measurer(stubs map[int]bool) *measurer {
	m := &measurer{known: make([]measure, len(r.records)+1), record: func(id uint32) (btf.Record, bool) { return r.records[id-1], true }}
	for _, long := range longs {
		if id := r.at[name{"", long}]; id != 0 && r.records[id-1][1] == btf.Info(btf.KindInt, 0, false) && m.long == 0 {
			m.long = uint64(r.records[id-1][2])
		}
	}
	for _, n := range r.order {
		if id := r.at[n]; stubs[id] {
			m.known[id] = measure{size: uint64(r.sizes[n].bytes), align: max(r.sizes[n].align, 1)}
		}
	}
	return m
}

// layOut computes the places that follow from others.
func (r *reader) layOut(m *measurer) error {
	for i := range r.bodies {
		l := &r.bodies[i]
		words := r.records[l.id-1]
		section := btf.Record(words).Kind() == btf.KindDatasec
		packed, end := btf.Record(words).Kflag(), uint64(0)
		for n := range l.places {
			p, e := &l.places[n], words[3+3*n:6+3*n]
			var x measure
			if section {
				if x = m.of(r.records[e[0]-1][2]); p.size {
					x.size = uint64(e[2])
				}
				e[2] = uint32(x.size)
			} else {
				x = m.of(e[1])
			}
			bit := next(end, x, p.width)
			switch {
			case p.given:
				bit = p.bit
			case p.align != 0:
				bit = up(end, p.align)
			}
			switch {
			case m.err != nil:
				return &ParseError{l.line, m.err.Error()}
			case section && (bit%8 != 0 || bit/8 > math.MaxUint32):
				return &ParseError{l.line, "the place of a variable does not fit 32 bits, or is not a whole byte"}
			case section:
				e[1] = uint32(bit / 8)
			case bit > math.MaxUint32 || packed && bit >= 1<<24:
				return &ParseError{l.line, "the offset of a member does not fit"}
			default:
				e[2] |= uint32(bit)
			}
			if btf.Record(words).Kind() != btf.KindUnion {
				end = after(bit, x, p.width)
			}
		}
	}
	return nil
}

// stub fills the record of a type that is only mentioned.
func (r *reader) stub(id int, n name) {
	off, s := r.strings.Add([]byte(n.text)), r.sizes[n]
	set := func(kind btf.Kind, kflag bool, words ...uint32) {
		r.records[id-1] = append([]uint32{off, btf.Info(kind, 0, kflag)}, words...)
	}
	to := func(words ...uint32) { set(btf.KindTypedef, false, r.add(words...)) }
	switch {
	case n.word == "struct" && s.line > 0:
		set(btf.KindStruct, false, s.bytes)
	case n.word == "union" && s.line > 0:
		set(btf.KindUnion, false, s.bytes)
	case n.word == "enum":
		set(btf.KindEnum, false, s.bytes)
	case n.word != "":
		set(btf.KindFwd, n.word == "union", 0)
	case s.word == "number":
		set(btf.KindInt, false, s.bytes, min(s.bytes*8, 0xff))
	case s.word == "float":
		set(btf.KindFloat, false, s.bytes)
	case s.word == "pointer":
		to(0, btf.Info(btf.KindPtr, 0, false), 0)
	case s.word == "struct":
		to(0, btf.Info(btf.KindStruct, 0, false), s.bytes)
	case s.word == "union":
		to(0, btf.Info(btf.KindUnion, 0, false), s.bytes)
	case s.word == "enum":
		to(0, btf.Info(btf.KindEnum, 0, false), s.bytes)
	case s.word == "array":
		char := r.add(0, btf.Info(btf.KindInt, 0, false), 1, 8)
		to(0, btf.Info(btf.KindArray, 0, false), 0, char, 0, s.bytes)
	default:
		set(btf.KindTypedef, false, 0)
	}
}

// Input returns a golden as a side of a comparison.
func (g *Golden) Input(name, digest string) cause.Input {
	return cause.Input{Object: g.Object, Name: name, Digest: digest, Stubs: g.Stubs}
}
