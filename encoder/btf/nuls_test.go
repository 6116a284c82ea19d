package btf

import (
	"math/rand/v2"
	"testing"
)

// TestNuls: the bits are those of the bytes that are NUL, also beside bytes that differ from it in one bit.
func TestNuls(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	for range 2000 {
		var block [64]byte
		want := uint64(0)
		for i := range block {
			if block[i] = []byte{0, 1, 0x80, 0xff, 'a', 0x81}[r.IntN(6)]; block[i] == 0 {
				want |= 1 << i
			}
		}
		if got := nuls(&block); got != want {
			t.Fatalf("nuls(%x): got %x, want %x", block, got, want)
		}
	}
}
