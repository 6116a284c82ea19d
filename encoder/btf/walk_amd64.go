//go:build amd64 && !purego

package btf

// walkFast is walk, which goes over all types of a base for each module; the compiler needs twice the instructions. TestWalk compares the two.
func walkFast(words []uint32, table *[128]uint64, lengths []uint8) (n, end int) {
	if len(words) < recordWords {
		return 0, 0
	}
	_ = lengths[:len(words)/recordWords] // no table has more records
	return walkRecords(words, table, lengths)
}

// walkRecords is walk for at least one record, and lengths for as many as the words may have.
//
//go:noescape
func walkRecords(words []uint32, table *[128]uint64, lengths []uint8) (n, end int)
