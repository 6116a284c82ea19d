package cause

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Do the types that a declaration holds explain its layout?
//
// Its members are the same on both sides, so they are compared one by one. A member starts at the end of the member before, rounded up
// to an alignment. BTF does not record alignments. So a place counts as explained in three cases: one alignment, whichever, gives the
// places on both sides; or the gap before the member is as large as before, as with unnamed bit fields; or the member itself was resized,
// and some alignment gives the place on each side. The size is explained in the same way by the end of the last member. Anything else is a
// change of the declaration itself.

// atEnd is the result of explain for an unexplained size.
const atEnd = "\x00end"

// explain returns the first member whose place is not explained, or "" if there is none.
func (c *comparer) explain(a, b *rows) string {
	old, new := c.old, c.new
	if len(a.list) != len(b.list) {
		return atEnd
	}
	// By level: the end of the members visited so far. Level 0 is the declaration.
	type level struct {
		end     [2]uint64
		base    [2]uint64 // the start of the level
		union   bool
		resized bool // it holds a resized type, whose alignment may differ too
	}
	levels := make([]level, 1, 8)
	levels[0].union = a.union
	at := make([]int32, len(a.list)) // by row: the level that contains it
	// fits reports whether the size of a level is explained.
	fits := func(l *level, sizes [2]uint64) bool {
		bits := [2]uint64{sizes[0] * 8, sizes[1] * 8}
		return explained(l.end, bits) || l.resized && eachAligned(l.end, bits)
	}
	open := []int32{-1}
	closeUntil := func(i int32) (int32, bool) {
		for len(open) > 1 && a.list[open[len(open)-1]].end <= i {
			p := open[len(open)-1]
			open = open[:len(open)-1]
			if !fits(&levels[at[p]+1], [2]uint64{a.list[p].size, b.list[p].size}) {
				return p, false
			}
			l := &levels[at[p]]
			l.resized = l.resized || levels[at[p]+1].resized
			levels = levels[:at[p]+1]
		}
		return 0, true
	}
	for i := range a.list {
		p, q := &a.list[i], &b.list[i]
		if p.parent != q.parent || p.open != q.open {
			return atEnd
		}
		if bad, ok := closeUntil(int32(i)); !ok {
			return rowName(a, bad)
		}
		n := int32(len(levels) - 1)
		at[i] = n
		l := &levels[n]
		places := [2]uint64{p.bit - l.base[0], q.bit - l.base[1]}
		sizes := [2]uint64{uint64(p.width), uint64(q.width)}
		if p.width == 0 {
			sizes = [2]uint64{old.layoutOf(p.typ).size * 8, new.layoutOf(q.typ).size * 8}
		}
		end := l.end
		if l.union {
			end = [2]uint64{}
		}
		resized := !p.open && len(c.held(nil, old, p.typ)) > 0
		l.resized = l.resized || resized
		if !explained(end, places) && !((resized || p.open) && eachAligned(end, places)) {
			return rowName(a, int32(i))
		}
		for s := range 2 {
			l.end[s] = max(l.end[s], places[s]+sizes[s])
		}
		if p.open {
			open = append(open, int32(i))
			levels = append(levels, level{base: [2]uint64{p.bit, q.bit}, union: p.union})
		}
	}
	if bad, ok := closeUntil(int32(len(a.list))); !ok {
		return rowName(a, bad)
	}
	was, _ := old.record(a.body)
	is, _ := new.record(b.body)
	if !fits(&levels[0], [2]uint64{uint64(was[2]), uint64(is[2])}) {
		return atEnd
	}
	return ""
}

// rowName returns the path of a row, or of the first named row in a level.
func rowName(t *rows, i int32) string {
	for int(i) < len(t.list) {
		if t.list[i].path != "" {
			return t.list[i].path
		}
		i++
	}
	return atEnd
}

// maxAlign is the largest alignment that the comparison tries, in bits.
const maxAlign = 8 << 16

