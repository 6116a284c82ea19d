package cause

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A version is the declarations of one name and one content on either side.
type version struct{ old, new []declaration }

// versions pairs the contents that one name has on both sides: first equal ones, then those that differ only in layout, then those with the
// most in common, then the rest, in the order of ids. Contents without a partner stay alone.
func (g group) versions(old, new *side) []version {
	olds, news := contents(g.old), contents(g.new)
	var list []version
	if len(olds)*len(news) > maxCompared {
		list = merged(olds, news)
	}
	byID := func(a, b []declaration) int { return int(int64(a[0].id) - int64(b[0].id)) }
	gone := func(d []declaration) bool { return d == nil }
	olds, news = slices.DeleteFunc(olds, gone), slices.DeleteFunc(news, gone)
	slices.SortFunc(olds, byID)
	slices.SortFunc(news, byID)
	if len(olds)*len(news) <= maxCompared {
		list = pairEqual(list, olds, news, func(a, b declaration) bool { return a.reading == b.reading })
		list = pairEqual(list, olds, news, func(a, b declaration) bool { return a.own == b.own })
		list = pairAlike(list, olds, news, old, new)
	}
	olds, news = slices.DeleteFunc(olds, gone), slices.DeleteFunc(news, gone)
	for i := range max(len(olds), len(news)) {
		var v version
		if i < len(olds) {
			v.old = olds[i]
		}
		if i < len(news) {
			v.new = news[i]
		}
		list = append(list, v)
	}
	return list
}

// pairEqual pairs contents that are equal by some measure, and sets paired ones to nil.
func pairEqual(list []version, old, new [][]declaration, same func(a, b declaration) bool) []version {
	for i := range old {
		for j := range new {
			if old[i] != nil && new[j] != nil && same(old[i][0], new[j][0]) {
				list = append(list, version{old[i], new[j]})
				old[i], new[j] = nil, nil
			}
		}
	}
	return list
}

// pairAlike pairs the contents with the most names of members or enumerators in common.
func pairAlike(list []version, olds, news [][]declaration, old, new *side) []version {
	type likeness struct{ i, j, n int }
	var all []likeness
	if len(olds) == 1 && len(news) == 1 {
		return list
	}
	for i, o := range olds {
		for j, n := range news {
			if o != nil && n != nil {
				all = append(all, likeness{i, j, alike(old, new, o[0].id, n[0].id)})
			}
		}
	}
	slices.SortFunc(all, func(a, b likeness) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(min(a.i, a.j), min(b.i, b.j)), cmp.Compare(max(a.i, a.j), max(b.i, b.j)))
	})
	for _, l := range all {
		if l.n > 0 && olds[l.i] != nil && news[l.j] != nil {
			list = append(list, version{olds[l.i], news[l.j]})
			olds[l.i], news[l.j] = nil, nil
		}
	}
	return list
}

// alike counts the names of members or enumerators that two types have in common, among the first maxAlike.
func alike(old, new *side, o, n btf.ID) int {
	const maxAlike = 64
	names := make(map[uint64]bool)
	each := func(s *side, id btf.ID, f func(h uint64)) {
		r, _ := s.record(uint32(id))
		if k := btf.ShapeOf(r.Kind()); k.NameAt >= 0 {
			for i := range min(r.Vlen(), maxAlike) {
				f(s.name(r.Elem(i)[k.NameAt]))
			}
		}
	}
	count := 0
	each(old, o, func(h uint64) { names[h] = true })
	each(new, n, func(h uint64) {
		if names[h] {
			count++
			names[h] = false
		}
	})
	return count
}

// maxCompared is the largest number of pairs of contents of one name that are compared each with each. Above it only equal ones are paired.
const maxCompared = 1 << 12

// merged pairs equal contents of two sorted lists, and sets paired ones to nil.
func merged(old, new [][]declaration) (list []version) {
	for i, j := 0, 0; i < len(old) && j < len(new); {
		a, b := old[i][0], new[j][0]
		a.id, b.id = 0, 0
		switch c := compareDeclarations(a, b); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			list = append(list, version{old[i], new[j]})
			old[i], new[j] = nil, nil
			i, j = i+1, j+1
		}
	}
	return list
}

// contents splits a sorted list of one name by content.
func contents(list []declaration) (parts [][]declaration) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].reading == list[0].reading {
			n++
		}
		parts = append(parts, list[:n:n])
		list = list[n:]
	}
	return parts
}
