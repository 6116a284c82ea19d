package dedup

// The problem: pointers and qualifiers are not merged before phase 5, so every comparison walks through them again. If n structs
// lead into one chain of n pointers, this takes n*n steps.
//
// The idea: a walk through such a chain always does the same, up to the pair of types at its end. It records a hypothesis for
// each pair, and merge ignores these. So after one walk, a long chain is remembered, and later walks jump to its end as if they
// had recorded the hypotheses. If a walk that has jumped meets a type of the chain paired with a different type, the missing
// hypotheses would matter, and the comparison is repeated without jumps.
//
// What is known to differ (known.go) depends on all types that a walk meets. A walk that jumps neither adds to that nor uses it.

// longRun is the number of pairs from which on a chain is remembered.
const longRun = 256

// A link is one pair of a remembered chain. The map runs.links has it under its canonical type.
type link struct {
	cand uint32 // the candidate
	end  pair   // the pair at the end of the chain
}

// runs holds the chains that a walk has compared.
type runs struct {
	longRun int
	links   map[uint32]link
	jumped  bool // the current comparison has jumped
	barred  bool // the current comparison must not jump
	redo    bool // it has jumped, and must be repeated without jumps
}

// jump continues at the end of a chain if this pair, whose hypothesis has just been recorded, is part of a remembered one.
// Otherwise known is false.
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

// compared runs one comparison from its start.
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

// learnRuns remembers the chains among the pairs of a comparison.
func (e *engine) learnRuns() {
	for i := 0; len(e.hypo)-i >= e.longRun; {
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

// run returns the number of pairs at the start of hypo that form a chain, and the pair at its end.
func (e *engine) run(hypo []uint32) (n int, end pair) {
	for _, canon := range hypo {
		cand := e.hyp[canon]
		if n > 0 && end != (pair{cand, canon}) {
			break
		}
		if !links.Has(e.kind(cand)) {
			return n, end
		}
		a, b := e.rec(cand), e.rec(canon)
		if a[0] != b[0] || a[1] != b[1] {
			break
		}
		n, end = n+1, pair{a[2], b[2]}
	}
	return n, end
}