// explained reports whether places, one on either side, follow from the ends before them and one alignment. All are in bits.
func explained(ends, places [2]uint64) bool {
	if ends == places || ends[0] == ends[1] && places[0] == places[1] || places[0]-ends[0] == places[1]-ends[1] {
		return true
	}
	for a := uint64(8); a <= maxAlign; a *= 2 {
		if up(ends[0], a) == places[0] && up(ends[1], a) == places[1] {
			return true
		}
	}
	return false
}

// eachAligned reports whether places follow from ends and an alignment of their own on each side. That happens if the alignment of a type
// changed with its content.
func eachAligned(ends, places [2]uint64) bool {
	for s := range 2 {
		ok := false
		for a := uint64(8); a <= maxAlign && !ok; a *= 2 {
			ok = up(ends[s], a) == places[s]
		}
		if !ok {
			return false
		}
	}
	return true
}

// up rounds up to a multiple of a power of two.
func up(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// resized reports whether the size or alignment of an item changed, so that types that hold it change too.
func (c *comparer) resized(i int32) bool {
	it := &c.items[i]
	if it.kind == Pointer {
		return true
	}
	if it.old == 0 || it.new == 0 {
		return false
	}
	a, b := c.old.layoutOf(uint32(it.old)), c.new.layoutOf(uint32(it.new))
	return a.size != b.size || a.align != b.align
}

// held adds the resized items that a type holds by value.
func (c *comparer) held(list []int32, s *side, id uint32) []int32 {
	for range maxQualifiers {
		r, ok := s.record(id)
		if !ok {
			return list
		}
		switch categoryOf(r) {
		case structName, unionName, enumName, plainName:
			if f := s.found[id]; f != 0 && c.resized(f-1) {
				list = with(list, f-1)
			}
		}
		switch k := r.Kind(); {
		case k == btf.KindPtr:
			if c.pointer != 0 {
				list = with(list, c.pointer-1)
			}
			return list
		case k == btf.KindArray:
			id = r[3]
		case btf.Modifiers.Has(k):
			id = r[2]
		default:
			return list
		}
	}
	return list
}

// with adds an item to a list, unless it is among the last maxRecent entries. That keeps lists short without a search of the whole list.
func with(list []int32, i int32) []int32 {
	for at := len(list) - 1; at >= 0 && at >= len(list)-maxRecent; at-- {
		if list[at] == i {
			return list
		}
	}
	return append(list, i)
}

// maxRecent is the number of items at the end of a list that with searches for a duplicate.
const maxRecent = 16

// heldBy lists the resized items that a body holds by value.
func (c *comparer) heldBy(a, b *rows) (list []int32) {
	for i := range a.list {
		if !a.list[i].open {
			list = c.held(list, c.old, a.list[i].typ)
		}
	}
	for i := range b.list {
		if !b.list[i].open {
			list = c.held(list, c.new, b.list[i].typ)
		}
	}
	return once(list)
}

// once sorts a list and removes duplicates.
func once(list []int32) []int32 {
	slices.Sort(list)
	return slices.Compact(list)
}

// within lists the resized items held by value in types without a name that a declaration only points to.
func (c *comparer) within(it *item) []int32 {
	var list []int32
	for n, s := range []*side{c.old, c.new} {
		id := []btf.ID{it.old, it.new}[n]
		seen := map[uint32]bool{uint32(id): true}
		todo := []uint32{uint32(id)}
		for len(todo) > 0 && len(seen) < maxWithin {
			r, ok := s.record(todo[len(todo)-1])
			top := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !ok || top != uint32(id) && s.named(r) {
				continue
			}
			r.References(func(to *uint32) {
				if btf.Composites.Has(r.Kind()) {
					list = c.held(list, s, *to)
				}
				if !seen[*to] {
					seen[*to] = true
					todo = append(todo, *to)
				}
			})
		}
	}
	return once(list)
}

// maxWithin is the number of types without a name that are searched to explain one declaration.
const maxWithin = 4096
