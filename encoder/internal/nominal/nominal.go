// Package nominal computes the hashes by which the encoder recognises types that it has already seen.
//
// Input: the words of types, with the hashes of the types that they refer to. Output: their classes. Never: the package keeps no state.
//
// Ninety-nine of a hundred types of a kernel are exact repeats of a type of an earlier CU. The nominal class of a type
// recognises them before anything is created: it is a hash of the type's content in which a reference to a named struct,
// union or enum contributes that kind and name only, whether it is defined or declared there. Cycles of C types always pass such a
// name, so one bottom-up pass over a CU does it. (Rule 03/18.2. Hashing what is reachable instead gives
// nearly every CU classes of its own, since each declares and defines another mixture.)
//
// Two types of one class are equal, except for the meaning of the names they mention. That is decided elsewhere (dedup/classtable.go): a
// name that stands for two things is found, and what reaches it is left to the exact engine.
package nominal

import (
	"math/bits"
	"math/rand/v2"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A LocalID is a type of one CU: 1 and up in the order of its table, 0 is void. In the object the type has another id, a btf.ID.
type LocalID uint32

// A Hash is 128 bits: two lanes with keys of their own. The keys are drawn per process, so that no image can be made to
// collide; nothing of a hash reaches the output. The zero value stands for one that is not known.
type Hash struct{ A, B uint64 }

var keyA, keyB, keyC, keyD = rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1

// Void is what a reference to no type contributes.
var Void = Hash{rand.Uint64() | 1, rand.Uint64()}

// Begin is the hash of a type that starts with the two words of v (name, kind and flags) and refers to ref.
func Begin(v uint64, ref Hash) Hash { return Hash{keyA, keyB}.Element(v, ref) }

// Element is the hash of a type, begun in h, with one more part: two words of its own, and what it refers to. A product of two
// 64-bit factors, neither of which an image knows, is folded to 64 bits, in each lane for itself. (A factor of 0 would lose the other
// one; that a hash equals the words of an image is as unlikely as that two hashes collide.)
func (h Hash) Element(v uint64, ref Hash) Hash {
	return Hash{Fold(h.A^v, ref.A), Fold(h.B^v, ref.B)}
}

// Known tells whether h is the hash of something.
func (h Hash) Known() bool { return h.A != 0 }

// Plain stands for a reference where there is none, but a number.
func Plain(v uint32) Hash { return Hash{uint64(v) ^ keyC, uint64(v) ^ keyD} }

// A Group is a name space of named types, as far as a reference is concerned.
type Group uint8

// The groups.
const (
	Struct Group = iota
	Union
	Enum
	None
)

// GroupOf is the group of a record, and whether it declares only: a FWD, or an enum without values.
func GroupOf(r btf.Record) (g Group, declares bool) {
	switch r.Kind() {
	case btf.KindStruct:
		return Struct, false
	case btf.KindUnion:
		return Union, false
	case btf.KindFwd:
		if r.FwdKind() == btf.KindUnion {
			return Union, true
		}
		return Struct, true
	case btf.KindEnum, btf.KindEnum64:
		return Enum, r.Vlen() == 0
	}
	return None, false
}

// Name returns the contribution of a reference to a named struct, union or enum, whether it is defined or declared.
func Name(name uint32, g Group) Hash {
	v := uint64(name)<<3 | uint64(g)<<1 | 1
	return Hash{v * keyC, v * keyD}
}

// Fold mixes two words.
func Fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
