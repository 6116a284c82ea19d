package golden

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dense"
)

// A BaseError says that a golden of split BTF does not continue the base that it is read with.
type BaseError = dense.BaseError

// A ParseError says where a text stops being a raw dump.
type ParseError struct {
	Line    int // counted from 1
	Problem string
	base    error // a *BaseError, or nil
}

// Unwrap returns a *BaseError if the dump continues another base.
func (e *ParseError) Unwrap() error { return e.base }

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// ParseRaw reads a raw dump back: printed again, the object gives the text it was read from. base is what the dumped
// object continues, or nil; without one, ids before the dump's first lead nowhere. What a dump does not tell stays
// unset: the kind_flag of tags, the numbers of unknown kinds and encodings. A first line "# dialect NAME" must name Dialect. The error is
// a *ParseError.
func ParseRaw(text []byte, base *btf.Object) (*btf.Object, error) {
	p := parser{rest: text}
	if rest, ok := bytes.CutPrefix(text, []byte(dialectMark)); ok {
		name, rest, _ := bytes.Cut(rest, newline)
		if err := checkDialect(string(bytes.TrimSpace(name))); err != nil {
			return nil, &ParseError{Line: 1, Problem: strings.TrimPrefix(err.Error(), "line 1: ")}
		}
		p.rest, p.n = rest, 1
	}
	for p.next() {
		if p.line.b[0] == '\t' {
			return nil, p.fail("an element stands before the first type")
		}
		if err := p.typ(base); err != nil {
			return nil, err
		}
	}
	if p.problem != "" {
		return nil, p.fail(p.problem)
	}
	if p.o == nil {
		p.o = btf.New(binary.LittleEndian, base)
	}
	return p.o, nil
}

// A parser walks the lines of a dump and fills an object.
type parser struct {
	o       *btf.Object
	rest    []byte
	line    line
	n       int      // number of the line
	words   []uint32 // of the record being read
	packed  bool     // it has a bitfield: offsets share their word with sizes
	wide    bool     // it has an offset that needs the whole word
	problem string
}

// next takes the next line.
func (p *parser) next() bool {
	if len(p.rest) == 0 {
		return false
	}
	p.n++
	end := bytes.IndexByte(p.rest, '\n')
	if end <= 0 {
		p.problem = "is empty or has no end"
		return false
	}
	p.line = line{b: p.rest[:end]}
	p.rest = p.rest[end+1:]
	return true
}

func (p *parser) fail(problem string) error { return &ParseError{Line: p.n, Problem: problem} }

// typ reads the current line, which is a type's, and the lines of its elements.
func (p *parser) typ(base *btf.Object) error {
	l := &p.line
	l.text("[")
	id := btf.ID(l.number())
	l.text("] ")
	k := l.kind()
	l.text(" ")
	name := l.name()
	if l.bad {
		return p.fail("is not a type")
	}
	if p.o == nil {
		if base != nil && base.End() != id {
			wrong := &BaseError{First: id, End: base.End()}
			return &ParseError{p.n, wrong.Error(), wrong}
		}
		p.o = btf.New(binary.LittleEndian, base)
		p.o.Table = btf.NewTable(id)
	}
	if id == 0 || id != p.o.End() {
		return p.fail(fmt.Sprintf("type %d follows type %d", id, int64(p.o.End())-1))
	}
	off, ok := p.addName(name)
	if !ok {
		return p.fail("name is empty or holds a NUL")
	}
	p.words = append(p.words[:0], off, btf.Info(k, 0, false), 0)
	vlen := p.attributes(k)
	if l.bad || len(l.b) != 0 {
		return p.fail("is not a " + k.String())
	}
	return p.elements(k, vlen)
}

// addName stores a name; a dump cannot tell an empty name from one that ends it.
func (p *parser) addName(name []byte) (off uint32, ok bool) {
	if string(name) == "(anon)" {
		return 0, true
	}
	if len(name) == 0 || bytes.IndexByte(name, 0) >= 0 {
		return 0, false
	}
	return p.o.Strings.Add(name), true
}

