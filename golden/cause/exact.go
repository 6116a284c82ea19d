package cause

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// An exact comparison also covers what the spellings of declarations do not show: types that no declaration uses, ids, and which of several
// types that read alike a reference leads to. Every type of one side is paired with one of the other side that reads the same, in the order
// of ids. The dumps are equal exactly if all types are paired, have the same order, and refer to partners.

// oneOf turns a statement about several types into one about a single type.
var oneOf = strings.NewReplacer("are ", "is ", "were ", "was ", "stand ", "stands ", "refer ", "refers ", "have ", "has ")

// ids returns the differences that the declarations do not show, or nil if there are none.
func (c *comparer) ids() *Cause {
	type reads struct {
		reading
		dumped uint64 // what a dump prints in addition
	}
	key := func(s *side, id btf.ID) reads {
		r, _ := s.record(uint32(id))
		k := reads{s.content(uint32(id), r), mix(uint64(min(r.Kind(), btf.NumKinds)), s.name(r.Name()))}
		if btf.ShapeOf(r.Kind()).Each > 0 && r.Kind() != btf.KindDatasec { // a dump prints the count; variables are compared by themselves
			k.dumped = mix(k.dumped, uint64(r.Vlen()))
		}
		switch r.Kind() {
		case btf.KindArray:
			k.dumped = mix(k.dumped, s.ref(r[4]).own)
		case btf.KindDeclTag:
			k.reading = reading{own: mix(s.ref(r[2]).own, uint64(r[3]))}
		}
		return k
	}
	left := make(map[reads][]btf.ID, c.new.o.Len())
	for id := c.new.o.First(); id < c.new.o.End(); id++ {
		k := key(c.new, id)
		left[k] = append(left[k], id)
	}
	mates := make([]btf.ID, c.old.o.Len())
	var order []int32
	removed := 0
	for i := range mates {
		k := key(c.old, c.old.o.First()+btf.ID(i))
		if list := left[k]; len(list) > 0 {
			mates[i], left[k] = list[0], list[1:]
		} else if c.old.found[c.old.o.First()+btf.ID(i)] == 0 {
			removed++
		} else if m := c.mates[i]; m != 0 {
			mates[i] = m // a declaration that differs, which is reported already
		}
		if mates[i] != 0 {
			order = append(order, int32(mates[i]))
		}
	}
	added := 0
	for _, list := range left {
		for _, id := range list {
			if c.new.found[id] == 0 {
				added++
			}
		}
	}
	moved := 0
	for _, stays := range staying(order, func(int) string { return "" }) {
		if !stays {
			moved++
		}
	}
	var changes []Change
	tell := func(n int, what string) {
		if n > 0 {
			text := fmt.Sprintf("%d types "+what, n)
			if n == 1 {
				text = "1 type " + oneOf.Replace(what)
			}
			changes = append(changes, Change{Part: Ids, Op: Changed, Rule: OrderRule, Severity: Neutral, New: text})
		}
	}
	tell(removed, "that no declaration needs are gone")
	tell(added, "that no declaration needs are there that were not")
	tell(moved, "stand at another place in the order")
	tell(c.relinked(mates), "refer to another one of several that read alike")
	if changes == nil && len(c.items) == 0 && (c.old.o.First() != c.new.o.First() || c.old.o.Len() != c.new.o.Len()) {
		tell(c.new.o.Len(), "have other ids")
	}
	if changes == nil {
		return nil
	}
	x := &Cause{Kind: Order, Name: "ids", Op: Changed, Members: changes}
	x.grade()
	return x
}

// relinked counts types with a reference that does not lead to the partner.
func (c *comparer) relinked(mates []btf.ID) (n int) {
	first := c.old.o.First()
	same := func(old, new uint32) bool {
		if c.old.o.Own(btf.ID(old)) {
			return mates[btf.ID(old)-first] == btf.ID(new)
		}
		return old == new
	}
	var refs []uint32
	for i, m := range mates {
		id := first + btf.ID(i)
		if m == 0 || c.old.found[id] != 0 || c.sectionDiffers(id, m) {
			continue
		}
		refs = refs[:0]
		c.old.o.At(id).References(func(id *uint32) { refs = append(refs, *id) })
		at, equal := 0, true
		c.new.o.At(m).References(func(id *uint32) {
			equal = equal && at < len(refs) && same(refs[at], *id)
			at++
		})
		if !equal {
			n++
		}
	}
	return n
}

// sectionDiffers reports whether two DATASECs have a variable that differs, which is enough.
func (c *comparer) sectionDiffers(old, new btf.ID) bool {
	for n, s := range []*side{c.old, c.new} {
		r := s.o.At([]btf.ID{old, new}[n])
		if r.Kind() != btf.KindDatasec {
			return false
		}
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			if s.isVar(e[0]) && s.found[e[0]] != 0 {
				return true
			}
		}
	}
	return false
}
