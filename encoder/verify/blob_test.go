package verify

import "encoding/binary"

// A blob is BTF under construction, from words and strings that are not checked.
type blob struct {
	big   bool
	types []byte
	strs  []byte
	start uint32 // offset of the first own string
	next  uint32 // id of the next type
}

func newBlob() *blob { return &blob{strs: []byte{0}, next: 1} }

// split starts a blob that continues the ids and strings of a base.
func (b *blob) split() *blob {
	return &blob{big: b.big, start: b.start + uint32(len(b.strs)), next: b.next}
}

// str adds a string and returns its offset.
func (b *blob) str(s ...string) uint32 {
	if len(s) == 0 {
		return 0
	}
	off := b.start + uint32(len(b.strs))
	b.strs = append(append(b.strs, s[0]...), 0)
	return off
}

func (b *blob) order() interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if b.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// words appends words to the last type.
func (b *blob) words(ws ...uint32) {
	for _, w := range ws {
		b.types = b.order().AppendUint32(b.types, w)
	}
}

const kindFlagBit = 1 << 31

func info(kind, vlen uint32) uint32 { return kind<<24 | vlen }

// add starts a type and returns its id.
func (b *blob) add(name, info, third uint32, rest ...uint32) uint32 {
	b.words(name, info, third)
	b.words(rest...)
	b.next++
	return b.next - 1
}

func (b *blob) integer(name string, size uint32) uint32 {
	return b.add(b.str(name), info(1, 0), size, 1<<24|8*size)
}

func (b *blob) ref(kind, to uint32, name ...string) uint32 {
	return b.add(b.str(name...), info(kind, 0), to)
}

func (b *blob) bytes() []byte { return b.header(24) }

// header prepends a header of the given length.
func (b *blob) header(length uint32) []byte {
	o := b.order()
	out := o.AppendUint16(nil, magic)
	out = append(out, 1, 0)
	for _, w := range []uint32{length, 0, uint32(len(b.types)), uint32(len(b.types)), uint32(len(b.strs))} {
		out = o.AppendUint32(out, w)
	}
	out = append(out, make([]byte, length-24)...)
	return append(append(out, b.types...), b.strs...)
}

// withLayout returns a small blob with a layout section of n bytes before the strings, moved by some bytes.
func withLayout(n, move uint32) []byte {
	b := newBlob()
	b.integer("int", 4)
	out := b.header(knownHeader)
	types := uint32(len(b.types))
	o := b.order()
	o.PutUint32(out[atStrOff:], types+move+n)
	o.PutUint32(out[atStrLen:], uint32(len(b.strs)))
	o.PutUint32(out[atLayoutOff:], types+move)
	o.PutUint32(out[atLayoutLen:], n)
	o.PutUint32(out[atTypeLen:], types+move)
	tail := append(make([]byte, move+n), b.strs...)
	return append(out[:knownHeader+types], tail...)
}

// stringsFirst returns a blob with a string section of n bytes before the types.
func stringsFirst(n uint32) []byte {
	b := newBlob()
	b.integer("int", 4)
	out := b.header(knownHeader)
	o := b.order()
	o.PutUint32(out[atTypeOff:], n)
	o.PutUint32(out[atStrOff:], 0)
	o.PutUint32(out[atStrLen:], n)
	tail := append(append([]byte{}, b.strs...), make([]byte, n-uint32(len(b.strs)))...)
	return append(append(out[:knownHeader:knownHeader], tail...), b.types...)
}
