//go:build !amd64 || purego

package dwarf

// quick is quickly. For amd64 it is in assembler code.
func quick(low *[lowCodes]Abbrev, data []byte, pos, end int, kind RunKind, words *[quickWords]uint32, limits *bounds) (n, next int) {
	return quickly(low, data, pos, end, kind, words, limits)
}
