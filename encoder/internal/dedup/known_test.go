package dedup

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// units makes a world as units make it: a few structs, unions and typedefs of a few names, which point at each other, once for each
// unit, in an order of its own. A unit only declares some, defines some otherwise, and has some twice.
func units(r *rand.Rand) world {
	w := newWorld(nil)
	names, n := 2+r.IntN(6), 2+r.IntN(4)
	hidden, clash, double, back := r.Float64()*0.4, r.Float64()*0.3, r.Float64()*0.2, r.Float64()
	if r.IntN(2) == 0 {
		hidden = 0
	}
	if r.IntN(2) == 0 {
		double = 0
	}
	shape := r.Uint64()
	for range n {
		w.unit(r, names, shape, hidden, clash, double, back)
	}
	return w
}

// unit appends one unit. Ids are known before what they refer to is made.
func (w world) unit(r *rand.Rand, names int, shape uint64, hidden, clash, double, back float64) {
	type def struct {
		name int
		way  uint64 // of its members
		fwd  bool
	}
	var defs []def
	for name := range names {
		times := 1
		if r.Float64() < double {
			times = 2
		}
		for range times {
			d := def{name: name, fwd: r.Float64() < hidden}
			if r.Float64() < clash {
				d.way = 1 + r.Uint64N(2)
			}
			defs = append(defs, d)
		}
	}
	r.Shuffle(len(defs), func(i, j int) {
		if r.IntN(3) == 0 {
			defs[i], defs[j] = defs[j], defs[i]
		}
	})
	of := make(map[int][]uint32) // by name: the ids of its pointers
	first := uint32(w.End()) + 1 // the first after the int
	for i, d := range defs {
		of[d.name] = append(of[d.name], first+2*uint32(i))
	}
	integer := w.int("int")
	for i, d := range defs {
		shape := rand.New(rand.NewPCG(shape, uint64(d.name)<<8|d.way))
		switch id := first + 2*uint32(i) + 1; shape.IntN(8) {
		case 0:
			w.array(id, integer, 1+uint32(d.way))
		case 1:
			w.strct("", id, integer)
		case 2:
			w.proto(0, id)
		case 3:
			w.constant(id)
		default:
			w.ptr(id)
		}
		kind := shape.IntN(8)
		pick := func() uint32 {
			k := d.name + 1 // a chain, with ways back
			if shape.Float64() < back {
				k = shape.IntN(names)
			}
			if k >= names || shape.IntN(6) == 0 {
				return integer
			}
			return of[k][r.IntN(len(of[k]))]
		}
		name := fmt.Sprint(d.name)
		switch {
		case kind < 2:
			w.typedef(name, pick())
		case d.fwd:
			w.fwd(name, kind == 2)
		case kind == 2:
			w.union(name, pick(), pick())
		case kind == 3:
			w.strct(name, pick())
		default:
			w.strct(name, pick(), pick(), pick())
		}
	}
}

// outcome is what a run leaves, if ways and lists of that length are long.
func outcome(o *btf.Object, long int) (string, Stats) {
	m := New(o, Options{Peer: rules.Default})
	m.e.longPath, m.e.longList, m.e.longWalk, m.e.longRun = long, long, long, long
	m.Start()
	m.References()
	stats, err := m.Finish(o, nil)
	return fmt.Sprint(text(o), err), stats
}

// TestKnown: neither remembered comparisons nor divided lists change the result, for any types.
func TestKnown(t *testing.T) {
	spared, tolerant, rounds := 0, 0, 12000
	if testing.Short() {
		rounds = 2000
	}
	for seed := range uint64(rounds) {
		build := func() world {
			r := rand.New(rand.NewPCG(seed, 3))
			switch seed % 4 {
			case 0:
				return fromBytes(nil, randomBytes(r, 5+r.IntN(60)))
			case 1:
				return fromBytes(fromBytes(nil, randomBytes(r, 5+r.IntN(60))).Object, randomBytes(r, 5+r.IntN(60)))
			}
			return units(r)
		}
		want, plain := outcome(build().Object, 1<<30)
		got, stats := outcome(build().Object, 0)
		if got != want {
			t.Fatalf("seed %d: got\n%s\nwant\n%s\nof\n%s", seed, got, want, text(build().Object))
		}
		if stats.Comparisons < plain.Comparisons {
			spared++
		}
		if plain.Identical > 0 {
			tolerant++
		}
	}
	if spared < rounds/100 || tolerant < rounds/100 {
		t.Errorf("of %d objects %d spared a comparison, %d used the tolerance: the test says little", rounds, spared, tolerant)
	}
}

