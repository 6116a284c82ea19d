package dedup

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// sound turns functions of other types than prototypes into qualifiers, so that the references of the object are right.
func (w world) sound() world {
	for _, r := range w.All() {
		if of, _ := w.Record(btf.ID(r[2])); r.Kind() == btf.KindFunc && of.Kind() != btf.KindFuncProto {
			r[0], r[1] = 0, btf.Info(btf.KindConst, 0, false)
		}
	}
	return w
}

// functions appends functions with prototypes whose parameters have names.
func (w world) functions(r *rand.Rand, n int) {
	names := []string{"", "a", "x", "y", "f", "g"}
	for range n {
		last := uint32(w.End())
		var words []uint32
		for range r.IntN(3) {
			words = append(words, w.name(names[r.IntN(len(names))]), r.Uint32N(last))
		}
		w.elems(btf.KindFuncProto, "", r.Uint32N(last), len(words)/2, words...)
		w.fn(names[1+r.IntN(len(names)-1)], last)
		if r.IntN(4) == 0 {
			w.tag(names[r.IntN(len(names))], last+1, -1)
		}
	}
}

// A splitRun is a run over an object with a base.
type splitRun struct {
	base, own []byte // for fromBytes
	funcs     int    // number of functions that follow the types, in the base and in the object
	seed      uint64 // of the functions
	peer      rules.Set
}

// makeBase makes the base of the run. It has a string that no type uses.
func (s *splitRun) makeBase() world {
	w := fromBytes(nil, s.base).sound()
	w.functions(rand.New(rand.NewPCG(s.seed, 3)), s.funcs)
	w.name(unmatched)
	return w
}

const unmatched = "no type has this name"

// run runs over the object, in the steps of an encoding, and returns its bytes.
func (s *splitRun) run(base *Base) ([]byte, error) {
	w := fromBytes(base.o, s.own).sound()
	w.Grow(3*s.funcs, 16*s.funcs)
	m := New(w.Object, Options{Peer: s.peer, Base: base, Room: 3 * s.funcs})
	m.Start()
	w.functions(rand.New(rand.NewPCG(s.seed, 4)), s.funcs)
	m.References()
	if _, err := m.Finish(w.Object, nil); err != nil {
		return nil, err
	}
	return w.AppendWire(nil), nil
}

// randomRun makes a run at random. Half of the bases have no repeats, as a real base.
func randomRun(r *rand.Rand, i int) *splitRun {
	return &splitRun{base: randomBytes(r, 5+r.IntN(80)), own: randomBytes(r, 5+r.IntN(60)), funcs: r.IntN(30), seed: r.Uint64(), peer: profiles[i%2]}
}

// skimmed returns a base as a process that encodes one module reads it.
func skimmed(t *testing.T, o *btf.Object) *btf.Object {
	t.Helper()
	s, err := btf.Skim(o.AppendWire(nil))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLazyBase: a run with a lazy base has the result of a run with a prepared base.
func TestLazyBase(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 5))
	good, left := 0, 0
	for i := range 6000 {
		s := randomRun(r, i)
		base := s.makeBase()
		if i%4 < 2 {
			if _, err := Run(base.Object, Options{Peer: rules.Default}); err != nil {
				continue
			}
		}
		if err := base.CheckReferences(); err != nil {
			t.Fatal(err)
		}
		want, wantErr := s.run(NewBase(base.Object))
		lazy := NewLazyBase(base.Object)
		if i%3 != 0 {
			lazy = NewLazyBase(skimmed(t, base.Object))
		}
		for range 2 {
			got, err := s.run(lazy)
			if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("run %d: a lazy base gives %d bytes (%v), a prepared one %d (%v)", i, len(got), err, len(want), wantErr)
			}
		}
		if wantErr == nil {
			good++
			left += len(want)
		}
	}
	if good < 2000 || left/good < 100 {
		t.Errorf("%d runs succeed, with %d bytes: the test says little", good, left)
	}
}

