package cause

import (
	"cmp"
	"slices"
	"sort"
)

// staying marks the values that can keep their places when the others are moved so that all are sorted: a longest increasing sequence.
// There can be several. name returns the name of the i-th value; it decides between them, so that the choice is the same if the two sides
// are exchanged.
func staying(values []int32, name func(i int) string) []bool {
	marks := make([]bool, len(values))
	if slices.IsSorted(values) {
		for i := range marks {
			marks[i] = true
		}
		return marks
	}
	// As ranks, the values and their inverse are permutations: from old to new, and from new to old.
	byValue := make([]int32, len(values))
	for i := range byValue {
		byValue[i] = int32(i)
	}
	slices.SortStableFunc(byValue, func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
	at := 0
	for at < len(values)-1 && int(byValue[at]) == at {
		at++
	}
	if name(at) > name(int(byValue[at])) { // the first place at which the orders differ
		for r, stays := range increasing(byValue) {
			marks[byValue[r]] = stays
		}
		return marks
	}
	rank := make([]int32, len(values))
	for r, i := range byValue {
		rank[i] = int32(r)
	}
	return increasing(rank)
}

// increasing marks a longest increasing subsequence of distinct values.
func increasing[T cmp.Ordered](values []T) []bool {
	var tails []int // tails[n] is the index of the smallest last value among increasing sequences of n+1 values
	before := make([]int, len(values))
	for i, v := range values {
		n := len(tails)
		if n > 0 && values[tails[n-1]] > v {
			n = sort.Search(n, func(n int) bool { return values[tails[n]] > v })
		}
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	marks := make([]bool, len(values))
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = before[i] {
			marks[i] = true
		}
	}
	return marks
}
