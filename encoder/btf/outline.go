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
	lengths []uint8  // by index: the number of words, or Untold; then those of the rest of a block, which are zero
	blocks  []uint32 // the place of each eighth record; with hasUntold if the length of one of the eight is untold
	count   int
	table   lengthTable
}

// A lengthTable has what recordLengths returns, by the upper byte of the second word of a record. The highest bit of that is not part of the kind.
type lengthTable [256]uint64

func newLengthTable(layout []byte) (t lengthTable) {
	lengths := recordLengths(layout)
	copy(t[copy(t[:], lengths[:]):], lengths[:])
	return t
}

// Untold is the length in an Outline of a record whose number of words does not fit a byte, and of the last one. End tells where it ends.
const Untold = 0

// blockLen is the number of records of a block. Their lengths are one word of the machine.
const blockLen = 8

// hasUntold marks a block with a record whose length is untold. Tables have fewer words.
const hasUntold = 1 << 31

// Lengths returns the number of words of each record, or Untold.
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
	return wordsOf(o.table[info>>24], info)
}

// At returns the record of a type that the table holds.
func (o *Outline) At(id ID) Record {
	at, end := o.Place(id)
	return Record(o.words[at:end:end])
}

// Place returns where the record of a type that the table holds begins and ends in the words of the table.
func (o *Outline) Place(id ID) (at, end uint32) {
	i := uint32(id - o.first)
	if int(i/blockLen) >= len(o.blocks) {
		return o.slow(id)
	}
	at, lengths := o.blocks[i/blockLen], binary.LittleEndian.Uint64(o.lengths[i&^(blockLen-1):])
	if at&hasUntold != 0 {
		return o.slow(id)
	}
	bit := 8 * (i % blockLen)
	at += sum(lengths & (1<<bit - 1))
	return at, at + uint32(lengths>>bit&0xff)
}

// slow is Place in a block with a length that is untold, and without blocks.
func (o *Outline) slow(id ID) (uint32, uint32) {
	i := uint32(id - o.first)
	if o.whole != nil {
		at := o.whole.start[i]
		return at, at + uint32(len(o.whole.At(id)))
	}
	at, n := int(o.blocks[i/blockLen]&^hasUntold), i%blockLen
	end := at + o.length(o.words[at+1])
	for range n {
		at, end = end, end+o.length(o.words[end+1])
	}
	return uint32(at), uint32(end)
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
	out := &Outline{whole: &o.Table, words: o.words, first: o.First(), count: o.Len(), lengths: make([]uint8, o.Len()+blockLen)}
	for i := range out.count - 1 {
		if n := len(o.At(o.First() + ID(i))); n <= longest {
			out.lengths[i] = uint8(n)
		}
	}
	return out
}

// outlined makes an outline in place of the places of all records. It returns the index in the words of the object at which the last record ends
// that is within it.
func (o *Object) outlined() (end int) {
	out := newOutline(o.words, o.inheritedLayout())
	out.first = o.First()
	out.count, end = out.walkFast()
	out.blocks = out.blocks[:out.count/blockLen+1]
	if out.count > 0 {
		out.untold(out.count - 1)
	}
	o.outline, o.skimmed = out, out.count
	return end
}

// newOutline returns an outline of words, of which nothing is known yet.
func newOutline(words []uint32, layout []byte) *Outline {
	most := len(words) / recordWords
	return &Outline{words: words, table: newLengthTable(layout), lengths: make([]uint8, most+blockLen), blocks: make([]uint32, most/blockLen+1)}
}

// longest is the highest number of words that is told.
const longest = 0xff

// untold makes the length of a record untold.
func (o *Outline) untold(i int) {
	o.lengths[i] = Untold
	o.blocks[i/blockLen] |= hasUntold
}

// walk sets the lengths of the records and the places of blocks. It returns the number of records, and where the last one ends that is within the
// words. lengths and blocks have room for as many records as the words may have. walkFast does the same.
//
// Where a record begins follows from the length of the one before, and a processor that waits for that does little else. Most records have no
// elements. For these there is a branch, which the processor takes before it knows the length.
func (o *Outline) walk() (count, end int) {
	n, at := 0, 0
	for at < len(o.words)-recordWords+1 {
		info := o.words[at+1]
		length := recordWords
		if l := o.table[info>>24]; l != recordWords {
			if length = wordsOf(l, info); length > len(o.words)-at {
				break
			}
		}
		if o.lengths[n] = uint8(length); length > longest {
			o.untold(n)
		}
		at += length
		if n++; n%blockLen == 0 {
			o.blocks[n/blockLen] = uint32(at)
		}
	}
	return n, at
}
