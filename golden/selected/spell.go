package selected

import (
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A vocabulary gives numbers words. The last word stands for all other numbers.
type vocabulary []struct {
	n    uint32
	word string
}

func (v vocabulary) word(n uint32) string {
	for _, e := range v {
		if e.n == n {
			return e.word
		}
	}
	return v[len(v)-1].word
}

// find returns the number of a word.
func (v vocabulary) find(word string) (uint32, bool) {
	for _, e := range v {
		if e.word == word {
			return e.n, true
		}
	}
	return 0, false
}

var linkages = vocabulary{{btf.LinkageStatic, "static"}, {btf.LinkageGlobal, "global"}, {btf.LinkageExtern, "extern"}, {btf.LinkageExtern + 1, "unknown"}}

var encodings = vocabulary{{0, "unsigned"}, {btf.IntSigned, "signed"}, {btf.IntChar, "char"}, {btf.IntBool, "bool"}, {0xf, "unknown"}}

// numberWords are the words that names of numbers consist of. In C they cannot be the name of anything else.
var numberWords = []string{"long", "unsigned", "signed", "short", "int", "char", "double", "float", "_Bool", "__int128", "_Complex"}

// reserved are the other words that the form uses itself.
var reserved = []string{"struct", "union", "enum", "void", "const", "volatile", "restrict", "attr", "tag", "declared", "align", "size", "static", "global", "extern", "unknown", "signed"}

// qualifiers are the words for the kinds that qualify a type.
var qualifiers = map[btf.Kind]string{btf.KindConst: "const", btf.KindVolatile: "volatile", btf.KindRestrict: "restrict"}

func identifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' || c == '.' || c >= '0' && c <= '9' && i > 0 {
			continue
		}
		return false
	}
	return s != ""
}

// quote writes a name, in quotes if it is not an identifier or is a word of the form.
func quote(s string) string {
	if !identifier(s) || s == "..." || slices.Contains(reserved, s) || slices.Contains(numberWords, s) {
		return strconv.Quote(s)
	}
	return s
}

// quoteBase writes the name of a typedef or number, which may consist of several words.
func quoteBase(s string) string {
	for word := range strings.SplitSeq(s, " ") {
		if !slices.Contains(numberWords, word) {
			return quote(s)
		}
	}
	return s
}

func (n name) spell() string {
	if n.word == "" {
		return quoteBase(n.text)
	}
	return n.word + " " + quote(n.text)
}

// nameOf returns the name of a struct, union, enum, typedef or number.
func (w *writer) nameOf(r btf.Record) name {
	n := name{text: w.o.Name(r.Name())}
	switch r.Declares() {
	case btf.KindStruct:
		n.word = "struct"
	case btf.KindUnion:
		n.word = "union"
	case btf.KindEnum, btf.KindEnum64:
		n.word = "enum"
	}
	return n
}

// typ writes a type. held says that the declaration holds it by value; fn is the function whose prototype it is, or 0.
func (w *writer) typ(id uint32, held bool, fn btf.ID, depth int) {
	// The types around the base, the outermost first.
	var chain []btf.Record
	for id != 0 && w.wrong == nil {
		r, ok := w.o.Record(btf.ID(id))
		if !ok {
			w.fail("type %d does not exist", id)
			return
		}
		k := r.Kind()
		if k == btf.KindTypedef || !btf.References.Has(k) && k != btf.KindArray && k != btf.KindFuncProto {
			break
		}
		if chain = append(chain, r); len(chain) > maxChain {
			w.fail("more than %d pointers, arrays and qualifiers follow each other", maxChain)
		}
		held = held && k != btf.KindPtr && k != btf.KindFuncProto
		if id = r[2]; k == btf.KindArray {
			id = r[3]
		}
	}
	if w.wrong != nil {
		return
	}
	slices.Reverse(chain) // the innermost first
	n := 0
	for n < len(chain) && w.qualifier(chain[n]) != "" {
		n++
	}
	for i := n - 1; i >= 0; i-- {
		w.add(w.qualifier(chain[i]) + " ")
	}
	w.base(id, held, depth)
	for i := n; i < len(chain) && w.wrong == nil; i++ {
		i += w.around(chain[i:], fn, depth) - 1
	}
}

// qualifier returns the words of a qualifier or type tag, or "".
func (w *writer) qualifier(r btf.Record) string {
	if r.Kind() == btf.KindTypeTag {
		return "attr " + strconv.Quote(w.o.Name(r.Name()))
	}
	return qualifiers[r.Kind()]
}

