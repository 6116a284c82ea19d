package btf

import (
	"encoding/binary"
	"unsafe"
)

// Large hash tables cost memory accesses rather than instructions: their slots are in no cache, and the address of each access follows from
// the one before. Two things make that cheaper, here and in the rooms that have such tables.
//
// Prefetching: a function called prefetch goes over a batch of keys before the function that does the work, and reads the places where the
// work will start, in a loop that does nothing else. These reads do not depend on each other, so the processor waits for many of them at
// once, and the work finds its data in the cache. Batches are small (atOnce), so that the data is still there. A prefetch returns or keeps a
// sum of what it read, which nobody uses: without it the compiler would remove the reads. Looking up all strings of a kernel takes half
// the time this way.
//
// Prefaulting: see Prefault.

// Prefault writes to every page of a table that was just allocated, and returns it. A page of fresh memory that is read first, as the
// slots of a hash table are, costs two faults: one that maps a page of zeros, and one that replaces it at the first write and interrupts
// the other processors to tell them.
func Prefault[T any](table []T) []T {
	const page = 4096
	var zero T
	step := max(1, page/max(1, int(unsafe.Sizeof(zero))))
	for i := 0; i < len(table); i += step {
		table[i] = zero
	}
	return table
}

// sharedWords is words without a copy, if the machine can read the words where they are.
func sharedWords(data []byte, order binary.ByteOrder) []uint32 {
	n := len(data) / 4
	if n == 0 || !native(order) || uintptr(unsafe.Pointer(unsafe.SliceData(data)))%4 != 0 {
		return words(data, order)
	}
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(data))), n)[:n:n]
}

// native reports whether a byte order is that of the machine.
func native(order binary.ByteOrder) bool {
	return binary.NativeEndian.Uint16([]byte{1, 0}) == order.Uint16([]byte{1, 0})
}

// bytesOf returns the bytes of words as the machine stores them.
func bytesOf(words []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 4*len(words))
}
