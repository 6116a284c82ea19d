package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// What comparisons have shown need not be shown again. To the letter, each struct and typedef is compared by walking all that it leads
// to. Of a chain of n structs that a second unit has too, but with another end, each link is compared and each comparison walks to the
// end: n*n/2 steps. Of typedefs that is so even where the chains are equal, since only structs and unions are merged before their turn.
//
// A comparison that failed shows more than that. On the way to where it failed, each pair differs. It still does when its turn comes,
// with a walk that starts there, if that walk takes no step that the first one did not take, and if no step is cut short that was not:
//
//   - The first walk did not use the tolerance for copies (identical), so it met each type of the canonical side with one other type
//     only, and a walk that takes no other steps does not use it either.
//   - Types that are one stay one, so what was cut short because of that still is. What was not can be later, if one of its types is
//     merged or bound. So all types on the way are watched, and what is known is forgotten when one of them is. They must be unmerged.
//   - Other steps are taken if the walk comes to a pair on the way in front of its start, of which the rest was not looked at. The first
//     walk would have come there too, and turned back. So the start must not be behind such a pair.
//   - Where the canonical side was a forward that is bound, it still leads to the same type if that is watched. A forward that was not
//     bound yet may lead elsewhere later: then nothing is remembered.
//
// A walk that comes to a pair which is known to differ need not go on, either, if it has met no type of the canonical side that the walks
// which failed have met: from there on, it would do what they did. So a chain costs one walk, whichever link's turn is first.
//
// A comparison that succeeded without the tolerance shows that all pairs that it met are equal, whatever is merged later, if no struct
// or union was left over that the merge could not decide. Typedefs among them need not be compared, and a merge would change nothing.
//
// Only long ways are remembered: of others it would cost more than it spares.

// longPath is how many pairs a way must have to be remembered.
const longPath = 24

// maxKnown bounds how many pairs are remembered. Where there are more, they are forgotten, which costs time only.
const maxKnown = 1 << 20

// known is what comparisons have shown.
type known struct {
	longPath int
	differ   map[pair]bool
	watched  map[uint32]bool   // types that are merged with nothing; when one is, differ is forgotten
	met      []uint64          // a bit for each canonical side that the walks behind differ have met; nil as long as there are none
	equal    map[uint32]uint32 // by typedef: the one that it equals

	// Of the comparison at hand:
	path     []pair   // where it failed, from the deepest pair on
	turned   []uint32 // by canonical side: pairs that were met again
	ends     []uint32 // what bound forwards of the canonical side led to
	tolerant bool     // it asked identical
	unbound  bool     // it met a forward on the canonical side that is not bound
	crossed  bool     // it met what the walks behind differ have met
	short    bool     // it ended at a pair that is known to differ
}

func (k *known) begin() {
	k.path, k.turned, k.ends, k.tolerant, k.unbound = k.path[:0], k.turned[:0], k.ends[:0], false, false
	k.crossed, k.short = false, false
}

// bind merges or binds a type that has not been.
func (e *engine) bind(id, to uint32) {
	e.m[id] = to
	if len(e.watched) != 0 && e.watched[id] && id != to {
		e.differ, e.watched = nil, nil
		clear(e.met)
	}
}

// endsAt tells of a pair that the comparison has come to whether it need not go on.
func (k *known) endsAt(x, y uint32) bool {
	if k.met[y/64]>>(y%64)&1 == 0 {
		return false
	}
	k.short = !k.crossed && k.differ[pair{x, y}]
	k.crossed = true
	return k.short
}

// learnFailed remembers what a comparison that failed has shown.
func (e *engine) learnFailed() {
	n := len(e.path)
	if n < e.longPath && !e.short || e.tolerant || e.unbound || e.jumped {
		return
	}
	if e.differ == nil || len(e.differ) >= maxKnown {
		e.differ, e.watched = make(map[pair]bool), make(map[uint32]bool)
	}
	if e.met == nil {
		e.met = make([]uint64, (len(e.hyp)+63)/64)
	}
	for _, y := range e.hypo {
		e.met[y/64] |= 1 << (y % 64)
	}
	first := e.frontmost()
	for i, p := range e.path {
		if !e.alone(p.x) || !e.alone(p.y) {
			break
		}
		e.watched[p.x], e.watched[p.y] = true, true
		if i >= first && e.m[p.x] == unset && isComposite(e.rec(p.x).Kind()) {
			e.differ[p] = true
		}
	}
	for _, id := range e.ends {
		e.watched[id] = true
	}
}

// frontmost is the number, in path, of the deepest pair that the walk did not come back to from behind, nor to any pair in front of it.
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

// alone tells whether a type is merged with no other.
func (e *engine) alone(id uint32) bool { return e.m[id] == unset || e.m[id] == id }

func isComposite(k btf.Kind) bool {
	return btf.Composites.Has(k) || k == btf.KindTypedef
}

// learnEqual remembers what a comparison that succeeded has shown, once it has been merged.
func (e *engine) learnEqual() {
	if len(e.hypo) < e.longPath || e.tolerant || e.adjust {
		return
	}
	for _, k := range e.hypo {
		t := e.canon(e.hyp[k])
		if btf.Composites.Has(e.rec(t).Kind()) && e.m[t] == unset {
			return
		}
	}
	for _, k := range e.hypo {
		if t := e.hyp[k]; e.rec(t).Kind() == btf.KindTypedef && e.m[t] == unset {
			if e.equal == nil {
				e.equal = make(map[uint32]uint32)
			}
			e.equal[t] = k
		}
	}
}
