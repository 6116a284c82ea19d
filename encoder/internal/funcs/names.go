package funcs

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
)

// Functions are emitted in the order of their base names, bytewise. Only those that DWARF has are sorted, by eight bytes of the
// name at a time, as numbers: names of a kernel come in families, whose first bytes are alike. The first eight bytes of all of
// them are sorted by digits, which looks at no two names together. Where many bytes are alike, the names are compared as they
// are, which keeps a table of very long names from costing more than its bytes.

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
		keys[i] = nameKey{t.prefix(e, 0), e}
	}
	sortDigits(keys)
	t.sortRuns(keys, 8)
	for i, k := range keys {
		entries[i] = k.entry
	}
}

// sortDigits sorts keys by their bytes, from the last one to the first, stably.
func sortDigits(keys []nameKey) {
	to := make([]nameKey, len(keys))
	for shift := 0; shift < 64; shift += 8 {
		var start [257]uint32 // by digit + 1: how many keys have it; then where those with the digit go
		for i := range keys {
			start[int(byte(keys[i].bytes>>shift))+1]++
		}
		for d := 1; d < len(start); d++ {
			start[d] += start[d-1]
		}
		for i := range keys {
			at := &start[byte(keys[i].bytes>>shift)]
			to[*at] = keys[i]
			*at++
		}
		keys, to = to, keys
	}
}

// sortRuns sorts on, from the byte at depth, where keys are equal.
func (t *Table) sortRuns(keys []nameKey, depth int) {
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j].bytes == keys[i].bytes {
			j++
		}
		if j-i > 1 { // the names differ, so that none of them has ended
			t.sortFrom(keys[i:j], depth)
		}
		i = j
	}
}

// sortFrom sorts keys whose names are equal before the byte at depth.
func (t *Table) sortFrom(keys []nameKey, depth int) {
	if depth >= deep {
		slices.SortFunc(keys, func(a, b nameKey) int { return bytes.Compare(t.Base(a.entry), t.Base(b.entry)) })
		return
	}
	for i := range keys {
		keys[i].bytes = t.prefix(keys[i].entry, depth)
	}
	slices.SortFunc(keys, func(a, b nameKey) int { return cmp.Compare(a.bytes, b.bytes) })
	t.sortRuns(keys, depth+8)
}

// prefix is eight bytes of an entry's base name, which does not end before depth; those behind its end are zero. It takes no
// branch, so that the places of many names are waited for at once.
func (t *Table) prefix(i int32, depth int) uint64 {
	const ones, dots = 0x0101010101010101, 0x2e2e2e2e2e2e2e2e
	v := t.syms.Eight(uint64(t.names[i]) + uint64(depth))
	// The high bit of every byte that is not zero, once for the bytes themselves, once for their difference from a dot.
	inside := (v&(0x7f*ones) + 0x7f*ones | v) & ((v^dots)&(0x7f*ones) + 0x7f*ones | v ^ dots)
	n := bits.LeadingZeros64(^inside & (0x80 * ones)) // of the name, in bits; 64 when it goes on
	return v &^ (^uint64(0) >> n)
}
