package dedup

import (
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The candidate index maps a signature to a list of ids. A list is walked newest first, except that each growth of the
// index reverses every list (specification 03, section 5). Instead of reversing all at a growth, each list remembers the
// epoch of its last access and is reversed then if the number of growths since is odd.
//
// Lists are chains through next, which has one entry per id: a type is in at most one list.
type index struct {
	next  []uint32 // by id: the id after it in its list, 0 at the end
	lists []list   // open addressing by signature, power of two
	used  int

	n, cap int // entries, and the capacity that decides when the index grows
	epoch  uint32
}

type list struct {
	sig   uint64
	head  uint32 // 0 is a free slot
	epoch uint32
}

func (x *index) init(ids int) {
	x.next = make([]uint32, ids)
	x.lists = make([]list, 1<<10)
}

// list is the first id of the list of a signature, 0 when it is empty.
func (x *index) list(sig uint64) uint32 {
	l := x.slot(sig)
	if l.head != 0 {
		x.settle(l)
	}
	return l.head
}

// settle brings a list into the order of today's epoch.
func (x *index) settle(l *list) {
	if (x.epoch-l.epoch)&1 != 0 {
		prev, at := uint32(0), l.head
		for at != 0 {
			prev, at, x.next[at] = at, x.next[at], prev
		}
		l.head = prev
	}
	l.epoch = x.epoch
}

// insert puts an id in front of its list; the index grows just before, when it is due.
func (x *index) insert(sig uint64, id uint32) {
	if x.cap == 0 || 4*(x.n+1)/3 > x.cap {
		x.cap = max(4, 2*x.cap)
		x.epoch++
	}
	if 4*(x.used+1) > 3*len(x.lists) {
		x.grow()
	}
	l := x.slot(sig)
	if l.head == 0 {
		l.sig, l.epoch = sig, x.epoch
		x.used++
	} else {
		x.settle(l)
	}
	x.next[id] = l.head
	l.head = id
	x.n++
}

func (x *index) slot(sig uint64) *list {
	mask := uint64(len(x.lists) - 1)
	for i := sig & mask; ; i = (i + 1) & mask {
		if l := &x.lists[i]; l.head == 0 || l.sig == sig {
			return l
		}
	}
}

func (x *index) grow() {
	old := x.lists
	x.lists = make([]list, 2*len(old))
	for _, l := range old {
		if l.head != 0 {
			*x.slot(l.sig) = l
		}
	}
}

// signature puts types that can be equal into one list (specification 03, sections 6, 7 and 12). Equal signatures of
// different types are harmless: the comparisons reject them.
func signature(r btf.Record) uint64 {
	switch r.Kind() {
	case btf.KindEnum, btf.KindEnum64:
		return mix(uint64(r[0])+1, uint64(btf.KindEnum))
	case btf.KindTypedef:
		return mix(uint64(r[0])+1, uint64(r[1]))
	case btf.KindStruct, btf.KindUnion:
		h := mix(uint64(r[0])<<32|uint64(r[1]), uint64(r[2]))
		for i := 3; i < len(r); i += 3 {
			h = mix(h^uint64(r[i]), uint64(r[i+2]))
		}
		return h
	default:
		return hashWords(r)
	}
}

func hashWords(r btf.Record) uint64 {
	h := mix(uint64(r[0])<<32|uint64(r[1]), uint64(r[2]))
	for _, w := range r[3:] {
		h = mix(h, uint64(w))
	}
	return h
}

// mix folds a word into a hash: the two halves of a 128-bit product.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, v^0xa0761d6478bd642f)
	return hi ^ lo
}
