package btf

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestWalk: walk in assembler code finds the lengths that walk finds, in tables that end anywhere and have damaged records.
func TestWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	lengths := recordLengths(nil)
	records, long, cut := 0, 0, 0
	for range 20000 {
		words := make([]uint32, r.IntN(600))
		for at := 0; at+1 < len(words); {
			k := Kind(r.IntN(int(NumKinds)-1) + 1)
			if r.IntN(3) > 0 {
				k = KindFunc
			}
			vlen := r.IntN(5)
			switch r.IntN(12) {
			case 0:
				vlen = 80 + r.IntN(20)
			case 1:
				vlen = 1<<24 - 1
			case 2:
				k = Kind(r.IntN(128))
			}
			words[at+1] = Info(k, uint32(vlen), r.IntN(2) == 0)
			at += min(wordsOf(lengths[k&0x7f], words[at+1]), len(words))
		}
		want, got := newOutline(words, nil), newOutline(words, nil)
		wantN, wantEnd := want.walk(0, 0)
		gotN, gotEnd := got.walkFast()
		if wantN != gotN || wantEnd != gotEnd || !bytes.Equal(want.lengths, got.lengths) || !slices.Equal(want.blocks, got.blocks) {
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