// attributes reads what follows the name on a type's line into the record, and returns the number of elements.
func (p *parser) attributes(k btf.Kind) (vlen uint32) {
	l, w := &p.line, p.words
	switch k {
	case btf.KindInt:
		w[2] = l.field(" size=")
		offset, bits := l.field(" bits_offset="), l.field(" nr_bits=")
		l.bad = l.bad || offset > 0xff || bits > 0xff
		w = append(w, l.encoding()<<24|offset<<16|bits)
	case btf.KindArray:
		w = append(w, l.field(" type_id="), l.field(" index_type_id="), l.field(" nr_elems="))
	case btf.KindStruct, btf.KindUnion:
		w[2], vlen = l.field(" size="), l.field(" vlen=")
	case btf.KindEnum, btf.KindEnum64:
		l.text(" encoding=")
		if !l.has("UNSIGNED") {
			l.text("SIGNED")
			w[1] = btf.Info(k, 0, true)
		}
		w[2], vlen = l.field(" size="), l.field(" vlen=")
	case btf.KindFwd:
		l.text(" fwd_kind=")
		if !l.has("struct") {
			l.text("union")
			w[1] = btf.Info(k, 0, true)
		}
	case btf.KindFunc:
		w[2] = l.field(" type_id=")
		w[1] = btf.Info(k, l.linkage(" linkage="), false)
	case btf.KindFuncProto:
		w[2], vlen = l.field(" ret_type_id="), l.field(" vlen=")
	case btf.KindVar:
		w[2] = l.field(" type_id=")
		w = append(w, l.linkage(", linkage="))
	case btf.KindDatasec:
		w[2], vlen = l.field(" size="), l.field(" vlen=")
	case btf.KindFloat:
		w[2] = l.field(" size=")
	case btf.KindDeclTag:
		w[2] = l.field(" type_id=")
		l.text(" component_idx=")
		w = append(w, uint32(l.integer(math.MinInt32, math.MaxInt32)))
	default:
		if btf.References.Has(k) {
			w[2] = l.field(" type_id=")
		}
	}
	p.words = w
	if vlen > 0xffffff {
		l.bad = true
	}
	return vlen
}

// elements reads the lines of a type's elements and adds the record to the object.
func (p *parser) elements(k btf.Kind, vlen uint32) error {
	p.packed, p.wide = false, false
	for range vlen {
		if !p.next() || p.line.b[0] != '\t' {
			return p.fail(fmt.Sprintf("%s has fewer elements than its vlen of %d", k, vlen))
		}
		l := &p.line
		l.text("\t")
		if k == btf.KindDatasec {
			p.words = append(p.words, l.field("type_id="), l.field(" offset="), l.field(" size="))
			p.target()
		} else {
			off, ok := p.addName(l.name())
			l.bad = l.bad || !ok
			p.words = append(p.words, off)
			p.element(k)
		}
		if l.bad || len(l.b) != 0 {
			return p.fail("is not an element of a " + k.String())
		}
	}
	if len(p.rest) > 0 && p.rest[0] == '\t' {
		p.n++
		return p.fail(fmt.Sprintf("%s has more elements than its vlen of %d", k, vlen))
	}
	if p.packed {
		if p.wide {
			return p.fail("a struct with bitfields has an offset of 2^24 bits or more")
		}
		p.words[1] |= 1 << 31
	}
	p.words[1] |= vlen
	p.o.Append(p.words...)
	return nil
}

// element reads what follows the name of an element.
func (p *parser) element(k btf.Kind) {
	l := &p.line
	signed := p.words[1]>>31 != 0
	switch k {
	case btf.KindStruct, btf.KindUnion:
		id, off := l.field(" type_id="), l.field(" bits_offset=")
		wide := off >= 1<<24
		if len(l.b) > 0 {
			size := l.field(" bitfield_size=")
			l.bad = l.bad || wide || size == 0 || size > 0xff
			p.packed = true
			off |= size << 24
		}
		p.wide = p.wide || wide
		p.words = append(p.words, id, off)
	case btf.KindEnum:
		l.text(" val=")
		if signed {
			p.words = append(p.words, uint32(l.integer(math.MinInt32, math.MaxInt32)))
		} else {
			p.words = append(p.words, l.number())
		}
	case btf.KindEnum64:
		l.text(" val=")
		var v uint64
		if signed {
			v = uint64(l.integer(math.MinInt64, math.MaxInt64))
			l.text("LL")
		} else {
			v = l.number64(math.MaxUint64)
			l.text("ULL")
		}
		p.words = append(p.words, uint32(v), uint32(v>>32))
	case btf.KindFuncProto:
		p.words = append(p.words, l.field(" type_id="))
	}
}

// target skips the kind and name of what a DATASEC entry refers to; the id says the same.
func (p *parser) target() {
	l := &p.line
	if len(l.b) == 0 {
		return
	}
	l.text(" (")
	l.kind()
	l.text(" ")
	l.name()
	l.text(")")
}
