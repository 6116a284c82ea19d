package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// loneForwards is phase 4: a declaration that is still canonical is bound to the only struct or union of its name, if its kind
// matches (rule 03/10).
func (e *engine) loneForwards() {
	own := lone{} // by name of a declaration; 0 until a definition is found
	for id := e.first; id < e.end; id++ {
		if e.m[id] == id && e.rec(id).Kind() == btf.KindFwd {
			own[e.rec(id).Name()] = 0
		}
	}
	if len(own) == 0 {
		return
	}
	e.nameOwn(own)
	for id := e.first; id < e.end; id++ {
		if e.m[id] != id || e.rec(id).Kind() != btf.KindFwd {
			continue
		}
		r := e.rec(id)
		if c := own[r.Name()]; c != 0 && c != ambiguous && e.rec(c).Kind() == r.FwdKind() {
			e.m[id] = c
			e.stats.Forwards++
		}
	}
}

// nameOwn finds the structs and unions with the names in own, including those of the base.
func (e *engine) nameOwn(own lone) {
	switch {
	case e.sparse != nil:
		e.sparse.nameInto(own)
	case e.base != nil:
		e.base.nameInto(own)
	}
	for id := e.first; id < e.end; id++ {
		if e.m[id] != id {
			continue
		}
		r := e.rec(id)
		if !btf.Composites.Has(r.Kind()) {
			continue
		}
		switch c, wanted := own[r.Name()]; {
		case !wanted:
		case c == 0:
			own[r.Name()] = id
		default:
			own[r.Name()] = ambiguous
		}
	}
}
