package dedup

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// slowIndex is rule 03/5, word by word: lists that are reversed at every growth.
type slowIndex struct {
	lists  map[uint64][]uint32
	n, cap int
	grown  []int // entries at each growth
}

func (x *slowIndex) insert(sig uint64, id uint32) {
	if x.cap == 0 || 4*(x.n+1)/3 > x.cap {
		x.cap = max(4, 2*x.cap)
		x.grown = append(x.grown, x.n+1)
		for _, l := range x.lists {
			slices.Reverse(l)
		}
	}
	x.lists[sig] = slices.Insert(x.lists[sig], 0, id)
	x.n++
}

// TestIndexOrder is rule 03/5: lists are walked newest first, but reversed at every growth.
func TestIndexOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		const n = 3000
		var fast index
		fast.init(0, n+1, 0)
		slow := slowIndex{lists: map[uint64][]uint32{}}
		for id := uint32(1); id <= n; id++ {
			sig := r.Uint64N(1+uint64(round*20)) * 0x9e3779b97f4a7c15
			fast.insert(fast.find(sig), sig, id)
			slow.insert(sig, id)
			if id%7 != 0 {
				continue
			}
			sig = r.Uint64N(1+uint64(round*20)) * 0x9e3779b97f4a7c15
			var got []uint32
			for c := fast.find(sig).head; c != 0; c = *fast.after(c) {
				got = append(got, c)
			}
			if !slices.Equal(got, slow.lists[sig]) {
				t.Fatalf("round %d, after %d: got %v, want %v", round, id, got, slow.lists[sig])
			}
		}
		if want := []int{1, 4, 7, 13, 25, 49, 97, 193, 385, 769, 1537}; !slices.Equal(slow.grown, want) {
			t.Fatalf("growths before insertions %v, want %v", slow.grown, want)
		}
	}
}

// TestIndexContinued: an index that continues another is as if it had been filled from the start, and leaves that one alone.
func TestIndexContinued(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for round := range 50 {
		below, n := 1+r.IntN(400), uint32(800)
		sigs := make([]uint64, n)
		for i := range sigs {
			sigs[i] = r.Uint64N(1+uint64(round*4)) * 0x9e3779b97f4a7c15
		}
		var base index
		base.init(0, below+1, 0)
		for id := 1; id <= below; id++ {
			base.insert(base.find(sigs[id]), sigs[id], uint32(id))
		}
		if round%2 != 0 {
			base.settle()
		}
		for range 2 { // the second finds the base as the first did
			var x index
			x.extend(&base, int(n), 0)
			slow := slowIndex{lists: map[uint64][]uint32{}}
			for id := uint32(1); id < n; id++ {
				slow.insert(sigs[id], id)
				if id <= uint32(below) {
					continue
				}
				x.insert(x.find(sigs[id]), sigs[id], id)
				sig := sigs[r.IntN(int(n))]
				var got []uint32
				for c := x.find(sig).head; c != 0; c = *x.after(c) {
					got = append(got, c)
				}
				if !slices.Equal(got, slow.lists[sig]) {
					t.Fatalf("round %d, base of %d, after %d: got %v, want %v", round, below, id, got, slow.lists[sig])
				}
			}
		}
	}
}

// TestIndexShares: an index copies the chains of its base only when one of them changes.
func TestIndexShares(t *testing.T) {
	const below, sig = 100, 7 // the next growth is before the insertion 193
	var base, x index
	base.init(0, below+1, 0)
	for id := uint32(1); id <= below; id++ {
		base.insert(base.find(sig+uint64(id%2)), sig+uint64(id%2), id)
	}
	base.settle()
	x.extend(&base, 301, 0)
	for id := uint32(below + 1); id <= 300; id++ {
		x.insert(x.find(sig), sig, id)
		if x.owned != (id >= 193) {
			t.Fatalf("after %d: chains are copied: %t", id, x.owned)
		}
	}
}

// TestRanked: a number of the set keeps its value when the set gets larger.
func TestRanked(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 6))
	for range 100 {
		var x ranked
		want := map[uint32]uint32{}
		set := make([]uint64, 1+r.IntN(8))
		for range 4 {
			for range r.IntN(60) {
				n := r.Uint32N(uint32(64 * len(set)))
				set[n/64] |= 1 << (n % 64)
				want[n] += 0
			}
			x.extend(slices.Clone(set))
			for n, v := range want {
				if got := *x.at(n); got != v {
					t.Fatalf("%d of %x: got %d, want %d", n, set, got, v)
				}
				want[n] = r.Uint32()
				*x.at(n) = want[n]
			}
		}
	}
}
