package btf

import (
	"encoding/binary"
	"fmt"
)

// Wire format constants (rule 04/A.1).
const (
	Magic         = 0xeb9f
	Version       = 1
	HeaderLen     = 24 // bytes that every reader understands
	LongHeaderLen = 32 // with the two words of the layout section
	layoutEntry   = 4
)

// An Object is BTF in memory: types, strings, byte order, and, if it is split, the base that it continues. Its own types are those of the
// Table: All walks them, At and Record give one by its id, and Name turns the name of a Record into text.
type Object struct {
	Table
	Strings *Strings
	Order   binary.ByteOrder
	Base    *Object
	Layout  bool // whether there is a layout section, or AppendWire is to write one

	outline *Outline // in place of the places of all records, if Skim has returned the object
	layout  []byte   // the layout section as read, which may describe kinds unknown here; nil for an object that was not parsed
}

// New returns an empty object in the given byte order. base may be nil.
func New(order binary.ByteOrder, base *Object) *Object {
	o := &Object{Order: order, Base: base}
	if base == nil {
		o.Table, o.Strings = NewTable(1), NewStrings(nil)
		return o
	}
	if !base.Strings.late {
		base.Strings.Index()
	}
	o.Table, o.Strings = NewTable(base.End()), NewStrings(base.Strings)
	return o
}

// Record returns the record of a type of the object or its bases. Void has a record of three zero words. ok is false if there is no
// such type.
func (o *Object) Record(id ID) (r Record, ok bool) {
	if id == 0 {
		return Record{0, 0, 0}, true
	}
	for ; o != nil; o = o.Base {
		if o.Own(id) {
			return o.at(id), true
		}
	}
	return nil, false
}

// at is At, also for an object that Skim has returned.
func (o *Object) at(id ID) Record {
	if o.outline != nil {
		return o.outline.At(id)
	}
	return o.At(id)
}

// Whole returns an object with the same types and strings, for which At and KindOf are possible: the object itself, unless Skim has returned it.
func (o *Object) Whole() *Object {
	if o.outline == nil {
		return o
	}
	whole := *o
	whole.outline, whole.skimmed = nil, 0
	whole.located()
	return &whole
}

// Name returns the string at an offset, or "" if the offset is out of range.
func (o *Object) Name(off uint32) string {
	s, _ := o.Strings.Get(off)
	return string(s)
}

// A FormatError says where BTF is malformed.
type FormatError struct {
	Offset  int // from the start of the BTF
	Problem string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s+%#x: %s", SectionBTF, e.Offset, e.Problem)
}

// header is the header of the wire format. Its offsets count from the end of the header.
type header struct {
	hdrLen, typeOff, typeLen, strOff, strLen, layoutOff, layoutLen uint32
}

// Sniff reports whether data starts like raw BTF, in either byte order.
func Sniff(data []byte) bool {
	return len(data) >= 2 && (data[0] == 0x9f && data[1] == 0xeb || data[0] == 0xeb && data[1] == 0x9f)
}

// AppendWire appends the object in the wire format and in its own byte order: header, types, the layout section if Layout is set,
// strings. The header has 24 bytes, and 32 with a layout section.
func (o *Object) AppendWire(dst []byte) []byte {
	return o.AppendWireIn(func(n int, do func(i int)) {
		for i := range n {
			do(i)
		}
	}, dst)
}

// AppendWireIn is AppendWire in two parts. parallel calls a function with each number below n, and may do so concurrently.
func (o *Object) AppendWireIn(parallel func(n int, do func(i int)), dst []byte) []byte {
	hdrLen, layoutLen := uint32(HeaderLen), uint32(0)
	if o.Layout {
		hdrLen, layoutLen = LongHeaderLen, uint32(len(o.layoutSection()))
	}
	typeLen := uint32(4 * len(o.words))
	dst = reserve(dst, int(hdrLen+typeLen+layoutLen)+len(o.Strings.data))
	put := o.Order.(binary.AppendByteOrder)
	dst = put.AppendUint16(dst, Magic)
	dst = append(dst, Version, 0)
	for _, w := range []uint32{hdrLen, 0, typeLen, typeLen + layoutLen, uint32(len(o.Strings.data))} {
		dst = put.AppendUint32(dst, w)
	}
	if o.Layout {
		dst = put.AppendUint32(dst, typeLen)
		dst = put.AppendUint32(dst, layoutLen)
	}
	at := len(dst)
	dst = dst[:at+int(typeLen)]
	words := dst[at:]
	if o.Layout {
		dst = append(dst, o.layoutSection()...)
	}
	at = len(dst)
	dst = dst[:at+len(o.Strings.data)]
	half := len(o.words) * 2 / 3 // copying strings is faster
	parallel(2, func(i int) {
		if i == 0 {
			putWords(words[:4*half], o.words[:half], o.Order)
		} else {
			putWords(words[4*half:], o.words[half:], o.Order)
			copy(dst[at:], o.Strings.data)
		}
	})
	return dst
}

