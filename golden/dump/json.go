package dump

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// WriteJSON writes what `bpftool -j btf dump file F` prints, or with pretty what `bpftool -p` prints (rule 04/B.4).
func WriteJSON(w io.Writer, o *btf.Object, pretty bool) error {
	p := newJSONPrinter(o, pretty)
	if _, err := io.WriteString(w, p.open); err != nil {
		return err
	}
	if err := write(w, o, p.appendType); err != nil {
		return err
	}
	_, err := io.WriteString(w, p.close(o))
	return err
}

// AppendJSON appends the same text to dst.
func AppendJSON(dst []byte, o *btf.Object, pretty bool) []byte {
	p := newJSONPrinter(o, pretty)
	dst = append(dst, p.open...)
	for id := o.First(); id < o.End(); id++ {
		dst = p.appendType(dst, id, o.At(id))
	}
	return append(dst, p.close(o)...)
}

// A jsonPrinter appends the JSON of types.
type jsonPrinter struct {
	*jsonLayout
	names   names
	escape  bool // a name may hold bytes to escape
	started bool // a type was printed
}

func newJSONPrinter(o *btf.Object, pretty bool) *jsonPrinter {
	p := &jsonPrinter{jsonLayout: newJSONLayout(pretty), names: newNames(o)}
	for ; o != nil && !p.escape; o = o.Base {
		p.escape = needsEscape(o.Strings.Bytes())
	}
	return p
}

// A part is a piece of text between the numbers and names of a dump. Parts have room for the longest one, so that a copy has a constant
// length, and is a few instructions.
type part struct {
	text [64]byte
	n    int
}

func newPart(text string) (p part) {
	if p.n = copy(p.text[:], text); p.n < len(text) {
		panic("dump: no room for a part of the layout: " + text)
	}
	return p
}

func (p *part) append(dst []byte) []byte {
	n := len(dst)
	if cap(dst)-n < len(p.text) {
		dst = slices.Grow(dst, len(p.text))
	}
	*(*[len(p.text)]byte)(dst[n : n+len(p.text)]) = p.text
	return dst[:n+p.n]
}

// field appends a part and a number.
func (p *part) field(dst []byte, v uint32) []byte { return appendUint(p.append(dst), v) }

// word appends a part that ends with a quote, a text that needs no escapes, and a quote.
func (p *part) word(dst []byte, text string) []byte {
	return append(append(p.append(dst), text...), '"')
}

// A jsonLayout holds the text between the numbers and names of a dump, in one of bpftool's two layouts.
type jsonLayout struct {
	open, empty, end string // the start, and the end without and with types

	first, next part      // the start of the first type, and of a further one
	heads       [128]part // for every possible number of a kind: from a type's id to its name

	size, vlen, typeID, bitsOffset, nrBits, indexTypeID, nrElems, retTypeID, component part
	encoding, fwdKind, linkage                                                         part // with the quote that opens the value
	members, values, params, vars                                                      part // with the bracket

	elemName, elemTypeID, elemBitsOffset, elemBitfield, elemVal part
	varTypeID, varOffset, varSize                               part

	elemEnd part // the end of an element, and a comma
	listEnd part // the end of a list with elements
	done    part // the end of a type
}

// The depths of the keys of the pretty layout.
const (
	depthTypes = 1
	depthType  = 3
	depthElem  = 5
)

