package dedup

import (
	"slices"
	"testing"
)

// TestReferrers: every reference to a type is listed; references to a base are not.
func TestReferrers(t *testing.T) {
	w := newWorld(nil)
	i := w.int("int")
	p := w.ptr(i)
	s := w.strct("s", i, p, i)
	w.ptr(s)
	w.typedef("t", 6) // forwards
	w.fwd("lone", false)
	x := listReferrers(&w.Table)
	for i, want := range [][]uint32{{1, 2, 2}, {2}, {3}, {}, {}, {4}} {
		if got := x.of(uint32(i)); !slices.Equal(got, want) {
			t.Errorf("type %d: got %v, want %v", i, got, want)
		}
	}
	split := newWorld(w.Object)
	own := split.ptr(i)
	split.ptr(own)
	x = listReferrers(&split.Table)
	for i, want := range [][]uint32{{1}, {}} {
		if got := x.of(uint32(i)); !slices.Equal(got, want) {
			t.Errorf("own type %d: got %v, want %v", i, got, want)
		}
	}
}

// TestAmbiguousClassesGrow: classes are found again, however many there are.
func TestAmbiguousClassesGrow(t *testing.T) {
	const n = 1000
	var k AmbiguousClasses
	slot := func(i uint32) classSlot {
		h := Hash{A: uint64(i) * 0x9e3779b97f4a7c15, B: i * 0xc2b2ae35}
		return classSlot{a: h.A, b: h.B, id: i + 1}
	}
	for i := range uint32(n) {
		k.add(slot(i))
	}
	for i := range uint32(n) {
		want := slot(i)
		if got := k.find(want.a, want.b); got.id != want.id {
			t.Fatalf("class %d: got id %d, want %d", i, got.id, want.id)
		}
	}
	if other := slot(n); k.find(other.a, other.b).id != 0 {
		t.Error("found a class that was not added")
	}
	if k.Classes != n {
		t.Errorf("got %d classes, want %d", k.Classes, n)
	}
}
