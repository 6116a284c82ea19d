package selected

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A Golden is a golden of selected declarations.
type Golden struct {
	Selection *Selection
	// Object has the selected declarations, and stubs of the types that they mention.
	Object *btf.Object
	// Stubs says, by id, which types are stubs, as cause.Input wants it.
	Stubs []bool

	measures []measure // by id, of stubs
}

// Is reports whether a text begins like a golden of selected declarations, of whatever version.
func Is(text []byte) bool { return bytes.HasPrefix(text, []byte("# btfbatch-golden ")) }

// Reduce returns the golden of the selected declarations of a BTF object, as if it had been written and read.
func Reduce(o *btf.Object, s *Selection) (*Golden, error) {
	text, err := Append(nil, o, s)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Reduce returns a golden with those of its declarations that a selection has too.
func (g *Golden) Reduce(s *Selection) (*Golden, error) {
	if s.Equal(g.Selection) {
		return g, nil
	}
	text, err := g.Append(nil, s)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads a golden. Declarations may have any order. The error is a *ParseError.
func Parse(text []byte) (*Golden, error) {
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	if head = bytes.TrimSuffix(head, []byte("\r")); string(head) != Magic {
		if Is(head) {
			return nil, &ParseError{1, fmt.Sprintf("version %q is not known; this program reads version 1", head[len("# btfbatch-golden "):])}
		}
		return nil, &ParseError{1, "is not " + Magic}
	}
	if len(text) > MaxText {
		return nil, &ParseError{1, fmt.Sprintf("the golden has more than %d bytes", MaxText)}
	}
	tokens, err := scan(rest, 2)
	if err != nil {
		return nil, err
	}
	r := &reader{tokens: tokens, at: map[name]int{}, sizes: map[name]stub{}, strings: btf.NewStrings(nil)}
	r.golden()
	if r.err != nil {
		return nil, r.err
	}
	return r.finish()
}

// A stub is the size of a type that the golden does not define.
type stub struct {
	bytes uint32
	word  string
	align uint64
	line  int
}

// A reader fills records, which become an object at the end: a type may be mentioned before its declaration.
type reader struct {
	tokens   []token
	patterns []string
	records  [][]uint32 // by id - 1; nil for a type that was only mentioned
	at       map[name]int
	order    []name // of at, by first mention
	sizes    map[name]stub
	strings  *btf.Strings
	bodies   []layout // whose offsets are still to be computed
	err      *ParseError
}

// A layout is the places of the members of a struct or union, or of the variables of a section.
type layout struct {
	id     uint32
	line   int
	places []place
}

// A place is what a golden says about the place of a member or variable.
type place struct {
	given bool // at bit
	bit   uint64
	align uint64 // aligned like this; 0 if the type says how
	width uint32
	size  bool // the size of the variable is given
}

// place reads the place of a member or variable.
func (r *reader) place() (p place) {
	switch {
	case r.accept("@"):
		p.given, p.bit = true, r.offset()
	case r.accept("align"):
		p.align = r.alignment()
	}
	return p
}

// alignment reads an alignment in bytes.
func (r *reader) alignment() uint64 {
	a := r.integer(1, maxAlign)
	if a&(a-1) != 0 {
		r.fail("alignment %d is no power of two", a)
		return 1
	}
	return a
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &ParseError{r.tokens[0].line, fmt.Sprintf(format, args...)}
	}
}

// peek reports whether a word or sign is next.
func (r *reader) peek(text string) bool {
	return r.err == nil && !r.tokens[0].quoted && r.tokens[0].text == text
}

// next takes a token.
func (r *reader) next() token {
	t := r.tokens[0]
	if len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
	return t
}

// accept takes a word or sign if it is next.
func (r *reader) accept(text string) bool {
	if !r.peek(text) {
		return false
	}
	r.next()
	return true
}

func (r *reader) expect(text string) {
	if !r.accept(text) {
		want := strconv.Quote(text)
		if text == newLine {
			want = "the end of the line"
		}
		r.fail("%s is missing before %s", want, r.shown())
	}
}

// shown is the next token in an error.
func (r *reader) shown() string {
	switch t := r.tokens[0].text; t {
	case newLine:
		return "the end of the line"
	case endText:
		return "the end of the text"
	default:
		return strconv.Quote(t[:min(len(t), 40)])
	}
}

// integer takes a decimal number.
func (r *reader) integer(least int64, most uint64) uint64 {
	t := r.tokens[0]
	if r.err != nil || t.quoted {
		r.fail("%s is not a number", r.shown())
		return 0
	}
	if strings.HasPrefix(t.text, "-") {
		v, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil || v < least || strconv.FormatInt(v, 10) != t.text {
			r.fail("%s is not a number from %d to %d", r.shown(), least, most)
		}
		r.next()
		return uint64(v)
	}
	v, err := strconv.ParseUint(t.text, 10, 64)
	if err != nil || v > most || least > 0 && v < uint64(least) || strconv.FormatUint(v, 10) != t.text {
		r.fail("%s is not a number from %d to %d", r.shown(), least, most)
	}
	r.next()
	return v
}

func (r *reader) u32() uint32 { return uint32(r.integer(0, math.MaxUint32)) }

// isName reports whether the next token is a name.
func (r *reader) isName() bool {
	t := r.tokens[0]
	return t.quoted || identifier(t.text) && quote(t.text) == t.text
}

// name takes a name, and returns its offset in the strings.
func (r *reader) name() uint32 {
	if r.err != nil || !r.isName() {
		r.fail("%s is not a name", r.shown())
		return 0
	}
	return r.strings.Add([]byte(r.next().text))
}

// quoted takes a text in quotes, and returns its offset in the strings.
func (r *reader) quoted() uint32 {
	if r.err != nil || !r.tokens[0].quoted {
		r.fail("%s is not a text in quotes", r.shown())
		return 0
	}
	return r.strings.Add([]byte(r.next().text))
}

// baseName takes the name of a typedef or number.
func (r *reader) baseName() string {
	if !r.tokens[0].quoted && slices.Contains(numberWords, r.tokens[0].text) {
		text := r.next().text
		for !r.tokens[0].quoted && slices.Contains(numberWords, r.tokens[0].text) {
			text += " " + r.next().text
		}
		return text
	}
	if !r.isName() {
		r.fail("%s is not a type", r.shown())
		return ""
	}
	return r.next().text
}

// word takes a word of a vocabulary.
func (r *reader) word(v vocabulary, what string) uint32 {
	n, ok := v.find(r.tokens[0].text)
	if !ok || r.tokens[0].quoted {
		r.fail("%s is not %s", r.shown(), what)
		return 0
	}
	r.next()
	return n
}

// add adds a record and returns its id.
func (r *reader) add(words ...uint32) uint32 {
	r.records = append(r.records, words)
	return uint32(len(r.records))
}

// mention returns the id of a type with a name.
func (r *reader) mention(n name) uint32 {
	id, ok := r.at[n]
	if !ok {
		r.records = append(r.records, nil)
		id = len(r.records)
		r.at[n] = id
		r.order = append(r.order, n)
	}
	return uint32(id)
}

// define returns the id for a declaration. The first one of a name is what the others mention.
func (r *reader) define(n name, words []uint32) uint32 {
	if id := r.mention(n); r.records[id-1] == nil {
		r.records[id-1] = words
		return id
	}
	return r.add(words...)
}

// golden reads all lines after the first.
func (r *reader) golden() {
	for r.err == nil && !r.peek(endText) {
		t := r.next()
		if t.quoted {
			r.tokens[0].line = t.line
			r.fail("%q is not a declaration", t.text)
			return
		}
		switch t.text {
		case newLine:
			continue
		case "select":
			if !r.tokens[0].quoted {
				r.fail("select has no pattern")
				return
			}
			r.patterns = append(r.patterns, r.next().text)
		case "size":
			r.size()
		default:
			r.declaration(t.text)
		}
		r.expect(newLine)
	}
}

// size reads the size of a type that the golden does not define.
func (r *reader) size() {
	n, line := name{}, r.tokens[0].line
	for _, word := range []string{"struct", "union", "enum"} {
		if r.accept(word) {
			n.word = word
			n.text = r.text(r.name())
		}
	}
	s := stub{line: line}
	if n.word == "" {
		n.text = r.baseName()
	}
	if s.bytes = r.u32(); n.word == "" {
		s.word = r.next().text
		if !slices.Contains([]string{"number", "float", "pointer", "struct", "union", "enum", "array"}, s.word) {
			r.fail("%q is not a sort of value", s.word)
		}
	}
	s.align = natural(uint64(s.bytes))
	if r.accept("align") {
		s.align = r.alignment()
	}
	if before, ok := r.sizes[n]; ok {
		r.fail("%s has a size on line %d already", n.spell(), before.line)
	}
	r.sizes[n] = s
}

// text returns the name at an offset.
func (r *reader) text(off uint32) string {
	text, _ := r.strings.Get(off)
	return string(text)
}

// declaration reads a declaration after its first word.
func (r *reader) declaration(word string) {
	switch word {
	case "struct", "union", "enum", "enum64":
		r.composite(word)
	case "typedef", "int", "float":
		text := r.baseName()
		off := uint32(0)
		if r.err == nil {
			off = r.strings.Add([]byte(text))
		}
		r.plain(word, name{"", text}, off)
	case "func", "var":
		off := r.name()
		linkage := r.word(linkages, "a linkage: static, global, extern or unknown")
		info, rest := btf.Info(btf.KindFunc, linkage, false), []uint32(nil)
		if word == "var" {
			info, rest = btf.Info(btf.KindVar, 0, false), []uint32{linkage}
		}
		id := r.add(append([]uint32{off, info, 0}, rest...)...)
		r.tags(id, -1)
		r.expect("=")
		fn := id
		if word == "var" {
			fn = 0
		}
		r.records[id-1][2] = r.typ(fn, 0)
	case "section":
		r.section()
	default:
		r.fail("%q is not a declaration", word)
	}
}

// plain reads a typedef or number after its name.
func (r *reader) plain(word string, n name, off uint32) {
	var words []uint32
	switch word {
	case "int":
		size := r.u32()
		encoding := r.word(encodings, "an encoding: unsigned, signed, char, bool or unknown")
		bits := uint32(r.integer(0, 0xff))
		words = []uint32{off, btf.Info(btf.KindInt, 0, false), size, encoding<<24 | uint32(r.integer(0, 0xff))<<16 | bits}
	case "float":
		words = []uint32{off, btf.Info(btf.KindFloat, 0, false), r.u32()}
	default:
		words = []uint32{off, btf.Info(btf.KindTypedef, 0, false), 0}
	}
	if r.err != nil {
		return
	}
	id := r.define(n, words)
	if r.tags(id, -1); word == "typedef" {
		r.expect("=")
		words[2] = r.typ(0, 0)
	}
}

// composite reads a struct, union or enum with a name.
func (r *reader) composite(word string) {
	n := name{word: strings.TrimSuffix(word, "64")}
	off := r.name()
	n.text = r.text(off)
	if r.peek("declared") && word != "enum64" && word != "enum" {
		r.next()
		id := r.define(n, []uint32{off, btf.Info(btf.KindFwd, 0, word == "union"), 0})
		r.tags(id, -1)
		return
	}
	if r.err != nil {
		return
	}
	r.body(word, r.define(n, []uint32{off, 0, 0}), 0)
}

// section reads a section and its variables.
func (r *reader) section() {
	words := []uint32{r.name(), 0, r.u32()}
	id := r.add(words...)
	r.tags(id, -1)
	r.open()
	l := layout{id: id, line: r.tokens[0].line}
	for r.line() {
		v := []uint32{0, btf.Info(btf.KindVar, 0, false), r.typ(0, 0), btf.LinkageGlobal}
		v[0] = r.name()
		if n, ok := linkages.find(r.tokens[0].text); ok && !r.tokens[0].quoted {
			r.next()
			v[3] = n
		}
		p, size := r.place(), uint32(0)
		if p.size = r.accept("size"); p.size {
			size = r.u32()
		}
		l.places = append(l.places, p)
		at := r.add(v...)
		words = append(words, at, 0, size)
		r.tags(at, -1)
		r.expect(newLine)
	}
	r.bodies = append(r.bodies, l)
	if words[1] = btf.Info(btf.KindDatasec, uint32(len(words)/3-1), false); len(words)/3 > 0xffffff {
		r.fail("the section has too many variables")
	}
	r.records[id-1] = words
}

// open takes the brace before members and the end of its line.
func (r *reader) open() {
	r.expect("{")
	r.expect(newLine)
}

// line reports whether another line of a body follows, and takes the brace that ends the body. Blank lines count as none.
func (r *reader) line() bool {
	for r.accept(newLine) {
	}
	if r.err != nil {
		return false
	}
	if r.peek(endText) {
		r.fail("\"}\" is missing at the end of the text")
		return false
	}
	return !r.accept("}")
}