func newJSONLayout(pretty bool) *jsonLayout {
	text := func(_ int, compact string) string { return compact }
	line := func(int) string { return "" }
	if pretty {
		text, line = prettyJSON, prettyLine
	}
	ofType := func(compact string) part { return newPart(text(depthType, compact)) }
	ofElem := func(compact string) part { return newPart(text(depthElem, compact)) }
	l := &jsonLayout{
		open: text(depthTypes, `{"types":[`), empty: "]" + line(0) + "}\n", end: line(depthTypes) + "]" + line(0) + "}\n",

		first: ofType(`{"id":`), next: ofType(`,{"id":`),
		size: ofType(`,"size":`), vlen: ofType(`,"vlen":`), typeID: ofType(`,"type_id":`),
		bitsOffset: ofType(`,"bits_offset":`), nrBits: ofType(`,"nr_bits":`), indexTypeID: ofType(`,"index_type_id":`),
		nrElems: ofType(`,"nr_elems":`), retTypeID: ofType(`,"ret_type_id":`), component: ofType(`,"component_idx":`),
		encoding: ofType(`,"encoding":"`), fwdKind: ofType(`,"fwd_kind":"`), linkage: ofType(`,"linkage":"`),
		members: ofType(`,"members":[`), values: ofType(`,"values":[`), params: ofType(`,"params":[`), vars: ofType(`,"vars":[`),

		elemName: ofElem(`{"name":"`), elemTypeID: ofElem(`","type_id":`), elemBitsOffset: ofElem(`,"bits_offset":`),
		elemBitfield: ofElem(`,"bitfield_size":`), elemVal: ofElem(`","val":`),
		varTypeID: ofElem(`{"type_id":`), varOffset: ofElem(`,"offset":`), varSize: ofElem(`,"size":`),

		elemEnd: newPart(line(depthElem-1) + "},"), listEnd: newPart(line(depthType) + "]"), done: newPart(line(depthType-1) + "}"),
	}
	for k := range l.heads {
		l.heads[k] = ofType(`,"kind":"` + kindName(btf.Kind(k)) + `","name":"`)
	}
	return l
}

// prettyLine starts a line in the pretty layout.
func prettyLine(depth int) string { return "\n" + strings.Repeat("    ", depth) }

// prettyJSON lays out a part of a JSON text: every key starts a line, and a space follows its colon. The elements of an array follow its
// bracket on the same line.
func prettyJSON(depth int, compact string) string {
	var b strings.Builder
	last := rune(0)
	for _, c := range compact {
		if c == '"' && (last == '{' || last == ',') {
			b.WriteString(prettyLine(depth))
		}
		b.WriteRune(c)
		if c == ':' && last == '"' {
			b.WriteByte(' ')
		}
		last = c
	}
	return b.String()
}

// close returns the text after the last type.
func (p *jsonPrinter) close(o *btf.Object) string {
	if o.Len() == 0 {
		return p.empty
	}
	return p.end
}

// escapes holds the letter after the backslash for the bytes that bpftool escapes. All others are printed unchanged.
var escapes = [256]byte{'\t': 't', '\n': 'n', '\r': 'r', '\f': 'f', '\b': 'b', '\\': '\\', '"': '"'}

// needsEscape reports whether a text holds a byte that is escaped.
func needsEscape(text []byte) bool {
	for c, e := range escapes {
		if e != 0 && bytes.IndexByte(text, byte(c)) >= 0 {
			return true
		}
	}
	return false
}