// putWords writes words to dst, which has room for them.
func putWords(dst []byte, words []uint32, order binary.ByteOrder) {
	if native(order) {
		copy(dst, bytesOf(words))
		return
	}
	if order == binary.ByteOrder(binary.LittleEndian) {
		for i, w := range words {
			binary.LittleEndian.PutUint32(dst[4*i:], w)
		}
		return
	}
	for i, w := range words {
		binary.BigEndian.PutUint32(dst[4*i:], w)
	}
}

// layoutSection is the layout section that was read, or else one that describes all kinds known here (rule 02/8.1).
func (o *Object) layoutSection() []byte {
	if o.layout != nil {
		return o.layout
	}
	sec := make([]byte, 0, NumKinds*layoutEntry)
	for _, s := range shapes {
		sec = append(sec, 4*s.Once, 4*s.Each, 0, 0)
	}
	return sec
}

// Parse reads raw BTF in either byte order, with the checks of a libbpf-compatible reader (rule 04/A.7). base is the object that a
// split one continues, or nil. The object's strings stay in data, which must not be changed afterwards. A record of an unknown kind is
// kept if a layout section gives its length. The error is a *FormatError.
func Parse(data []byte, base *Object) (*Object, error) {
	return parse(data, base, words, (*Object).located)
}

// View is Parse for BTF without a base, of which a part is read and nothing is changed. If the byte order is that of the machine, the records
// stay in data too. The strings have no index until one is needed.
func View(data []byte) (*Object, error) {
	return view(data, (*Object).located)
}

// Skim is View for BTF of which few types are looked at: by Record, or with the object's Outline. Its methods At and KindOf panic; those
// of Whole do not.
func Skim(data []byte) (*Object, error) { return view(data, (*Object).outlined) }

func view(data []byte, find finder) (*Object, error) {
	o, err := parse(data, nil, sharedWords, find)
	if err == nil {
		o.Strings.late = true
	}
	return o, err
}

// A finder finds the beginning of each record in the words of an object. It returns where the last record ends that is within them.
type finder func(o *Object) (end int)

// parse is Parse. words reads the words of the type section, and find finds the records in them.
func parse(data []byte, base *Object, words func(data []byte, order binary.ByteOrder) []uint32, find finder) (*Object, error) {
	h, order, err := parseHeader(data)
	if err != nil {
		return nil, err
	}
	at := int(h.hdrLen)
	o := &Object{Order: order, Base: base, Layout: h.layoutLen != 0, Table: NewTable(1)}
	var baseStrings *Strings
	if base != nil {
		o.Table, baseStrings = NewTable(base.End()), base.Strings
	}
	str := data[at+int(h.strOff):][:h.strLen]
	if len(str) > 0 && str[len(str)-1] != 0 {
		return nil, &FormatError{at + int(h.strOff+h.strLen) - 1, "string section does not end with a NUL"}
	}
	if base == nil && (len(str) == 0 || str[0] != 0) {
		return nil, &FormatError{at + int(h.strOff), "string section does not start with the empty string"}
	}
	o.Strings = parseStrings(str, baseStrings)
	if o.Layout {
		o.layout = data[at+int(h.layoutOff):][:h.layoutLen:h.layoutLen]
	}
	o.words = words(data[at+int(h.typeOff):][:h.typeLen], order)
	if err := o.checkEnd(at+int(h.typeOff), find(o)); err != nil {
		return nil, err
	}
	return o, nil
}

// IsSplit reports whether raw BTF has a valid header and continues a base, that is, whether its strings do not start with the empty
// string.
func IsSplit(data []byte) bool {
	h, _, err := parseHeader(data)
	return err == nil && (h.strLen == 0 || data[h.hdrLen+h.strOff] != 0)
}

func parseHeader(data []byte) (h header, order binary.ByteOrder, err error) {
	return parseHeaderOf(data, uint64(len(data)))
}

