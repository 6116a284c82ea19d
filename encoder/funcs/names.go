package funcs

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Functions are emitted in the order of their base names, bytewise. Only those that DWARF has are sorted, by eight bytes of the
// name at a time, as numbers: names of a kernel come in families, whose first bytes are alike. Where many bytes are alike, the
// names are compared as they are, which keeps a table of very long names from costing more than its bytes.

// A nameKey sorts an entry by the eight bytes of its base name at which the sort stands.
type nameKey struct {
	bytes uint64 // big endian, so that numbers compare as the bytes do
	entry int32
}

// deep is where the sort goes over to comparing names.
const deep = 32

// sortByName sorts entries by their base names.
func (t *Table) sortByName(entries []int32) {
	keys := make([]nameKey, len(entries))
	for i, e := range entries {
		keys[i].entry = e
	}
	t.sortFrom(keys, 0)
	for i, k := range keys {
		entries[i] = k.entry
	}
}

// sortFrom sorts keys whose names are equal before the byte at depth.
func (t *Table) sortFrom(keys []nameKey, depth int) {
	if depth >= deep {
		slices.SortFunc(keys, func(a, b nameKey) int { return bytes.Compare(t.Base(a.entry)[depth:], t.Base(b.entry)[depth:]) })
		return
	}
	for i := range keys {
		keys[i].bytes = prefix(t.Base(keys[i].entry)[depth:])
	}
	slices.SortFunc(keys, func(a, b nameKey) int { return cmp.Compare(a.bytes, b.bytes) })
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j].bytes == keys[i].bytes {
			j++
		}
		if j-i > 1 { // names differ, so that none of these has ended
			t.sortFrom(keys[i:j], depth+8)
		}
		i = j
	}
}

// prefix is the first eight bytes of a name, as many as there are.
func prefix(name []byte) uint64 {
	if len(name) >= 8 {
		return binary.BigEndian.Uint64(name)
	}
	var b [8]byte
	copy(b[:], name)
	return binary.BigEndian.Uint64(b[:])
}
