//go:build !amd64

package btf

// nuls returns a bit for each byte of a block that is NUL, the lowest for the first.
func nuls(block *[64]byte) uint64 { return plainNuls(block) }
