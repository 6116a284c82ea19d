package dedup

import (
	"math/bits"
	"math/rand/v2"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Ninety-nine of a hundred types of a kernel are exact repeats of a type of an earlier CU. The nominal class of a type
// recognises them before anything is created: it is a hash of the type's content in which a reference to a named struct,
// union or enum contributes that kind and name only, be it defined or declared there. Cycles of C types always pass such a
// name, so one bottom-up pass over a CU does it. (Specification 03, section 18.2. Hashing what is reachable instead gives
// nearly every CU classes of its own, since each declares and defines another mixture.)
//
// Two types of one class are equal but for what the names they mention stand for. That is settled elsewhere (seen.go): a
// name that stands for two things is found, and what reaches it is left to the exact engine.

// A Hash is 128 bits: two lanes with keys of their own. The keys are drawn per process, so that no image can be made to
// collide; nothing of a hash reaches the output.
type Hash struct{ A, B uint64 }

var (
	keyA, keyB, keyC, keyD = rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1
	voidHash               = Hash{rand.Uint64(), rand.Uint64()}
)

func (h *Hash) word(v uint64) {
	h.A, h.B = fold(h.A^v, keyA), fold(h.B^v, keyB)
}

// element adds a part of a type: two words of its own and what it refers to. (A factor of 0 would lose the other one; that a
// hash equals its key is as unlikely as that two hashes collide.)
func (h *Hash) element(v uint64, ref Hash) {
	h.A, h.B = fold(h.A^v^keyA, ref.A^keyC), fold(h.B^v^keyB, ref.B^keyD)
}

func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// Groups of kinds that share a name space as far as a reference is concerned.
const (
	groupStruct = iota
	groupUnion
	groupEnum
	noGroup
)

// groupOf is the group of a record, and whether it declares only: a FWD, or an enum without values.
func groupOf(r btf.Record) (group int, declares bool) {
	switch r.Kind() {
	case btf.KindStruct:
		return groupStruct, false
	case btf.KindUnion:
		return groupUnion, false
	case btf.KindFwd:
		if r.Kflag() {
			return groupUnion, true
		}
		return groupStruct, true
	case btf.KindEnum, btf.KindEnum64:
		return groupEnum, r.Vlen() == 0
	}
	return noGroup, false
}

// Classes compute the nominal classes of one CU's types. They belong to one worker.
type Classes struct {
	ref       []Hash // by local id: what a reference to the type contributes
	done      []bool // ref is known
	irregular bool
	depth     int
}

const maxChain = 4096

// Compute returns the class of every type of a CU, whose references are local ids; [0] is void. named are the structs, unions and
// enums with a name. It uses the memory of buf.
// The result is nil when there is a cycle that passes no name, or too deep a chain: only the exact engine can take such a CU.
func (c *Classes) Compute(t *btf.Table, named []uint32, buf []Hash) []Hash {
	n := t.Len() + 1
	class := resize(buf, n)
	c.ref, c.done = resize(c.ref, n), resize(c.done, n)
	clear(c.done)
	c.irregular, c.depth = false, 0
	class[0], c.ref[0], c.done[0] = voidHash, voidHash, true
	for _, id := range named {
		r := t.At(btf.ID(id))
		g, _ := groupOf(r)
		h := Hash{keyC, keyD}
		h.word(uint64(r[0])<<8 | uint64(g) | 1<<63)
		c.ref[id], c.done[id] = h, true
	}
	for id := 1; id < n; id++ {
		if !c.done[id] {
			c.reference(t, uint32(id))
		}
	}
	copy(class[1:], c.ref[1:])
	for _, id := range named {
		class[id] = c.content(t, t.At(btf.ID(id)))
	}
	if c.irregular {
		return nil
	}
	return class
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// reference is what a reference to a type contributes.
func (c *Classes) reference(t *btf.Table, id uint32) Hash {
	if c.done[id] {
		return c.ref[id]
	}
	if c.depth++; c.depth > maxChain || c.irregular {
		c.irregular = true
		return Hash{}
	}
	h := c.content(t, t.At(btf.ID(id)))
	c.depth--
	c.ref[id], c.done[id] = h, true
	return h
}

// content hashes a record. The index type of an array is the same for all arrays of an image and stays out.
func (c *Classes) content(t *btf.Table, r btf.Record) Hash {
	h := Hash{keyC, keyD}
	h.word(uint64(r[0])<<32 | uint64(r[1]))
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		h.word(uint64(r[2]))
		for at := 3; at+2 < len(r); at += 3 {
			id := r[at+1]
			ref := c.ref[id]
			if !c.done[id] {
				ref = c.reference(t, id)
			}
			h.element(uint64(r[at])<<32|uint64(r[at+2]), ref)
		}
	case btf.KindFuncProto:
		h.element(0, c.reference(t, r[2]))
		for at := 3; at+1 < len(r); at += 2 {
			h.element(uint64(r[at]), c.reference(t, r[at+1]))
		}
	case btf.KindArray:
		h.element(uint64(r[5]), c.reference(t, r[3]))
	case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64:
		for _, w := range r[2:] {
			h.word(uint64(w))
		}
	default:
		h.element(0, c.reference(t, r[2]))
	}
	return h
}
