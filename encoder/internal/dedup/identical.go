package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// identical is the tolerance of a comparison for types that one CU has several times (rule 03/8.1). It compares
// raw types and ignores the resolution map.
//
// Followed to the letter, the rule visits a pair of types once for every path that leads to it, and the number of paths is the product
// of the numbers of members, level by level: five kilobytes of C can ask for minutes. But the answer depends on the two types and on
// the budget alone, since no record changes before phase 5. So types that were found equal are remembered. Types that differ need not
// be: the first ones end the comparison.
//
// If a type is there n times, there can be as many as n*n pairs. With one budget, equality is transitive, so what is remembered are
// sets of equal types, at most 16 for each type. Where an enum without values equals all enums of its name, equality is not transitive:
// an object with such an enum remembers pairs.

// identicalBudget is how many levels of structs identical looks through.
const identicalBudget = 16

func (e *engine) identical(x, y uint32, budget int) bool {
	if budget <= 0 {
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

// identicalChain is identical. The pairs of the chain of references from x and y to the types that decide, for which the answer is the
// same, are left in the trail.
func (e *engine) identicalChain(x, y uint32, budget int) bool {
	for range e.end { // a longer chain is a ring of references, which C cannot build
		if x == y {
			return true
		}
		e.stats.Identical++
		a, b := e.rec(x), e.rec(y)
		if a.Kind() != b.Kind() {
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

// equals is what is known to be identical.
type equals struct {
	pairwise bool              // equality is not transitive
	pairs    map[pair]int      // the least budget with which they are equal
	sets     map[member]uint32 // a type that is nearer to the one that stands for the set; none for that itself
	trail    []pair            // scratch: pairs whose answer is awaited
}

type pair struct{ x, y uint32 }

// A member is a type in one of the sets of a budget.
type member struct {
	id     uint32
	budget int32
}

// known tells whether a pair was found equal with a budget.
func (q *equals) known(p pair, budget int) bool {
	if q.pairwise {
		need, ok := q.pairs[p]
		return ok && need <= budget
	}
	return len(q.sets) != 0 && q.find(p.x, budget) == q.find(p.y, budget)
}

// remember notes that a pair is equal with a budget.
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

// find is the type that stands for the set of a type. On the way it halves the way.
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