// around writes the first type of a chain after the type that it is built from, and returns how many of the chain it wrote: more than one
// for arrays of arrays, which C gives from the outside in.
func (w *writer) around(chain []btf.Record, fn btf.ID, depth int) int {
	last := w.buf[len(w.buf)-1]
	r := chain[0]
	switch r.Kind() {
	case btf.KindPtr:
		if last != '*' {
			w.add(" ")
		}
		w.add("*")
	case btf.KindArray:
		n := 1
		for n < len(chain) && chain[n].Kind() == btf.KindArray {
			n++
		}
		for i := n - 1; i >= 0; i-- {
			w.add("[" + strconv.FormatUint(uint64(chain[i][5]), 10) + "]")
		}
		return n
	case btf.KindFuncProto:
		if len(chain) > 1 {
			fn = 0 // the function is a pointer to this, or the like
		}
		w.params(r, fn, depth)
	default:
		if last != '*' {
			w.add(" ")
		}
		w.add(w.qualifier(r))
	}
	return 1
}

// params writes the parameters of a prototype.
func (w *writer) params(r btf.Record, fn btf.ID, depth int) {
	if depth++; depth > maxDepth {
		w.fail("more than %d types without a name are inside each other", maxDepth)
	}
	if w.written+len(w.buf) > MaxText {
		w.fail("the golden would have more than %d bytes; select less", MaxText)
	}
	w.add(" (")
	for i := range r.Vlen() {
		if w.wrong != nil {
			return
		}
		p := r.Elem(i)
		if i > 0 {
			w.add(", ")
		}
		if p[0] == 0 && p[1] == 0 {
			w.add("...")
		} else {
			w.typ(p[1], false, 0, depth)
			if p[0] != 0 {
				w.name(w.o.Name(p[0]))
			}
		}
		if fn != 0 {
			w.tagsOf(fn, int32(i))
		}
	}
	w.add(")")
}

// base writes the type that the others are built around: one with a name, void, or one with a body.
func (w *writer) base(id uint32, held bool, depth int) {
	if id == 0 {
		w.add("void")
		return
	}
	r, ok := w.o.Record(btf.ID(id))
	if !ok {
		w.fail("type %d does not exist", id)
		return
	}
	switch k := r.Kind(); {
	case kindOf(r) == "" || k == btf.KindFunc || k == btf.KindVar || k == btf.KindDatasec:
		w.fail("type %d is a %s, which no declaration can have", id, k)
	case r.Name() != 0:
		n := w.nameOf(r)
		if before, known := w.held[n]; held && (!known || w.several != nil && w.several(r)) {
			w.held[n] = max(before, w.sizeText(btf.ID(id))) // of several types of one name, one
		}
		w.add(n.spell())
	case k == btf.KindEnum64:
		w.add("enum64 ")
		w.body(btf.ID(id), r, depth)
	case btf.Composites.Has(k) || k == btf.KindEnum:
		w.add(w.nameOf(r).word + " ")
		w.body(btf.ID(id), r, depth)
	default:
		w.fail("type %d is a %s without a name", id, k)
	}
}

// sizeText returns the size of a type with a name: bytes, for a typedef or number the sort of value, and the alignment if it is not the
// natural one. It returns "" if the type has no size.
func (w *writer) sizeText(id btf.ID) string {
	x, r := w.of(uint32(id)), btf.Record(nil)
	if r, _ = w.o.Record(id); x.size == 0 || x.size > 1<<32-1 {
		return ""
	}
	text := strconv.FormatUint(x.size, 10)
	if w.nameOf(r).word == "" {
		text += " " + w.sort(uint32(id))
	}
	if x.align != natural(x.size) {
		text += " align " + strconv.FormatUint(x.align, 10)
	}
	return text
}

// sort returns the sort of value that a type is. A type with a size has one.
func (w *writer) sort(id uint32) string {
	for {
		r, _ := w.o.Record(btf.ID(id))
		switch k := r.Kind(); {
		case btf.Modifiers.Has(k):
			id = r[2]
			continue
		case k == btf.KindArray:
			return "array"
		case k == btf.KindPtr:
			return "pointer"
		case k == btf.KindFloat:
			return "float"
		case k == btf.KindStruct:
			return "struct"
		case k == btf.KindUnion:
			return "union"
		case btf.Enums.Has(k):
			return "enum"
		}
		return "number"
	}
}
