package verify

import (
	"encoding/binary"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// longs are integers that are as long as a pointer in every kernel, by the names that compilers give them.
var longs = []string{
	"long unsigned int", "long int", "unsigned long", "long", "unsigned long int", "long unsigned", "int long", "unsigned int long",
	"long int unsigned", "int unsigned long", "int long unsigned", "usize", "isize",
}

// headName is that of a struct of two pointers that every kernel has.
const headName = "list_head"

// PointerSize is the size of a pointer in the kernel that a blob is of, as far as its types tell, and the name of the type that tells.
// It is 0 when none does. The blob is no split BTF: the types that tell are in the base of one. What a kernel would refuse may be
// read as far as it goes.
func PointerSize(blob []byte, order binary.ByteOrder) (size int, from string) {
	c := newChecker(blob, Options{Path: Vmlinux, Order: order})
	if c.header(nil) != nil {
		return 0, ""
	}
	_ = c.meta() // what it refuses, and what follows, is not in recs
	for i := range c.recs {
		r := c.rec(c.firstID + uint32(i))
		switch {
		case r.kind == btf.KindInt && (r.third == 4 || r.third == 8) && slices.Contains(longs, c.text(r.name)):
			return int(r.third), c.text(r.name)
		case size == 0 && r.kind == btf.KindStruct && r.vlen == 2 && (r.third == 8 || r.third == 16) && c.text(r.name) == headName:
			size, from = int(r.third/2), headName
		}
	}
	return size, from
}
