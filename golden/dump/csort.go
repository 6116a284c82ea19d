package dump

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// driving returns the types to request, in order.
func (p *cPrinter) driving(opt COptions) []uint32 {
	var list []uint32
	switch {
	case opt.Roots != nil:
		for _, id := range opt.Roots {
			if int(id) < len(p.kind) {
				list = append(list, uint32(id))
			}
		}
	case opt.Unsorted:
		list = make([]uint32, len(p.kind)-1)
		for i := range list {
			list[i] = uint32(i) + 1
		}
	default:
		// bpftool's list includes void, but bpftool skips the first entry of the sorted list, not void. So the type that sorts first is
		// printed only if another one needs it.
		list = newSorter(p).sorted()[1:]
	}
	return list
}

// The ranks of types in the order of printing.
const (
	rankAnonymousEnum = iota
	rankEnum
	rankNumber
	rankStruct
	rankPrototype
	rankOther
	numRanks
)

// A sorter sorts types by rank, by the name of the type that they lead to, by their own name, by a hash, and by id. Kernels have more
// types without a name, or with the name of another, than types with a name of their own. So the order of most types is decided by the
// first eight bytes of a name, and the hash is computed only where names leave a choice.
type sorter struct {
	*cPrinter
	end  []uint32 // the type at the end of the chain of references
	same []uint32 // the first type of that chain whose hash may differ from that of the type
	deep []uint64 // hashes; 0 means that the hash may not have been computed yet
	flat []uint64

	// Whether there is a typedef without a name, which is of the last rank whatever it leads to. Compilers make none.
	nameless bool

	scratch []sortKey
}

// A sortKey decides most comparisons by itself.
type sortKey struct {
	prefix uint64 // the first bytes of the name, which sort like the name
	name   uint32 // its offset
	id     uint32
}

// unknown is the end of a chain that was not followed yet.
const unknown = ^uint32(0)

func newSorter(p *cPrinter) *sorter {
	s := &sorter{cPrinter: p, end: make([]uint32, len(p.kind)), same: make([]uint32, len(p.kind))}
	for i := range s.end {
		id := uint32(i)
		if _, ok := s.through(id); ok {
			s.end[id] = unknown
			s.nameless = s.nameless || s.kind[id] == btf.KindTypedef && !s.named(s.rec(id).Name())
		} else {
			s.end[id], s.same[id] = id, id
		}
	}
	for id, end := range s.end {
		if end == unknown {
			s.follow(uint32(id))
		}
	}
	return s
}

// through returns the type that a reference kind stands for in sorting.
func (s *sorter) through(id uint32) (to uint32, ok bool) {
	switch k := s.kind[id]; {
	case btf.References.Has(k), k == btf.KindDeclTag:
		return s.words[s.start[id]+2], true
	case k == btf.KindArray:
		return s.words[s.start[id]+3], true
	}
	return 0, false
}

// distinct reports whether a type can have another hash than the type that it refers to.
func (s *sorter) distinct(id uint32) bool {
	return s.kind[id] == btf.KindArray || s.named(s.rec(id).Name())
}

// follow sets end and same of a type whose end is unknown, and of all types on its way. A chain that never ends is cut: it cannot be
// printed.
func (s *sorter) follow(id uint32) {
	way := s.queue[:0]
	for s.end[id] == unknown {
		if len(way) > len(s.kind) {
			s.end[id], s.same[id] = id, id
			break
		}
		way = append(way, id)
		id, _ = s.through(id)
	}
	for _, from := range slices.Backward(way) {
		s.end[from], s.same[from] = s.end[id], s.same[id]
		if s.distinct(from) {
			s.same[from] = from
		}
		id = from
	}
	s.queue = way[:0]
}

