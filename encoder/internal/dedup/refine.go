package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// A list can grow long: each of n units has a struct of one name with a member of one name, but of another type, or a struct without a name
// nests n levels deep. To try each type against all before it costs n*n comparisons. So a list that turned out to be long is divided by
// what signatures leave out.
//
// The content of a type is a hash of what all types have in common that a comparison can find equal, however it goes: of what it leads to
// up to the next name of a struct, union or enum, all but what arrays are of, which the tolerance for copies does not look at. (So it
// says less than a nominal class.) Types of different contents are never equal, so that dividing a list takes nothing out of it that could have been chosen, and
// the order of the others stays.

// A list is divided once longList of its candidates were tried for one type, or comparisons that failed have looked at longWalk types
// for it.
const (
	longList = 24
	longWalk = 1 << 12
)

// Contents of types that have none to compute.
const (
	pendingContent = 0 // is being computed
	cyclicContent  = 1 // leads to itself without a name in between, which no type of another content does
	otherContent   = 2
)

// divided in place of the head of a list says that its types are in the lists of their contents.
const divided = unset

// refined is the signature of a type in a list that is divided.
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

// content is what a reference to a type says.
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

// compute is content for a type without a name that leads to others.
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
	for c := e.c.find(sig).head; c != 0; c = e.c.next[c] {
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
