package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// identical compares types of one CU that occurs in it several times (rule 03/8.1). It compares records as they are, and ignores
// the resolution map. The budget is the number of levels of structs that it looks through.
//
// The problem: according to the rule, a pair of types is compared once for every path that leads to it. The number of paths is
// the product of the numbers of members on each level, so five kilobytes of C can take minutes. The idea: the answer depends only
// on the two types and the budget, since no record changes before phase 5. So pairs that are equal are remembered. Pairs that
// differ are not: the first one ends the comparison.
//
// If a type occurs n times, there can be n*n equal pairs. For one budget equality is transitive, so sets of equal types are
// stored instead, at most 16 per type. The exception is an enum without values: it equals all enums of its name, which makes
// equality not transitive. An object with such an enum stores pairs.

// identicalBudget is how many levels of structs identical looks through.
const identicalBudget = 16

func (e *engine) identical(x, y uint32, budget int) bool {
	if budget <= 0 {
		e.doubt = e.watch
		return false
	}
	q := &e.equals
	from := len(q.trail)
	ok := e.identicalChain(x, y, budget)
	if ok {
		for _, p := range q.trail[from:] {
			q.remember(p, budget)
		}
	}
	q.trail = q.trail[:from]
	return ok
}

// identicalChain is identical. It leaves in the trail the pairs on the chain of references from x and y to the types that decide:
// they all have the same answer.
func (e *engine) identicalChain(x, y uint32, budget int) bool {
	for range e.end { // a longer chain is a ring of references, which C cannot produce
		if x == y {
			return true
		}
		e.stats.Identical++
		a, b := e.rec(x), e.rec(y)
		if a.Kind() != b.Kind() {
			e.halves(a, b)
			return false
		}
		switch a.Kind() {
		case btf.KindVoid:
			return true
		case btf.KindInt, btf.KindFloat, btf.KindFwd:
			return equalWords(a, b)
		case btf.KindEnum, btf.KindEnum64:
			return a[0] == b[0] && (a.Vlen() == 0 || b.Vlen() == 0) || equalWords(a, b)
		case btf.KindArray:
			return e.identicalArrays(a, b)
		}
		if e.err = e.pause(); e.err != nil {
			return false
		}
		p := pair{x, y}
		if e.equals.known(p, budget) {
			return true
		}
		e.equals.trail = append(e.equals.trail, p)
		switch k := a.Kind(); {
		case btf.References.Has(k), k == btf.KindFunc:
			if a[0] != b[0] || a[1] != b[1] {
				return false
			}
			x, y = a[2], b[2]
		case btf.Composites.Has(k):
			return shallow(a, b) && e.identicalList(a, b, 4, 3, budget)
		case k == btf.KindFuncProto:
			if a[0] != b[0] || a[1] != b[1] || len(a) != len(b) {
				return false
			}
			for i := 3; i < len(a); i += 2 {
				if a[i] != b[i] {
					return false
				}
			}
			return (a[2] == b[2] || e.identical(a[2], b[2], budget-1)) && e.identicalList(a, b, 4, 2, budget)
		default:
			return false
		}
	}
	return false
}

func (e *engine) identicalList(a, b btf.Record, from, step, budget int) bool {
	for i := from; i < len(a); i += step {
		if a[i] != b[i] && !e.identical(a[i], b[i], budget-1) {
			return false
		}
	}
	return true
}

// equals holds what is known to be identical.
type equals struct {
	pairwise bool              // equality is not transitive
	pairs    map[pair]int      // the smallest budget with which they are equal
	sets     map[member]uint32 // union-find: the parent of a type; a representative has none
	trail    []pair            // scratch: pairs that wait for their answer
}

type pair struct{ x, y uint32 }

// A member is a type in one of the sets of a budget.
type member struct {
	id     uint32
	budget int32
}

// known reports whether a pair is known to be equal with a budget.
func (q *equals) known(p pair, budget int) bool {
	if q.pairwise {
		need, ok := q.pairs[p]
		return ok && need <= budget
	}
	return len(q.sets) != 0 && q.find(p.x, budget) == q.find(p.y, budget)
}

// remember records that a pair is equal with a budget.
func (q *equals) remember(p pair, budget int) {
	if q.pairwise {
		if q.pairs == nil || len(q.pairs) >= maxKnown {
			q.pairs = make(map[pair]int)
		}
		if need, ok := q.pairs[p]; !ok || budget < need {
			q.pairs[p] = budget
		}
		return
	}
	if q.sets == nil {
		q.sets = make(map[member]uint32)
	}
	if x, y := q.find(p.x, budget), q.find(p.y, budget); x != y {
		q.sets[member{x, int32(budget)}] = y
	}
}

// find returns the representative of a type's set. It halves the path on the way.
func (q *equals) find(id uint32, budget int) uint32 {
	m := member{id, int32(budget)}
	for {
		up, ok := q.sets[m]
		if !ok {
			return m.id
		}
		above := member{up, m.budget}
		if further, ok := q.sets[above]; ok {
			q.sets[m] = further
		}
		m = above
	}
}