func (p *jsonPrinter) appendName(dst []byte, off uint32) []byte {
	at := len(dst)
	dst = p.names.append(dst, off)
	if !p.escape || !needsEscape(dst[at:]) {
		return dst
	}
	text := string(dst[at:])
	dst = dst[:at]
	for _, c := range []byte(text) {
		if e := escapes[c]; e != 0 {
			dst = append(dst, '\\', e)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendType appends the object of one type.
func (p *jsonPrinter) appendType(dst []byte, id btf.ID, r btf.Record) []byte {
	k := r.Kind()
	start := &p.next
	if !p.started {
		start, p.started = &p.first, true
	}
	dst = start.field(dst, uint32(id))
	dst = p.heads[k].append(dst)
	dst = p.appendName(dst, r.Name())
	dst = append(dst, '"')
	switch k {
	case btf.KindInt:
		encoding, off, bits := btf.IntData(r[3])
		dst = p.size.field(dst, r[2])
		dst = p.bitsOffset.field(dst, off)
		dst = p.nrBits.field(dst, bits)
		dst = p.encoding.word(dst, btf.EncodingText(encoding))
	case btf.KindArray:
		dst = p.typeID.field(dst, r[3])
		dst = p.indexTypeID.field(dst, r[4])
		dst = p.nrElems.field(dst, r[5])
	case btf.KindFwd:
		dst = p.fwdKind.word(dst, fwdKind(r.Kflag()))
	case btf.KindFunc:
		dst = p.typeID.field(dst, r[2])
		dst = p.linkage.word(dst, linkage(uint32(r.Vlen())))
	case btf.KindVar:
		dst = p.typeID.field(dst, r[2])
		dst = p.linkage.word(dst, linkage(r[3]))
	case btf.KindFloat:
		dst = p.size.field(dst, r[2])
	case btf.KindDeclTag:
		dst = p.typeID.field(dst, r[2])
		dst = strconv.AppendInt(p.component.append(dst), int64(int32(r[3])), 10)
	case btf.KindStruct, btf.KindUnion:
		dst = p.appendMembers(dst, r)
	case btf.KindEnum, btf.KindEnum64:
		dst = p.appendValues(dst, r)
	case btf.KindFuncProto:
		dst = p.appendParams(dst, r)
	case btf.KindDatasec:
		dst = p.appendVars(dst, r)
	default: // an unknown kind has no more keys
		if btf.References.Has(k) {
			dst = p.typeID.field(dst, r[2])
		}
	}
	return p.done.append(dst)
}

// appendListEnd ends a list of elements, each of which is followed by a comma.
func (p *jsonPrinter) appendListEnd(dst []byte, n int) []byte {
	if n == 0 {
		return append(dst, ']')
	}
	return p.listEnd.append(dst[:len(dst)-1])
}

func (p *jsonPrinter) appendMembers(dst []byte, r btf.Record) []byte {
	dst = p.size.field(dst, r[2])
	dst = p.vlen.field(dst, uint32(r.Vlen()))
	dst = p.members.append(dst)
	kflag := r.Kflag()
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		bits, bitfield := btf.MemberOffset(m[2], kflag)
		dst = p.appendName(p.elemName.append(dst), m[0])
		dst = p.elemTypeID.field(dst, m[1])
		dst = p.elemBitsOffset.field(dst, bits)
		if bitfield != 0 {
			dst = p.elemBitfield.field(dst, bitfield)
		}
		dst = p.elemEnd.append(dst)
	}
	return p.appendListEnd(dst, len(r)-3)
}

// appendValues appends the enumerators. Those of an unsigned ENUM are sign-extended to 64 bits and then printed as unsigned: the raw format
// has 4294967295, this format 18446744073709551615.
func (p *jsonPrinter) appendValues(dst []byte, r btf.Record) []byte {
	dst = p.encoding.word(dst, enumEncoding(r.Kflag()))
	dst = p.size.field(dst, r[2])
	dst = p.vlen.field(dst, uint32(r.Vlen()))
	dst = p.values.append(dst)
	each, kflag := int(btf.ShapeOf(r.Kind()).Each), r.Kflag()
	for e := r[3:]; len(e) >= each; e = e[each:] {
		v := int64(int32(e[1]))
		if each == 3 {
			v = int64(uint64(e[2])<<32 | uint64(e[1]))
		}
		dst = p.appendName(p.elemName.append(dst), e[0])
		dst = p.elemVal.append(dst)
		switch {
		case v >= 0 && v <= math.MaxUint32:
			dst = appendUint(dst, uint32(v))
		case kflag:
			dst = strconv.AppendInt(dst, v, 10)
		default:
			dst = strconv.AppendUint(dst, uint64(v), 10)
		}
		dst = p.elemEnd.append(dst)
	}
	return p.appendListEnd(dst, len(r)-3)
}

func (p *jsonPrinter) appendParams(dst []byte, r btf.Record) []byte {
	dst = p.retTypeID.field(dst, r[2])
	dst = p.vlen.field(dst, uint32(r.Vlen()))
	dst = p.params.append(dst)
	for a := r[3:]; len(a) >= 2; a = a[2:] {
		dst = p.appendName(p.elemName.append(dst), a[0])
		dst = p.elemTypeID.field(dst, a[1])
		dst = p.elemEnd.append(dst)
	}
	return p.appendListEnd(dst, len(r)-3)
}

func (p *jsonPrinter) appendVars(dst []byte, r btf.Record) []byte {
	dst = p.size.field(dst, r[2])
	dst = p.vlen.field(dst, uint32(r.Vlen()))
	dst = p.vars.append(dst)
	for s := r[3:]; len(s) >= 3; s = s[3:] {
		dst = p.varTypeID.field(dst, s[0])
		dst = p.varOffset.field(dst, s[1])
		dst = p.varSize.field(dst, s[2])
		dst = p.elemEnd.append(dst)
	}
	return p.appendListEnd(dst, len(r)-3)
}
