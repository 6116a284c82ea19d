package selected

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// Magic is the first line of a golden, without its newline.
const Magic = "# btfbatch-golden 1"

// Limits of a golden, so that no graph of types makes it long or deep.
const (
	maxDepth = 64      // types without a name inside each other
	maxChain = 1 << 10 // pointers, arrays, qualifiers and prototypes around a type
	// MaxText is the maximum size of a golden in bytes.
	MaxText = 64 << 20
)

// A block is the text of one declaration.
type block struct {
	rank int
	name string
	text []byte
}

// A name identifies a type that declarations mention.
type name struct {
	word string // struct, union, enum, or "" for a typedef or number
	text string
}

// A writer writes one golden.
type writer struct {
	o       *btf.Object
	stubs   []bool // see Golden; nil if there are none
	buf     []byte
	indent  int
	tags    map[btf.ID][]tag
	defined map[name]bool // selected types
	held    map[name]string
	measurer
	written int
	wrong   error
}

// A tag is a DECL_TAG.
type tag struct {
	component int32
	text      string
}

// Append appends the golden of the selected declarations of a BTF object. The same declarations give the same text, whatever their ids. The
// error names a declaration that the form cannot express: more than 64 types without a name inside each other, a reference to a type that
// does not exist or that has no name and no content, or a text of more than MaxText bytes.
func Append(dst []byte, o *btf.Object, s *Selection) ([]byte, error) {
	return appendGolden(dst, o, make([]measure, o.End()), nil, s)
}

// Append appends a golden with those of its declarations that a selection has too.
func (g *Golden) Append(dst []byte, s *Selection) ([]byte, error) {
	return appendGolden(dst, g.Object, slices.Clone(g.measures), g.Stubs, s)
}

// appendGolden appends a golden. known are measures that are known in advance.
func appendGolden(dst []byte, o *btf.Object, known []measure, stubs []bool, s *Selection) ([]byte, error) {
	w := &writer{o: o, stubs: stubs, tags: map[btf.ID][]tag{}, defined: map[name]bool{}, held: map[name]string{}}
	w.measurer = measurer{record: func(id uint32) (btf.Record, bool) { return o.Record(btf.ID(id)) }, known: known}
	w.countNames()
	picked, inSection := w.pick(s)
	w.findLong()
	var blocks []block
	for _, id := range picked {
		r := o.At(id)
		b := block{rank: slices.Index(kinds, kindOf(r)), name: o.Name(r.Name())}
		if inSection[id] {
			continue // the section lists it
		}
		w.buf = nil
		w.declaration(id, r)
		if w.written += len(w.buf); w.written > MaxText {
			w.fail("the golden would have more than %d bytes; select less", MaxText)
		}
		if w.wrong = cmp.Or(w.wrong, w.err); w.wrong != nil {
			return dst, fmt.Errorf("%s %q: %w", kindOf(r), b.name, w.wrong)
		}
		b.text = w.buf
		blocks = append(blocks, b)
	}
	slices.SortFunc(blocks, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.name, b.name), bytes.Compare(a.text, b.text))
	})
	dst = append(append(dst, Magic...), '\n')
	for _, p := range s.Patterns() {
		dst = fmt.Appendf(dst, "select %s\n", p)
	}
	for i := range blocks {
		dst = append(append(dst, '\n'), blocks[i].text...)
	}
	return w.appendSizes(dst), nil
}

// pick returns the selected declarations, and which of them a selected section lists.
func (w *writer) pick(s *Selection) (picked []btf.ID, inSection map[btf.ID]bool) {
	inSection = map[btf.ID]bool{}
	sections := map[btf.ID]bool{}
	for id, r := range w.o.All() {
		switch {
		case r.Kind() == btf.KindDeclTag:
			target := r.Type()
			w.tags[target] = append(w.tags[target], tag{max(int32(r[3]), -1), w.o.Name(r.Name())})
		case r.Kind() == btf.KindDatasec && s.Has(cause.Section, w.o.Name(r.Name())):
			sections[id] = true
			for e := r[3:]; len(e) >= 3; e = e[3:] {
				inSection[btf.ID(e[0])] = true
			}
		}
	}
	for _, list := range w.tags {
		slices.SortFunc(list, func(a, b tag) int {
			return cmp.Or(cmp.Compare(a.component, b.component), strings.Compare(a.text, b.text))
		})
	}
	for id, r := range w.o.All() {
		kind, text := kindOf(r), w.o.Name(r.Name())
		if kind == "" || r.Name() == 0 || w.stubs != nil && w.stubs[id] || !sections[id] && !inSection[id] && !s.Has(kind, text) {
			continue
		}
		picked = append(picked, id)
		switch kind {
		case cause.Func, cause.Var, cause.Section:
		default:
			w.defined[w.nameOf(r)] = true
		}
	}
	return picked, inSection
}

