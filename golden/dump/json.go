package dump

import (
	"bytes"
	"io"
	"math"
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
	_, err := io.WriteString(w, p.end(o))
	return err
}

// AppendJSON appends the same text to dst.
func AppendJSON(dst []byte, o *btf.Object, pretty bool) []byte {
	p := newJSONPrinter(o, pretty)
	dst = append(dst, p.open...)
	for id := o.First(); id < o.End(); id++ {
		dst = p.appendType(dst, id, o.At(id))
	}
	return append(dst, p.end(o)...)
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

// A jsonLayout holds the text between the numbers and names of a dump, in one of bpftool's two layouts.
type jsonLayout struct {
	open, empty, close  string
	first, next         string      // the start of the first type, and of a further one
	heads               [128]string // for every possible number of a kind: from a type's id to its name
	size, vlen, typeID  string
	bitsOffset, nrBits  string
	encoding, fwdKind   string // these values are text: the quote that opens it is part of the key
	linkage             string
	indexTypeID         string
	nrElems, retTypeID  string
	component           string
	members, values     string
	params, vars        string
	elemName            string
	elemTypeID          string
	elemBitsOffset      string
	elemBitfield        string
	elemVal             string
	elemOffset          string
	elemSize            string
	varTypeID           string
	elemEnd, list, done string // the end of an element, of a list that has elements, of a type
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
	l := &jsonLayout{
		open: text(depthTypes, `{"types":[`), empty: "]" + line(0) + "}\n", close: line(depthTypes) + "]" + line(0) + "}\n",
		first: text(depthType, `{"id":`), next: text(depthType, `,{"id":`),
		size: text(depthType, `,"size":`), vlen: text(depthType, `,"vlen":`), typeID: text(depthType, `,"type_id":`),
		bitsOffset: text(depthType, `,"bits_offset":`), nrBits: text(depthType, `,"nr_bits":`),
		encoding: text(depthType, `,"encoding":"`), fwdKind: text(depthType, `,"fwd_kind":"`), linkage: text(depthType, `,"linkage":"`),
		indexTypeID: text(depthType, `,"index_type_id":`), nrElems: text(depthType, `,"nr_elems":`),
		retTypeID: text(depthType, `,"ret_type_id":`), component: text(depthType, `,"component_idx":`),
		members: text(depthType, `,"members":[`), values: text(depthType, `,"values":[`),
		params: text(depthType, `,"params":[`), vars: text(depthType, `,"vars":[`),
		elemName: text(depthElem, `{"name":"`), elemTypeID: text(depthElem, `","type_id":`), elemBitsOffset: text(depthElem, `,"bits_offset":`),
		elemBitfield: text(depthElem, `,"bitfield_size":`), elemVal: text(depthElem, `","val":`),
		varTypeID: text(depthElem, `{"type_id":`), elemOffset: text(depthElem, `,"offset":`), elemSize: text(depthElem, `,"size":`),
		elemEnd: line(depthElem-1) + "}", list: line(depthType) + "]", done: line(depthType-1) + "}",
	}
	for k := range l.heads {
		l.heads[k] = text(depthType, `,"kind":"`+kindName(btf.Kind(k))+`","name":"`)
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

// end returns the text after the last type.
func (p *jsonPrinter) end(o *btf.Object) string {
	if o.Len() == 0 {
		return p.empty
	}
	return p.close
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
	start := p.next
	if !p.started {
		start, p.started = p.first, true
	}
	dst = appendField(dst, start, uint32(id))
	dst = append(dst, p.heads[k]...)
	dst = p.appendName(dst, r.Name())
	dst = append(dst, '"')
	switch k {
	case btf.KindInt:
		encoding, off, bits := btf.IntData(r[3])
		dst = appendField(dst, p.size, r[2])
		dst = appendField(dst, p.bitsOffset, off)
		dst = appendField(dst, p.nrBits, bits)
		dst = appendWord(dst, p.encoding, btf.EncodingText(encoding))
	case btf.KindArray:
		dst = appendField(dst, p.typeID, r[3])
		dst = appendField(dst, p.indexTypeID, r[4])
		dst = appendField(dst, p.nrElems, r[5])
	case btf.KindFwd:
		dst = appendWord(dst, p.fwdKind, fwdKind(r.Kflag()))
	case btf.KindFunc:
		dst = appendField(dst, p.typeID, r[2])
		dst = appendWord(dst, p.linkage, linkage(uint32(r.Vlen())))
	case btf.KindVar:
		dst = appendField(dst, p.typeID, r[2])
		dst = appendWord(dst, p.linkage, linkage(r[3]))
	case btf.KindFloat:
		dst = appendField(dst, p.size, r[2])
	case btf.KindDeclTag:
		dst = appendField(dst, p.typeID, r[2])
		dst = strconv.AppendInt(append(dst, p.component...), int64(int32(r[3])), 10)
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
			dst = appendField(dst, p.typeID, r[2])
		}
	}
	return append(dst, p.done...)
}

// appendWord appends a key with a text that needs no escapes.
func appendWord(dst []byte, key, word string) []byte {
	return append(append(append(dst, key...), word...), '"')
}

// appendListEnd ends a list of elements, each of which is followed by a comma.
func (p *jsonPrinter) appendListEnd(dst []byte, n int) []byte {
	if n == 0 {
		return append(dst, ']')
	}
	return append(dst[:len(dst)-1], p.list...)
}

func (p *jsonPrinter) appendMembers(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, p.size, r[2])
	dst = appendField(dst, p.vlen, uint32(r.Vlen()))
	dst = append(dst, p.members...)
	kflag := r.Kflag()
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		bits, bitfield := btf.MemberOffset(m[2], kflag)
		dst = p.appendName(append(dst, p.elemName...), m[0])
		dst = appendField(dst, p.elemTypeID, m[1])
		dst = appendField(dst, p.elemBitsOffset, bits)
		if bitfield != 0 {
			dst = appendField(dst, p.elemBitfield, bitfield)
		}
		dst = append(append(dst, p.elemEnd...), ',')
	}
	return p.appendListEnd(dst, len(r)-3)
}

