package cause

import (
	"cmp"
	"slices"
	"strings"
)

// A lineup says which rows of two bodies are the same members.
type lineup struct {
	old, new           *side
	o, n               *rows
	oldTo, newTo       []int32 // the row of the other side; -1 if there is none
	oldHidden          []bool  // inside a member that was renamed or is not open on both sides
	newHidden          []bool
	renamed, rearrange []bool // by new row
}

// lineUp finds the members that are the same: first by equal paths, then those that were renamed.
func lineUp(old, new *side, o, n *rows) *lineup {
	l := &lineup{old: old, new: new, o: o, n: n, oldTo: make([]int32, len(o.list)), newTo: make([]int32, len(n.list)),
		renamed: make([]bool, len(n.list)), rearrange: make([]bool, len(n.list))}
	at := make(map[string]int32, len(o.list))
	for i := range o.list {
		l.oldTo[i] = -1
		if p := &o.list[i]; p.path != "" {
			at[p.path] = int32(i)
		}
	}
	for j := range n.list {
		l.newTo[j] = -1
		if p := &n.list[j]; p.path != "" {
			if i, ok := at[p.path]; ok {
				l.oldTo[i], l.newTo[j] = int32(j), i
			}
		}
	}
	l.hide()
	l.findRenamed()
	l.hide()
	l.findMoved()
	return l
}

// hide marks the rows that are not compared, because the member around them is compared as a whole.
func (l *lineup) hide() {
	l.oldHidden, l.newHidden = hidden(l.o, l.n, l.oldTo), hidden(l.n, l.o, l.newTo)
}

func hidden(t, other *rows, to []int32) []bool {
	hide := make([]bool, len(t.list))
	for i := range t.list {
		p := t.list[i].parent
		switch {
		case p < 0:
		case hide[p]:
			hide[i] = true
		case t.list[p].path != "":
			hide[i] = to[p] < 0 || !other.list[to[p]].open || t.list[p].path != other.list[to[p]].path
		}
	}
	return hide
}

// alone lists the rows of a body that have no partner.
func alone(t *rows, to []int32, hide []bool) (list []int32) {
	for i := range t.list {
		if to[i] < 0 && !hide[i] && t.list[i].path != "" && t.list[i].leaf != unnamed {
			list = append(list, int32(i))
		}
	}
	return list
}

// look is the content of a member without its name.
type look struct {
	own   uint64
	width uint32
}

func (p *row) look() look { return look{p.reads.own, p.width} }

// findRenamed pairs members that are the same under another name: first members with the same last name inside another member, then members
// between the same neighbours, then members at the same offset. A pair needs exactly one candidate on either side.
func (l *lineup) findRenamed() {
	type leaf struct {
		look
		name string
	}
	pairUnique(l, func(t *rows, i int32, _ []int32) (leaf, bool) { return leaf{t.list[i].look(), t.list[i].leaf}, true })
	type gap struct {
		look
		before, after int32 // rows of the new side, -1 at the ends
	}
	pairUnique(l, func(t *rows, i int32, to []int32) (gap, bool) {
		same := func(i int32) int32 { // index of a neighbour on the new side
			if i < 0 || t == l.n {
				return i
			}
			return to[i]
		}
		before, after := neighbours(t, to, i)
		return gap{t.list[i].look(), same(before), same(after)}, true
	})
	type offset struct {
		look
		bit uint64
	}
	pairUnique(l, func(t *rows, i int32, _ []int32) (offset, bool) { return offset{t.list[i].look(), t.list[i].bit}, true })
}

// neighbours returns the rows before and after a row, in the same member, that have partners.
func neighbours(t *rows, to []int32, i int32) (before, after int32) {
	in := t.container(i)
	before, after = -1, -1
	for b := i - 1; b > in; b-- {
		if t.list[b].path != "" && t.container(b) == in {
			if to[b] >= 0 {
				before = b
				break
			}
			if i-b > maxNeighbour {
				break
			}
		}
	}
	for a := t.list[i].end; int(a) < len(t.list); a++ {
		if t.list[a].path != "" && t.container(a) == in {
			if to[a] >= 0 {
				after = a
				break
			}
			if a-i > maxNeighbour {
				break
			}
		}
	}
	return before, after
}

// maxNeighbour is the largest distance of a renamed member from a member with a partner.
const maxNeighbour = 64

// pairUnique pairs rows without partners by a key that exactly one row has on either side.
func pairUnique[K comparable](l *lineup, key func(t *rows, i int32, to []int32) (K, bool)) {
	olds, news := alone(l.o, l.oldTo, l.oldHidden), alone(l.n, l.newTo, l.newHidden)
	if olds == nil || news == nil {
		return
	}
	type candidates struct{ old, new, oldCount, newCount int32 }
	found := make(map[K]candidates, len(olds))
	for _, i := range olds {
		if k, ok := key(l.o, i, l.oldTo); ok {
			c := found[k]
			c.old, c.oldCount = i, c.oldCount+1
			found[k] = c
		}
	}
	keys := make([]K, len(news))
	for at, j := range news {
		if k, ok := key(l.n, j, l.newTo); ok {
			keys[at] = k
			if c, ok := found[k]; ok {
				c.new, c.newCount = j, c.newCount+1
				found[k] = c
			}
		}
	}
	for at, j := range news {
		if c := found[keys[at]]; c.oldCount == 1 && c.newCount == 1 {
			l.oldTo[c.old], l.newTo[j], l.renamed[j] = j, c.old, true
		}
	}
}

