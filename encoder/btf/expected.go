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
// once for strings with the hash of one of these, and nothing is stored for all others. A filter with a bit for the first eight bytes of each
// expected string leaves out most of them before the rest of the string is hashed. Strings of up to three bytes, which compilers do not put into
// that section, are all indexed.
//
// The table has hashes, and no strings. A string of the base that it leads to is compared when it is looked up. If it is another one, or if the
// string was not expected, there is no answer.
type expectation struct {
	hash   stringIndex // only its seed
	slots  []uint64    // open addressing, power of two: tag << 32 | offset in the section + 1, or tag << 32 if the section has no such string
	short  []uint64    // the same for short strings, whose bytes are the tag
	shorts int         // number of these
	filter [1 << (filterBits - 6)]uint64
}

// filterBits is the number of bits of a number of a bit of the filter.
const filterBits = 16

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
	x := &expectation{slots: make([]uint64, 1<<bits.Len(uint(2*count))), short: make([]uint64, 1<<10)}
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
			bit := x.firstBytes(str)
			x.filter[bit/64] |= 1 << (bit % 64)
		}
		list = list[n+1:]
	}
}

// firstBytes returns the bit of the filter for a string with more than shortLen bytes.
func (x *expectation) firstBytes(str []byte) uint64 {
	var w uint64
	if len(str) >= 8 {
		w = binary.LittleEndian.Uint64(str)
	} else {
		w = uint64(binary.LittleEndian.Uint32(str)) | uint64(binary.LittleEndian.Uint32(str[len(str)-4:]))<<(8*(len(str)-4))
	}
	return x.bit(w)
}

// bit returns the bit of the filter for the first eight bytes of a string, which are zero behind its end.
func (x *expectation) bit(w uint64) uint64 { return w * 0x9e3779b97f4a7c15 >> (64 - filterBits) }

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
	const low, high = 0x0101010101010101, 0x8080808080808080
	at := 0
	for at+8 <= len(section) {
		w := binary.LittleEndian.Uint64(section[at : at+8])
		end := at
		if zero := (w - low) &^ w & high; zero != 0 {
			n := bits.TrailingZeros64(zero) / 8
			w &= 1<<(8*n&63) - 1
			if end += n; n <= shortLen {
				x.addShort(uint32(w), at)
				at = end + 1
				continue
			}
		} else {
			for end += 8; end+8 <= len(section); end += 8 {
				v := binary.LittleEndian.Uint64(section[end : end+8])
				if zero := (v - low) &^ v & high; zero != 0 {
					end += bits.TrailingZeros64(zero) / 8
					break
				}
			}
			for section[end] != 0 {
				end++
			}
		}
		if bit := x.bit(w); x.filter[bit/64]>>(bit%64)&1 != 0 {
			x.meet(section[at:end], at)
		}
		at = end + 1
	}
	for at < len(section) {
		n := bytes.IndexByte(section[at:], 0)
		if n > shortLen {
			x.meet(section[at:at+n], at)
		} else {
			x.addShort(packed(section[at:at+n]), at)
		}
		at += n + 1
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
	case uint32(s) == 0: // unless the first bytes differ, and only the hash is that of an expected string
		bit := x.firstBytes(str)
		return 0, false, x.filter[bit/64]>>(bit%64)&1 != 0
	default:
		at = uint32(s) - 1
		have := section[at:]
		same := len(have) > len(str) && have[len(str)] == 0 && string(have[:len(str)]) == string(str)
		return at, same, same
	}
}
