package dedup

import (
	"errors"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// The problem: two types of one class are equal, and of two types of different classes that are compared, it does not matter what the fast path has
// left out, except in a few comparisons in which equal content does not decide. One CU can have an array twice, so a comparison that meets an array again
// compares it with its first copy, and ignores the elements. Whether it has met the array depends on the types that it looks into, and it
// does not look into types that are one type because one of them was left out.
//
// The idea: the engine watches for such comparisons, and gives up with ErrDoubt. Then the image is encoded again with every type. Kernels have none.

// ErrDoubt says that the result could depend on types that the fast path has left out.
var ErrDoubt = errors.New("the base has types that make the fast path uncertain")

// doubtTwins watches for a type of the base that equals c, a type of the base that was chosen from its list of candidates.
func (e *engine) doubtTwins(c uint32) {
	if !e.watch || c >= e.first {
		return
	}
	r := e.rec(c)
	for other := *e.c.after(c); other != 0; other = *e.c.after(other) {
		if other < e.first && equalWords(r, e.rec(other)) {
			e.doubt = true
			return
		}
	}
}

// doubtElements watches for arrays of one CU that a comparison takes for equal although their elements, x and y, differ.
func (e *engine) doubtElements(x, y uint32) {
	for e.watch && x != y {
		a, b := e.rec(x), e.rec(y)
		if a.Kind() != btf.KindArray || b.Kind() != btf.KindArray || a[5] != b[5] {
			e.doubt = e.doubt || e.content(x) != e.content(y)
			return
		}
		x, y = a[3], b[3]
	}
}

// skip is called for a pair of types into which the current comparison does not look, because they have merged, or are equal as copies.
func (e *engine) skip(cand, canon uint32) {
	switch {
	case !e.watch || !e.hasInside(cand):
	case len(e.skippedCanon) < maxSkipped:
		e.skippedCand, e.skippedCanon = append(e.skippedCand, cand), append(e.skippedCanon, canon)
	default:
		e.skippedMore = true
	}
}

// doubtArrays watches for arrays that a comparison takes for different because their elements are. The second array of one CU equals the first one. So
// the arrays would have been equal in two cases:
//
//   - The comparison had met canon before, as it might in a type that it skipped.
//   - cand is the canonical side, and the comparison has met it before. This is the comparison of a later type, which was left out because it repeats the
//     canonical type of this comparison, with the candidate of this one.
func (e *engine) doubtArrays(cand, canon uint32) {
	if !e.watch || e.doubt || !e.peer.Has(rules.IdenticalArrays) {
		return
	}
	e.doubt = e.skippedMore || e.leads(e.skippedCanon, canon)
	if !e.doubt && !e.unequal { // if the comparison has met arrays before, then also those in their elements
		e.unequal = true
		e.doubt = e.metOther(cand, canon) || e.leads(e.skippedCand, cand)
	}
}

// metOther reports whether the current comparison has met a candidate with another canonical type.
func (e *engine) metOther(cand, canon uint32) bool {
	for _, other := range e.hypo {
		if e.hyp[other] == cand && other != canon {
			return true
		}
	}
	return false
}

const (
	maxSkipped = 1 << 6  // number of skipped types that are kept
	maxLeads   = 1 << 22 // number of types that leads looks at in a run
)

// leads reports whether one of the given types leads to an array. It also does if it is not easy to find out.
func (e *engine) leads(from []uint32, array uint32) bool {
	if len(from) == 0 {
		return false
	}
	todo, known := slices.Clone(from), make([]uint64, e.end/64+1)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case id == array, id >= e.end, e.looked == maxLeads:
			return true
		case has(known, id):
			continue
		}
		known[id/64] |= 1 << (id % 64)
		e.looked++
		r, ok := e.o.Record(btf.ID(id)) // which need not be sound if it is one of the base
		switch {
		case !ok:
			return true
		case r.Kind() != btf.KindFwd:
			r.References(func(ref *uint32) { todo = append(todo, *ref) })
		case id >= e.first && e.o.Base != nil && e.canon(id) == id: // the base may have a definition
			return true
		default:
			todo = append(append(todo, e.canon(id)), e.definitions(r[0])...)
		}
	}
	return false
}

// definitions returns the own structs and unions with a name.
func (e *engine) definitions(name uint32) []uint32 {
	if e.defined == nil {
		e.defined = make(map[uint32][]uint32)
		for id := e.first; id < e.end; id++ {
			if r := e.rec(id); btf.Composites.Has(r.Kind()) && r[0] != 0 {
				e.defined[r[0]] = append(e.defined[r[0]], id)
			}
		}
	}
	return e.defined[name]
}

// hasInside reports whether a comparison looks into a type, unless the type has merged.
func (e *engine) hasInside(id uint32) bool {
	switch r := e.rec(id); r.Kind() {
	case btf.KindVoid, btf.KindInt, btf.KindFloat, btf.KindEnum, btf.KindEnum64:
		return false
	case btf.KindStruct, btf.KindUnion:
		return r.Vlen() != 0
	}
	return true
}
