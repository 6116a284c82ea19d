package dedup

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// randomSkip makes a table of n records at random. Some records are longer than an Outline can say, and many types are neither marked nor open.
func randomSkip(r *rand.Rand, n int) *passing {
	c := &passing{open: make([]uint64, n/64+1), marked: new(names)}
	c.setRoles([]btf.KindSet{everyKind, appendable, everyKind &^ (1 << btf.KindTypedef)}[r.IntN(3)])
	kinds := []btf.Kind{btf.KindPtr, btf.KindFunc, btf.KindFuncProto, btf.KindStruct, btf.KindEnum, btf.KindArray, btf.KindTypedef, btf.KindFwd, btf.KindVar}
	rare := 1 + r.IntN(40)
	for i := range n {
		k, vlen := kinds[r.IntN(len(kinds))], r.IntN(4)
		if r.IntN(200) == 0 {
			vlen = 90
		}
		name := r.Uint32N(1 << 20)
		if r.IntN(3) == 0 {
			name = 0
		}
		length := 3
		switch k {
		case btf.KindArray:
			length = 6
		case btf.KindVar:
			length = 4
		case btf.KindStruct:
			length += 3 * vlen
		case btf.KindFuncProto, btf.KindEnum:
			length += 2 * vlen
		default:
			vlen = 0
		}
		told := length
		if i == n-1 || length > math.MaxUint8 {
			told = btf.Untold
		}
		c.lengths = append(c.lengths, uint8(told))
		at := len(c.words)
		for range length {
			word := r.Uint32N(uint32(n) + 2)
			if r.IntN(3) == 0 {
				word = 0
			}
			c.words = append(c.words, word)
		}
		c.words[at], c.words[at+1] = name, btf.Info(k, uint32(vlen), r.IntN(2) == 0)
		if r.IntN(rare) == 0 {
			c.marked.add(name)
		}
	}
	c.marked.add(0)
	for i := range c.open {
		if r.IntN(rare) == 0 {
			c.open[i] = r.Uint64()
		}
	}
	return c
}

// TestSkip: skip in assembler code stops where skip stops.
func TestSkip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	stops, passed := 0, 0
	for range 3000 {
		c := randomSkip(r, 1+r.IntN(300))
		for ; c.i < len(c.lengths); c.i++ {
			want, from := *c, c.i
			want.skip()
			if c.skipFast(); c.i != want.i || c.at != want.at {
				t.Fatalf("from record %d: got %d at %d, want %d at %d", from, c.i, c.at, want.i, want.at)
			}
			stops, passed = stops+1, passed+c.i-from
			r := btf.Record(c.words[c.at:])
			switch length := c.lengths[c.i]; {
			case length != btf.Untold:
				c.at += int(length)
			case r.Kind() == btf.KindStruct:
				c.at += 3 + 3*r.Vlen()
			case c.i+1 < len(c.lengths):
				t.Fatalf("a record of kind %s is long", r.Kind())
			}
		}
	}
	if stops < 10000 || passed < stops {
		t.Errorf("%d stops, %d records passed: the test says little", stops, passed)
	}
}
