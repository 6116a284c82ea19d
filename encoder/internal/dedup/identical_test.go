package dedup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// identicalByRule is identical to the letter of the rule: it visits a pair once for every path that leads to it.
func identicalByRule(e *engine, x, y uint32, budget int) bool {
	for range e.end {
		if x == y {
			return budget > 0
		}
		a, b := e.rec(x), e.rec(y)
		if budget <= 0 || a.Kind() != b.Kind() {
			return false
		}
		list := func(from, step int) bool {
			for i := from; i < len(a); i += step {
				if a[i] != b[i] && !identicalByRule(e, a[i], b[i], budget-1) {
					return false
				}
			}
			return true
		}
		switch a.Kind() {
		case btf.KindVoid:
			return true
		case btf.KindInt, btf.KindFloat, btf.KindFwd:
			return equalWords(a, b)
		case btf.KindEnum, btf.KindEnum64:
			return a[0] == b[0] && (a.Vlen() == 0 || b.Vlen() == 0) || equalWords(a, b)
		case btf.KindArray:
			return e.identicalArrays(a, b)
		case btf.KindPtr, btf.KindConst, btf.KindVolatile, btf.KindRestrict, btf.KindTypedef, btf.KindFunc, btf.KindTypeTag:
			if a[0] != b[0] || a[1] != b[1] {
				return false
			}
			x, y = a[2], b[2]
		case btf.KindStruct, btf.KindUnion:
			return shallow(a, b) && list(4, 3)
		case btf.KindFuncProto: // no parameter of a test has a name
			return a[0] == b[0] && a[1] == b[1] && (a[2] == b[2] || identicalByRule(e, a[2], b[2], budget-1)) && list(4, 2)
		default:
			return false
		}
	}
	return false
}

// TestIdentical: remembered answers do not change the result, for any types, budgets and order of calls.
func TestIdentical(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	asked, equal, cut := 0, 0, 0
	for round := range 1500 {
		data := randomBytes(r, 4+r.IntN(24))
		for i := 0; i+3 < len(data); i += 4 { // few kinds: many types are equal
			data[i] = []byte{0, 1, 3, 4, 5, 6, 7, 8, 11, 12, 13}[r.IntN(11-round%2*4)]
			data[i+1] &= byte(r.IntN(2))
		}
		w := fromBytes(nil, data)
		e := &engine{graph: graph{o: w.Object, first: 1}, end: uint32(w.End())}
		e.prepare(Options{Peer: rules.Default})
		for range 300 {
			x, y, budget := 1+r.Uint32N(e.end-1), 1+r.Uint32N(e.end-1), r.IntN(6)
			got, want := e.identical(x, y, budget), identicalByRule(e, x, y, budget)
			if got != want {
				t.Fatalf("types %d and %d, budget %d: got %v, want %v, in\n%s", x, y, budget, got, want, text(w.Object))
			}
			if asked++; x == y {
				continue
			}
			if want {
				equal++
			} else if identicalByRule(e, x, y, 20) {
				cut++
			}
		}
	}
	if equal < asked/100 || cut < asked/1000 {
		t.Errorf("of %d pairs %d are equal, and %d with a larger budget only: the test says little", asked, equal, cut)
	}
}

// explode makes structs, level by level, of which each has members members, pointers to those of the level below. All levels are there
// n times. It returns the copies of the topmost one.
func (w world) explode(levels, members, n int) []uint32 {
	leaf := w.int("int")
	below := make([]uint32, n)
	for i := range below {
		below[i] = w.strct("leaf", leaf)
	}
	for level := range levels {
		var ptrs []uint32
		for _, id := range below {
			ptrs = append(ptrs, w.ptr(id))
		}
		for i := range below {
			var ms []uint32
			for k := range members {
				ms = append(ms, ptrs[(i+k*(level+1))%n])
			}
			below[i] = w.strct(fmt.Sprintf("s%d", level), ms...)
		}
	}
	return below
}

// TestExplosion: copies of a graph in one unit are compared in as many steps as they have types, not paths. First each copy refers to
// itself alone, then all copies refer to each other.
func TestExplosion(t *testing.T) {
	for _, crossed := range []bool{false, true} {
		w := newWorld(nil)
		one := w.explode(14, 4, 1)[0]
		ptr := w.ptr(one)
		w.strct("x", ptr, ptr, ptr, ptr)
		var tops []uint32
		if crossed {
			tops = w.explode(14, 4, 40)[:4]
		} else {
			for range 4 {
				tops = append(tops, w.explode(14, 4, 1)[0])
			}
		}
		for i := range tops {
			tops[i] = w.ptr(tops[i])
		}
		w.strct("x", tops...)
		types := w.Len()
		stats, err := Run(w.Object, Options{Peer: rules.Default})
		if err != nil {
			t.Fatal(err)
		}
		if most := 40 * types; stats.Identical == 0 || stats.Identical > most {
			t.Errorf("crossed=%v: got %d pairs looked at for %d types, want up to %d", crossed, stats.Identical, types, most)
		}
		if got := w.Len(); got != 1+1+14*2+2 {
			t.Errorf("crossed=%v: got %d types, want one copy of each:\n%s", crossed, got, text(w.Object))
		}
	}
}

// TestStop: in every phase, a run ends soon after Stop returns an error.
func TestStop(t *testing.T) {
	stop := errors.New("stop")
	for asked := range 200 {
		w := newWorld(nil)
		for range 2 {
			for i := range pauseEvery {
				w.strct(fmt.Sprint(i), w.ptr(w.int(fmt.Sprint(i))))
			}
		}
		left, late := asked, 0
		m := New(w.Object, Options{Peer: rules.Default, Stop: func() error {
			if left--; left >= 0 {
				return nil
			}
			late++
			return stop
		}})
		m.Start()
		m.References()
		if _, err := m.Finish(w.Object, nil); left >= 0 {
			if err != nil || asked < 8 {
				t.Fatalf("asked %d times, got error %v", asked-left, err)
			}
			return
		} else if !errors.Is(err, stop) || late != 1 {
			t.Fatalf("told to stop when asked for the %dth time: got error %v, asked %d times more", asked+1, err, late-1)
		}
	}
	t.Error("the run did not end by itself")
}