// longs are names of the number that has the size of a pointer.
var longs = []string{"long unsigned int", "unsigned long"}

// countNames finds the names that stand for several types.
func (w *writer) countNames() {
	seen, several := map[name]bool{}, map[name]bool{}
	for _, r := range w.o.All() {
		switch kind := kindOf(r); {
		case r.Name() == 0 || kind == "" || kind == cause.Func || kind == cause.Var || kind == cause.Section:
		case seen[w.nameOf(r)]:
			several[w.nameOf(r)] = true
		default:
			seen[w.nameOf(r)] = true
		}
	}
	if len(several) > 0 {
		w.several = func(r btf.Record) bool { return r.Name() != 0 && kindOf(r) != "" && several[w.nameOf(r)] }
	}
}

// findLong finds the number that has the size of a pointer. A golden always has its size.
func (w *writer) findLong() {
	for o := w.o; o != nil; o = o.Base {
		for id, r := range o.All() {
			if text := o.Name(r.Name()); r.Kind() == btf.KindInt && slices.Contains(longs, text) {
				w.long = uint64(r[2])
				w.held[name{"", text}] = w.sizeText(id)
				return
			}
		}
	}
}

// appendSizes appends the sizes of types that are held by value but not selected.
func (w *writer) appendSizes(dst []byte) []byte {
	var lines []string
	for n, size := range w.held {
		if !w.defined[n] && size != "" {
			lines = append(lines, "size "+n.spell()+" "+size+"\n")
		}
	}
	if lines == nil {
		return dst
	}
	slices.Sort(lines)
	return append(append(dst, '\n'), strings.Join(lines, "")...)
}

func (w *writer) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
	}
}

func (w *writer) add(text string) { w.buf = append(w.buf, text...) }

func (w *writer) number(n uint64) { w.buf = strconv.AppendUint(w.buf, n, 10) }

// line starts a line.
func (w *writer) line() {
	w.buf = append(w.buf, '\n')
	for range w.indent {
		w.buf = append(w.buf, '\t')
	}
}

// declaration writes a selected declaration.
func (w *writer) declaration(id btf.ID, r btf.Record) {
	kind, name := kindOf(r), w.o.Name(r.Name())
	switch k := r.Kind(); {
	case k == btf.KindEnum64:
		w.add("enum64 " + quote(name))
	case kind == cause.Int || kind == cause.Typedef || kind == cause.Float:
		w.add(string(kind) + " " + quoteBase(name))
	default:
		w.add(string(kind) + " " + quote(name))
	}
	switch r.Kind() {
	case btf.KindFwd:
		w.add(" declared")
		w.tagsOf(id, -1)
	case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64:
		w.add(" ")
		w.body(id, r, 0)
	case btf.KindInt:
		encoding, off, bits := btf.IntData(r[3])
		w.add(fmt.Sprintf(" %d %s %d %d", r[2], encodings.word(encoding), bits, off))
		w.tagsOf(id, -1)
	case btf.KindFloat:
		w.add(fmt.Sprintf(" %d", r[2]))
		w.tagsOf(id, -1)
	case btf.KindTypedef:
		w.tagsOf(id, -1)
		w.add(" = ")
		w.typ(r[2], true, 0, 0)
	case btf.KindFunc:
		w.add(" " + linkages.word(uint32(r.Vlen())))
		w.tagsOf(id, -1)
		w.add(" = ")
		w.typ(r[2], true, id, 0)
	case btf.KindVar:
		w.add(" " + linkages.word(r[3]))
		w.tagsOf(id, -1)
		w.add(" = ")
		w.typ(r[2], true, 0, 0)
	case btf.KindDatasec:
		w.section(id, r)
	}
	w.add("\n")
}

