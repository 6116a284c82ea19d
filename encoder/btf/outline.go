package btf

import "encoding/binary"

// An Outline finds the records of a table of which few are looked at.
//
// The problem: a table has the place of each record, four bytes for each. For a base of which a module looks at a hundredth, writing these takes
// longer than most that is done with it.
//
// The idea: one byte per record, its length, is enough to go over all records. For a single one, the place of every eighth record is known, and
// the lengths between are added.
type Outline struct {
	whole   *Table // if it has the place of each record
	words   []uint32
	first   ID
	lengths []uint8  // by index: the number of words, or Long; then those of the rest of a block, which are zero
	blocks  []uint32 // the place of each eighth record; with hasLong if one of the eight is long
	count   int
	table   [128]uint64 // see recordLengths
}

// Long is the length in an Outline of a record that has at least so many words. End tells where it ends.
const Long = 0xff

// blockLen is the number of records of a block. Their lengths are one word of the machine.
const blockLen = 8

// hasLong marks a block with a long record. Tables have fewer words.
const hasLong = 1 << 31

// Lengths returns the number of words of each record, or Long.
func (o *Outline) Lengths() []uint8 { return o.lengths[:o.count] }

// End returns where the record of a type ends in the words of the table. It begins at an index of these.
func (o *Outline) End(id ID, at int) int {
	if o.whole != nil {
		return at + len(o.whole.At(id))
	}
	return at + o.length(o.words[at+1])
}

// length returns the number of words of a record, given the second of them.
func (o *Outline) length(info uint32) int {
	l := o.table[info>>24&0x7f]
	return int(uint32(l)) + int(info&0xffffff)*int(l>>32)
}

// At returns the record of a type that the table holds.
func (o *Outline) At(id ID) Record {
	if o.whole != nil {
		return o.whole.At(id)
	}
	i := uint32(id - o.first)
	b, lengths := o.blocks[i/blockLen], binary.LittleEndian.Uint64(o.lengths[i&^(blockLen-1):])
	if b&hasLong != 0 {
		return o.atLong(int(b&^hasLong), i%blockLen)
	}
	at := b + sum(lengths<<(64-8*(i%blockLen)))
	end := at + uint32(lengths>>(8*(i%blockLen))&0xff)
	return Record(o.words[at:end:end])
}

// atLong is At in a block with a long record. The block begins at an index, and the record is the n-th after its first one.
func (o *Outline) atLong(at int, n uint32) Record {
	end := at + o.length(o.words[at+1])
	for range n {
		at, end = end, end+o.length(o.words[end+1])
	}
	return Record(o.words[at:end:end])
}

// sum returns the sum of the bytes of a word.
func sum(w uint64) uint32 {
	const even = 0x00ff00ff00ff00ff
	return uint32((w&even + w>>8&even) * 0x0001000100010001 >> 48)
}

// Outline returns an outline of the types of the object.
func (o *Object) Outline() *Outline {
	if o.outline != nil {
		return o.outline
	}
	out := &Outline{whole: &o.Table, words: o.words, count: o.Len(), lengths: make([]uint8, o.Len())}
	for i := range out.lengths {
		out.lengths[i] = uint8(min(len(o.At(o.First()+ID(i))), Long))
	}
	return out
}

// outlined makes an outline in place of the places of all records. It returns the index in the words of the object at which the last record ends
// that is within it.
func (o *Object) outlined() (end int) {
	words, most := o.words, len(o.words)/recordWords
	out := &Outline{words: words, first: o.First(), table: recordLengths(o.inheritedLayout()),
		lengths: make([]uint8, most+blockLen), blocks: make([]uint32, most/blockLen+1)}
	lengths, blocks, table := out.lengths[:most], out.blocks, &out.table
	n, i := 0, 0
	for ; n < len(lengths) && i < len(words)-recordWords+1; n++ {
		info := words[i+1]
		l := table[info>>24&0x7f]
		length := int(uint32(l)) + int(info&0xffffff)*int(l>>32)
		if length > len(words)-i {
			break
		}
		if n%blockLen == 0 {
			blocks[n/blockLen] = uint32(i)
		}
		lengths[n] = uint8(length)
		if length >= Long {
			lengths[n] = Long
			blocks[n/blockLen] |= hasLong
		}
		i += length
	}
	out.count, o.outline, o.skimmed = n, out, n
	return i
}
