//go:build amd64 && !purego

package dedup

// skipFast is skip for the lengths of an Outline. A base has a hundred thousand types, of which skip passes over nearly all; the compiler needs
// twice the instructions. TestSkip compares the two.
//
//go:noescape
func skipFast(words []uint32, lengths []uint8, i, at int, of *[128]role, marked *names, open []uint64) (int, int)