// appendValues appends the enumerators. Those of an unsigned ENUM are sign-extended to 64 bits and then printed as unsigned: the raw format
// has 4294967295, this format 18446744073709551615.
func (p *jsonPrinter) appendValues(dst []byte, r btf.Record) []byte {
	dst = appendWord(dst, p.encoding, enumEncoding(r.Kflag()))
	dst = appendField(dst, p.size, r[2])
	dst = appendField(dst, p.vlen, uint32(r.Vlen()))
	dst = append(dst, p.values...)
	each, kflag := int(btf.ShapeOf(r.Kind()).Each), r.Kflag()
	for e := r[3:]; len(e) >= each; e = e[each:] {
		v := int64(int32(e[1]))
		if each == 3 {
			v = int64(uint64(e[2])<<32 | uint64(e[1]))
		}
		dst = p.appendName(append(dst, p.elemName...), e[0])
		dst = append(dst, p.elemVal...)
		switch {
		case v >= 0 && v <= math.MaxUint32:
			dst = appendUint(dst, uint32(v))
		case kflag:
			dst = strconv.AppendInt(dst, v, 10)
		default:
			dst = strconv.AppendUint(dst, uint64(v), 10)
		}
		dst = append(append(dst, p.elemEnd...), ',')
	}
	return p.appendListEnd(dst, len(r)-3)
}

func (p *jsonPrinter) appendParams(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, p.retTypeID, r[2])
	dst = appendField(dst, p.vlen, uint32(r.Vlen()))
	dst = append(dst, p.params...)
	for a := r[3:]; len(a) >= 2; a = a[2:] {
		dst = p.appendName(append(dst, p.elemName...), a[0])
		dst = appendField(dst, p.elemTypeID, a[1])
		dst = append(append(dst, p.elemEnd...), ',')
	}
	return p.appendListEnd(dst, len(r)-3)
}

func (p *jsonPrinter) appendVars(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, p.size, r[2])
	dst = appendField(dst, p.vlen, uint32(r.Vlen()))
	dst = append(dst, p.vars...)
	for s := r[3:]; len(s) >= 3; s = s[3:] {
		dst = appendField(dst, p.varTypeID, s[0])
		dst = appendField(dst, p.elemOffset, s[1])
		dst = appendField(dst, p.elemSize, s[2])
		dst = append(append(dst, p.elemEnd...), ',')
	}
	return p.appendListEnd(dst, len(r)-3)
}
