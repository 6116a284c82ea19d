package dedup

import (
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The candidate index maps a signature to a list of ids. A list is walked newest first, except that each growth of the
// index reverses every list (rule 03/5). Instead of reversing all at a growth, each list remembers the
// epoch of its last access and is reversed then if the number of growths since is odd.
//
// Lists are chains through next, which has one entry per id: a type is in at most one list.
//
// An index may continue another one, which it never changes: it counts that one's entries and growths as its own, and takes
// over a list, as it stands there, when it is asked for it first.
type index struct {
	base  *index   // or nil
	next  []uint32 // by id: the id after it in its list, 0 at the end
	lists []list   // open addressing by signature, power of two
	used  int

	n, cap int // entries, and the capacity that decides when the index grows
	epoch  uint32
}

type list struct {
	sig   uint64
	head  uint32 // 0 is a free slot, or a list that nothing was put into
	epoch uint32
}

// init makes an index for types with ids below end, of about n signatures.
func (x *index) init(end, n int) {
	x.next = make([]uint32, end)
	x.lists = btf.Prefault(make([]list, 1<<bits.Len(uint(max(n, 500)))))
}

// reach makes room for ids below end.
func (x *index) reach(end int) {
	if n := end - len(x.next); n > 0 {
		x.next = append(x.next, make([]uint32, n)...)
	}
}

// extend makes x continue base. It expects n signatures of its own, or that it meets.
func (x *index) extend(base *index, end, n int) {
	x.init(end, n)
	x.base, x.n, x.cap, x.epoch = base, base.n, base.cap, base.epoch
}

// find is the list of a signature in the order of today's epoch. It may be empty, and is valid until the next call.
func (x *index) find(sig uint64) *list {
	if 4*(x.used+1) > 3*len(x.lists) {
		x.grow()
	}
	l := x.slot(sig)
	if l.head == divided {
		return l
	}
	if l.head == 0 {
		if x.base == nil || !x.adopt(l, sig) {
			return l
		}
	}
	x.catchUp(l)
	return l
}

// adopt fills a free slot with the base's list of a signature; it tells whether there is one.
func (x *index) adopt(l *list, sig uint64) bool {
	b := x.base.slot(sig)
	if b.head == 0 {
		return false
	}
	*l = *b
	for id := b.head; id != 0; id = x.base.next[id] {
		x.next[id] = x.base.next[id]
	}
	x.used++
	return true
}

// catchUp brings a list into the order of today's epoch.
func (x *index) catchUp(l *list) {
	if (x.epoch-l.epoch)&1 != 0 {
		prev, at := uint32(0), l.head
		for at != 0 {
			prev, at, x.next[at] = at, x.next[at], prev
		}
		l.head = prev
	}
	l.epoch = x.epoch
}

// insert puts an id in front of the list that find returned for its signature; the index grows just before, when it is due.
func (x *index) insert(l *list, sig uint64, id uint32) {
	if x.cap == 0 || 4*(x.n+1)/3 > x.cap {
		x.cap = max(4, 2*x.cap)
		x.epoch++
	}
	if l.head == 0 {
		l.sig, l.epoch = sig, x.epoch
		x.used++
	} else {
		x.catchUp(l)
	}
	x.next[id] = l.head
	l.head = id
	x.n++
}

// push puts an id that the index counts already in front of another list.
func (x *index) push(sig uint64, id uint32) {
	l := x.find(sig)
	if l.head == 0 {
		l.sig, l.epoch = sig, x.epoch
		x.used++
	}
	x.next[id] = l.head
	l.head = id
}

// prefetch reads where the search for a signature starts.
func (x *index) prefetch(sig uint64) uint32 { return x.lists[sig&uint64(len(x.lists)-1)].epoch }

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
