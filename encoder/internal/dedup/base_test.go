package dedup

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// randomBytes returns the bytes of n types for fromBytes. Half of the worlds have few names, which makes many types nearly equal.
func randomBytes(r *rand.Rand, n int) []byte {
	data := make([]byte, 4*n)
	bare := r.IntN(2) == 0
	for i := 0; i < len(data); i += 4 {
		data[i], data[i+1] = byte(r.IntN(252)), byte(r.IntN(4))
		if bare && r.IntN(3) > 0 {
			data[i+1] = 0
		}
		near := []int{9, 2*n + 1}[r.IntN(2)]
		data[i+2], data[i+3] = byte(r.IntN(near)), byte(r.IntN(near))
		if k := data[i] % 18; k == 15 || k == 16 || k == 14 || k == 8 && bare {
			data[i] = 1 // what types cannot lead to; and an enum that forbids the finer lists
		}
	}
	return data
}

// splitBytes runs over an object on base and returns its bytes, nil when it cannot be.
func splitBytes(base *btf.Object, data []byte, opt Options) []byte {
	w := fromBytes(base, data)
	if _, err := Run(w.Object, opt); err != nil {
		return nil
	}
	return w.AppendWire(nil)
}

// profiles are the rules of both.
var profiles = []rules.Set{rules.Default, rules.Pahole}

// TestSharedBase: runs that share a base get the same results as runs with a base of their own, for any base.
func TestSharedBase(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	good := 0
	for round := range 150 {
		base := fromBytes(nil, randomBytes(r, 5+r.IntN(60))).Object
		if round%2 == 0 { // no repeats, as in a real base; other bases have some
			if _, err := Run(base, Options{Peer: rules.Default}); err != nil {
				continue
			}
		}
		before := base.AppendWire(nil)
		base.Strings.Index()
		shared := NewBase(base)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			data, peer := randomBytes(r, 5+r.IntN(60)), profiles[i%2]
			want := splitBytes(base, data, Options{Peer: peer})
			if want != nil {
				good++
			}
			wg.Go(func() {
				got := splitBytes(base, data, Options{Peer: peer, Base: shared})
				if !bytes.Equal(got, want) {
					errs[i] = fmt.Errorf("round %d, %d: a shared base gives %d bytes, an own one %d", round, i, len(got), len(want))
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if !bytes.Equal(base.AppendWire(nil), before) {
			t.Errorf("round %d: the base was changed", round)
		}
	}
	if good < 300 {
		t.Errorf("only %d of the worlds can be deduplicated", good)
	}
}

// TestSpareMaps: runs one after the other use the same maps, which are clean for each. After a run that has replaced a type of the base they are not used
// again.
func TestSpareMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 2))
	reused, dropped := 0, 0
	for range 200 {
		base := fromBytes(nil, randomBytes(r, 5+r.IntN(60))).Object
		base.Strings.Index()
		shared := NewBase(base)
		for range 4 {
			w := fromBytes(base, randomBytes(r, 5+r.IntN(60)))
			before := len(shared.spare)
			m := New(w.Object, Options{Peer: rules.Pahole, Base: shared})
			m.Start()
			if _, err := m.Finish(w.Object, nil); err != nil {
				continue
			}
			if m.e.moved {
				dropped++
			} else if before != 0 {
				reused++
			}
			if len(shared.spare) > 1 || m.e.moved && len(shared.spare) != 0 || !m.e.moved && len(shared.spare) != 1 {
				t.Fatalf("%d maps are left", len(shared.spare))
			}
			for _, s := range shared.spare {
				first := int(base.End())
				if clean := make([]uint32, first); !slices.Equal(s.m[:first], clean) || !slices.Equal(s.hyp[:first], clean) {
					t.Fatalf("maps are not clean: %v %v", s.m[:first], s.hyp[:first])
				}
			}
		}
	}
	if reused == 0 || dropped == 0 {
		t.Errorf("%d maps were used again, %d were not", reused, dropped)
	}
}

// TestForeignBase: a base may not be taken for another one.
func TestForeignBase(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	base, other := newWorld(nil), newWorld(nil)
	w := newWorld(base.Object)
	w.int("int")
	_, _ = Run(w.Object, Options{Peer: rules.Default, Base: NewBase(other.Object)})
}

// TestSignature: a candidate that a comparison accepts at the time when it is asked for is in the list of the type's signature.
func TestSignature(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	accepted := 0
	for range 10000 {
		w := fromBytes(nil, randomBytes(r, 5+r.IntN(50)))
		e := &engine{graph: graph{o: w.Object, first: 1}, end: uint32(w.End())}
		e.prepare(Options{Peer: rules.Default})
		for id := e.first; id < e.end; id++ {
			for c := e.first; c < id; c++ {
				a, b := e.rec(id), e.rec(c)
				if isEnum(a.Kind()) && e.survives(c) && equalWords(a, b) && e.signature(a) != e.signature(b) {
					t.Fatalf("enums %d and %d are equal and in two lists:\n%s", c, id, text(w.Object))
				}
			}
			e.primitive(id)
		}
		for id := e.first; id < e.end && e.err == nil; id++ {
			for c := e.first; c < id && e.m[id] == unset; c++ {
				a, b := e.rec(id), e.rec(c)
				if !e.survives(c) || !shallow(a, b) {
					continue
				}
				e.clearHypotheses()
				if !e.same(id, c) {
					continue
				}
				if a[0] == 0 {
					accepted++
				}
				if e.signature(a) != e.signature(b) {
					t.Fatalf("types %d and %d are one and in two lists:\n%s", c, id, text(w.Object))
				}
			}
			_ = e.composite(id) // an error is in e.err
		}
	}
	if accepted < 500 {
		t.Errorf("only %d candidates without a name were accepted", accepted)
	}
}

// FuzzSplit: a base that is prepared once gives the same result as a base that the run prepares, for any types, in the first run
// and in the second.
func FuzzSplit(f *testing.F) {
	f.Add([]byte{0, 3, 0, 0, 3, 1, 1, 1}, []byte{0, 3, 0, 0, 3, 1, 3, 3, 1, 0, 4, 0})
	f.Add([]byte{8, 0, 0, 0, 1, 0, 1, 0}, []byte{7, 0, 0, 0, 6, 0, 1, 3})
	f.Add([]byte{10, 1, 0, 0, 1, 0, 1, 0, 5, 2, 2, 0}, []byte{5, 1, 0, 0, 10, 1, 0, 0, 1, 0, 5, 0, 5, 2, 6, 0})
	f.Fuzz(func(t *testing.T, below, own []byte) {
		if len(below)+len(own) > 4000 {
			return
		}
		base := fromBytes(nil, below).Object
		shared := NewBase(base)
		for _, peer := range profiles {
			want := splitBytes(base, own, Options{Peer: peer})
			for range 2 {
				if got := splitBytes(base, own, Options{Peer: peer, Base: shared}); !bytes.Equal(got, want) {
					t.Fatalf("a shared base gives %d bytes, an own one %d", len(got), len(want))
				}
			}
		}
	})
}
