package verify

import (
	"math/rand/v2"
	"testing"
)

// TestNames: checking byte by byte and by the marks gives the same results.
func TestNames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	alphabet := []byte("abcXYZ0189_. -\x01\xd7\xe9\x00\x00")
	strs := make([]byte, 20000)
	for i := range strs[:len(strs)-1] {
		strs[i] = alphabet[r.IntN(len(alphabet))]
		if i > 5000 && i < 6000 {
			strs[i] = 'x' // longer than the longest name
		}
	}
	good := 0
	for cl := range class(2) {
		marked := names{strs: strs}
		marked.ends[cl] = mark(strs, cl)
		for off := range uint32(len(strs)) {
			for _, limit := range []uint32{0, 3, 128, 512} {
				looking := names{strs: strs}
				got, want := looking.valid(cl, off, limit), marked.valid(cl, off, limit)
				if got != want {
					t.Fatalf("class %d, offset %d, limit %d: got %t, want %t", cl, off, limit, got, want)
				}
				if got {
					good++
				}
			}
		}
		many := names{strs: strs}
		for range aFew + 1 {
			many.valid(cl, 5001, 512)
		}
		if many.ends[cl] == nil {
			t.Errorf("class %d: many questions were asked, and nothing is marked", cl)
		}
	}
	if good < 1000 {
		t.Errorf("only %d names were good ones", good)
	}
}
