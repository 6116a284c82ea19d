package btf

import "unsafe"

// Touch writes to every page of a table that was just allocated, and returns it. A page of fresh memory that is read first, as the
// slots of a hash table are, costs two faults: one that maps a page of zeros, and one that replaces it at the first write and stops
// the other processors to tell them.
func Touch[T any](table []T) []T {
	const page = 4096
	var zero T
	step := max(1, page/max(1, int(unsafe.Sizeof(zero))))
	for i := 0; i < len(table); i += step {
		table[i] = zero
	}
	return table
}
