package btf

import "encoding/binary"

// Pad extends finished BTF to the size that a linker reserved for it. A kernel takes the whole reserved space for BTF, so the string
// section, which comes last, is extended with zeros to the end. BTF that is at least that long, or too short for a header, is
// returned unchanged.
func Pad(wire []byte, order binary.ByteOrder, size uint64) []byte {
	if uint64(len(wire)) >= size || len(wire) < HeaderLen {
		return wire
	}
	const strLen = 20 // offset of the length of the strings in the header
	more := uint32(size - uint64(len(wire)))
	out := make([]byte, size)
	copy(out, wire)
	order.PutUint32(out[strLen:], order.Uint32(out[strLen:])+more)
	return out
}
