package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// identicalArrays is rule 03/8.1: of two arrays of one CU only name, info, size word and element count are compared; the
// element types are in effect ignored.
func identicalArrays(a, b btf.Record) bool {
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[5] == b[5]
}

// baseTypedefSignature is rule 03/11: the peer's libbpf files the typedefs of a base under a signature that includes the
// target, and looks own typedefs up without it, so that they never meet.
func baseTypedefSignature(r btf.Record) uint64 { return hashWords(r) ^ baseTypedefMark }

const baseTypedefMark = 0x5bd1e9955bd1e995
