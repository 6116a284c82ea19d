//go:build !amd64 || purego

package btf

// walkFast is walk. For amd64 it is in assembler code.
func walkFast(words []uint32, table *[128]uint64, lengths []uint8, blocks []uint32) (n, end int) {
	return walk(words, table, lengths, blocks)
}
