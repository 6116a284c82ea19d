package btf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// An expectation has the answers to lookups in a section that was read, for strings that were known before the section was searched.
//
// The problem: a module looks up a few thousand strings in its base, which has a hundred thousand. Even a cheap index of all of them takes longer
// than the rest of the work for a small module.
//
// The idea: the strings of the module, nearly all of which are in one of its sections, go into a small table. The section of the base is searched
// once for strings with the hash of one of these, and nothing is stored for all others. A filter with a bit for the length and the last eight
// bytes of each expected string leaves out nearly all others before the whole string is hashed. Strings of up to three bytes, which compilers do not
// put into that section, are all indexed.
//
// The table has hashes, and no strings. A string of the base that it leads to is compared when it is looked up. If it is another one, or if the
// string was not expected, there is no answer.
type expectation struct {
	hash   stringIndex // only its seed
	slots  []uint64    // open addressing, power of two: tag << 32 | offset in the section + 1, or tag << 32 if the section has no such string
	short  []uint64    // the same for short strings, whose bytes are the tag
	shorts int         // number of these
	filter filter
}

// A filter is a set of strings with more than shortLen bytes, which may have others too.
type filter [1 << (filterBits - 6)]uint64

// filterBits is the number of bits of a number of a bit of the filter.
const filterBits = 17

// shortLen is the length of the longest short string.
const shortLen = 3

// expectedPerByte is the size of the expected strings, as a part of that of the base's section, from which on an index of all strings is
// cheaper.
const expectedPerByte = 4

// searches is the number of times that a section may be searched before an index of all strings is cheaper.
const searches = 2

// expect returns an expectation for the strings in lists, each of which ends with NUL, about section.
func expect(section []byte, lists ...[]byte) *expectation {
	count := 1
	for _, list := range lists {
		count += bytes.Count(list, []byte{0})
	}
	x := &expectation{slots: Prefault(make([]uint64, 1<<bits.Len(uint(count+count/3)))), short: Prefault(make([]uint64, 1<<12))}
	Prefault(x.filter[:])
	x.hash.init()
	for _, list := range lists {
		x.add(list)
	}
	x.search(section)
	return x
}

// add adds strings that are expected.
func (x *expectation) add(list []byte) {
	for len(list) > 0 {
		n := bytes.IndexByte(list, 0)
		if n < 0 {
			return
		}
		if str := list[:n]; n > shortLen {
			i, tag := x.slot(str)
			x.slots[i] = tag
			x.filter.add(str)
		}
		list = list[n+1:]
	}
}

func (f *filter) add(str []byte) {
	b := bitOf(str)
	f[b/64] |= 1 << (b % 64)
}

func (f *filter) has(str []byte) bool {
	b := bitOf(str)
	return f[b/64]>>(b%64)&1 != 0
}

// bitOf returns the bit of the filter for a string with more than shortLen bytes.
func bitOf(str []byte) uint64 {
	n := len(str)
	if n >= 8 {
		return bit(binary.LittleEndian.Uint64(str[n-8:]), n)
	}
	return bit(uint64(binary.LittleEndian.Uint32(str))|uint64(binary.LittleEndian.Uint32(str[n-4:]))<<(8*(n-4)), n)
}

// bit returns the bit of the filter for a string of n bytes, given the last eight of them, or all bytes of a shorter one, with zeros behind its
// end. Names in a kernel have their beginning in common more often than their end. scan computes the same.
func bit(w uint64, n int) uint64 { return (w + uint64(n)) * bitFactor >> (64 - filterBits) }

const bitFactor = 0x9e3779b97f4a7c15

// slot returns the slot of a string with more than shortLen bytes, or the free one for it, and its tag.
func (x *expectation) slot(str []byte) (i int, tag uint64) {
	h := x.hash.hash(str)
	tag, mask := (h>>32|1)<<32, len(x.slots)-1
	for i = int(h) & mask; x.slots[i] != 0 && x.slots[i]>>32<<32 != tag; {
		i = (i + 1) & mask
	}
	return i, tag
}

// search goes over the strings of a section, which ends with NUL.
func (x *expectation) search(section []byte) {
	var some [512]found
	c := cut{}
	for c.i+block <= len(section) {
		var n int
		n, c = scan(section, c, &x.filter, &some)
		for _, f := range some[:n] {
			x.inspect(section[f.at:f.end], int(f.at))
		}
	}
	for ; c.i < len(section); c.i++ {
		if section[c.i] == 0 {
			if str := section[c.at:c.i]; len(str) <= shortLen || x.filter.has(str) {
				x.inspect(str, c.at)
			}
			c.at = c.i + 1
		}
	}
}

