package btf

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomWords returns n words of records, or fewer that end with a record if none is damaged.
func randomWords(r *rand.Rand, n int, damaged bool) []uint32 {
	words, lengths, at := make([]uint32, n), recordLengths(nil), 0
	for at+1 < n {
		k := Kind(r.IntN(int(NumKinds)-1) + 1)
		if r.IntN(3) > 0 {
			k = KindFunc
		}
		vlen := 0
		if shapes[k].Each > 0 {
			vlen = r.IntN(5)
		}
		switch some := r.IntN(600); {
		case some < 50 && vlen > 0:
			vlen = 80 + r.IntN(20)
		case some == 50 && vlen > 0:
			vlen = r.IntN(5000)
		case some < 60 && damaged:
			vlen = 1<<24 - 1
		case some < 70 && damaged:
			k = Kind(r.IntN(128))
		}
		words[at+1] = Info(k, uint32(vlen), r.IntN(2) == 0)
		for i := at + recordWords; i < min(n, at+wordsOf(lengths[k], words[at+1])); i++ {
			words[i] = r.Uint32N(1 << 26)
		}
		length := wordsOf(lengths[k], words[at+1])
		if length > n-at && !damaged {
			break
		}
		at += min(length, n)
	}
	return words[:min(at, n)]
}

// TestWalk: walkFast finds the lengths and the blocks that walk finds, in tables that end anywhere and have damaged records.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	records, long, cut := 0, 0, 0
	for i := range 20000 {
		n := r.IntN(600)
		if i%40 == 0 {
			n = r.IntN(40000)
		}
		words := randomWords(r, n, i%80 > 0)
		want, got := newOutline(words, nil), newOutline(words, nil)
		wantN, wantEnd := want.walk()
		gotN, gotEnd := got.walkFast()
		if wantN != gotN || wantEnd != gotEnd || !bytes.Equal(want.lengths[:wantN+blockLen], got.lengths[:wantN+blockLen]) ||
			!slices.Equal(want.blocks[:wantN/blockLen+1], got.blocks[:wantN/blockLen+1]) {
			t.Fatalf("%d words: got %d records up to %d, want %d up to %d", len(words), gotN, gotEnd, wantN, wantEnd)
		}
		records += wantN
		long += bytes.Count(want.lengths[:wantN], []byte{Untold})
		if wantEnd < len(words) {
			cut++
		}
	}
	if records < 100000 || long < 300 || cut < 1000 {
		t.Errorf("%d records, %d of them long, %d tables cut: the test says little", records, long, cut)
	}
}
