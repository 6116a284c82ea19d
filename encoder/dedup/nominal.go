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
	voidHash               = Hash{rand.Uint64() | 1, rand.Uint64()}
)

// element is the hash of a type, begun in h, with one more part: two words of its own, and what it refers to. A product of two
// 64-bit factors is folded to 64 bits, in each lane with another key. (A factor of 0 would lose the other one; that a hash equals its
// key is as unlikely as that two hashes collide.)
func (h Hash) element(v uint64, ref Hash) Hash {
	return Hash{fold(h.A^v^keyA, ref.A), fold(h.B^v^keyB, ref.B)}
}

// plain stands for a reference where there is none, but a number.
func plain(v uint32) Hash { return Hash{uint64(v) ^ keyC, uint64(v) ^ keyD} }

// nameHash is what a reference to a named struct, union or enum contributes.
func nameHash(name uint32, group int) Hash {
	v := uint64(name)<<3 | uint64(group)<<1 | 1
	return Hash{v * keyC, v * keyD}
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
	ref       []Hash // by local id: what a reference to the type contributes; A is 0 where that is not known yet
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
	c.ref = resize(c.ref, n)
	clear(c.ref)
	c.irregular, c.depth = false, 0
	class[0], c.ref[0] = voidHash, voidHash
	for _, id := range named {
		r := t.At(btf.ID(id))
		g, _ := groupOf(r)
		c.ref[id] = nameHash(r[0], g)
	}
	for id := 1; id < n; id++ {
		if c.ref[id].A == 0 {
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
	if h := c.ref[id]; h.A != 0 {
		return h
	}
	if c.depth++; c.depth > maxChain || c.irregular {
		c.irregular = true
		return Hash{}
	}
	h := c.content(t, t.At(btf.ID(id)))
	c.depth--
	if h.A == 0 {
		h.A = 1
	}
	c.ref[id] = h
	return h
}

// content hashes a record. The index type of an array is the same for all arrays of an image and stays out.
func (c *Classes) content(t *btf.Table, r btf.Record) Hash {
	h, head := Hash{keyC, keyD}, uint64(r[0])<<32|uint64(r[1])
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		return c.members(t, h.element(head, plain(r[2])), r[3:])
	case btf.KindFuncProto:
		h = h.element(head, c.reference(t, r[2]))
		for at := 3; at+1 < len(r); at += 2 {
			h = h.element(uint64(r[at]), c.reference(t, r[at+1]))
		}
	case btf.KindArray:
		h = h.element(head|uint64(r[5])<<32, c.reference(t, r[3])) // an array has no name
	case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64:
		h = h.element(head, plain(r[2]))
		for w := r[3:]; len(w) > 0; {
			v := uint64(w[0]) << 32
			if w = w[1:]; len(w) > 0 {
				v |= uint64(w[0])
				w = w[1:]
			}
			h = h.element(v, plain(0))
		}
	default:
		h = h.element(head, c.reference(t, r[2]))
	}
	return h
}

// members continues the hash of a struct or union with its members, three words each.
func (c *Classes) members(t *btf.Table, h Hash, w []uint32) Hash {
	refs := c.ref
	for ; len(w) >= 3; w = w[3:] {
		ref := refs[w[1]]
		if ref.A == 0 {
			ref = c.reference(t, w[1])
		}
		h = h.element(uint64(w[0])<<32|uint64(w[2]), ref)
	}
	return h
}
