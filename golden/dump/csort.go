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
	ends  []uint32 // of a reference, the type at the end of the chain plus 1; 0 as long as it was not asked for
	sames []uint32 // then also the first type of the chain whose hash may differ from that of the reference
	deep  []uint64 // hashes; 0 means that the hash may not have been computed yet
	flat  []uint64

	scratch sortKeys
}

// A sortKey decides most comparisons by itself.
type sortKey struct {
	prefix uint64 // the first bytes of the name, which sort like the name
	name   uint32 // its offset
	id     uint32
}

// newSorter returns a sorter. It uses the memory of what is known of names only when types are printed.
func newSorter(p *cPrinter) *sorter {
	return &sorter{cPrinter: p, ends: p.nth, sames: make([]uint32, len(p.kind))}
}

// through returns the type that a reference kind stands for in sorting.
func (s *sorter) through(id uint32) (to uint32, ok bool) {
	switch k := s.kind[id]; {
	case throughTarget.Has(k):
		return s.words[s.start[id]+2], true
	case k == btf.KindArray:
		return s.words[s.start[id]+3], true
	}
	return 0, false
}

// throughTarget are the kinds that stand for their target in sorting, like arrays for their elements.
const throughTarget = btf.References | 1<<btf.KindDeclTag

// distinct reports whether a type can have another hash than the type that it refers to.
func (s *sorter) distinct(id uint32) bool {
	return s.kind[id] == btf.KindArray || s.named(s.rec(id).Name())
}

// end returns the type at the end of the chain of references that begins with a type.
func (s *sorter) end(id uint32) uint32 {
	if end := s.ends[id]; end != 0 {
		return end - 1
	}
	if _, ok := s.through(id); !ok {
		return id
	}
	return s.follow(id)
}

// follow is end for a reference. It sets ends and sames for all types on the way. A chain that never ends is cut: it cannot be printed.
func (s *sorter) follow(id uint32) uint32 {
	way, end, same := s.queue[:0], id, id
	for {
		if s.ends[end] != 0 {
			end, same = s.ends[end]-1, s.sames[end]
			break
		}
		to, ok := s.through(end)
		if !ok || len(way) > len(s.kind) {
			same = end
			break
		}
		way = append(way, end)
		end = to
	}
	for _, from := range slices.Backward(way) {
		if s.distinct(from) {
			same = from
		}
		s.ends[from], s.sames[from] = end+1, same
	}
	s.queue = way[:0]
	return end
}

// same returns the first type of a chain of references whose hash may differ from that of the type.
func (s *sorter) same(id uint32) uint32 {
	if s.ends[id] == 0 {
		if _, ok := s.through(id); !ok {
			return id
		}
		s.follow(id)
	}
	return s.sames[id]
}

