package verify

import (
	"encoding/binary"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// longs are names that compilers give to integers that are as long as a pointer in every kernel.
var longs = []string{
	"long unsigned int", "long int", "unsigned long", "long", "unsigned long int", "long unsigned", "int long", "unsigned int long",
	"long int unsigned", "int unsigned long", "int long unsigned", "usize", "isize",
}

// headName is the name of a struct of two pointers that every kernel has.
const headName = "list_head"

// PointerSize returns the size of a pointer in the kernel of a blob, in bytes, and the name of the type that shows it. It returns 0 if no
// type does. The blob must not be split BTF, because the types in question are in its base. A blob that a kernel would refuse is read up to
// the error.
func PointerSize(blob []byte, order binary.ByteOrder) (size int, from string) {
	c := newChecker(blob, Options{Path: Vmlinux, Order: order})
	if c.header(nil) != nil {
		return 0, ""
	}
	_ = c.meta() // refused and later types are not in recs
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
