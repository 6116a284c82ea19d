package btf

import (
	"iter"
	"slices"
)

// recordWords is the number of words that every record starts with: name, info, and size or type.
const recordWords = 3

// Info packs the second word of a record: vlen in bits 0-23, kind in 24-30, kind_flag in 31.
func Info(k Kind, vlen uint32, kflag bool) uint32 {
	w := uint32(k)<<24 | vlen&0xffffff
	if kflag {
		w |= 1 << 31
	}
	return w
}

// A Record is one type: its words in native byte order, as a window into a Table.
//
//	word 0  name: offset in the string table, 0 for none
//	word 1  info: kind, vlen, kind_flag
//	word 2  size in bytes, or type id
//	then    what the kind's Shape says
type Record []uint32

// Kind is the kind of the type. It may be one that this package does not know.
func (r Record) Kind() Kind { return Kind(r[1] >> 24 & 0x7f) }

// Vlen is the number of elements (of a FUNC: its linkage).
func (r Record) Vlen() int { return int(r[1] & 0xffffff) }

// Kflag is the kind_flag.
func (r Record) Kflag() bool { return r[1]>>31 != 0 }

// FwdKind is the kind that a FWD declares: KindUnion with the kind_flag, else KindStruct.
func (r Record) FwdKind() Kind {
	if r.Kflag() {
		return KindUnion
	}
	return KindStruct
}

// Declares is the kind of what a record declares: of a FWD, the kind of the type that it stands for.
func (r Record) Declares() Kind {
	if k := r.Kind(); k != KindFwd {
		return k
	}
	return r.FwdKind()
}

// EnumValue is the value of an enumerator of an ENUM or ENUM64, given its words. It is signed with the kind_flag; without it, its bits are to
// be read as unsigned.
func (r Record) EnumValue(words []uint32) int64 {
	switch {
	case r.Kind() == KindEnum64:
		return int64(uint64(words[2])<<32 | uint64(words[1]))
	case r.Kflag():
		return int64(int32(words[1]))
	}
	return int64(words[1])
}

// MemberOffset takes the third word of a member apart, given the kind_flag of its struct or union: how many bits in the member
// starts, and how many bits a bit field has (0 for a member that is none). Without the kind_flag the whole word is the offset.
func MemberOffset(word uint32, kflag bool) (off, bits uint32) {
	if kflag {
		return word & 0xffffff, word >> 24
	}
	return word, 0
}

// IntData takes the fourth word of an INT apart: its encoding bits (IntSigned, IntChar, IntBool), the bit in its bytes at which
// the value starts, and how many bits the value has.
func IntData(word uint32) (encoding, off, bits uint32) {
	return word >> 24 & 0xf, word >> 16 & 0xff, word & 0xff
}

// PrintedInt returns the fourth word of an INT without what a raw dump does not print: unused bits, and which of several encoding bits are
// set, for which EncodingText has one word. Then all encoding bits are set.
func PrintedInt(word uint32) uint32 {
	e := word >> 24 & 0xf
	if e&(e-1) != 0 || e > IntBool {
		e = 0xf
	}
	return e<<24 | word&0xff00ff
}

// Name is the offset of the name in the string table.
func (r Record) Name() uint32 { return r[0] }

// Size is the third word where the kind holds a size in bytes.
func (r Record) Size() uint32 { return r[2] }

// Type is the third word where the kind holds a type id.
func (r Record) Type() ID { return ID(r[2]) }

// Elem returns the words of the i-th element, as many as the kind's Shape says.
func (r Record) Elem(i int) []uint32 {
	s := &shapes[r.Kind()]
	at := recordWords + int(s.Once) + i*int(s.Each)
	return r[at : at+int(s.Each)]
}

// References calls f with a pointer to every word of the record that holds a type id, in the order in which
// deduplication visits them: for an array element type before index type, for a prototype return type first.
func (r Record) References(f func(id *uint32)) {
	k := r.Kind()
	s := ShapeOf(k)
	if s.Refers {
		f(&r[2])
	}
	if k == KindArray {
		f(&r[recordWords])
		f(&r[recordWords+1])
		return
	}
	if s.TypeAt < 0 {
		return
	}
	for at := recordWords + int(s.Once) + int(s.TypeAt); at < len(r); at += int(s.Each) {
		f(&r[at])
	}
}

// StringOffsets calls f with a pointer to every word that holds a string offset: own name first, then elements in order.
func (r Record) StringOffsets(f func(off *uint32)) {
	f(&r[0])
	s := ShapeOf(r.Kind())
	if s.NameAt < 0 {
		return
	}
	for at := recordWords + int(s.Once) + int(s.NameAt); at < len(r); at += int(s.Each) {
		f(&r[at])
	}
}

// A Table holds type records one after another, with an index. A table that continues a base starts its ids at First.
// The zero value is an empty table whose first id is 1.
type Table struct {
	words []uint32
	start []uint32 // start[i] is the first word of the type First+i
	first ID       // 0 means 1

	skimmed int // the number of types if start is empty, since the object has an outline
}

// NewTable returns an empty table whose first type gets the id first, which is 1 without a base.
func NewTable(first ID) Table { return Table{first: first} }

// Reset removes all types and keeps the memory.
func (t *Table) Reset() { t.words, t.start = t.words[:0], t.start[:0] }

// Copy returns a copy of the table as it is. Types must not be appended to it.
func (t *Table) Copy() Table {
	return Table{slices.Clone(t.words), t.start[:len(t.start):len(t.start)], t.first, t.skimmed}
}