// rank sorts enums before numbers before structs before prototypes. A type that refers to another has a rank only if it has a name.
func (s *sorter) rank(id uint32) int {
	named := id != 0 && s.named(s.rec(id).Name())
	end := s.end(id)
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
	end := s.end(id)
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
//
// The last rank begins with the types whose names are empty, in the order of their hashes. Most of these are prototypes, with the hash 0.
func (s *sorter) sorted() []uint32 {
	var ranks [numRanks]sortKeys
	for rank := range ranks {
		ranks[rank] = make(sortKeys, 0, len(s.kind)/8) // memory that is not used costs nothing
	}
	plain := make([]uint32, 0, len(s.kind))    // types with empty names and the hash 0
	hashed := make(sortKeys, 0, len(s.kind)/8) // types with empty names and another hash, which is their prefix
	var leading []uint32                       // types that print nothing unless they lead to the one that sorts first
	last := func(id uint32) {
		if k := s.key(id); k.prefix != 0 || id != 0 && s.named(s.rec(id).Name()) {
			ranks[rankOther] = append(ranks[rankOther], k)
		} else if h := s.hash(id, true); h != 0 {
			hashed = append(hashed, sortKey{prefix: h, id: id})
		} else {
			plain = append(plain, id)
		}
	}
	for i, k := range s.kind {
		id := uint32(i)
		switch k {
		case btf.KindFunc, btf.KindVar, btf.KindDatasec:
			if !s.referenced[id] {
				continue
			}
		case btf.KindFuncProto:
			if !s.named(s.words[s.start[id]]) {
				plain = append(plain, id)
				continue
			}
		}
		if rank := s.rank(id); rank != rankOther {
			ranks[rank] = append(ranks[rank], s.key(id))
		} else if end := s.end(id); end != id && !s.nameless && s.rank(end) < rankOther {
			leading = append(leading, id)
		} else {
			last(id)
		}
	}
	list := make([]uint32, 0, len(s.kind))
	for rank := range rankOther {
		s.sort(ranks[rank], 0)
		list = ranks[rank].appendIDs(list)
	}
	if n := len(plain); len(list) > 0 {
		first := s.end(list[0])
		for _, id := range leading {
			if s.end(id) == first {
				last(id)
			}
		}
		if len(plain) > n {
			slices.Sort(plain)
		}
	}
	s.sortPrefixes(hashed)
	s.sort(ranks[rankOther], 0)
	clear(s.ends)
	return ranks[rankOther].appendIDs(hashed.appendIDs(append(list, plain...)))
}

type sortKeys []sortKey

// appendIDs appends the types of keys.
func (keys sortKeys) appendIDs(list []uint32) []uint32 {
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

// Limits of what is faster: below fewKeys comparing instead of counting, below veryFewKeys insertion. After farIn bytes names are compared whole.
const (
	fewKeys     = 200
	veryFewKeys = 20
	farIn       = 64
)

// sort sorts keys whose names agree up to the byte at, where their prefixes start.
func (s *sorter) sort(keys sortKeys, at uint32) {
	s.sortPrefixes(keys)
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && keys[n].prefix == keys[0].prefix {
			n++
		}
		alike := keys[:n]
		keys = keys[n:]
		switch {
		case n == 1:
		case alike[0].prefix&0xff == 0, n < fewKeys && at >= farIn: // the names end here, or are long
			slices.SortFunc(alike, s.compare)
		default:
			for i := range alike {
				alike[i].prefix = s.prefix(alike[i].name + at + 8)
			}
			s.sort(alike, at+8)
		}
	}
}

// sortPrefixes sorts by prefix, and equal ones by id. The keys must be in the order of their ids if they are many.
func (s *sorter) sortPrefixes(keys sortKeys) {
	switch n := len(keys); {
	case n < veryFewKeys:
		for i := 1; i < n; i++ {
			k := keys[i]
			j := i
			for ; j > 0 && (keys[j-1].prefix > k.prefix || keys[j-1].prefix == k.prefix && keys[j-1].id > k.id); j-- {
				keys[j] = keys[j-1]
			}
			keys[j] = k
		}
	case n < fewKeys:
		slices.SortFunc(keys, func(a, b sortKey) int {
			return cmp.Or(cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.id, b.id))
		})
	default:
		s.countPrefixes(keys)
	}
}

// countPrefixes sorts by prefix alone, and keeps the order of equal ones. It counts the values of each byte of all prefixes, and then moves
// the keys once for each byte that differs, from the last to the first.
func (s *sorter) countPrefixes(keys sortKeys) {
	var counts [8][256]uint32
	for i := range keys {
		p := keys[i].prefix
		for b := range counts {
			counts[b][byte(p>>(8*b))]++
		}
	}
	s.scratch = slices.Grow(s.scratch[:0], len(keys))
	from, to := keys, s.scratch[:len(keys)]
	for b := range counts {
		if place := &counts[b]; place[byte(keys[0].prefix>>(8*b))] < uint32(len(keys)) {
			next := uint32(0)
			for v, n := range place {
				place[v] = next
				next += n
			}
			for _, k := range from {
				v := byte(k.prefix >> (8 * b))
				to[place[v]] = k
				place[v]++
			}
			from, to = to, from
		}
	}
	if &from[0] != &keys[0] {
		copy(keys, from)
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
	if x, y := s.same(a.id), s.same(b.id); x != y {
		if c := cmp.Compare(s.hash(x, true), s.hash(y, true)); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.id, b.id)
}

// hash distinguishes types that have no name or the same one. Structs and unions are hashed with their members if the hash is deep.
func (s *sorter) hash(id uint32, deep bool) uint64 {
	id = s.same(id)
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
