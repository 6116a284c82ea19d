package funcs

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
)

// Functions are emitted in bytewise order of their base names.
//
// The problem: names of a kernel come in families with long common prefixes, so comparing two names touches memory often, and a
// kernel has tens of thousands. The idea: sort by eight bytes of the name at a time, as numbers. The first eight bytes are sorted
// digit by digit, which compares no two names. Runs that are equal there are sorted by the next eight bytes, and so on. After
// many equal bytes (deep), names are compared directly, which keeps the cost of very long names proportional to their length.
// Only functions that occur in DWARF are sorted.

// A nameKey is an entry with the eight bytes of its base name that are being sorted.
type nameKey struct {
	bytes uint64 // big endian: numbers compare like the bytes
	entry int32
}

// deep is the number of equal bytes after which names are compared directly.
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

// sortDigits sorts keys by their bytes, from the last byte to the first. It is stable.
func sortDigits(keys []nameKey) {
	to := make([]nameKey, len(keys))
	for shift := 0; shift < 64; shift += 8 {
		var start [257]uint32 // by digit + 1: the number of keys with it; then the position of the next key with the digit
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

// sortRuns sorts runs of equal keys by the bytes from depth on.
func (t *Table) sortRuns(keys []nameKey, depth int) {
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j].bytes == keys[i].bytes {
			j++
		}
		if j-i > 1 { // the names differ, so none of them ends here
			t.sortFrom(keys[i:j], depth)
		}
		i = j
	}
}

// sortFrom sorts keys whose names are equal up to the byte at depth.
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

// prefix returns eight bytes of an entry's base name from depth on, which is not past its end; bytes after the end are zero. It
// has no branches, so the memory accesses for many names overlap.
func (t *Table) prefix(i int32, depth int) uint64 {
	const ones, dots = 0x0101010101010101, 0x2e2e2e2e2e2e2e2e
	v := t.syms.Eight(uint64(t.names[i]) + uint64(depth))
	// The high bit of every byte that is neither zero nor a dot.
	inside := (v&(0x7f*ones) + 0x7f*ones | v) & ((v^dots)&(0x7f*ones) + 0x7f*ones | v ^ dots)
	n := bits.LeadingZeros64(^inside & (0x80 * ones)) // length of the name in bits; 64 if it continues
	return v &^ (^uint64(0) >> n)
}
