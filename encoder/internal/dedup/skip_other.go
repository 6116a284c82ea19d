//go:build !amd64 || purego

package dedup

// skipFast is skip. For amd64 it is in assembler code.
func skipFast(words []uint32, lengths []uint8, i, at int, of *[128]role, marked *names, open []uint64) (int, int) {
	return skip(words, lengths, i, at, of, marked, open)
}
