package golden

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/show"
)

// randomObject has a few types out of so few names and values that many are alike. Its references go anywhere.
func randomObject(r *rand.Rand, n int) *btf.Object {
	o := btf.New(binary.LittleEndian, nil)
	name := func() uint32 { return o.Strings.Add([]byte([]string{"", "a", "b"}[r.IntN(3)])) }
	id := func() uint32 { return uint32(r.IntN(n + 2)) }
	small := func() uint32 { return uint32(r.IntN(2)) }
	for range n {
		k := btf.Kind(1 + r.IntN(int(btf.NumKinds)-1))
		shape := btf.ShapeOf(k)
		vlen := small()
		words := []uint32{name(), btf.Info(k, vlen, r.IntN(2) == 0), small()}
		if shape.Refers {
			words[2] = id()
		}
		for range shape.Once {
			words = append(words, id())
		}
		for range int(shape.Each) * int(vlen) {
			words = append(words, small())
		}
		for at := 3 + int(shape.Once); at < len(words); at += int(shape.Each) {
			if shape.NameAt >= 0 {
				words[at+int(shape.NameAt)] = name()
			}
			if shape.TypeAt >= 0 {
				words[at+int(shape.TypeAt)] = id()
			}
		}
		o.Append(words...)
	}
	return o
}

// permuted is the same types in another order, or now and then with one reference changed.
func permuted(r *rand.Rand, o *btf.Object) *btf.Object {
	p := &btf.Object{Table: btf.NewTable(1), Strings: o.Strings, Order: o.Order}
	order := r.Perm(o.Len())
	if r.IntN(2) == 0 {
		for i := range order {
			order[i] = i
		}
	}
	to := make([]uint32, o.Len())
	for at, i := range order {
		to[i] = uint32(at) + 1
	}
	swap := r.IntN(3*o.Len() + 1)
	for at, i := range order {
		p.Append(o.At(btf.ID(i) + 1)...)
		p.At(btf.ID(at) + 1).References(func(id *uint32) {
			if *id > 0 && int(*id) <= len(to) {
				*id = to[*id-1]
			}
			if swap--; swap == 0 {
				*id = uint32(r.IntN(len(to) + 1))
			}
		})
	}
	return p
}

// exact compares two objects, ids and order included.
func exact(old, new *btf.Object) *cause.Comparison {
	return cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{Exact: true})
}

// An exact comparison of two objects is empty exactly when their dumps are equal, whichever of them is the old one. Any comparison of them can
// be shown.
func TestExactRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	equals := 0
	for i := range 20_000 {
		old := randomObject(r, 1+r.IntN(8))
		new := permuted(r, old)
		c := exact(old, new)
		equal := bytes.Equal(dump.AppendRaw(nil, old), dump.AppendRaw(nil, new))
		if equal {
			equals++
		}
		if equal != c.Verdict.Equal {
			t.Fatalf("round %d: equal: %t, but the comparison is: %s\n%s\n%s", i, equal, show.Summary(c), dump.AppendRaw(nil, old), dump.AppendRaw(nil, new))
		}
		if back := exact(new, old); back.Verdict.Equal != equal {
			t.Fatalf("round %d: the other way the comparison is: %s", i, show.Summary(back))
		}
		if i%20 != 0 {
			continue
		}
		var b bytes.Buffer
		for _, opt := range []show.Options{{}, {Limit: -1, Verbose: true, Color: true}} {
			if err := errors.Join(show.Text(&b, c, opt), show.Brief(&b, c, opt), show.Markdown(&b, c, opt), show.JSON(&b, c)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if equals < 1000 || equals > 19_000 {
		t.Errorf("got %d equal pairs of 20000, the test is one-sided", equals)
	}
}