// A found is a string of a section, from at to its NUL at end.
type found struct{ at, end uint32 }

// A cut is a place in a section: the bytes before i have been read, and the string that is read begins at at.
type cut struct{ at, i int }

// block is the number of bytes that are searched for NULs at once.
const block = 64

// pass returns the short strings, and those in the filter, as many as fit, and the place where it has stopped. It passes nearly all strings, so
// it does little for each.
func pass(section []byte, c cut, in *filter, some *[512]found) (n int, to cut) {
	at, i := c.at, c.i
	for ; i+block <= len(section) && n <= len(some)-block; i += block {
		for zero := nuls((*[block]byte)(section[i:])); zero != 0; zero &= zero - 1 {
			end := i + bits.TrailingZeros64(zero)
			if str := section[at:end]; len(str) <= shortLen || in.has(str) {
				some[n%len(some)] = found{uint32(at), uint32(end)}
				n++
			}
			at = end + 1
		}
	}
	return n, cut{at, i}
}

// nuls returns a bit for each byte of a block that is NUL, the lowest for the first.
func nuls(b *[64]byte) uint64 {
	return nulsOf(b[0:8]) | nulsOf(b[8:16])<<8 | nulsOf(b[16:24])<<16 | nulsOf(b[24:32])<<24 |
		nulsOf(b[32:40])<<32 | nulsOf(b[40:48])<<40 | nulsOf(b[48:56])<<48 | nulsOf(b[56:64])<<56
}

// nulsOf is nuls for eight bytes.
func nulsOf(b []byte) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	w := binary.LittleEndian.Uint64(b)
	zero := ^(w&low + low | w | low)       // the upper bit of each byte that is NUL
	return zero * 0x0002040810204081 >> 56 // the product has them side by side in its upper byte
}

// inspect handles a short string, or one in the filter, at an offset.
func (x *expectation) inspect(str []byte, at int) {
	if len(str) <= shortLen {
		x.addShort(packed(str), at)
	} else {
		x.meet(str, at)
	}
}

// meet stores the offset of a string that may be expected. Only the first one with its hash is stored.
func (x *expectation) meet(str []byte, at int) {
	if i, _ := x.slot(str); x.slots[i] != 0 && uint32(x.slots[i]) == 0 {
		x.slots[i] |= uint64(at + 1)
	}
}

// packed returns the bytes of a short string, the first one in the lowest bits.
func packed(str []byte) (w uint32) {
	for i, b := range str {
		w |= uint32(b) << (8 * i)
	}
	return w
}

// addShort stores the offset of a short string, unless it is empty or not the first of its kind.
func (x *expectation) addShort(w uint32, at int) {
	if w == 0 {
		return
	}
	i := x.shortSlot(w)
	if x.short[i] != 0 {
		return
	}
	x.short[i] = uint64(w)<<32 | uint64(at+1)
	if x.shorts++; 2*x.shorts > len(x.short) {
		old := x.short
		x.short = make([]uint64, 2*len(old))
		for _, s := range old {
			if s != 0 {
				x.short[x.shortSlot(uint32(s>>32))] = s
			}
		}
	}
}

// shortSlot returns the slot of a short string, or the free one for it.
func (x *expectation) shortSlot(w uint32) int {
	mask := len(x.short) - 1
	i := int(uint64(w)*x.hash.seed>>40) & mask
	for x.short[i] != 0 && uint32(x.short[i]>>32) != w {
		i = (i + 1) & mask
	}
	return i
}

// find returns the offset of the first occurrence of a string that is not empty. known is false if there is no answer.
func (x *expectation) find(section, str []byte) (at uint32, ok, known bool) {
	if len(str) <= shortLen {
		s := x.short[x.shortSlot(packed(str))]
		return uint32(s) - 1, s != 0, true
	}
	i, _ := x.slot(str)
	switch s := x.slots[i]; {
	case s == 0:
		return 0, false, false
	case uint32(s) == 0: // unless the filter leaves it out, and only the hash is that of an expected string
		return 0, false, x.filter.has(str)
	default:
		at = uint32(s) - 1
		have := section[at:]
		same := len(have) > len(str) && have[len(str)] == 0 && string(have[:len(str)]) == string(str)
		return at, same, same
	}
}
