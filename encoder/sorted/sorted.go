package sorted

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A key is what a type is sorted by. The first eight bytes of the name nearly always decide, without reading the strings.
type key struct {
	prefix uint64
	id     btf.ID
}

// ByName returns a copy of the object with its own types sorted by name (rule 05/10). The strings are shared with o. Split objects that continue
// o do not continue the result and must be encoded again.
func ByName(o *btf.Object) *btf.Object {
	keys := order(o)
	ids := make([]uint32, o.Len()) // the new id of the type First+i
	for i, k := range keys {
		ids[k.id-o.First()] = uint32(o.First()) + uint32(i)
	}
	out := *o
	out.Table = btf.NewTable(o.First())
	out.Grow(o.Len(), o.WordCount())
	first, end := uint32(o.First()), uint32(o.End())
	for _, k := range keys {
		out.Append(o.At(k.id)...)
		out.Last().References(func(id *uint32) {
			if *id >= first && *id < end { // other ids are void or types of the base
				*id = ids[*id-first]
			}
		})
	}
	return &out
}

// IsByName reports whether the own types of an object are sorted by name. The order of types with equal names does not matter.
func IsByName(o *btf.Object) bool {
	var last []byte
	for _, r := range o.All() {
		n := name(o, r)
		if bytes.Compare(n, last) < 0 {
			return false
		}
		last = n
	}
	return true
}

// order returns the types in their new order, with their old ids.
func order(o *btf.Object) []key {
	keys := make([]key, 0, o.Len())
	for id, r := range o.All() {
		keys = append(keys, key{prefix(name(o, r)), id})
	}
	slices.SortFunc(keys, func(x, y key) int {
		if x.prefix != y.prefix {
			return cmp.Compare(x.prefix, y.prefix)
		}
		return cmp.Or(bytes.Compare(name(o, o.At(x.id)), name(o, o.At(y.id))), cmp.Compare(x.id, y.id))
	})
	return keys
}

// name returns the name of a type. It is empty if the offset is out of range.
func name(o *btf.Object, r btf.Record) []byte {
	s, _ := o.Strings.Get(r.Name())
	return s
}

// prefix returns a number that compares as the first eight bytes of a name do. Names contain no zero byte, so a shorter name comes
// first.
func prefix(name []byte) uint64 {
	var b [8]byte
	copy(b[:], name)
	return binary.BigEndian.Uint64(b[:])
}