// rank sorts enums before numbers before structs before prototypes. A type that refers to another has a rank only if it has a name.
func (s *sorter) rank(id uint32) int {
	named := id != 0 && s.named(s.rec(id).Name())
	end := s.end[id]
	if end != id && !named {
		return rankOther
	}
	switch s.kind[end] {
	case btf.KindEnum, btf.KindEnum64:
		if named {
			return rankEnum
		}
		return rankAnonymousEnum
	case btf.KindInt, btf.KindFloat:
		return rankNumber
	case btf.KindStruct, btf.KindUnion:
		if named {
			return rankStruct
		}
	case btf.KindFuncProto:
		if named {
			return rankPrototype
		}
	}
	return rankOther
}

// sortName returns the offset of the name that a type leads to. An anonymous enum that no other type leads to has the name of its first
// enumerator.
func (s *sorter) sortName(id uint32) uint32 {
	end := s.end[id]
	if end == 0 {
		return 0
	}
	r := s.rec(end)
	if end == id && btf.Enums.Has(s.kind[id]) && r.Vlen() > 0 && !s.named(r.Name()) {
		return r[3]
	}
	return r.Name()
}

// sorted returns the types in order, without those of the last rank that print nothing:
//
//   - Functions, variables and sections, unless a type refers to them.
//   - Types that lead through references to a type of an earlier rank. When the last rank is printed, all types of the earlier ranks are
//     done, among them the typedefs on the way, so that nothing is left to print. There are two exceptions: typedefs without a name, and the
//     type that is skipped because it sorts first.
func (s *sorter) sorted() []uint32 {
	var ranks [numRanks][]sortKey
	var plain []uint32   // what sorts by nothing but its id: void, prototypes, and pointers to these. It is the start of the last rank.
	var leading []uint32 // types that print nothing unless they lead to the one that sorts first
	for i, k := range s.kind {
		id := uint32(i)
		if (k == btf.KindFunc || k == btf.KindVar || k == btf.KindDatasec) && !s.referenced[id] {
			continue
		}
		rank := s.rank(id)
		if rank != rankOther {
			ranks[rank] = append(ranks[rank], s.key(id))
			continue
		}
		if end := s.end[id]; end != id && !s.nameless && s.rank(end) < rankOther {
			leading = append(leading, id)
			continue
		}
		if k := s.key(id); k.prefix != 0 || id != 0 && s.named(s.rec(id).Name()) || s.hash(id, true) != 0 {
			ranks[rank] = append(ranks[rank], k)
		} else {
			plain = append(plain, id)
		}
	}
	list := make([]uint32, 0, len(s.kind))
	for rank := range rankOther {
		s.sort(ranks[rank], 0)
		list = appendIDs(list, ranks[rank])
	}
	if len(list) > 0 {
		for _, id := range leading {
			if s.end[id] == s.end[list[0]] {
				ranks[rankOther] = append(ranks[rankOther], s.key(id))
			}
		}
	}
	s.sort(ranks[rankOther], 0)
	return appendIDs(append(list, plain...), ranks[rankOther])
}

func appendIDs(list []uint32, keys []sortKey) []uint32 {
	for _, k := range keys {
		list = append(list, k.id)
	}
	return list
}

// key returns the key of a type at the first byte of its name.
func (s *sorter) key(id uint32) sortKey {
	name := s.sortName(id)
	return sortKey{s.prefix(name), name, id}
}

// prefix returns the first eight bytes of a name as a number that sorts like them.
func (p *cPrinter) prefix(off uint32) uint64 {
	if int(off)+8 > len(p.text) {
		var b [8]byte
		copy(b[:], p.name(off))
		return binary.BigEndian.Uint64(b[:])
	}
	v := binary.BigEndian.Uint64(p.text[off:])
	const low = 0x7f7f7f7f7f7f7f7f
	zeros := ^((v&low + low) | v | low) // the highest bit of each byte that is 0
	return v &^ (^uint64(0) >> bits.LeadingZeros64(zeros))
}

// fewKeys is the number of keys below which comparing is faster than counting.
const fewKeys = 200