// parseHeaderOf is parseHeader for BTF of at most size bytes, of which data has the first LongHeaderLen, or all if there are fewer.
func parseHeaderOf(data []byte, size uint64) (h header, order binary.ByteOrder, err error) {
	fail := func(off int, format string, args ...any) (header, binary.ByteOrder, error) {
		return header{}, nil, &FormatError{off, fmt.Sprintf(format, args...)}
	}
	switch {
	case len(data) < HeaderLen:
		return fail(0, "%d bytes are too few for a header", len(data))
	case data[0] == 0x9f && data[1] == 0xeb:
		order = binary.LittleEndian
	case data[0] == 0xeb && data[1] == 0x9f:
		order = binary.BigEndian
	default:
		return fail(0, "magic %#02x%02x is not that of BTF", data[0], data[1])
	}
	if data[2] != Version {
		return fail(2, "version %d is not supported", data[2])
	}
	h.hdrLen = order.Uint32(data[4:])
	if h.hdrLen < HeaderLen || uint64(h.hdrLen) > size {
		return fail(4, "header length %d does not fit %d bytes", h.hdrLen, size)
	}
	h.typeOff, h.typeLen = order.Uint32(data[8:]), order.Uint32(data[12:])
	h.strOff, h.strLen = order.Uint32(data[16:]), order.Uint32(data[20:])
	if h.hdrLen >= LongHeaderLen {
		h.layoutOff, h.layoutLen = order.Uint32(data[24:]), order.Uint32(data[28:])
	}
	rest := size - uint64(h.hdrLen)
	typeEnd, strEnd := uint64(h.typeOff)+uint64(h.typeLen), uint64(h.strOff)+uint64(h.strLen)
	layoutEnd := uint64(h.layoutOff) + uint64(h.layoutLen)
	switch {
	case strEnd > rest:
		return fail(16, "strings end at %d of %d bytes", strEnd, rest)
	case typeEnd > uint64(h.strOff):
		return fail(8, "types end at %d, after the strings start at %d", typeEnd, h.strOff)
	case h.typeOff%4 != 0 || h.typeLen%4 != 0:
		return fail(8, "type section at %d, length %d, is not aligned to 4", h.typeOff, h.typeLen)
	case h.layoutLen == 0:
		h.layoutOff = 0
	case h.layoutOff%4 != 0 || h.layoutLen%4 != 0 || uint64(h.layoutOff) < typeEnd || layoutEnd > uint64(h.strOff):
		return fail(24, "layout section at %d, length %d, does not lie between types and strings", h.layoutOff, h.layoutLen)
	}
	return h, order, nil
}

// words copies words of the given byte order.
func words(data []byte, order binary.ByteOrder) []uint32 {
	words := make([]uint32, len(data)/4)
	getWords(words, data, order)
	return words
}

// located finds the beginning of each record in the words of the object.
func (o *Object) located() (end int) {
	words, lengths := o.words, recordLengths(o.inheritedLayout())
	start := make([]uint32, len(words)/recordWords)
	n, i := 0, 0
	for ; n < len(start) && i < len(words)-recordWords+1; n++ {
		info := words[i+1]
		end := i + wordsOf(lengths[info>>24&0x7f], info)
		if end > len(words) {
			break
		}
		start[n] = uint32(i)
		i = end
	}
	o.start = start[:n]
	return i
}

// checkEnd reports whether the last record of an object ends where its words do. They start at byte at of the BTF.
func (o *Object) checkEnd(at, end int) error {
	if end == len(o.words) {
		return nil
	}
	if len(o.words)-end < recordWords {
		return &FormatError{at + 4*end, "record is cut short"}
	}
	r := Record(o.words[end:])
	if recordLengths(o.inheritedLayout())[r.Kind()] == unknownLength {
		return &FormatError{at + 4*end, fmt.Sprintf("type %d has the unknown kind %d", o.End(), r.Kind())}
	}
	return &FormatError{at + 4*end, fmt.Sprintf("type %d (%s, vlen %d) ends outside the type section", o.End(), r.Kind(), r.Vlen())}
}

// getWords reads words from data, which has as many.
func getWords(words []uint32, data []byte, order binary.ByteOrder) {
	if order == binary.ByteOrder(binary.LittleEndian) {
		for ; len(words) >= 2 && len(data) >= 8; words, data = words[2:], data[8:] {
			two := binary.LittleEndian.Uint64(data)
			words[0], words[1] = uint32(two), uint32(two>>32)
		}
		for i := range words {
			words[i] = binary.LittleEndian.Uint32(data[4*i:])
		}
		return
	}
	for i := range words {
		words[i] = binary.BigEndian.Uint32(data[4*i:])
	}
}

// inheritedLayout is the layout section that applies to the object: its own, or that of its direct base.
func (o *Object) inheritedLayout() []byte {
	if o.layout == nil && o.Base != nil {
		return o.Base.layout
	}
	return o.layout
}

// unknownLength is what recordLengths has for an unknown kind. It is longer than any object.
const unknownLength = 1 << 30

// wordsOf returns the number of words of a record, given what recordLengths has for its kind, and its second word.
func wordsOf(l uint64, info uint32) int { return int(uint32(l)) + int(info&0xffffff)*int(l>>32) }

// recordLengths returns the lengths of the records of all kinds: the number of words without elements, and above 32 bits those of an element.
// A layout section describes kinds that this package does not know.
func recordLengths(layout []byte) (lengths [128]uint64) {
	for k := range Kind(len(lengths)) {
		e := int(k) * layoutEntry
		switch {
		case k > 0 && k < NumKinds:
			lengths[k] = recordWords + uint64(shapes[k].Once) | uint64(shapes[k].Each)<<32
		case k > 0 && e+layoutEntry <= len(layout) && layout[e]%4 == 0 && layout[e+1]%4 == 0:
			lengths[k] = recordWords + uint64(layout[e]/4) | uint64(layout[e+1]/4)<<32
		default:
			lengths[k] = unknownLength
		}
	}
	return lengths
}
