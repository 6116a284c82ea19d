package cause

// A Layout says where the members of a struct or union are before and after. It is for pictures, so it has only the members that occupy
// bytes themselves: the members of an anonymous struct or union, but not that struct or union.
type Layout struct {
	Cause int      // its ID in Comparison.Causes
	Old   []Placed // in the order of the declaration
	New   []Placed
	// Cut is set if a side has more than MaxPlaced members; the others are left out.
	Cut bool
}

// A Placed is a member in a Layout.
type Placed struct {
	Path  string
	Type  string // as C spells it
	Bit   uint64 // from the start of the struct
	Bits  uint64
	Bytes uint64 // the size of its type
	// Mate is the index of the same member on the other side, or -1 if that side does not have it.
	Mate int
	// Changed is set if its type, width or name changed.
	Changed bool
}

// MaxPlaced is the largest number of members on each side of a Layout.
const MaxPlaced = 2048

// layouts returns the layouts of the first causes that are changed structs and unions, and whose members are not all in their old place.
func (c *comparer) layouts(causes []Cause, most int) (list []Layout) {
	items := make([]*item, len(causes)) // by ID - 1
	for i := range c.items {
		if it := &c.items[i]; it.cause && it.id <= len(items) {
			items[it.id-1] = it
		}
	}
	for i := range causes {
		if len(list) == most {
			break
		}
		x, it := &causes[i], items[i]
		if it == nil || it.old == 0 || it.new == 0 || x.Kind != Struct && x.Kind != Union && x.Kind != Typedef {
			continue
		}
		if l, ok := c.layout(it); ok {
			l.Cause = x.ID
			list = append(list, l)
		}
	}
	return list
}

// layout returns the layout of a declaration. ok is false if it has no members on a side, or if there is nothing to see: all members have
// the same places, types and names.
func (c *comparer) layout(it *item) (l Layout, ok bool) {
	budgets := [2]int{maxRows, maxRows}
	a, b := c.old.open(uint32(it.old), &budgets[0]), c.new.open(uint32(it.new), &budgets[1])
	if len(a.list) == 0 || len(b.list) == 0 || !a.whole || !b.whole {
		return l, false
	}
	pairs := lineUp(c.old, c.new, &a, &b)
	var oldAt, newAt []int32 // by row: its place in l.Old and l.New, or -1
	var cut [2]bool
	l.Old, oldAt, cut[0] = c.old.leaves(&a)
	l.New, newAt, cut[1] = c.new.leaves(&b)
	l.Cut = cut[0] || cut[1]
	for j, i := range pairs.newTo {
		if i < 0 || oldAt[i] < 0 || newAt[j] < 0 {
			continue
		}
		was, is := &l.Old[oldAt[i]], &l.New[newAt[j]]
		was.Mate, is.Mate = int(newAt[j]), int(oldAt[i])
		is.Changed = pairs.renamed[j] || retyped(&a.list[i], &b.list[j]) || was.Bits != is.Bits
		was.Changed = is.Changed
	}
	for i := range l.New {
		if p := &l.New[i]; p.Mate < 0 || p.Changed || l.Old[p.Mate].Bit != p.Bit {
			return l, true
		}
	}
	return l, len(l.Old) != len(l.New) || it.size.Delta() != 0
}

// leaves returns the rows that are members with bytes of their own. An array of anonymous structs is one member.
func (s *side) leaves(t *rows) (list []Placed, at []int32, cut bool) {
	at = make([]int32, len(t.list))
	for i := range at {
		at[i] = -1
	}
	for i := 0; i < len(t.list); i++ {
		p := &t.list[i]
		bytes := s.sized(p.typ)
		if p.open && (bytes == p.size || p.path == "") {
			continue // its members follow
		}
		if len(list) == MaxPlaced {
			return list, at, true
		}
		at[i] = int32(len(list))
		list = append(list, Placed{Path: p.path, Type: s.spell(p.typ), Bit: p.bit, Bits: uint64(p.width), Bytes: bytes, Mate: -1})
		if p.open {
			i = int(p.end) - 1
		}
	}
	return list, at, false
}
