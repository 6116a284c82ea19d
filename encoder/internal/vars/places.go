package vars

import (
	"cmp"
	"slices"
)

// The problem: the section of every variable is looked up by address, sections can overlap, and an image can have as many
// sections as variables. The idea: cut the addresses into pieces wherever a section starts or ends, and give each piece the first
// section that covers it. A binary search then finds the piece.

// A span is a range of addresses.
type span struct {
	from, to uint64
	section  int
}

// cover cuts spans, of which the first counts where several overlap, into sorted pieces that do not overlap.
func cover(spans []span) []span {
	var cuts []uint64
	for _, s := range spans {
		if s.from < s.to {
			cuts = append(cuts, s.from, s.to)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	if len(cuts) == 0 {
		return nil
	}
	pieces := make([]span, len(cuts)-1)
	for i := range pieces {
		pieces[i] = span{cuts[i], cuts[i+1], none}
	}
	next := make([]int, len(pieces)+1) // by piece: it, or a later one, up to which all have their section
	for i := range next {
		next[i] = i
	}
	free := func(i int) int {
		for next[i] != i {
			next[i] = next[next[i]]
			i = next[i]
		}
		return i
	}
	for _, s := range spans {
		at, _ := slices.BinarySearch(cuts, s.from)
		if s.from >= s.to {
			continue
		}
		for i := free(at); i < len(pieces) && pieces[i].from < s.to; i = free(i) {
			pieces[i].section = s.section
			next[i] = i + 1
		}
	}
	return slices.DeleteFunc(pieces, func(s span) bool { return s.section == none })
}

const none = -1

// find returns the piece that covers an address, or nil.
func find(pieces []span, addr uint64) *span {
	if len(pieces) <= few {
		for i := range pieces {
			if p := &pieces[i]; addr >= p.from && addr < p.to {
				return p
			}
		}
		return nil
	}
	i, found := slices.BinarySearchFunc(pieces, addr, func(p span, addr uint64) int { return cmp.Compare(p.from, addr) })
	if !found {
		i--
	}
	if i < 0 || addr >= pieces[i].to {
		return nil
	}
	return &pieces[i]
}

// up to this number, pieces are searched one by one
const few = 4