// damaged damages words of a base, as data says. In repaired, the damaged types have a name that no other type has, and their damaged
// references lead to themselves.
func damaged(base, repaired *btf.Object, data []byte) {
	name, _ := base.Strings.Find([]byte(unmatched))
	for ; len(data) >= 2 && base.Len() > 0; data = data[2:] {
		id := base.First() + btf.ID(int(data[0])%base.Len())
		at := int(data[1] >> 1)
		count := func(change func(word *uint32, to uint32), to uint32) func(word *uint32) {
			n := 0
			return func(word *uint32) {
				if n++; n-1 == at%4 {
					change(word, to)
				}
			}
		}
		set := func(word *uint32, to uint32) { *word = to }
		bad, good := uint32(base.End())+uint32(data[0]), uint32(id)
		r, fixed := base.At(id), repaired.At(id)
		switch {
		case data[1]&1 == 0 && r.Kind() != btf.KindFunc:
			r.References(count(set, bad))
			fixed.References(count(set, good))
			if !slices.Equal(r, fixed) {
				fixed[0] = name
			}
		case data[1]&1 != 0:
			r.StringOffsets(count(set, base.Strings.End()+bad))
			fixed.StringOffsets(count(set, name))
			if !slices.Equal(r, fixed) {
				fixed[0] = name
			}
		}
	}
}

// runDamaged is one run with a damaged base. It ends with an error, or has the result of a run with a base in which the damaged types are
// different from all types of the object.
func runDamaged(t *testing.T, s *splitRun, damage []byte) (failed bool) {
	t.Helper()
	base, repaired := s.makeBase(), s.makeBase()
	damaged(base.Object, repaired.Object, damage)
	whole := base.CheckReferences()
	got, err := s.run(NewLazyBase(skimmed(t, base.Object)))
	want, wantErr := s.run(NewBase(repaired.Object))
	switch {
	case err != nil && strings.HasPrefix(err.Error(), "base: type "):
		if whole == nil {
			t.Errorf("the base has no damage, and the run ends with %v", err)
		}
		return true
	case (err == nil) != (wantErr == nil) || !bytes.Equal(got, want):
		t.Errorf("%d bytes (%v); with a repaired base %d (%v)", len(got), err, len(want), wantErr)
	}
	return false
}

// TestDamagedBase: damage that is reached is an error that names the type, and damage that is not reached does not matter.
func TestDamagedBase(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 5))
	count := map[bool]int{}
	for i := range 4000 {
		damage := make([]byte, 2*(1+r.IntN(3)))
		for k := range damage {
			damage[k] = byte(r.Uint32())
		}
		count[runDamaged(t, randomRun(r, i), damage)]++
		if t.Failed() {
			t.Fatalf("run %d", i)
		}
	}
	if count[true] < 400 || count[false] < 400 {
		t.Errorf("in %d runs the damage is reached, in %d it is not", count[true], count[false])
	}
}

// FuzzDamagedBase is TestDamagedBase for any base, object and damage.
func FuzzDamagedBase(f *testing.F) {
	f.Add([]byte{0, 3, 0, 0, 3, 1, 1, 1}, []byte{0, 3, 0, 0, 3, 1, 3, 3, 1, 0, 4, 0}, []byte{1, 0}, uint8(3))
	f.Add([]byte{7, 0, 0, 0, 1, 0, 1, 0}, []byte{7, 0, 0, 0, 6, 0, 1, 3}, []byte{0, 1, 1, 2}, uint8(0))
	f.Add([]byte{10, 1, 0, 0, 1, 0, 1, 0, 5, 2, 2, 0}, []byte{5, 1, 0, 0, 10, 1, 0, 0, 1, 0, 5, 0, 5, 2, 6, 0}, []byte{2, 2, 0, 1}, uint8(9))
	f.Fuzz(func(t *testing.T, base, own, damage []byte, funcs uint8) {
		if len(base)+len(own) > 4000 || len(damage) > 100 {
			return
		}
		for _, peer := range profiles {
			runDamaged(t, &splitRun{base: base, own: own, funcs: int(funcs % 16), seed: uint64(funcs), peer: peer}, damage)
		}
	})
}
