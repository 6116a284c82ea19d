package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// A nameTable maps string keys of DWARF to offsets in the string section. It is a hash table with open addressing; a slot is
// key << 32 | offset.
type nameTable struct {
	out        *btf.Strings
	in         *dwarf.Strings
	slots      []uint64
	used       int
	longest    int  // the longest string in the table, in bytes
	expected   bool // expect was called
	odd        oddNames
	known      []uint64 // if not nil: the offsets that a key stands for, as a set
	twice      bool     // two keys stand for one name; only if known is not nil
	scratch    [4]byte
	prefetched uint64 // the values that prefetch read, so that the compiler does not remove the reads
}

func (n *nameTable) init(out *btf.Strings, in *dwarf.Strings) {
	n.out, n.in = out, in
	n.slots = make([]uint64, 1<<12)
}

// makeRoom makes the table large enough for count keys.
func (n *nameTable) makeRoom(count int) {
	size := len(n.slots)
	for 2*count > size {
		size *= 2
	}
	if n.used == 0 && size > len(n.slots) {
		n.slots = btf.Prefault(make([]uint64, size))
	}
}

// first returns the slot where the search for a key starts.
func (n *nameTable) first(key uint32) uint32 { return key * 0x9e3779b1 & uint32(len(n.slots)-1) }

// find returns the slot of a key, or the free slot for it.
func (n *nameTable) find(key uint32) (i uint32, known bool) {
	mask := uint32(len(n.slots) - 1)
	for i = n.first(key); n.slots[i] != 0; i = (i + 1) & mask {
		if uint32(n.slots[i]>>32) == key {
			return i, true
		}
	}
	return i, false
}

// offset returns the offset of a string in the string section of the object. It adds the string if needed.
func (n *nameTable) offset(key uint32) uint32 {
	if key == 0 {
		return 0
	}
	i, known := n.find(key)
	if known {
		return uint32(n.slots[i])
	}
	text := n.in.Get(dwarf.StrKey(key), &n.scratch)
	if n.odd.replace && !translate.IsIdentifier(text) {
		return n.replaced(text)
	}
	off := n.out.Add(text)
	n.put(i, key, text, off)
	return off
}

// put puts a key into the free slot for it, given its text and the offset of that.
func (n *nameTable) put(i, key uint32, text []byte, off uint32) {
	if n.odd.from != nil {
		n.odd.meet(off)
	}
	if n.known != nil {
		n.note(off)
	}
	n.longest = max(n.longest, len(text))
	n.slots[i] = uint64(key)<<32 | uint64(off)
	if n.used++; 2*n.used > len(n.slots) {
		n.grow()
	}
}

// note records that a key stands for the string at off.
func (n *nameTable) note(off uint32) {
	if int(off/64) >= len(n.known) {
		n.known = append(n.known, make([]uint64, max(int(off/64)+1, 2*len(n.known))-len(n.known))...)
	}
	n.twice = n.twice || n.known[off/64]>>(off%64)&1 != 0
	n.known[off/64] |= 1 << (off % 64)
}

// expect prepares the lookups of keys in the base of the object.
func (n *nameTable) expect(keys []uint32) {
	var others []byte // strings that are not in the section with nearly all of them
	for _, key := range keys {
		if key := dwarf.StrKey(key); !n.in.Listed(key) {
			if text := n.in.Get(key, &n.scratch); len(text) > 0 && !n.out.Expected(text) {
				others = append(append(others, text...), 0)
			}
		}
	}
	if !n.expected {
		n.expected = true
		n.out.Expect(n.in.Section(), others, []byte(made))
	} else if len(others) > 0 {
		n.out.Expect(others)
	}
}

// made has strings that are in no DWARF, and that the encoder may write: the tags of kfuncs, and the section of per-CPU variables. Each ends
// with NUL. One that is missing here takes as long as all others of the base together.
const made = "bpf_kfunc\x00bpf_fastcall\x00address_space(1)\x00" + btf.SectionPerCPU + "\x00"

