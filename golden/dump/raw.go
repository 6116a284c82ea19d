package dump

import (
	"io"
	"strconv"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// heads returns, for every possible number of a kind, the text between a type's id and its name.
var heads = sync.OnceValue(func() *[128]string {
	var t [128]string
	for k := range t {
		t[k] = "] " + kindName(btf.Kind(k)) + " '"
	}
	return &t
})

// WriteRaw writes what `bpftool btf dump file F format raw` prints: a line for each of the object's own types and for each of their
// elements (rule 04/B.3).
func WriteRaw(w io.Writer, o *btf.Object) error {
	p := newRawPrinter(o)
	return write(w, o, p.appendType)
}

// AppendRaw appends the same text to dst.
func AppendRaw(dst []byte, o *btf.Object) []byte {
	p := newRawPrinter(o)
	for id := o.First(); id < o.End(); id++ {
		dst = p.appendType(dst, id, o.At(id))
	}
	return dst
}

// AppendRawType appends the lines of one type, which may be void or a type of the base.
func AppendRawType(dst []byte, o *btf.Object, id btf.ID, r btf.Record) []byte {
	p := newRawPrinter(o)
	return p.appendType(dst, id, r)
}

// A rawPrinter appends the lines of types.
type rawPrinter struct {
	o     *btf.Object
	names names
	heads *[128]string
}

func newRawPrinter(o *btf.Object) rawPrinter { return rawPrinter{o, newNames(o), heads()} }

func (p *rawPrinter) appendType(dst []byte, id btf.ID, r btf.Record) []byte {
	k := r.Kind()
	dst = append(dst, '[')
	dst = appendUint(dst, uint32(id))
	dst = append(dst, p.heads[k]...)
	dst = p.names.append(dst, r.Name())
	dst = append(dst, '\'')
	switch k {
	case btf.KindInt:
		encoding, off, bits := btf.IntData(r[3])
		dst = appendField(dst, " size=", r[2])
		dst = appendField(dst, " bits_offset=", off)
		dst = appendField(dst, " nr_bits=", bits)
		dst = append(dst, " encoding="...)
		dst = append(dst, btf.EncodingText(encoding)...)
	case btf.KindArray:
		dst = appendField(dst, " type_id=", r[3])
		dst = appendField(dst, " index_type_id=", r[4])
		dst = appendField(dst, " nr_elems=", r[5])
	case btf.KindStruct, btf.KindUnion:
		return p.appendMembers(dst, r)
	case btf.KindEnum:
		return p.appendEnum(dst, r)
	case btf.KindEnum64:
		return p.appendEnum64(dst, r)
	case btf.KindFwd:
		dst = append(dst, " fwd_kind="...)
		dst = append(dst, fwdKind(r.Kflag())...)
	case btf.KindFunc:
		dst = appendField(dst, " type_id=", r[2])
		dst = append(dst, " linkage="...)
		dst = append(dst, linkage(uint32(r.Vlen()))...)
	case btf.KindFuncProto:
		return p.appendParams(dst, r)
	case btf.KindVar:
		dst = appendField(dst, " type_id=", r[2])
		dst = append(dst, ", linkage="...)
		dst = append(dst, linkage(r[3])...)
	case btf.KindDatasec:
		return p.appendSecInfos(dst, r)
	case btf.KindFloat:
		dst = appendField(dst, " size=", r[2])
	case btf.KindDeclTag:
		dst = appendField(dst, " type_id=", r[2])
		dst = append(dst, " component_idx="...)
		dst = strconv.AppendInt(dst, int64(int32(r[3])), 10)
	default:
		if btf.References.Has(k) {
			dst = appendField(dst, " type_id=", r[2])
		}
	}
	return append(dst, '\n')
}

func appendField(dst []byte, key string, v uint32) []byte {
	dst = append(dst, key...)
	return appendUint(dst, v)
}

// appendElemName appends the start of the line of a named element.
func (p *rawPrinter) appendElemName(dst []byte, off uint32) []byte {
	dst = append(dst, "\n\t'"...)
	dst = p.names.append(dst, off)
	return append(dst, '\'')
}

func (p *rawPrinter) appendMembers(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, " size=", r[2])
	dst = appendField(dst, " vlen=", uint32(r.Vlen()))
	kflag := r.Kflag()
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		bits, bitfield := btf.MemberOffset(m[2], kflag)
		dst = p.appendElemName(dst, m[0])
		dst = appendField(dst, " type_id=", m[1])
		dst = appendField(dst, " bits_offset=", bits)
		if bitfield != 0 {
			dst = appendField(dst, " bitfield_size=", bitfield)
		}
	}
	return append(dst, '\n')
}

// appendEnumHead appends the text that the lines of ENUM and ENUM64 have in common.
func appendEnumHead(dst []byte, r btf.Record) []byte {
	dst = append(dst, " encoding="...)
	dst = append(dst, enumEncoding(r.Kflag())...)
	dst = appendField(dst, " size=", r[2])
	return appendField(dst, " vlen=", uint32(r.Vlen()))
}

func (p *rawPrinter) appendEnum(dst []byte, r btf.Record) []byte {
	dst = appendEnumHead(dst, r)
	signed := r.Kflag()
	for e := r[3:]; len(e) >= 2; e = e[2:] {
		dst = p.appendElemName(dst, e[0])
		dst = append(dst, " val="...)
		if signed {
			dst = strconv.AppendInt(dst, int64(int32(e[1])), 10)
		} else {
			dst = appendUint(dst, e[1])
		}
	}
	return append(dst, '\n')
}

func (p *rawPrinter) appendEnum64(dst []byte, r btf.Record) []byte {
	dst = appendEnumHead(dst, r)
	signed := r.Kflag()
	for e := r[3:]; len(e) >= 3; e = e[3:] {
		v := uint64(e[2])<<32 | uint64(e[1])
		dst = p.appendElemName(dst, e[0])
		dst = append(dst, " val="...)
		if signed {
			dst = strconv.AppendInt(dst, int64(v), 10)
			dst = append(dst, "LL"...)
		} else {
			dst = strconv.AppendUint(dst, v, 10)
			dst = append(dst, "ULL"...)
		}
	}
	return append(dst, '\n')
}

func (p *rawPrinter) appendParams(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, " ret_type_id=", r[2])
	dst = appendField(dst, " vlen=", uint32(r.Vlen()))
	for a := r[3:]; len(a) >= 2; a = a[2:] {
		dst = p.appendElemName(dst, a[0])
		dst = appendField(dst, " type_id=", a[1])
	}
	return append(dst, '\n')
}

func (p *rawPrinter) appendSecInfos(dst []byte, r btf.Record) []byte {
	dst = appendField(dst, " size=", r[2])
	dst = appendField(dst, " vlen=", uint32(r.Vlen()))
	for s := r[3:]; len(s) >= 3; s = s[3:] {
		dst = appendField(dst, "\n\ttype_id=", s[0])
		dst = appendField(dst, " offset=", s[1])
		dst = appendField(dst, " size=", s[2])
		if target, ok := p.o.Record(btf.ID(s[0])); ok {
			dst = append(dst, " ("...)
			dst = append(dst, kindName(target.Kind())...)
			dst = append(dst, " '"...)
			dst = p.names.append(dst, target.Name())
			dst = append(dst, "')"...)
		}
	}
	return append(dst, '\n')
}
