package xz

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// decoded decodes LZMA2 data, with or without the loop in assembly. What comes after the output must not change.
func decoded(t *testing.T, in []byte, size int, noAssembly bool) ([]byte, error) {
	t.Helper()
	var d lzma2
	d.begin()
	d.noAssembly = noAssembly
	all := bytes.Repeat([]byte{0xa5}, size+64)
	err := steps(&d, all[:size:size], in)
	if len(bytes.Trim(all[size:], "\xa5")) > 0 {
		t.Fatal("the decoder wrote past the end of its output")
	}
	return all[:d.at], err
}

// steps decodes LZMA2 data chunk by chunk.
func steps(d *lzma2, out, in []byte) error {
	for len(in) > 0 {
		n, err := d.step(out, in)
		if n == 0 || err != nil {
			return err
		}
		in = in[n:]
	}
	return nil
}

// TestSymbols: all symbols, in all states and with all properties, are decoded with and without assembly to what was encoded. Damaged data end both in
// the same way.
func TestSymbols(t *testing.T) {
	t.Logf("assembly: %v", haveSymbols)
	for seed := range uint64(32) {
		r := rand.New(rand.NewPCG(seed, 1))
		lc := r.IntN(5)
		e := newLZMAEncoder(lc, r.IntN(5-lc), r.IntN(5))
		name := fmt.Sprintf("seed %d: lc=%d,lp=%d,pb=%d", seed, e.lc, e.lp, e.pb)
		matches := []int{5, 30, 70, 95}[seed%4]
		var in []byte
		for range 1 + r.IntN(3) {
			count := r.IntN(30_000)
			in = append(in, e.chunk(func(full func() bool) {
				for n := 0; n <= count && !full(); n++ {
					e.random(r, matches)
				}
			})...)
		}
		for _, no := range []bool{false, true} {
			if got, err := decoded(t, in, len(e.contents), no); err != nil || !bytes.Equal(got, e.contents) {
				t.Fatalf("%s, without assembly %v: got %d bytes, %v, want %d others", name, no, len(got), err, len(e.contents))
			}
		}
		for range 30 {
			bad := slices.Clone(in)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			got, err := decoded(t, bad, len(e.contents), false)
			want, wantErr := decoded(t, bad, len(e.contents), true)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || !bytes.Equal(got, want) {
				t.Fatalf("%s, damaged: got %d bytes, %v, want %d, %v", name, len(got), err, len(want), wantErr)
			}
		}
	}
}

// TestFarSymbols: distances of all lengths are decoded, as those of a block with a large dictionary.
func TestFarSymbols(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	e := newLZMAEncoder(3, 0, 2)
	var in []byte
	for len(e.contents) < 9<<20 {
		in = append(in, e.chunk(func(full func() bool) {
			for !full() {
				if e.random(r, 20); len(e.contents) > 1000 {
					e.match(uint32(r.IntN(len(e.contents))), 273)
				}
			}
		})...)
	}
	in = append(in, e.chunk(func(func() bool) {
		for low := range 23 {
			for _, dist := range []int{1 << low, 1<<low + 1, 3<<low - 1, 3 << low, 3<<low + 1, 4<<low - 1} {
				if dist < len(e.contents) {
					e.match(uint32(dist), 2+low)
				}
			}
		}
		for range 400 {
			e.literal(byte(r.IntN(256)))
		}
	})...)
	for _, no := range []bool{false, true} {
		if got, err := decoded(t, in, len(e.contents), no); err != nil || !bytes.Equal(got, e.contents) {
			t.Fatalf("without assembly %v: got %d bytes, %v, want %d others", no, len(got), err, len(e.contents))
		}
	}
}

// TestDistances: the farthest distance leads to the first byte of the dictionary, for all symbols that have one.
func TestDistances(t *testing.T) {
	const literals = 5 // before the symbol, which the loop in assembly decodes
	for name, symbol := range map[string]func(e *lzmaEncoder, dist uint32){
		"match":            func(e *lzmaEncoder, dist uint32) { e.match(dist, 20) },
		"repetition":       func(e *lzmaEncoder, _ uint32) { e.repetition(0, 20) },
		"second":           func(e *lzmaEncoder, _ uint32) { e.repetition(1, 20) },
		"third":            func(e *lzmaEncoder, _ uint32) { e.repetition(2, 20) },
		"fourth":           func(e *lzmaEncoder, _ uint32) { e.repetition(3, 20) },
		"short repetition": func(e *lzmaEncoder, _ uint32) { e.repetition(0, 1) },
	} {
		for _, dict := range []int{0, 160, -160} { // start of the dictionary; positions modulo 16 are the same
			for excess := range 2 {
				e := newLZMAEncoder(3, 0, 2)
				fill := func(n int) {
					for i := range n {
						e.literal(byte(i * i))
					}
				}
				first := e.chunk(func(func() bool) { fill(1000) })
				dist := uint32(1000 + literals - max(0, dict) - 1 + excess)
				for i := range e.reps {
					e.reps[i] = dist
				}
				second := e.chunk(func(func() bool) {
					fill(literals)
					symbol(e, dist)
					fill(500)
				})
				for _, no := range []bool{false, true} {
					d := lzma2{noAssembly: no}
					d.begin()
					out := make([]byte, len(e.contents))
					if err := steps(&d, out, first); err != nil {
						t.Fatal(err)
					}
					d.dict = dict
					for i := range d.reps {
						d.reps[i] = dist
					}
					err := steps(&d, out, second)
					if (err != nil) != (excess > 0) || err == nil && !bytes.Equal(out, e.contents) {
						t.Errorf("%s, dictionary at %d, %d too far, without assembly %v: got %v", name, dict, excess, no, err)
					}
				}
			}
		}
	}
}
