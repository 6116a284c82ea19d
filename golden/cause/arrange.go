package cause

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Which changes of a section's variables explain the places of the others?
//
// The variables of a section are treated like the members of a struct. The fewest variables that have to move so that the others keep their
// order are causes. If one of the others has another offset, that follows from the variables before it that were added, removed, moved or
// resized, provided that one alignment gives its place on both sides. A variable that was itself resized may have another alignment on each
// side, because compilers align large variables more than their types require. If no alignment explains the place, the variable itself is
// aligned differently, which is a cause.

// maxNear is the number of changes before a variable that explain its place, on either side: the nearest ones.
const maxNear = 2

// shifts lists the runs of unchanged members that keep their order and moved by one distance. It omits members of a member that moved by
// the same distance.
func (l *lineup) shifts() (list []Shift) {
	open := false
	for j := range l.n.list {
		p, i := &l.n.list[j], l.newTo[j]
		if p.path == "" || l.newHidden[j] {
			continue
		}
		if i < 0 || l.rearrange[j] || l.renamed[j] || l.o.list[i].width != p.width || retyped(&l.o.list[i], p) {
			continue // it is listed among the changes, with its places
		}
		bits := int64(p.bit - l.o.list[i].bit)
		if in := l.n.container(int32(j)); in >= 0 && l.newTo[in] >= 0 && int64(l.n.list[in].bit-l.o.list[l.newTo[in]].bit) == bits {
			continue
		}
		if bits == 0 {
			open = false
			continue
		}
		if n := len(list) - 1; open && list[n].Bits == bits {
			list[n].To, list[n].Count = p.path, list[n].Count+1
			continue
		}
		list, open = append(list, Shift{p.path, p.path, 1, bits / 8, bits}), true
	}
	return list
}

// arrange explains the places of the variables in all sections.
func (c *comparer) arrange() {
	for i := range c.items {
		it := &c.items[i]
		if it.kind == Section && it.old != 0 && it.new != 0 {
			a, b := c.old.sectionOf(it.old), c.new.sectionOf(it.new)
			c.sectionSize(it, c.walk(a, b))
		}
	}
	// Sections whose size did not change have no items.
	for a := range c.old.secs {
		for b := range c.new.secs {
			sa, sb := &c.old.secs[a], &c.new.secs[b]
			if sa.hash == sb.hash && c.old.found[sa.id] == 0 && c.new.found[sb.id] == 0 {
				c.walk(sa, sb)
			}
		}
	}
	slices.SortStableFunc(c.sections, func(a, b sectionItems) int { return cmp.Compare(a.Name, b.Name) })
}

// sectionOf returns the section of a DATASEC.
func (s *side) sectionOf(id btf.ID) *section {
	for i := range s.secs {
		if s.secs[i].id == id {
			return &s.secs[i]
		}
	}
	return nil
}

// sectionItems describes a section, with items in place of the parts of the model that fill makes of them.
type sectionItems struct {
	SectionChange
	causes, grown []int32
}

// together is a variable that both sides have in a section, by its index in either list.
type together struct{ old, new int32 }

// walk compares a section of both sides.
func (c *comparer) walk(a, b *section) sectionItems {
	atNew := make(map[btf.ID]int32, len(b.entries))
	for j, e := range b.entries {
		atNew[e.id] = int32(j)
	}
	var both []together
	var order []int32
	for i, e := range a.entries {
		if j, ok := atNew[c.mates[e.id-c.old.o.First()]]; ok {
			both, order = append(both, together{int32(i), j}), append(order, j)
		}
	}
	w := walker{c: c, a: a, b: b}
	stays := staying(order, func(n int) string { return w.name(a.entries[both[n].old].id) })
	for n, t := range both {
		if !stays[n] {
			w.past(t)
		}
	}
	kept := both[:0]
	for n, t := range both {
		if stays[n] {
			kept = append(kept, t)
		}
	}
	for _, t := range kept {
		w.step(t)
	}
	w.between(together{int32(len(a.entries)), int32(len(b.entries))})
	w.tell()
	return w.sectionItems
}

// A walker visits the variables that keep their order.
type walker struct {
	c       *comparer
	a, b    *section
	next    together // the entries after the last visited one
	shift   int64    // of the last visited variable
	because []int32  // the items that explain the shift
	sectionItems
	moved map[int64]*Shift
	order []int64 // of shifts, in the order of their first variable
}

// name returns the name of an old variable.
func (w *walker) name(id btf.ID) string {
	r, _ := w.c.old.record(uint32(id))
	return string(w.c.old.text(r.Name()))
}

// past records a variable that moved past others.
func (w *walker) past(t together) {
	e := w.a.entries[t.old]
	f := w.c.old.found[e.id]
	if f == 0 {
		return
	}
	it := &w.c.items[f-1]
	text := func(s *side, sec *section, i int32) string {
		if i == 0 {
			return first
		}
		r, _ := s.record(uint32(sec.entries[i-1].id))
		return behind + string(s.text(r.Name()))
	}
	it.cause = true
	it.changes = append(it.changes, Change{Part: Place, Op: Moved, Rule: VarPlace, Severity: Neutral, OldAt: it.at[0], NewAt: it.at[1],
		Old: text(w.c.old, w.a, t.old), New: text(w.c.new, w.b, t.new)})
}

