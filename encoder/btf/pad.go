package btf

import (
	"encoding/binary"
	"slices"
)

// Pad makes finished BTF as long as the room that a linker reserved for it: a kernel takes all of that for BTF, so the string
// section, which comes last, is made longer until nothing is left. BTF that is as long or longer stays as it is, and so
// does what is too short for a header.
func Pad(wire []byte, order binary.ByteOrder, size uint64) []byte {
	if uint64(len(wire)) >= size || len(wire) < HeaderLen {
		return wire
	}
	const strLen = 20 // where the header has the length of the strings
	more := uint32(size - uint64(len(wire)))
	out := slices.Grow(slices.Clone(wire), int(more))[:size]
	order.PutUint32(out[strLen:], order.Uint32(out[strLen:])+more)
	return out
}
