package btf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// A stringIndex finds whole strings in a section that was read.
//
// The problem: a module looks up a few thousand strings in the hundred thousand of its base, and building the index is most of the work. So
// the hash is simple, slots hold an offset and as many bits of the hash as fit beside it, and no two strings are compared while the index is built. If the section has a string twice, both are in the index, and a search meets the first one first.
//
// A section could be made such that many strings have the same hash. Then build gives up, and a table with a better hash takes its place.
type stringIndex struct {
	slots []uint32 // open addressing, power of two; offset of a string + 1 in the lower bits, bits of its hash above; 0 is free
	seed  uint64
	tag   uint32 // the bits of a slot that are those of the hash
}

// fits reports whether a slot that is not free can be that of a string with this hash.
func (x *stringIndex) fits(slot uint32, hash uint64) bool { return (slot^uint32(hash>>32))&x.tag == 0 }

// stepsPerString is the average number of slots that are tried for a string before build gives up. A good hash takes less than two.
const stepsPerString = 16

// init chooses a hash.
func (x *stringIndex) init() { x.seed = rand.Uint64() | 1 }

// build makes the index of a section. It reports whether the hash is good enough for that section.
func (x *stringIndex) build(section []byte) bool {
	count := bytes.Count(section, []byte{0})
	size := 64
	for 2*size < 3*count {
		size *= 2
	}
	slots, mask := make([]uint32, size), uint64(size-1)
	x.init()
	x.tag = ^uint32(0) << bits.Len32(uint32(len(section)))
	steps := stepsPerString*count + size
	for at := 0; at < len(section); {
		n := bytes.IndexByte(section[at:], 0)
		if n < 0 {
			break
		}
		if n > 0 {
			hash := x.hash(section[at : at+n])
			i := hash & mask
			for ; slots[i] != 0; i = (i + 1) & mask {
				if steps--; steps < 0 {
					return false
				}
			}
			slots[i] = uint32(hash>>32)&x.tag | uint32(at+1)
		}
		at += n + 1
	}
	x.slots = slots
	return true
}

// hash hashes a string that is not empty.
func (x *stringIndex) hash(str []byte) uint64 {
	var a, b uint64
	switch n := len(str); {
	case n >= 8:
		a, b = binary.LittleEndian.Uint64(str), binary.LittleEndian.Uint64(str[n-8:])
		for i := 8; i+8 < n; i += 8 { // kernels have long names that differ in the middle only
			b = (bits.RotateLeft64(b, 29) ^ binary.LittleEndian.Uint64(str[i:])) * 0xe7037ed1a0b428db
		}
	case n >= 4:
		a, b = uint64(binary.LittleEndian.Uint32(str)), uint64(binary.LittleEndian.Uint32(str[n-4:]))
	default:
		a = uint64(str[0]) | uint64(str[n/2])<<8 | uint64(str[n-1])<<16
	}
	hi, lo := bits.Mul64(a^x.seed, (b+uint64(len(str))*0xa0761d6478bd642f)^0x9e3779b97f4a7c15)
	return hi ^ lo
}

// prefetch reads the slots of strings with these hashes, and the strings in these slots.
func (x *stringIndex) prefetch(section []byte, hashes []uint64) (sum uint64) {
	mask := uint64(len(x.slots) - 1)
	for _, h := range hashes {
		sum ^= uint64(x.slots[h&mask])
	}
	for _, h := range hashes {
		i := h & mask
		for x.slots[i] != 0 && !x.fits(x.slots[i], h) {
			i = (i + 1) & mask
		}
		if slot := x.slots[i]; slot != 0 {
			sum ^= uint64(section[slot&^x.tag-1])
		}
	}
	return sum
}

// find returns the offset of the first occurrence of a string that is not empty.
func (x *stringIndex) find(section, str []byte) (at uint32, ok bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(x.slots) - 1)
	hash := x.hash(str)
	for i := hash & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if !x.fits(x.slots[i], hash) {
			continue
		}
		at := x.slots[i]&^x.tag - 1
		have := section[at:]
		if len(have) > len(str) && have[len(str)] == 0 && string(have[:len(str)]) == string(str) {
			return at, true
		}
	}
	return 0, false
}
