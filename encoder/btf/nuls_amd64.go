package btf

// nuls returns a bit for each byte of a block that is NUL, the lowest for the first. Every amd64 processor has the instructions.
//
//go:noescape
func nuls(block *[64]byte) uint64
