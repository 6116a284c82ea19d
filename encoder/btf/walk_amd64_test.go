//go:build amd64 && !purego

package btf

import (
	"math/rand/v2"
	"testing"
)

// TestLanes: lanes arrive in nearly all tables without damage, and in hardly any with damage.
func TestLanes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 10))
	const tables = 200
	for _, damaged := range []bool{false, true} {
		arrived := 0
		for range tables {
			words := randomWords(r, 2*severalLanes+r.IntN(40000), damaged)
			o := newOutline(words, nil)
			if _, _, ok := o.walkInLanes(len(words) - recordWords + 1); ok {
				arrived++
			}
		}
		t.Logf("damaged: %t: %d of %d", damaged, arrived, tables)
		if damaged != (arrived < tables/2) {
			t.Errorf("damaged: %t: the lanes arrived in %d of %d tables", damaged, arrived, tables)
		}
	}
}
