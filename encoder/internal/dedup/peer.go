package dedup

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// identicalArrays is rule 03/8.1: for two arrays of one CU, only name, info, size word and element count are compared. The element types
// are ignored.
func (e *engine) identicalArrays(a, b btf.Record) bool {
	alike := a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[5] == b[5]
	if alike && e.peer.Has(rules.IdenticalArrays) {
		e.doubtElements(a[3], b[3])
		return true
	}
	return alike && a[3] == b[3] && a[4] == b[4]
}

// baseTypedefSignature is rule 03/11: the signature of a typedef in the base includes its target, and that of a split typedef does not. They
// are therefore never equal.
func baseTypedefSignature(r btf.Record) uint64 { return hashWords(r) ^ baseTypedefMark }

const baseTypedefMark = 0x5bd1e9955bd1e995
