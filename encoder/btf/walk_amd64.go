//go:build amd64 && !purego

package btf

// walkFast is walk, which goes over all types of a base for each module; the compiler needs twice the instructions. TestWalk compares the two.
func walkFast(words []uint32, table *[128]uint64, lengths []uint8, blocks []uint32) (n, end int) {
	most := len(words) / recordWords
	if most == 0 {
		return 0, 0
	}
	return walkRecords(words, table, &lengths[:most][0], &blocks[:most/blockLen+1][0])
}

// walkRecords is walk for at least one record.
//
//go:noescape
func walkRecords(words []uint32, table *[128]uint64, lengths *uint8, blocks *uint32) (n, end int)
