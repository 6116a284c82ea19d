package dedup

import (
	"slices"
	"testing"
)

// TestReferrers: every reference to a type is listed; references to a base, and to the index types of arrays, are not.
func TestReferrers(t *testing.T) {
	w := newWorld(nil)
	i := w.int("int")
	p := w.ptr(i)
	s := w.strct("s", i, p, i)
	w.ptr(s)
	w.typedef("t", 6) // forwards
	w.fwd("lone", false)
	w.array(p, i, 2)
	x := listReferrers(&w.Table)
	for i, want := range [][]uint32{{1, 2, 2}, {2, 6}, {3}, {}, {}, {4}, {}} {
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
