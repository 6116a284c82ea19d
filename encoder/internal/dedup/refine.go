package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// The problem: the list of candidates for a signature can get long. For example, n units each have a struct s with a member m,
// whose type is different in each; or a struct without a name nests n levels deep. Comparing each type with all before it takes
// n*n comparisons. The idea: once a list turns out to be long, divide it by a finer hash, the content.
//
// The content of a type covers what types must have in common if a comparison may find them equal, whatever its hypotheses:
// everything that the type leads to, up to the next name of a struct, union or enum. It leaves out the element types of arrays,
// which identical ignores, so it covers less than the nominal class. Types with different contents are never equal. Dividing a
// list therefore removes no candidate that could be chosen, and keeps the order of the others.

// A list is divided when one type has been compared with longList of its candidates, or when failed comparisons of one type have
// visited longWalk types.
const (
	longList = 24
	longWalk = 1 << 12
)

// Contents that are not computed.
const (
	pendingContent = 0 // the computation is in progress
	cyclicContent  = 1 // the type leads to itself without a name in between; types of another content do not
	otherContent   = 2
)

// divided, as the head of a list, says that its types are in other lists, by their content.
const divided = unset

// refined returns the signature of a type in a divided list.
func (e *engine) refined(sig uint64, id uint32) uint64 {
	h := sig
	switch r := e.rec(id); r.Kind() {
	case btf.KindTypedef:
		h = mix(h, e.content(r[2]))
	case btf.KindEnum, btf.KindEnum64:
		h = mix(h, hashWords(r))
	default: // a struct or union
		for i := 4; i < len(r); i += 3 {
			h = mix(h, e.content(r[i]))
		}
	}
	return mix(h, otherContent)
}

// content returns what a reference to a type contributes.
func (e *engine) content(id uint32) uint64 {
	r := e.rec(id)
	k := r.Kind()
	switch k {
	case btf.KindFunc, btf.KindFuncProto:
	case btf.KindStruct, btf.KindUnion:
		if r[0] != 0 {
			return mix(uint64(r[0])+1, uint64(k))
		}
	case btf.KindFwd:
		return mix(uint64(r[0])+1, uint64(r.FwdKind()))
	case btf.KindEnum, btf.KindEnum64:
		if r[0] == 0 && !e.empties {
			return hashWords(r)
		}
		return mix(uint64(r[0])+1, uint64(btf.KindEnum))
	case btf.KindArray:
		return mix(uint64(r[1]), uint64(r[5]))
	case btf.KindInt, btf.KindFloat:
		return hashWords(r)
	default:
		if !btf.References.Has(k) {
			return otherContent
		}
	}
	if h, known := e.contents[id]; known {
		if h == pendingContent {
			return cyclicContent
		}
		return h
	}
	if e.depth++; e.depth > maxDepth {
		e.depth--
		e.err = errDepth
		return cyclicContent
	}
	e.work++
	if e.contents == nil {
		e.contents = make(map[uint32]uint64)
	}
	e.contents[id] = pendingContent
	h := e.compute(r)
	e.contents[id] = h
	e.depth--
	return h
}

// compute computes the content of a type without a name that refers to others.
func (e *engine) compute(r btf.Record) uint64 {
	h, from, step := mix(uint64(r[0])<<32|uint64(r[1]), otherContent), len(r), 1
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		h, from, step = mix(h, uint64(r[2])), 4, 3
		for i := 3; i < len(r); i += 3 {
			h = mix(h^uint64(r[i]), uint64(r[i+2]))
		}
	case btf.KindFuncProto:
		from, step = 4, 2
		for i := 3; i < len(r); i += 2 {
			h = mix(h, uint64(r[i]))
		}
		fallthrough
	default:
		c := e.content(r[2])
		if c == cyclicContent {
			return c
		}
		h = mix(h, c)
	}
	for ; from < len(r); from += step {
		c := e.content(r[from])
		if c == cyclicContent {
			return c
		}
		h = mix(h, c)
	}
	return max(h, otherContent+1)
}

// divide divides the list of a signature.
func (e *engine) divide(sig uint64) {
	var ids []uint32
	for c := e.c.find(sig).head; c != 0; c = *e.c.after(c) {
		ids = append(ids, c)
	}
	sigs := make([]uint64, len(ids))
	for i, id := range ids {
		sigs[i] = e.refined(sig, id)
	}
	if e.err != nil {
		return
	}
	e.c.find(sig).head = divided
	for i := len(ids) - 1; i >= 0; i-- {
		e.c.push(sigs[i], ids[i])
	}
}