// between collects the changes before a variable that both sides have, and reports whether there are any.
func (w *walker) between(t together) bool {
	changed := func(s *side, entries []entry) (list []int32) {
		for _, e := range entries {
			f := s.found[e.id]
			if f == 0 {
				continue
			}
			it := &w.c.items[f-1]
			if it.cause || it.size.Delta() != 0 {
				list = append(list, f-1)
			}
			if it.cause {
				w.causes = append(w.causes, f-1)
			}
		}
		return list[max(0, len(list)-maxNear):]
	}
	near := changed(w.c.old, w.a.entries[w.next.old:t.old])
	near = append(near[:len(near):len(near)], changed(w.c.new, w.b.entries[w.next.new:t.new])...)
	w.next = together{t.old + 1, t.new + 1}
	if len(near) == 0 {
		return false
	}
	w.because = once(near)
	return true
}

// step visits the next variable.
func (w *walker) step(t together) {
	o, n := w.a.entries[t.old], w.b.entries[t.new]
	near := w.between(t)
	shift := int64(n.off) - int64(o.off)
	f := w.c.old.found[o.id]
	if f == 0 {
		w.shift = shift
		return
	}
	it := &w.c.items[f-1]
	if shift != 0 && (near || shift != w.shift || len(w.because) == 0) && !w.follows(t) {
		it.cause = true
		it.changes = append(it.changes, Change{Part: Place, Op: Moved, Rule: VarPlace, Severity: Neutral, OldAt: it.at[0], NewAt: it.at[1], New: "aligned otherwise"})
		w.because = []int32{f - 1}
	} else if shift != 0 {
		it.because = append(it.because, w.because...)
	}
	w.shift = shift
	switch resized := it.size.Delta() != 0; {
	case it.cause:
		w.causes = append(w.causes, f-1)
	case resized:
		w.grown = append(w.grown, f-1)
	default:
		w.move(it, shift)
	}
	if it.cause || it.size.Delta() != 0 {
		w.because = []int32{f - 1}
	}
}

// follows reports whether the variables before a variable explain its places.
func (w *walker) follows(t together) bool {
	resized := w.a.entries[t.old].size != w.b.entries[t.new].size
	if len(w.because) == 0 && !resized {
		return false
	}
	var ends, places [2]uint64
	for n, sec := range []*section{w.a, w.b} {
		i := [2]int32{t.old, t.new}[n]
		e := sec.entries[i]
		places[n] = uint64(e.off) * 8
		if i > 0 {
			before := sec.entries[i-1]
			ends[n] = (uint64(before.off) + uint64(before.size)) * 8
		}
	}
	return explained(ends, places) || resized && eachAligned(ends, places)
}

// move counts a variable that only moved.
func (w *walker) move(it *item, shift int64) {
	if shift == 0 {
		return
	}
	if w.moved == nil {
		w.moved = map[int64]*Shift{}
	}
	if s := w.moved[shift]; s != nil {
		s.To, s.Count = it.name, s.Count+1
		return
	}
	w.moved[shift] = &Shift{it.name, it.name, 1, shift, shift * 8}
	w.order = append(w.order, shift)
}

// tell adds the result to the list of sections.
func (w *walker) tell() {
	r, _ := w.c.new.record(uint32(w.b.id))
	w.Name = string(w.c.new.text(r.Name()))
	w.Size = Size{uint64(w.a.size), uint64(w.b.size)}
	w.Vars = Size{uint64(len(w.a.entries)), uint64(len(w.b.entries))}
	seen := map[int32]bool{}
	w.causes = slices.DeleteFunc(w.causes, func(i int32) bool { // a variable that moved past others is visited at both its places
		again := seen[i]
		seen[i] = true
		return again
	})
	for _, d := range w.order {
		w.Shifts = append(w.Shifts, *w.moved[d])
	}
	slices.SortStableFunc(w.Shifts, func(a, b Shift) int { return cmp.Compare(b.Count, a.Count) })
	if len(w.causes)+len(w.grown)+len(w.Shifts) > 0 || w.Size.Old != w.Size.New {
		w.c.sections = append(w.c.sections, w.sectionItems)
	}
}

// sectionSize explains the size of a section by the changes in it.
func (c *comparer) sectionSize(it *item, in sectionItems) {
	it.because = append(append(it.because, in.causes...), in.grown...)
	if !it.cause && len(it.because) == 0 && in.Size.Old != in.Size.New {
		it.cause = true
		it.changes = append(it.changes, Change{Part: SizePart, Op: Changed, Rule: SectionSize, Severity: Neutral, Old: bytesText(in.Size.Old), New: bytesText(in.Size.New)})
	}
}