// sort sorts keys whose names agree up to the byte at, where their prefixes start.
func (s *sorter) sort(keys []sortKey, at uint32) {
	if len(keys) < fewKeys {
		slices.SortFunc(keys, s.compare)
		return
	}
	s.scratch = slices.Grow(s.scratch[:0], len(keys))
	sortPrefixes(keys, s.scratch[:len(keys)])
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && keys[n].prefix == keys[0].prefix {
			n++
		}
		alike := keys[:n]
		keys = keys[n:]
		if alike[0].prefix&0xff == 0 { // the names end here
			slices.SortFunc(alike, s.compare)
			continue
		}
		for i := range alike {
			alike[i].prefix = s.prefix(alike[i].name + at + 8)
		}
		s.sort(alike, at+8)
	}
}

// sortPrefixes sorts by prefix alone, and keeps the order of equal ones. It counts the values of each byte of all prefixes, and then moves
// the keys once for each byte, from the last to the first.
func sortPrefixes(keys, scratch []sortKey) {
	var counts [8][256]uint32
	for i := range keys {
		p := keys[i].prefix
		for b := range counts {
			counts[b][byte(p>>(8*b))]++
		}
	}
	from, to := keys, scratch
	for b := range counts {
		next := uint32(0)
		for v, n := range counts[b] {
			counts[b][v] = next
			next += n
		}
		place := &counts[b]
		for _, k := range from {
			v := byte(k.prefix >> (8 * b))
			to[place[v]] = k
			place[v]++
		}
		from, to = to, from
	}
}

func (s *sorter) compare(a, b sortKey) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	if a.name != b.name && a.prefix&0xff != 0 {
		if c := bytes.Compare(s.cPrinter.name(a.name), s.cPrinter.name(b.name)); c != 0 {
			return c
		}
	}
	if x, y := s.rec(a.id).Name(), s.rec(b.id).Name(); x != y {
		if c := bytes.Compare(s.cPrinter.name(x), s.cPrinter.name(y)); c != 0 {
			return c
		}
	}
	if x, y := s.same[a.id], s.same[b.id]; x != y {
		if c := cmp.Compare(s.hash(x, true), s.hash(y, true)); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.id, b.id)
}

// hash distinguishes types that have no name or the same one. Structs and unions are hashed with their members if the hash is deep.
func (s *sorter) hash(id uint32, deep bool) uint64 {
	id = s.same[id]
	if k := s.kind[id]; k == btf.KindVoid || k == btf.KindFuncProto && !s.named(s.rec(id).Name()) {
		return 0
	}
	memo := &s.flat
	if deep {
		memo = &s.deep
	}
	if *memo == nil {
		*memo = make([]uint64, len(s.kind))
	}
	if h := (*memo)[id]; h != 0 {
		return h
	}
	h := uint64(0)
	if s.enter(id) {
		h = s.sum(id, deep)
		(*memo)[id] = h
	}
	s.leave()
	return h
}

// sum computes a hash.
func (s *sorter) sum(id uint32, deep bool) (h uint64) {
	r := s.rec(id)
	if s.named(r.Name()) {
		h = s.hashString(r.Name())
	}
	switch k := s.kind[id]; k {
	case btf.KindEnum, btf.KindEnum64:
		each := int(btf.ShapeOf(k).Each)
		for e := r[3:]; len(e) >= each; e = e[each:] {
			h = 31*h + s.hashString(e[0])
		}
	case btf.KindStruct, btf.KindUnion:
		if !deep {
			return h
		}
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			if s.named(m[0]) {
				h = 31*h + s.hashString(m[0])
			}
			h = 31*h + s.hash(m[1], false)
		}
	case btf.KindArray:
		h = 31*h + uint64(r[5])
	}
	if to, ok := s.through(id); ok {
		h = 31*h + s.hash(to, deep)
	}
	return h
}

// hashString treats bytes as signed, as bpftool does on x86-64.
func (s *sorter) hashString(off uint32) (h uint64) {
	for _, c := range s.cPrinter.name(off) {
		h = 31*h + uint64(int64(int8(c)))
	}
	return h
}