// Grow makes room for n more types with w words in total.
func (t *Table) Grow(n, w int) { t.start, t.words = reserve(t.start, n), reserve(t.words, w) }

// reserve is slices.Grow without clearing the added elements, so that a page that is never written costs no memory.
func reserve[T any](s []T, n int) []T {
	if n <= cap(s)-len(s) {
		return s
	}
	return append(make([]T, 0, len(s)+n), s...)
}

// First is the id of the table's first type.
func (t *Table) First() ID { return max(t.first, 1) }

// Len is the number of types, void and base not counted.
func (t *Table) Len() int { return len(t.start) + t.skimmed }

// End is the id after the table's last type.
func (t *Table) End() ID { return t.First() + ID(t.Len()) }

// WordCount is the number of words of all records together; the type section has four times as many bytes.
func (t *Table) WordCount() int { return len(t.words) }

// WordRoom is the number of words that fit before the records move in memory.
func (t *Table) WordRoom() int { return cap(t.words) }

// Own reports whether the type id is in the table itself, not in a base.
func (t *Table) Own(id ID) bool { return id >= t.First() && id < t.End() }

// At is the record of a type that the table holds. Its words may be changed in place.
func (t *Table) At(id ID) Record {
	i := int(id - t.First())
	end := uint32(len(t.words))
	if i+1 < len(t.start) {
		end = t.start[i+1]
	}
	return Record(t.words[t.start[i]:end:end])
}

// KindOf is the kind of a type that the table holds.
func (t *Table) KindOf(id ID) Kind { return Record(t.words[t.start[id-t.First()]:]).Kind() }

// All walks the table in id order.
func (t *Table) All() iter.Seq2[ID, Record] {
	return func(yield func(ID, Record) bool) {
		for i := range t.Len() {
			id := t.First() + ID(i)
			if !yield(id, t.At(id)) {
				return
			}
		}
	}
}

// Append adds a record made of the given words and returns its id.
func (t *Table) Append(words ...uint32) ID {
	t.start = append(t.start, uint32(len(t.words)))
	t.words = append(t.words, words...)
	return t.End() - 1
}

// Append3 adds a record of three words and returns its id. info may count elements that are added later, by Extend or Space.
func (t *Table) Append3(name, info, third uint32) ID {
	t.start = append(t.start, uint32(len(t.words)))
	t.words = append(t.words, name, info, third)
	return t.First() + ID(len(t.start)) - 1
}

// Words returns the words of all records, one after another. They may be changed in place, and what extends them by append can
// be put back with SetWords.
func (t *Table) Words() []uint32 { return t.words }

// Starts returns, for every type, the index in Words at which its record begins. It must not be changed.
func (t *Table) Starts() []uint32 { return t.start }

// SetWords replaces the words of the table by words, which must begin with the existing ones. The rest belongs to the last record.
func (t *Table) SetWords(words []uint32) { t.words = words }

// CutLast drops the last record.
func (t *Table) CutLast() {
	n := len(t.start) - 1
	t.words, t.start = t.words[:t.start[n]], t.start[:n]
}

// AppendElem adds the words of one more element to the last record and increments the record's vlen, which wraps at MaxVlen as
// pahole's does (rule 03/15).
func (t *Table) AppendElem(words ...uint32) {
	t.words = append(t.words, words...)
	info := &t.words[t.start[len(t.start)-1]+1]
	*info = *info&^0xffffff | (*info+1)&MaxVlen
}

// SetKflag sets the kind_flag of the last record.
func (t *Table) SetKflag() { t.words[t.start[len(t.start)-1]+1] |= 1 << 31 }

// Last is the record that was appended last.
func (t *Table) Last() Record { return Record(t.words[t.start[len(t.start)-1]:]) }

// Extend adds words to the last record, whose vlen already counts them.
func (t *Table) Extend(words []uint32) { t.words = append(t.words, words...) }

// Space adds n words of undefined content to the last record, whose vlen already counts them, and returns them to be filled in.
func (t *Table) Space(n int) []uint32 {
	at := len(t.words)
	t.words = slices.Grow(t.words, n)[:at+n]
	return t.words[at:]
}

// Compact removes the types for which keep returns false. The others keep their order. References are not rewritten.
func (t *Table) Compact(keep func(id ID) bool) {
	n, at := 0, 0
	for i := range t.start {
		id := t.First() + ID(i)
		r := t.At(id)
		if !keep(id) {
			continue
		}
		copy(t.words[at:], r)
		t.start[n] = uint32(at)
		n++
		at += len(r)
	}
	t.words, t.start = t.words[:at], t.start[:n]
}

// Renumber replaces every reference to a type id by ids[id], except to ids below from.
func (t *Table) Renumber(ids []uint32, from ID) {
	renumber := func(ref *uint32) {
		if id := *ref; id >= uint32(from) {
			*ref = ids[id]
		}
	}
	for _, r := range t.All() {
		s := ShapeOf(r.Kind())
		if s.Refers {
			renumber(&r[2])
		}
		if r.Kind() == KindArray {
			renumber(&r[recordWords])
			renumber(&r[recordWords+1])
			continue
		}
		if s.TypeAt < 0 {
			continue
		}
		for at := recordWords + int(s.Once) + int(s.TypeAt); at < len(r); at += int(s.Each) {
			renumber(&r[at])
		}
	}
}
