package dedup

import (
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// equalWords compares two records exactly.
func equalWords(a, b btf.Record) bool { return slices.Equal(a, b) }

// shallow compares what the signature of a STRUCT, UNION or TYPEDEF covers: everything except the types that it refers to.
func shallow(a, b btf.Record) bool {
	if a[0] != b[0] || a[1] != b[1] {
		return false
	}
	switch a.Kind() {
	case btf.KindTypedef:
		return true
	case btf.KindStruct, btf.KindUnion:
		if a[2] != b[2] || len(a) != len(b) {
			return false
		}
		for i := 3; i < len(a); i += 3 {
			if a[i] != b[i] || a[i+2] != b[i+2] {
				return false
			}
		}
		return true
	}
	return false
}

// pageIDs is the number of ids of a page of the hypothesis map. The first access to a page of its memory is a write, see btf.Prefault. Few pages of
// the map of a base are ever accessed.
const pageIDs = 1 << 10

// same reports whether two type graphs are equal, starting with a candidate and a canonical type (rule 03/8).
//
// The problem: the graphs have cycles. So the walk assumes that a pair of types is equal before it compares what the pair refers
// to. This assumption is a hypothesis. If the walk meets the pair again, it takes the hypothesis for granted. It ends at the
// first difference, and then all hypotheses are void. Without a difference, merge applies them.
//
// The steps are in the order of the rule. If two types cannot be compared at all, err says why.
func (e *engine) same(cand, canon uint32) bool {
	if e.canon(cand) == e.canon(canon) {
		e.skip(cand, canon)
		return true
	}
	b := e.rec(canon)
	if b.Kind() == btf.KindFwd {
		if end := e.canon(canon); e.rec(end).Kind() != btf.KindFwd {
			canon = end
			b = e.rec(canon)
			e.ends = append(e.ends, end)
		} else {
			e.unbound = true
		}
	}
	if canon < e.first && !e.written[canon/pageIDs] {
		e.written[canon/pageIDs], e.hyp[canon] = true, 0
	}
	if h := e.hyp[canon]; h == cand && h != 0 {
		e.turned = append(e.turned, canon)
		return true
	} else if h != 0 {
		e.tolerant = true // a second copy from one CU, perhaps (rule 03/8.1)
		ok := e.identical(h, cand, identicalBudget)
		if ok {
			e.skip(cand, canon)
		}
		return ok
	}
	if e.met != nil && e.endsAt(cand, canon) {
		return false
	}
	e.hyp[canon] = cand
	e.hypo = append(e.hypo, canon)
	if len(e.links) != 0 {
		if ok, known := e.jump(cand, canon); known {
			return ok
		}
	}
	a := e.rec(cand)
	if a[0] != b[0] {
		return false
	}
	ak, bk := a.Kind(), b.Kind()
	if aFwd, bFwd := ak == btf.KindFwd, bk == btf.KindFwd; aFwd != bFwd {
		if aFwd {
			return a.FwdKind() == bk
		}
		ok := b.FwdKind() == ak
		if ok && canon < e.first {
			e.adjust = true
		}
		return ok
	}
	if ak != bk {
		return false
	}
	if e.depth++; e.depth > maxDepth {
		e.err = errDepth
		return false
	}
	e.stats.MaxDepth = max(e.stats.MaxDepth, e.depth)
	ok := e.sameKind(a, b)
	if e.depth--; !ok {
		if ak == btf.KindArray && a[5] == b[5] {
			e.doubtArrays(cand, canon)
		}
		e.path = append(e.path, pair{cand, canon})
	}
	return ok
}

func (e *engine) sameKind(a, b btf.Record) bool {
	k := a.Kind()
	if btf.References.Has(k) || k == btf.KindFunc {
		return a[1] == b[1] && e.same(a[2], b[2])
	}
	switch k {
	case btf.KindVoid:
		return true
	case btf.KindInt, btf.KindFloat, btf.KindFwd:
		return equalWords(a, b)
	case btf.KindEnum, btf.KindEnum64:
		return a.Vlen() == 0 || b.Vlen() == 0 || equalWords(a, b)
	case btf.KindArray:
		if a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[5] != b[5] {
			return false
		}
		return e.same(a[4], b[4]) && e.same(a[3], b[3])
	case btf.KindStruct, btf.KindUnion:
		if !shallow(a, b) {
			return false
		}
		return e.sameList(a, b, 4, 3)
	case btf.KindFuncProto:
		if a[1] != b[1] || len(a) != len(b) {
			return false
		}
		for i := 3; i < len(a); i += 2 {
			if a[i] != b[i] {
				return false
			}
		}
		return e.same(a[2], b[2]) && e.sameList(a, b, 4, 2)
	default:
		e.err = fmt.Errorf("a type refers to a %s, which BTF does not allow", k)
		return false
	}
}

// sameList compares the types that the records refer to at word from and at every step words after it.
func (e *engine) sameList(a, b btf.Record, from, step int) bool {
	for i := from; i < len(a); i += step {
		if !e.same(a[i], b[i]) {
			return false
		}
	}
	return true
}
