// Package dense stores what a raw dump says in a form that compresses well.
//
// Input: a BTF object (btf.Object); or bytes in the form. Output: the bytes; or a BTF object whose raw dump is the same. Never: the package
// does not compress, does not read files, and keeps nothing that a raw dump does not print.
//
// The form is a line of text, and then numbers of variable length (encoding/binary): the first id, the number of types, and streams, each with
// its length in bytes before it. A stream has one sort of value of all types: kinds, counts, names, references and so on. References are
// differences from the id of the type that has them, and offsets differences from the one before, because neighbours are alike. A name
// is 0 for none, 1 for a name that was not seen before, and otherwise 2 plus the number of the name in the order of first use. The texts are the last stream, each
// with a zero byte at its end. Objects with the same raw dump have the same bytes.
package dense

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Magic is the first line.
const Magic = "# btfbatch-dense 1\n"

// Is reports whether contents are in the form, of whatever version.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte("# btfbatch-dense ")) }

// The streams, in their order.
const (
	kinds     = iota // a byte for each type: its kind, and flagged
	counts           // of members, enumerators, parameters, variables; the linkage of functions
	names            // of types
	sizes            // of types, in bytes
	refs             // of types
	elemNames        // of members, enumerators and parameters
	elemRefs         // of members, parameters and variables
	offsets          // of members in bits, of variables in bytes
	widths           // of members of flagged structs, in bits; 0 for no bit field
	values           // of enumerators; encodings, lengths of arrays, linkages, sizes of variables, components of tags
	texts
	numStreams
)

// flagged marks a signed enum, a FWD of a union, and a struct with bit fields.
const flagged = 0x80

// counted are the kinds with a count of elements.
const counted = btf.Composites | btf.Enums | 1<<btf.KindFuncProto | 1<<btf.KindDatasec

// referring are the kinds with a reference in the third word.
const referring = btf.References | 1<<btf.KindFunc | 1<<btf.KindFuncProto | 1<<btf.KindVar | 1<<btf.KindDeclTag

// ErrCannot is the error of Append for an object that the form cannot express: it has an unknown kind, or a name without text.
var ErrCannot = errors.New("an unknown kind, or an invalid name")

// An encoder fills the streams.
type encoder struct {
	o     *btf.Object
	out   [numStreams][]byte
	seen  map[uint32]uint64 // by offset: the number of a name, plus 2
	known map[string]uint64
	err   error
}

