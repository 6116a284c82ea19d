package dedup

import (
	"math/bits"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The candidate index maps a signature to a list of ids. A list is walked from its newest entry on, except that each growth of
// the index reverses every list (rule 03/5). Reversing all lists at each growth would be slow. Instead, each list remembers the
// epoch of its last access: the number of growths until then. At the next access it is reversed if the number of growths since is
// odd.
//
// Lists are chains: each id has the one after it, since a type is in at most one list. Of a sparse base, only few types are in the index, so the
// ids below low have their successors in the order of their ranks in a set.
//
// An index may continue another one, the index of its base, without changing it. It counts the base's entries and growths as its
// own, and takes over a list of the base when that list is first needed. The chains of the base are read where they are. Only if one of them must
// change, which is rare, all of them are copied.
type index struct {
	base  *index   // or nil
	low   uint32   // the first id with an entry in next; 0 without a base
	next  []uint32 // by id - low: the id after it in its list, 0 at the end
	under []uint32 // by id below low: the id after it, with a base that is not sparse
	owned bool     // under is not the memory of the base
	below ranked   // the ids after those below low, with a sparse base
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

// init makes an index for types with ids from low to end, of about n signatures.
func (x *index) init(low, end, n int) {
	x.low, x.next = uint32(low), make([]uint32, end-low)
	x.lists = btf.Prefault(make([]list, 1<<bits.Len(uint(max(n, 500)))))
}

// reach makes room for ids below end.
func (x *index) reach(end int) {
	if n := end - int(x.low) - len(x.next); n > 0 {
		x.next = append(x.next, make([]uint32, n)...)
	}
}

// extend makes x continue base. n is the expected number of signatures, both new ones and those of the base that x will look up.
func (x *index) extend(base *index, end, n int) {
	x.init(len(base.next), end, n)
	x.base, x.n, x.cap, x.epoch, x.under = base, base.n, base.cap, base.epoch, base.next
}

// settle puts all lists into the order of the current epoch. An index that continues this one then copies none of its chains.
func (x *index) settle() {
	for i := range x.lists {
		x.catchUp(&x.lists[i])
	}
}

// after returns the place of the id after an id in its list. Only ids that changeable has got may be changed there.
func (x *index) after(id uint32) *uint32 {
	if id >= x.low {
		return &x.next[id-x.low]
	}
	if x.base != nil {
		return &x.under[id]
	}
	return x.below.at(id)
}

// changeable makes sure that what follows an id in its list can be changed.
func (x *index) changeable(id uint32) {
	if id < x.low && x.base != nil && !x.owned {
		x.under, x.owned = slices.Clone(x.under), true
	}
}

// A ranked table has a value for each number of a set.
type ranked struct {
	set    []uint64
	before []uint32 // by word of the set: how many numbers precede it
	values []uint32
}

// at returns the value of a number, which must be in the set.
func (r *ranked) at(n uint32) *uint32 {
	lower := r.set[n/64] & (1<<(n%64) - 1)
	return &r.values[int(r.before[n/64])+bits.OnesCount64(lower)]
}

// extend replaces the set by a larger one, which must not be changed afterwards. The numbers that it had keep their values.
func (r *ranked) extend(set []uint64) {
	larger, n := ranked{set: set, before: make([]uint32, len(set))}, 0
	for i, w := range set {
		larger.before[i] = uint32(n)
		n += bits.OnesCount64(w)
	}
	larger.values = make([]uint32, n)
	i := 0
	for w, old := range r.set {
		for ; old != 0; old &= old - 1 {
			*larger.at(uint32(64*w + bits.TrailingZeros64(old))) = r.values[i]
			i++
		}
	}
	*r = larger
}

// find returns the list of a signature, in the order of the current epoch. It may be empty. It is valid until the next call.
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

// adopt fills a free slot with the base's list for a signature, and reports whether there is one.
func (x *index) adopt(l *list, sig uint64) bool {
	b := x.base.slot(sig)
	if b.head == 0 {
		return false
	}
	*l = *b
	x.used++
	return true
}

// catchUp puts a list into the order of the current epoch.
func (x *index) catchUp(l *list) {
	if (x.epoch-l.epoch)&1 != 0 {
		prev, at := uint32(0), l.head
		for at != 0 {
			x.changeable(at)
			next := x.after(at)
			prev, at, *next = at, *next, prev
		}
		l.head = prev
	}
	l.epoch = x.epoch
}

// insert puts an id at the front of the list that find returned for its signature. If the index must grow, it grows first.
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
	*x.after(id) = l.head
	l.head = id
	x.n++
}

// at sets the number of entries to n, as if n types had been inserted. Types may then be inserted in any order, if for each of them n is the
// number of types before it, and those with one signature come in their order.
func (x *index) at(n int) {
	if x.n = n; n == 0 {
		x.cap, x.epoch = 0, 0
		return
	}
	growths := 1 + bits.Len(uint(n-1)/3) // before the insertions 1, 4, 7, 13, 25, 49, ...
	x.cap, x.epoch = 4<<(growths-1), uint32(growths)
}

// push puts an id that the index already counts at the front of another list.
func (x *index) push(sig uint64, id uint32) {
	l := x.find(sig)
	if l.head == 0 {
		l.sig, l.epoch = sig, x.epoch
		x.used++
	}
	x.changeable(id)
	*x.after(id) = l.head
	l.head = id
}

// first returns the first slot of the search for a signature.
func (x *index) first(sig uint64) *list { return &x.lists[sig&uint64(len(x.lists)-1)] }

// prefetch reads the first slot of the search for a signature.
func (x *index) prefetch(sig uint64) uint32 { return x.first(sig).epoch }

func (x *index) slot(sig uint64) *list {
	mask := uint64(len(x.lists) - 1)
	for i := sig & mask; ; i = (i + 1) & mask {
		if l := &x.lists[i]; l.head == 0 || l.sig == sig {
			return l
		}
	}
}

func (x *index) grow() { x.growTo(2 * len(x.lists)) }

// room makes room for n more lists.
func (x *index) room(n int) {
	size := len(x.lists)
	for 4*(x.used+n+1) > 3*size {
		size *= 2
	}
	if size > len(x.lists) {
		x.growTo(size)
	}
}

func (x *index) growTo(size int) {
	old := x.lists
	x.lists = btf.Prefault(make([]list, size))
	for _, l := range old {
		if l.head != 0 {
			*x.slot(l.sig) = l
		}
	}
}