// TestLongLists: of many types of one name and shape, each is compared with those only that it could equal.
func TestLongLists(t *testing.T) {
	const n = 3000
	for name, make := range map[string]func(w world, i, of uint32){
		"structs":  func(w world, _, of uint32) { w.strct("s", w.ptr(of)) },
		"unions":   func(w world, _, of uint32) { w.union("", w.proto(0, of), w.int("int")) },
		"typedefs": func(w world, _, of uint32) { w.typedef("t", of) },
		"deep":     func(w world, i, _ uint32) { w.strct("", max(1, uint32(w.End())-1)) },
	} {
		w := newWorld(nil)
		w.int("int")
		for i := range uint32(n) {
			make(w, i, w.strct(fmt.Sprint("own", i/2), 1))
		}
		stats, err := Run(w.Object, Options{Peer: rules.Default})
		if err != nil {
			t.Fatal(err)
		}
		if most := (2 + longList) * n; stats.Comparisons > most || stats.Comparisons < n/2 && name != "deep" {
			t.Errorf("%s: got %d comparisons for %d types, want up to %d", name, stats.Comparisons, n, most)
		}
	}
}

// TestSteps: for types with equal signatures, and types that lead to the same types, the number of steps is proportional to the number of types.
func TestSteps(t *testing.T) {
	const n = 20000
	base := newWorld(nil)
	own := base.int("int")
	for i := range n {
		base.enum(btf.KindEnum, "e", fmt.Sprint("E", i))
		own = base.strct(fmt.Sprint("own", i), own)
		base.strct("s", own)
	}
	for name, r := range map[string]struct {
		base *btf.Object
		make func(w world)
	}{
		"typedefs of one name, each of the one before": {nil, func(w world) {
			w.int("int")
			for range n {
				w.typedef("t", uint32(w.End())-1)
			}
		}},
		"typedefs of one name, each of the one behind": {nil, func(w world) {
			for range n {
				w.typedef("t", uint32(w.End())+1)
			}
			w.int("int")
		}},
		"structs that lead into one chain": {nil, func(w world) {
			for range 2 {
				first := uint32(w.End())
				for range n {
					w.ptr(uint32(w.End()) + 1)
				}
				w.int("int")
				for i := range n {
					w.strct(fmt.Sprint("s", i), first)
				}
			}
		}},
		"structs that lead into many places of a chain": {nil, func(w world) {
			for range 2 {
				first := uint32(w.End())
				for range n {
					w.ptr(uint32(w.End()) + 1)
				}
				w.int("int")
				for i := range uint32(n) {
					w.strct(fmt.Sprint("s", i), first+i)
				}
			}
		}},
		"structs that lead into many places of a chain, from its end on": {nil, func(w world) {
			for range 2 {
				to := w.int("int")
				for i := range n {
					to = w.ptr(to)
					w.strct(fmt.Sprint("s", i), to)
				}
			}
		}},
		"enums of one name, on those of a base": {base.Object, func(w world) {
			for i := range uint32(n) {
				w.enum(btf.KindEnum, "e", fmt.Sprint("E", n/2+i))
			}
		}},
		"structs of one name, on those of a base": {base.Object, func(w world) {
			for i := range uint32(n) {
				w.strct("s", w.strct(fmt.Sprint("own", i), uint32(max(3*int(i)-1, 1))))
			}
		}},
	} {
		w := newWorld(r.base)
		r.make(w)
		m := New(w.Object, Options{Peer: rules.Default})
		m.Start()
		m.References()
		if _, err := m.Finish(w.Object, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if steps := m.e.spent + m.e.work; steps > 200*n {
			t.Errorf("%s: got %d steps for %d types", name, steps, n)
		}
	}
}

// TestTooManySteps: if each type must be compared with every other, the run ends with an error that names a type.
func TestTooManySteps(t *testing.T) {
	const n = 2000
	w := newWorld(nil)
	for range n {
		w.strct("s", uint32(w.End())+1)
	}
	w.int("int")
	m := New(w.Object, Options{Peer: rules.Default})
	m.e.least, m.e.longPath = 0, 1<<30
	m.Start()
	_, err := m.Finish(w.Object, nil)
	if err == nil || !strings.Contains(err.Error(), `STRUCT "s": too many types have equal signatures`) {
		t.Errorf("got error %v", err)
	}
}
