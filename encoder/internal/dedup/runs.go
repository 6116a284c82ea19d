package dedup

// Pointers and qualifiers are not merged before phase 5, so that each comparison walks them again. Of n structs that all lead into one
// chain of n of them, that makes n*n steps. But what a walk through such a chain does is always the same, up to the pair of types at its
// end: it records a hypothesis for each of its pairs, which no merge needs. So a long chain that was walked once is jumped over. It counts
// as if its hypotheses were recorded. Where the types of one side come up with others than those of the chain, that would have to be
// known, and the comparison is done once more, without jumps. What is known to differ (known.go) rests on which types were met: a comparison
// that jumps adds nothing to that, and does not end by it.

// longRun is how long a chain must be to be jumped over.
const longRun = 256

// A link is a place in a chain that was walked, by its canonical side.
type link struct {
	cand uint32 // the other side
	end  pair   // what the chain leads to
}

// runs are chains of which a walk has shown that both sides have the same links.
type runs struct {
	longRun int
	links   map[uint32]link
	jumped  bool // in the comparison at hand
	barred  bool // no jumps in the comparison at hand
	redo    bool // it has jumped, and should not have
}

// jump compares what a chain leads to that was walked from this pair on, for which the hypothesis is recorded; known is false where none
// was.
func (e *engine) jump(cand, canon uint32) (ok, known bool) {
	l, found := e.links[canon]
	switch {
	case !found || e.barred:
		return false, false
	case l.cand != cand:
		e.barred, e.redo = true, e.jumped
		return false, e.redo
	}
	e.jumped, e.crossed = true, true
	return e.same(l.end.x, l.end.y), true
}

// compared is same from the start of a comparison on.
func (e *engine) compared(cand, canon uint32) bool {
	e.clearHypotheses()
	ok := e.same(cand, canon)
	if e.redo && e.err == nil {
		e.work += len(e.hypo)
		e.clearHypotheses()
		e.barred = true
		ok = e.same(cand, canon)
	}
	if len(e.hypo) >= e.longRun {
		e.learnRuns()
	}
	return ok
}

// learnRuns remembers the chains among the pairs that a comparison has met.
func (e *engine) learnRuns() {
	for i := 0; i < len(e.hypo); {
		n, end := e.run(e.hypo[i:])
		if n >= e.longRun {
			if e.links == nil {
				e.links = make(map[uint32]link)
			}
			for _, canon := range e.hypo[i : i+n] {
				e.links[canon] = link{e.hyp[canon], end}
			}
		}
		i += max(n, 1)
	}
}

// run is how many pairs at the start of hypo are a chain, and what that leads to.
func (e *engine) run(hypo []uint32) (n int, end pair) {
	for _, canon := range hypo {
		cand := e.hyp[canon]
		if n > 0 && end != (pair{cand, canon}) {
			break
		}
		a, b := e.rec(cand), e.rec(canon)
		if !links.Has(a.Kind()) {
			return n, end
		}
		if a[0] != b[0] || a[1] != b[1] {
			break
		}
		n, end = n+1, pair{a[2], b[2]}
	}
	return n, end
}