// section writes the size and the variables of a section, by offset.
func (w *writer) section(id btf.ID, r btf.Record) {
	w.add(fmt.Sprintf(" %d", r[2]))
	w.tagsOf(id, -1)
	w.add(" {")
	w.indent++
	type entry struct {
		off  uint32
		name string
		i    int
	}
	var list []entry
	for i := range r.Vlen() {
		v := btf.ID(r.Elem(i)[0])
		if !w.o.Own(v) || w.o.At(v).Kind() != btf.KindVar {
			w.fail("entry %d is not a variable of the same BTF", i)
			continue
		}
		list = append(list, entry{r.Elem(i)[1], w.o.Name(w.o.At(v).Name()), i})
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.off, b.off), strings.Compare(a.name, b.name))
	})
	end := uint64(0)
	for _, e := range list {
		m := r.Elem(e.i)
		v := w.o.At(btf.ID(m[0]))
		w.line()
		w.typ(v[2], true, 0, 0)
		w.name(e.name)
		if v[3] != btf.LinkageGlobal {
			w.add(" " + linkages.word(v[3]))
		}
		x := w.of(v[2])
		w.place(end, uint64(m[1])*8, x, 0, x.doubt)
		if uint64(m[2]) != x.size || x.doubt {
			w.add(fmt.Sprintf(" size %d", m[2]))
		}
		end = (uint64(m[1]) + uint64(m[2])) * 8
		w.tagsOf(btf.ID(m[0]), -1)
	}
	w.indent--
	w.line()
	w.add("}")
}

// name writes the name of a member, variable or parameter after its type.
func (w *writer) name(name string) {
	if w.buf[len(w.buf)-1] != '*' {
		w.add(" ")
	}
	w.add(quote(name))
}

// tagsOf writes the tags of a component of a declaration.
func (w *writer) tagsOf(id btf.ID, component int32) {
	for _, t := range w.tags[id] {
		if t.component == component {
			w.add(" tag " + strconv.Quote(t.text))
		}
	}
}

// body writes the size and content of a struct, union or enum. depth is the number of types without a name around it.
func (w *writer) body(id btf.ID, r btf.Record, depth int) {
	w.number(uint64(r[2]))
	if depth++; depth > maxDepth {
		w.fail("more than %d types without a name are inside each other", maxDepth)
	}
	if w.written+len(w.buf) > MaxText {
		w.fail("the golden would have more than %d bytes; select less", MaxText)
	}
	if w.wrong != nil {
		return
	}
	if btf.Enums.Has(r.Kind()) && r.Kflag() {
		w.add(" signed")
	}
	w.tagsOf(id, -1)
	w.add(" {")
	w.indent++
	end, before := uint64(0), false
	for i := range r.Vlen() {
		if w.wrong != nil {
			return
		}
		m := r.Elem(i)
		w.line()
		if btf.Enums.Has(r.Kind()) {
			w.add(quote(w.o.Name(m[0])) + " = " + valueText(r, m))
			continue
		}
		w.typ(m[1], true, 0, depth)
		off, width := btf.MemberOffset(m[2], r.Kflag())
		switch {
		case m[0] != 0:
			w.name(w.o.Name(m[0]))
		case width != 0:
			w.add(" ")
		}
		if width != 0 {
			w.add(":" + strconv.FormatUint(uint64(width), 10))
		}
		x := w.of(m[1])
		w.place(end, uint64(off), x, width, x.doubt || before)
		before = x.doubt && r.Kind() == btf.KindStruct
		if r.Kind() == btf.KindStruct {
			end = after(uint64(off), x, width)
		}
		w.tagsOf(id, int32(i))
	}
	w.indent--
	w.line()
	w.add("}")
}

// place writes the place of a member or variable, in bits, if it does not follow from the end of the one before. doubt says that the reader
// may not know that end, or the type.
func (w *writer) place(end, bit uint64, x measure, width uint32, doubt bool) {
	if !doubt && next(end, x, width) == bit {
		return
	}
	if a := aligned(end, bit); a != 0 && !doubt {
		w.add(" align " + strconv.FormatUint(a, 10))
		return
	}
	w.add(" @" + strconv.FormatUint(bit/8, 10))
	if bit%8 != 0 {
		w.add("." + strconv.FormatUint(bit%8, 10))
	}
}

func valueText(r btf.Record, m []uint32) string {
	v := r.EnumValue(m)
	if r.Kflag() {
		return strconv.FormatInt(v, 10)
	}
	return strconv.FormatUint(uint64(v), 10)
}
