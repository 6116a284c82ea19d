// Package nominal computes the hashes by which the encoder recognises types that it has already seen.
//
// Input: the words of types, with the hashes of the types that they refer to. Output: their classes. Never: the package keeps no
// state.
//
// The problem: in a kernel, 99 of 100 types are exact repeats of a type of an earlier CU. They should be recognised before any
// record of them is made. A hash of everything that can be reached from a type does not help: nearly every CU defines and
// declares a different mixture of structs, so nearly every CU would have its own hashes.
//
// The idea: stop at names. The nominal class of a type is a hash of its content in which a reference to a named struct, union or
// enum contributes only the kind and the name, whether the CU defines or only declares it. Every cycle of C types passes such a
// name, so one bottom-up pass over a CU computes all classes (rule 03/18.2).
//
// Two types of one class are equal as long as the names in them mean the same. dedup/classtable.go finds the names with more than
// one meaning, and leaves the types that reach them to the exact engine.
package nominal

import (
	"math/bits"
	"math/rand/v2"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A LocalID is the number of a type within one CU: 1 and up in the order of its table; 0 is void. In the BTF object the type has
// another id, a btf.ID.
type LocalID uint32

// A Hash is 96 bits. Its keys are random and differ from process to process, so no image can cause collisions on purpose. Hashes
// never reach the output. The zero value means "not known".
type Hash struct {
	A uint64
	B uint32
}

// An Entry is what a CU knows of one of its types: the hash, and the place of the DIE. Whoever follows a reference reads the place,
// to see whether the type is the right one, and the hash. They share 16 bytes, so that both are loaded together.
type Entry struct {
	A   uint64
	B   uint32
	Off uint32 // offset of the DIE in the unit, the same for all dimensions of an array; 0 for a type to which no offset leads
}

// Hash returns the hash of the type.
func (e *Entry) Hash() Hash { return Hash{e.A, e.B} }

// Set sets the hash of the type.
func (e *Entry) Set(h Hash) { e.A, e.B = h.A, h.B }

// Known reports whether the hash of the type is known.
func (e *Entry) Known() bool { return e.A != 0 }

var (
	keyA, keyC, keyD = rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1
	keyB             = rand.Uint32()
)

// Void is the contribution of a reference to void.
var Void = Hash{rand.Uint64() | 1, rand.Uint32()}

// Begin returns the hash of a type that starts with the two words of v (name; kind and flags) and refers to ref.
func Begin(v uint64, ref Hash) Hash { return Hash{keyA, keyB}.Element(v, ref) }

// Element continues the hash h of a type with one more part: two words, and the contribution of the type that it refers to. Two
// 64-bit factors that an image cannot know are multiplied. A is the product, folded to 64 bits. B collects a part of the product that
// A does not show by itself: two products that fold to the same A still differ in B, and later parts cannot undo that by chance more
// often than in one of 2^32 cases. (A factor of 0 would lose the other one. It is as improbable as a collision.)
func (h Hash) Element(v uint64, ref Hash) Hash {
	hi, lo := bits.Mul64(h.A^v, ref.A)
	return Hash{hi ^ lo, bits.RotateLeft32(h.B, 13) + ref.B ^ uint32(hi)}
}

// Known reports whether h is the hash of a type.
func (h Hash) Known() bool { return h.A != 0 }

// Plain wraps a number that stands in the place of a reference.
func Plain(v uint32) Hash { return Hash{uint64(v) ^ keyC, v} }

// A Group is a name space for the names of structs, unions and enums.
type Group uint8

// The groups.
const (
	Struct Group = iota
	Union
	Enum
	None
)

// GroupOf returns the group of a record, and whether the record is only a declaration: a FWD, or an enum without values.
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
	return Hash{v * keyC, uint32(v * keyD >> 32)}
}

// Fold mixes two words.
func Fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