// limited is like offset, but cuts the string after limit bytes.
func (n *nameTable) limited(key dwarf.StrKey, limit int) uint32 {
	if n.longest <= limit && key != 0 {
		if i, known := n.find(uint32(key)); known {
			return uint32(n.slots[i])
		}
	}
	if s := n.in.Get(key, &n.scratch); len(s) > limit && !n.odd.replace {
		return n.out.Add(s[:limit])
	}
	return n.offset(uint32(key))
}

// text is like offset, for texts that need not be identifiers: names of integers and floats, and values of tags. Texts that are no identifiers
// are not put into the table, because the same text as a name is replaced by another string.
func (n *nameTable) text(key uint32) uint32 {
	if n.odd.replace && key != 0 {
		if _, known := n.find(key); !known {
			if text := n.in.Get(dwarf.StrKey(key), &n.scratch); !translate.IsIdentifier(text) {
				return n.out.Add(text)
			}
		}
	}
	return n.offset(key)
}

// limitedText is like text, but cuts the string after limit bytes.
func (n *nameTable) limitedText(key dwarf.StrKey, limit int) uint32 {
	if s := n.in.Get(key, &n.scratch); len(s) > limit {
		return n.out.Add(s[:limit])
	}
	return n.text(uint32(key))
}

// replaced returns the offset of the identifier that replaces a text which is no identifier.
func (n *nameTable) replaced(text []byte) uint32 {
	before := n.out.End()
	off := n.out.Add(translate.Identifier(text))
	n.odd.add(off, string(text), off < before)
	return off
}

// oddNames holds names that kernels refuse, and the identifiers that replace them if the profile is not pahole. Hardly any C unit has such
// names. In units of other languages, package translate has already replaced them.
type oddNames struct {
	replace bool
	from    map[uint32]string // by offset of the identifier: the name that it replaces
	fresh   []string          // names that were replaced since the last look
	clash   bool              // an identifier is also a name, or replaces two names, so that different names have become equal
}

// add records that the identifier at off replaces a name. known says that the object had the identifier before.
func (o *oddNames) add(off uint32, name string, known bool) {
	if old, twice := o.from[off]; twice && old == name {
		return
	}
	o.clash = o.clash || known
	if o.from == nil {
		o.from = make(map[uint32]string)
	}
	o.from[off] = name
	o.fresh = append(o.fresh, name)
}

// meet checks whether a name that is an identifier clashes with one that replaces another name.
func (o *oddNames) meet(off uint32) {
	_, same := o.from[off]
	o.clash = o.clash || same
}

// prefetch reads the memory that offset and limited will read for some keys, which will be looked up (see btf/memory.go).
func (n *nameTable) prefetch(keys []uint32) {
	var news [atOnce]uint32
	var hashes [atOnce]uint64
	for len(keys) > 0 {
		some, count := keys[:min(len(keys), atOnce)], 0
		keys = keys[len(some):]
		for _, key := range some {
			n.prefetched ^= n.slots[n.first(key)]
		}
		for _, key := range some {
			if key != 0 && uint32(n.slots[n.first(key)]>>32) != key {
				n.prefetched ^= uint64(n.in.Prefetch(dwarf.StrKey(key)))
				news[count] = key
				count++
			}
		}
		if n.out.Expecting() {
			n.fromBase(news[:count])
			continue
		}
		for i, key := range news[:count] {
			hashes[i] = n.out.Hash(n.in.Get(dwarf.StrKey(key), &n.scratch))
		}
		n.prefetched ^= n.out.Prefetch(hashes[:count])
	}
}

// fromBase puts the keys into the table whose strings the base has. Their offsets do not depend on when they are looked up.
func (n *nameTable) fromBase(keys []uint32) {
	for _, key := range keys {
		i, known := n.find(key)
		if known {
			continue
		}
		text := n.in.Get(dwarf.StrKey(key), &n.scratch)
		if off, ok := n.out.InBase(text); ok && (!n.odd.replace || translate.IsIdentifier(text)) {
			n.put(i, key, text, off)
		}
	}
}

// atOnce is the number of names that are prefetched together. Their memory must fit the cache.
const atOnce = 128

func (n *nameTable) grow() {
	old := n.slots
	n.slots = btf.Prefault(make([]uint64, 2*len(old)))
	for _, s := range old {
		if s == 0 {
			continue
		}
		i, _ := n.find(uint32(s >> 32))
		n.slots[i] = s
	}
}