// Append appends an object. The error is ErrCannot.
func Append(dst []byte, o *btf.Object) ([]byte, error) {
	e := &encoder{o: o, seen: map[uint32]uint64{}, known: map[string]uint64{}}
	for id, r := range o.All() {
		e.record(id, r)
	}
	if e.err != nil {
		return dst, e.err
	}
	dst = append(dst, Magic...)
	dst = binary.AppendUvarint(dst, uint64(o.First()))
	dst = binary.AppendUvarint(dst, uint64(o.Len()))
	for _, s := range e.out {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst, nil
}

func (e *encoder) number(stream int, v uint64) {
	e.out[stream] = binary.AppendUvarint(e.out[stream], v)
}

func (e *encoder) signed(stream int, v int64) { e.out[stream] = binary.AppendVarint(e.out[stream], v) }

func (e *encoder) ref(stream int, id btf.ID, to uint32) { e.signed(stream, int64(to)-int64(id)) }

// name writes a name. A dump does not tell a missing name from one that is (anon).
func (e *encoder) name(stream int, off uint32) {
	if off == 0 {
		e.number(stream, 0)
		return
	}
	if n := e.seen[off]; n != 0 {
		e.number(stream, n)
		return
	}
	text, ok := e.o.Strings.Get(off)
	switch n := e.known[string(text)]; {
	case !ok || len(text) == 0:
		e.err = ErrCannot
	case string(text) == "(anon)":
		e.number(stream, 0)
	case n != 0:
		e.seen[off] = n
		e.number(stream, n)
	default:
		n = uint64(len(e.known)) + 2
		e.seen[off], e.known[string(text)] = n, n
		e.out[texts] = append(append(e.out[texts], text...), 0)
		e.number(stream, 1)
	}
}

// record writes a type.
func (e *encoder) record(id btf.ID, r btf.Record) {
	k := r.Kind()
	if k == btf.KindVoid || k >= btf.NumKinds {
		e.err = ErrCannot
		return
	}
	head := byte(k)
	switch {
	case btf.Enums.Has(k) && r.Kflag(), k == btf.KindFwd && r.Kflag(), btf.Composites.Has(k) && packed(r):
		head |= flagged
	}
	e.out[kinds] = append(e.out[kinds], head)
	e.name(names, r.Name())
	switch {
	case counted.Has(k):
		e.number(counts, uint64(r.Vlen()))
	case k == btf.KindFunc:
		e.number(counts, uint64(min(r.Vlen(), btf.LinkageExtern+1)))
	}
	switch {
	case referring.Has(k):
		e.ref(refs, id, r[2])
	case btf.Sized.Has(k):
		e.number(sizes, uint64(r[2]))
	}
	switch k {
	case btf.KindInt:
		e.number(values, uint64(btf.PrintedInt(r[3])))
	case btf.KindArray:
		e.ref(refs, id, r[3])
		e.ref(refs, id, r[4])
		e.number(values, uint64(r[5]))
	case btf.KindVar:
		e.number(values, uint64(min(r[3], btf.LinkageExtern+1)))
	case btf.KindDeclTag:
		e.signed(values, int64(int32(r[3])))
	}
	if counted.Has(k) {
		e.elements(id, r, head)
	}
}

// elements writes the elements of a type.
func (e *encoder) elements(id btf.ID, r btf.Record, head byte) {
	before := int64(0) // the offset or value of the element before
	for i := range r.Vlen() {
		m := r.Elem(i)
		switch r.Kind() {
		case btf.KindDatasec:
			e.ref(elemRefs, id, m[0])
			e.signed(offsets, int64(m[1])-before)
			e.number(values, uint64(m[2]))
			before = int64(m[1])
		case btf.KindFuncProto:
			e.name(elemNames, m[0])
			e.ref(elemRefs, id, m[1])
		case btf.KindStruct, btf.KindUnion:
			off, width := btf.MemberOffset(m[2], r.Kflag())
			e.name(elemNames, m[0])
			e.ref(elemRefs, id, m[1])
			e.signed(offsets, int64(off)-before)
			if head&flagged != 0 {
				e.number(widths, uint64(width))
			}
			before = int64(off)
		default:
			v := r.EnumValue(m)
			e.name(elemNames, m[0])
			e.signed(values, v-before) // may wrap around, which adding it up reverses
			before = v
		}
	}
}

// packed reports whether a struct or union has a bit field.
func packed(r btf.Record) bool {
	if !r.Kflag() {
		return false
	}
	for m := r[3:]; len(m) >= 3; m = m[3:] {
		if m[2]>>24 != 0 {
			return true
		}
	}
	return false
}

// A decoder takes values from the streams.
type decoder struct {
	in    [numStreams][]byte
	o     *btf.Object
	names []uint32 // offsets, by number
	words []uint32 // of the type that is being read
	err   error
}

// A BaseError says that split BTF does not continue the base that it is read with.
type BaseError struct {
	First btf.ID // of the split BTF
	End   btf.ID // of the base: the id behind its last type
}

func (e *BaseError) Error() string {
	return fmt.Sprintf("type %d does not continue a base of %d types", e.First, e.End-1)
}

// Parse reads an object. base is what it continues, or nil. An error says which type is damaged.
func Parse(data []byte, base *btf.Object) (*btf.Object, error) {
	rest, ok := bytes.CutPrefix(data, []byte(Magic))
	if !ok {
		return nil, errors.New("a dense golden of an unknown version")
	}
	d := new(decoder)
	first, rest := d.head(rest)
	count, rest := d.head(rest)
	for i := range d.in {
		var n uint64
		if n, rest = d.head(rest); n > uint64(len(rest)) {
			return nil, fmt.Errorf("stream %d of a dense golden is cut", i)
		}
		d.in[i], rest = rest[:n], rest[n:]
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case len(rest) > 0 || count != uint64(len(d.in[kinds])) || first == 0 || first+count > math.MaxUint32:
		return nil, errors.New("a dense golden is damaged: its lengths do not agree")
	case base != nil && count > 0 && base.End() != btf.ID(first):
		return nil, &BaseError{btf.ID(first), base.End()}
	}
	d.o = btf.New(binary.LittleEndian, base)
	if count > 0 {
		d.o.Table = btf.NewTable(btf.ID(first))
	}
	for i := range count {
		if d.record(btf.ID(first + i)); d.err != nil {
			return nil, fmt.Errorf("a dense golden is damaged: type %d: %w", first+i, d.err)
		}
	}
	for _, s := range d.in {
		if len(s) > 0 {
			return nil, errors.New("a dense golden is damaged: a stream is too long")
		}
	}
	return d.o, nil
}

var errValue = errors.New("a value is missing, or out of range")

// head takes a number before the streams.
func (d *decoder) head(rest []byte) (uint64, []byte) {
	v, n := binary.Uvarint(rest)
	if n <= 0 {
		d.err = errors.New("a dense golden is cut")
		return 0, nil
	}
	return v, rest[n:]
}

func (d *decoder) number(stream int, most uint64) uint32 {
	v, n := binary.Uvarint(d.in[stream])
	if n <= 0 || v > most {
		d.err = errValue
		return 0
	}
	d.in[stream] = d.in[stream][n:]
	return uint32(v)
}

func (d *decoder) signed(stream int) int64 {
	v, n := binary.Varint(d.in[stream])
	if n <= 0 {
		d.err = errValue
		return 0
	}
	d.in[stream] = d.in[stream][n:]
	return v
}

// sum adds a difference to a number of 32 bits.
func (d *decoder) sum(stream int, to int64) int64 {
	v := d.signed(stream)
	if v < -math.MaxUint32 || v > math.MaxUint32 || to+v < 0 || to+v > math.MaxUint32 {
		d.err = errValue
		return 0
	}
	return to + v
}

func (d *decoder) ref(stream int, id btf.ID) uint32 { return uint32(d.sum(stream, int64(id))) }

// name reads a name, and returns its offset.
func (d *decoder) name(stream int) uint32 {
	switch n := d.number(stream, uint64(len(d.names))+1); n {
	case 0:
		return 0
	case 1:
		end := bytes.IndexByte(d.in[texts], 0)
		if end <= 0 || string(d.in[texts][:end]) == "(anon)" {
			d.err = errValue
			return 0
		}
		off := d.o.Strings.Add(d.in[texts][:end])
		d.in[texts] = d.in[texts][end+1:]
		d.names = append(d.names, off)
		return off
	default:
		return d.names[n-2]
	}
}

// record reads a type.
func (d *decoder) record(id btf.ID) {
	head := d.in[kinds][0]
	d.in[kinds] = d.in[kinds][1:]
	k := btf.Kind(head &^ flagged)
	flag := head&flagged != 0
	if k == btf.KindVoid || k >= btf.NumKinds || flag && k != btf.KindFwd && !btf.Enums.Has(k) && !btf.Composites.Has(k) {
		d.err = errValue
		return
	}
	w := append(d.words[:0], d.name(names), 0, 0)
	vlen := uint32(0)
	switch {
	case counted.Has(k):
		vlen = d.number(counts, 0xffffff)
	case k == btf.KindFunc:
		vlen = d.number(counts, btf.LinkageExtern+1)
	}
	w[1] = btf.Info(k, vlen, flag)
	switch {
	case referring.Has(k):
		w[2] = d.ref(refs, id)
	case btf.Sized.Has(k):
		w[2] = d.number(sizes, math.MaxUint32)
	}
	switch k {
	case btf.KindInt:
		v := d.number(values, math.MaxUint32)
		if v != btf.PrintedInt(v) {
			d.err = errValue
		}
		w = append(w, v)
	case btf.KindArray:
		w = append(w, d.ref(refs, id), d.ref(refs, id), d.number(values, math.MaxUint32))
	case btf.KindVar:
		w = append(w, d.number(values, btf.LinkageExtern+1))
	case btf.KindDeclTag:
		v := d.signed(values)
		if v != int64(int32(v)) {
			d.err = errValue
		}
		w = append(w, uint32(v))
	}
	d.words = w
	if counted.Has(k) {
		d.elements(id, k, flag, vlen)
	}
	if d.err == nil {
		d.o.Append(d.words...)
	}
}

// elements reads the elements of a type. Each takes a byte of a stream at least, so that a count says little.
func (d *decoder) elements(id btf.ID, k btf.Kind, flag bool, vlen uint32) {
	w, before, narrow := d.words, int64(0), flag
	for range vlen {
		switch k {
		case btf.KindDatasec:
			ref := d.ref(elemRefs, id)
			before = d.sum(offsets, before)
			w = append(w, ref, uint32(before), d.number(values, math.MaxUint32))
		case btf.KindFuncProto:
			w = append(w, d.name(elemNames), d.ref(elemRefs, id))
		case btf.KindStruct, btf.KindUnion:
			name, ref := d.name(elemNames), d.ref(elemRefs, id)
			before = d.sum(offsets, before)
			off := uint32(before)
			if flag {
				width := d.number(widths, 0xff)
				narrow = narrow && width == 0
				if off >= 1<<24 {
					d.err = errValue
				}
				off |= width << 24
			}
			w = append(w, name, ref, off)
		default:
			name := d.name(elemNames)
			before += d.signed(values)
			if v := before; k == btf.KindEnum && (flag && v != int64(int32(v)) || !flag && v != int64(uint32(v))) {
				d.err = errValue
			}
			if w = append(w, name, uint32(before)); k == btf.KindEnum64 {
				w = append(w, uint32(uint64(before)>>32))
			}
		}
		if d.err != nil {
			return
		}
	}
	if narrow && btf.Composites.Has(k) {
		d.err = errValue // it is flagged, and has no bit field
	}
	d.words = w
}
