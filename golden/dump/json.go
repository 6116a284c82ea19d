package dump

import (
	"io"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// WriteJSON writes what `bpftool -j btf dump file F` prints, or with pretty what `bpftool -p` prints (rule 04/B.4).
func WriteJSON(w io.Writer, o *btf.Object, pretty bool) error {
	p := jsonPrinter{pretty: pretty}
	if _, err := w.Write(p.open()); err != nil {
		return err
	}
	err := write(w, o, func(dst []byte, id btf.ID, r btf.Record) []byte {
		p.buf = dst
		p.typ(o, id, r)
		return p.buf
	})
	if err != nil {
		return err
	}
	p.buf = nil
	_, err = w.Write(p.close())
	return err
}

// AppendJSON appends the same text to dst.
func AppendJSON(dst []byte, o *btf.Object, pretty bool) []byte {
	p := jsonPrinter{buf: dst, pretty: pretty}
	p.open()
	for id := o.First(); id < o.End(); id++ {
		p.typ(o, id, o.At(id))
	}
	return p.close()
}

// A jsonPrinter appends JSON in bpftool's two layouts. In the pretty layout every key starts a line. The elements of an array follow its
// bracket on the same line. A closing bracket starts a line unless the array or object is empty.
type jsonPrinter struct {
	buf    []byte
	depth  int
	empty  bool // the innermost object or array is empty so far
	pretty bool
}

func (p *jsonPrinter) open() []byte {
	p.begin('{')
	p.array("types")
	return p.buf
}

func (p *jsonPrinter) close() []byte {
	p.end(']')
	p.end('}')
	return append(p.buf, '\n')
}

func (p *jsonPrinter) begin(bracket byte) {
	p.buf = append(p.buf, bracket)
	p.depth++
	p.empty = true
}

func (p *jsonPrinter) end(bracket byte) {
	p.depth--
	if !p.empty {
		p.line()
	}
	p.buf = append(p.buf, bracket)
	p.empty = false
}

// line starts a line in the pretty layout.
func (p *jsonPrinter) line() {
	if !p.pretty {
		return
	}
	p.buf = append(p.buf, '\n')
	for range p.depth {
		p.buf = append(p.buf, "    "...)
	}
}

func (p *jsonPrinter) comma() {
	if !p.empty {
		p.buf = append(p.buf, ',')
	}
	p.empty = false
}

func (p *jsonPrinter) key(k string) {
	p.comma()
	p.line()
	p.buf = append(p.buf, '"')
	p.buf = append(p.buf, k...)
	if p.pretty {
		p.buf = append(p.buf, `": `...)
	} else {
		p.buf = append(p.buf, `":`...)
	}
}

func (p *jsonPrinter) uint(k string, v uint32) {
	p.key(k)
	p.buf = strconv.AppendUint(p.buf, uint64(v), 10)
}

func (p *jsonPrinter) str(k, v string) {
	p.key(k)
	p.buf = append(p.buf, '"')
	p.buf = append(p.buf, v...)
	p.buf = append(p.buf, '"')
}

func (p *jsonPrinter) array(k string) {
	p.key(k)
	p.begin('[')
}

// object opens an element of the current array.
func (p *jsonPrinter) object() {
	if !p.empty {
		// The elements of an array share a line. Only a closing bracket starts one.
		p.buf = append(p.buf, ',')
	}
	p.begin('{')
}

// escapes holds the letter after the backslash for the bytes that bpftool escapes. All others are printed unchanged.
var escapes = [256]byte{'\t': 't', '\n': 'n', '\r': 'r', '\f': 'f', '\b': 'b', '\\': '\\', '"': '"'}

func (p *jsonPrinter) name(o *btf.Object, off uint32) {
	p.key("name")
	p.buf = append(p.buf, '"')
	at := len(p.buf)
	p.buf = appendName(p.buf, o, off)
	for i := at; i < len(p.buf); i++ {
		if escapes[p.buf[i]] != 0 {
			text := string(p.buf[at:])
			p.buf = p.buf[:at]
			for _, c := range []byte(text) {
				if e := escapes[c]; e != 0 {
					p.buf = append(p.buf, '\\', e)
				} else {
					p.buf = append(p.buf, c)
				}
			}
			break
		}
	}
	p.buf = append(p.buf, '"')
}

// typ appends the object of one type.
func (p *jsonPrinter) typ(o *btf.Object, id btf.ID, r btf.Record) {
	k := r.Kind()
	p.object()
	p.uint("id", uint32(id))
	p.str("kind", kindName(k))
	p.name(o, r.Name())
	switch k {
	case btf.KindInt:
		encoding, off, bits := btf.IntData(r[3])
		p.uint("size", r[2])
		p.uint("bits_offset", off)
		p.uint("nr_bits", bits)
		p.str("encoding", btf.EncodingText(encoding))
	case btf.KindArray:
		p.uint("type_id", r[3])
		p.uint("index_type_id", r[4])
		p.uint("nr_elems", r[5])
	case btf.KindFwd:
		p.str("fwd_kind", fwdKind(r.Kflag()))
	case btf.KindFunc:
		p.uint("type_id", r[2])
		p.str("linkage", linkage(uint32(r.Vlen())))
	case btf.KindVar:
		p.uint("type_id", r[2])
		p.str("linkage", linkage(r[3]))
	case btf.KindFloat:
		p.uint("size", r[2])
	case btf.KindDeclTag:
		p.uint("type_id", r[2])
		p.key("component_idx")
		p.buf = strconv.AppendInt(p.buf, int64(int32(r[3])), 10)
	default:
		if btf.References.Has(k) {
			p.uint("type_id", r[2])
			break
		}
		p.elems(o, r)
	}
	p.end('}')
}

// elems appends the elements of a type. An unknown kind has none.
func (p *jsonPrinter) elems(o *btf.Object, r btf.Record) {
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		p.uint("size", r[2])
		p.uint("vlen", uint32(r.Vlen()))
		p.array("members")
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			bits, bitfield := btf.MemberOffset(m[2], r.Kflag())
			p.object()
			p.name(o, m[0])
			p.uint("type_id", m[1])
			p.uint("bits_offset", bits)
			if bitfield != 0 {
				p.uint("bitfield_size", bitfield)
			}
			p.end('}')
		}
		p.end(']')
	case btf.KindEnum, btf.KindEnum64:
		p.values(o, r)
	case btf.KindFuncProto:
		p.uint("ret_type_id", r[2])
		p.uint("vlen", uint32(r.Vlen()))
		p.array("params")
		for a := r[3:]; len(a) >= 2; a = a[2:] {
			p.object()
			p.name(o, a[0])
			p.uint("type_id", a[1])
			p.end('}')
		}
		p.end(']')
	case btf.KindDatasec:
		p.uint("size", r[2])
		p.uint("vlen", uint32(r.Vlen()))
		p.array("vars")
		for s := r[3:]; len(s) >= 3; s = s[3:] {
			p.object()
			p.uint("type_id", s[0])
			p.uint("offset", s[1])
			p.uint("size", s[2])
			p.end('}')
		}
		p.end(']')
	}
}

// values appends the enumerators. Those of an unsigned ENUM are sign-extended to 64 bits and then printed as unsigned: the raw format has
// 4294967295, this format 18446744073709551615.
func (p *jsonPrinter) values(o *btf.Object, r btf.Record) {
	p.str("encoding", enumEncoding(r.Kflag()))
	p.uint("size", r[2])
	p.uint("vlen", uint32(r.Vlen()))
	p.array("values")
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		v := int64(int32(e[1]))
		if each == 3 {
			v = int64(uint64(e[2])<<32 | uint64(e[1]))
		}
		p.object()
		p.name(o, e[0])
		p.key("val")
		if r.Kflag() {
			p.buf = strconv.AppendInt(p.buf, v, 10)
		} else {
			p.buf = strconv.AppendUint(p.buf, uint64(v), 10)
		}
		p.end('}')
	}
	p.end(']')
}
