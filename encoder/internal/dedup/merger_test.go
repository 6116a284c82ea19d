package dedup

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// appendFunctions appends prototypes and functions, some of them tagged, as functions follow the types of all units.
func appendFunctions(w world, r *rand.Rand, n int) {
	for range n {
		last := uint32(w.End())
		w.proto(r.Uint32N(last), r.Uint32N(last))
		w.fn([]string{"f", "g", "h"}[r.IntN(3)], uint32(w.End())-1)
		if r.IntN(4) == 0 {
			w.tag("t", uint32(w.End())-1, -1)
		}
	}
}

// TestAppended: what is appended while the first phases run ends as if it had been there.
func TestAppended(t *testing.T) {
	failed, merged := 0, 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := randomBytes(r, 5+r.IntN(60))
		funcs, references := r.IntN(2*atOnce), r.IntN(2) == 0

		whole := fromBytes(nil, data)
		appendFunctions(whole, rand.New(rand.NewPCG(seed, 2)), funcs)
		before := whole.Len()
		_, wholeErr := Run(whole.Object, Options{Peer: rules.Default})

		w := fromBytes(nil, data)
		w.Grow(3*funcs, 13*funcs) // nothing moves while it is filled
		m := New(w.Object, Options{Peer: rules.Default, Room: r.IntN(3*funcs + 1)})
		m.Start()
		appendFunctions(w, rand.New(rand.NewPCG(seed, 2)), funcs)
		if references {
			m.References()
		}
		stats, err := m.Finish(w.Object, nil)
		switch {
		case (err == nil) != (wholeErr == nil) || err != nil && err.Error() != wholeErr.Error():
			t.Fatalf("seed %d: got error %v, want %v", seed, err, wholeErr)
		case err != nil:
			failed++
		case text(w.Object) != text(whole.Object):
			t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, text(w.Object), text(whole.Object))
		case stats.Before != before || stats.After != w.Len():
			t.Fatalf("seed %d: stats say %d to %d, want %d to %d", seed, stats.Before, stats.After, before, w.Len())
		case w.Len() < before:
			merged++
		}
	}
	if failed == 4000 || merged < 1000 {
		t.Errorf("%d objects cannot be merged, in %d something was: the test says little", failed, merged)
	}
}

// TestSameVariable: a variable that turns out to be another one is that in the tags of both, though they come before it is known.
func TestSameVariable(t *testing.T) {
	w := newWorld(nil)
	w.int("int")
	w.variable("v", 1)
	w.variable("v", 1)
	w.tag("t", 2, -1)
	w.tag("t", 3, -1)
	m := New(w.Object, Options{Peer: rules.Default})
	m.Start()
	m.References()
	if _, err := m.Finish(w.Object, map[btf.ID]btf.ID{3: 2}); err != nil {
		t.Fatal(err)
	}
	if w.Len() != 3 {
		t.Errorf("got\n%s\nwant one variable with one tag", text(w.Object))
	}
}

// TestLateStruct: what has to be compared as a graph must not come late.
func TestLateStruct(t *testing.T) {
	w := newWorld(nil)
	w.int("int")
	m := New(w.Object, Options{Peer: rules.Default})
	m.Start()
	w.strct("s", 1)
	if _, err := m.Finish(w.Object, nil); err == nil || !strings.Contains(err.Error(), "type 2 (STRUCT) was appended after phase 4") {
		t.Errorf("got error %v", err)
	}
}