// findMoved marks the fewest members that have to move so that the others keep their order, within each member.
func (l *lineup) findMoved() {
	inside := make(map[int32][]int32)
	var order []int32
	for i := range l.o.list {
		if l.oldTo[i] < 0 || l.oldHidden[i] || l.newHidden[l.oldTo[i]] {
			continue
		}
		in, there := l.o.container(int32(i)), l.n.container(l.oldTo[i])
		if in < 0 != (there < 0) || in >= 0 && l.oldTo[in] != there {
			continue // it is now inside another member, which is enough
		}
		if inside[in] == nil {
			order = append(order, in)
		}
		inside[in] = append(inside[in], int32(i))
	}
	for _, in := range order {
		list := inside[in]
		to := make([]int32, len(list))
		for at, i := range list {
			to[at] = l.oldTo[i]
		}
		for at, stays := range staying(to, func(at int) string { return min(l.o.list[list[at]].path, l.n.list[to[at]].path) }) {
			l.rearrange[to[at]] = !stays
		}
	}
}

// placed is a change and its position: at or after a row of the new side.
type placed struct {
	at    int32
	after bool
	Change
}

// changes lists the changes of members.
func (l *lineup) changes() []Change {
	var list []placed
	for j := range l.n.list {
		if p := &l.n.list[j]; p.path != "" && !l.newHidden[j] {
			list = l.row(list, int32(j))
		}
	}
	last := int32(-1)
	for i := range l.o.list {
		p := &l.o.list[i]
		if p.path == "" || l.oldHidden[i] {
			continue
		}
		if to := l.oldTo[i]; to >= 0 {
			last = to
			continue
		}
		list = append(list, placed{last, true, Change{Part: Member, Path: p.path, Op: Removed, Rule: MemberRemoved, Severity: filler(p.leaf, Break),
			Old: l.old.spell(p.typ), OldAt: l.o.extent(l.old, int32(i))}})
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		if a.at != b.at || a.after == b.after {
			return cmp.Compare(a.at, b.at)
		}
		return less(b.after)
	})
	changes := make([]Change, len(list))
	for i := range list {
		changes[i] = list[i].Change
	}
	return changes
}

// row adds the changes of a row of the new side.
func (l *lineup) row(list []placed, j int32) []placed {
	p, i := &l.n.list[j], l.newTo[j]
	add := func(c Change) {
		c.Part, c.Path = Member, p.path
		c.NewAt = l.n.extent(l.new, j)
		if i >= 0 {
			c.OldAt = l.o.extent(l.old, i)
		}
		list = append(list, placed{j, false, c})
	}
	if i < 0 {
		add(Change{Op: Added, Rule: MemberAdded, Severity: Add, New: l.new.spell(p.typ)})
		return list
	}
	was := &l.o.list[i]
	if l.renamed[j] {
		add(Change{Op: Renamed, Rule: MemberRenamed, Severity: filler(was.leaf, Break), OldPath: was.path, Old: l.old.spell(was.typ), New: l.new.spell(p.typ)})
		return list
	}
	if retyped(was, p) {
		old, new := spellings(l.old, was.typ, l.new, p.typ)
		add(Change{Op: Changed, Rule: MemberType, Severity: filler(was.leaf, severityOfTypes(l.old, was.typ, l.new, p.typ)), Old: old, New: new})
	}
	if was.width != p.width {
		add(Change{Op: Changed, Rule: MemberWidth, Severity: Break, Old: widthText(was.width), New: widthText(p.width)})
	}
	if was.tags != p.tags {
		add(Change{Op: Changed, Rule: TagRule, Severity: Neutral, Old: l.old.tagText(was.in, was.component), New: l.new.tagText(p.in, p.component)})
	}
	switch {
	case l.rearrange[j]:
		add(Change{Op: Moved, Rule: MemberMoved, Severity: Neutral, Old: after(l.o, i), New: after(l.n, j)})
	case was.nest != p.nest:
		add(Change{Op: Moved, Rule: MemberMoved, Severity: Neutral, Old: inside(l.o, i), New: inside(l.n, j)})
	}
	return list
}

// retyped reports whether the type of a member changed.
func retyped(was, is *row) bool {
	return was.open != is.open || was.wrap != is.wrap || !is.open && was.reads.own != is.reads.own
}

// The words for the place of a member.
const (
	behind = "after "
	first  = "first"
)

// after says which member is before a row.
func after(t *rows, i int32) string {
	in := t.container(i)
	for b := i - 1; b > in; b-- {
		if t.list[b].path != "" && t.container(b) == in {
			return behind + t.list[b].path
		}
	}
	return first
}

// inside says which anonymous structs and unions contain a row.
func inside(t *rows, i int32) string {
	if around := t.around(i); around != "" {
		return "inside " + around
	}
	return "not nested"
}

// fillers are names of members that only reserve space, without underscores before and numbers after.
var fillers = []string{"reserved", "reserve", "pad", "padding", "unused", "filler", "fill", "kabi_reserved", "kabi_padding", "rh_reserved",
	"android_kabi_reserved", "android_oem_data", "android_vendor_data", "suse_kabi_padding"}

// filler returns the severity of a change to a member whose name may show that nobody uses it.
func filler(name string, s Severity) Severity {
	name = strings.TrimLeft(strings.TrimRight(strings.ToLower(name), "_0123456789"), "_")
	if s == Break && slices.Contains(fillers, name) {
		return Neutral
	}
	return s
}
