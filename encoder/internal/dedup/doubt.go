package dedup

import (
	"errors"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// With a base, the fast path is right unless a comparison is one of the few in which equal content does not decide (namesakes.go). The engine watches for
// these.

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

// skip is called for a pair of types that have merged, into which the current comparison does not look.
func (e *engine) skip(cand, canon uint32) {
	switch {
	case !e.watch || !e.hasInside(cand):
	case len(e.skipped) < maxSkipped:
		e.skipped = append(e.skipped, canon)
	default:
		e.skippedMore = true
	}
}

// doubtArray watches for an array of the base, canon, that a comparison takes for different because its elements are. If the comparison had met it
// before, as it might in a type that it skipped, the array would have been equal as the second one of one CU.
func (e *engine) doubtArray(canon uint32) {
	if e.watch && canon < e.first && (e.skippedMore || e.leads(e.skipped, canon)) {
		e.doubt = true
	}
}

const (
	maxSkipped  = 1 << 6  // number of skipped types that are kept
	maxLeads    = 1 << 12 // number of types that leads looks at
	maxAllLeads = 1 << 18 // the same, for a whole run
)

// leads reports whether one of the given types leads to an array of the base. It also does if it is not easy to find out.
func (e *engine) leads(from []uint32, array uint32) bool {
	todo := slices.Clone(from)
	known := make(map[uint32]bool)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case known[id]:
			continue
		case id == array, id >= e.first, len(known) == maxLeads, e.looked == maxAllLeads:
			return true
		}
		r, ok := e.o.Base.Record(btf.ID(id)) // which need not be sound
		if !ok || r.Kind() == btf.KindFwd && e.canon(id) != id {
			return true
		}
		known[id] = true
		e.looked++
		r.References(func(ref *uint32) { todo = append(todo, *ref) })
	}
	return false
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
