package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// A comparison yields more than its answer, and remembering the rest saves work.
//
// The problem: by the rule, each struct and typedef is compared by walking everything that it leads to. Take a chain of n structs
// that occurs in two units, with different ends. Each struct of the chain is compared, and each comparison walks to the end:
// n*n/2 steps. For typedefs this is so even if the chains are equal, since a comparison merges only the structs and unions that
// it passes.
//
// Terms: a walk is one comparison; it goes from pair to pair, each of a candidate and a canonical type. The path of a failed walk
// is the list of pairs from its start to the pair that differs.
//
// After a failed walk, all pairs on its path differ. When one of them is compared later, the answer is known, provided that the
// later walk takes the same steps and none of them ends sooner. This holds under four conditions:
//
//   - The first walk did not use the tolerance for copies (identical). It then met each canonical type with one candidate only,
//     and so does the later walk.
//   - No type on the path has been merged or bound since. Otherwise the later walk could end sooner. So all types on the path
//     must be unmerged; they are watched, and everything is forgotten when one of them is bound.
//   - The first walk did not return to a pair before the start of the later walk. It stopped there, since it had met that pair,
//     but the later walk would continue.
//   - If the first walk passed a declaration on the canonical side, the declaration was bound, and its definition is watched. A
//     declaration that is not bound may get a definition later. Then nothing is remembered.
//
// A walk may also stop at a pair that is known to differ, if it has met none of the canonical types of the failed walks: from
// there on, it would repeat what they did. A chain therefore costs one walk, whichever of its structs is compared first.
//
// After a successful walk without the tolerance, all pairs that it met are equal, and stay so, if the merge has bound all their
// structs and unions. Their typedefs are not compared again: a merge would change nothing.
//
// Only long paths are remembered. For short ones, remembering costs more than it saves.

// longPath is the number of pairs from which on a path is remembered.
const longPath = 24

// maxKnown bounds the number of remembered pairs. When it is reached, they are forgotten, which only costs time.
const maxKnown = 1 << 20

// known holds what earlier comparisons have shown.
type known struct {
	longPath int
	differ   map[pair]bool
	watched  []uint64          // a bit for each unmerged type that, when it is merged, clears differ; nil if differ is empty
	met      []uint64          // a bit for each canonical type that the walks recorded in differ have met; nil if there are none
	equal    map[uint32]uint32 // by typedef: the typedef that it equals

	// The current comparison:
	path     []pair   // its path, the deepest pair first
	turned   []uint32 // canonical types of pairs that were met again
	ends     []uint32 // definitions of bound declarations on the canonical side
	tolerant bool     // it used identical
	unbound  bool     // it met an unbound declaration on the canonical side
	crossed  bool     // it met a canonical type that a walk recorded in differ has met
	short    bool     // it ended at a pair that is known to differ
}

func (k *known) begin() {
	k.path, k.turned, k.ends, k.tolerant, k.unbound = k.path[:0], k.turned[:0], k.ends[:0], false, false
	k.crossed, k.short = false, false
}

// bind maps a type to another. If the type is watched, what is known to differ is forgotten.
func (e *engine) bind(id, to uint32) {
	e.m[id] = to
	e.moved = e.moved || id < e.first
	if e.watched != nil && has(e.watched, id) && id != to {
		e.forget()
	}
}

// forget forgets what is known to differ.
func (k *known) forget() {
	k.differ, k.watched = nil, nil
	clear(k.met)
}

// endsAt reports whether the comparison can stop at a pair because it is known to differ.
func (k *known) endsAt(x, y uint32) bool {
	if k.met[y/64]>>(y%64)&1 == 0 {
		return false
	}
	k.short = !k.crossed && k.differ[pair{x, y}]
	k.crossed = true
	return k.short
}

// learnFailed remembers what a failed comparison has shown.
func (e *engine) learnFailed() {
	n := len(e.path)
	if n < e.longPath && !e.short || e.tolerant || e.unbound || e.jumped {
		return
	}
	if len(e.differ) >= maxKnown {
		e.differ, e.watched = nil, nil
	}
	size := (len(e.hyp) + 63) / 64
	if e.differ == nil {
		e.differ, e.watched = make(map[pair]bool), make([]uint64, size)
	}
	if e.met == nil {
		e.met = make([]uint64, size)
	}
	for _, y := range e.hypo {
		e.met[y/64] |= 1 << (y % 64)
	}
	first := e.frontmost()
	for i, p := range e.path {
		if !e.alone(p.x) || !e.alone(p.y) {
			break
		}
		e.watched[p.x/64] |= 1 << (p.x % 64)
		e.watched[p.y/64] |= 1 << (p.y % 64)
		if i >= first && e.m[p.x] == unset && isComposite(e.rec(p.x).Kind()) {
			e.differ[p] = true
		}
	}
	for _, id := range e.ends {
		e.watched[id/64] |= 1 << (id % 64)
	}
}

// frontmost returns the index in path of the first pair that may be remembered. Deeper pairs come before it. If the walk returned to
// pairs of the path, it is the one of them that is nearest to the start; otherwise it is 0.
func (e *engine) frontmost() int {
	if len(e.turned) == 0 {
		return 0
	}
	at := make(map[uint32]int, len(e.path)) // by canonical side
	for i, p := range e.path {
		at[p.y] = i
	}
	first := 0
	for _, id := range e.turned {
		if i, ok := at[id]; ok {
			first = max(first, i)
		}
	}
	return first
}

// alone reports whether a type has not been merged with another.
func (e *engine) alone(id uint32) bool { return e.m[id] == unset || e.survives(id) }

func isComposite(k btf.Kind) bool {
	return btf.Composites.Has(k) || k == btf.KindTypedef
}

// learnEqual remembers what a successful comparison has shown, after its merge.
func (e *engine) learnEqual() {
	if len(e.hypo) < e.longPath || e.tolerant || e.adjust {
		return
	}
	for _, k := range e.hypo {
		t := e.canon(e.hyp[k])
		if e.m[t] == unset && btf.Composites.Has(e.kind(t)) {
			return
		}
	}
	for _, k := range e.hypo {
		if t := e.hyp[k]; e.m[t] == unset && e.kind(t) == btf.KindTypedef {
			if e.equal == nil {
				e.equal = make(map[uint32]uint32)
			}
			e.equal[t] = k
		}
	}
}
