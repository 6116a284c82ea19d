package encoder_test

import (
	"debug/dwarf"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A languageUnit is one unit of TestLanguages: what it does with the struct x, and whether the struct t, which has a pointer to x, comes after a struct
// that holds a t.
type languageUnit struct {
	lang synth.Lang
	x    int  // 0: declares x; otherwise the size of x
	held bool // there is a struct that holds a t, before t
}

func languages(units []languageUnit) []byte {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	percpu := b.Data(".data..percpu", 0x40000, 1<<12)
	for i, u := range units {
		cu := b.CU(fmt.Sprintf("unit%d", i), u.lang)
		var holder *synth.DIE
		if u.held {
			holder = cu.Struct("holder", 8)
		}
		var x *synth.DIE
		if u.x == 0 {
			x = cu.Forward(dwarf.TagStructType, "x")
		} else {
			x = cu.Struct("x", uint64(u.x), synth.Member{Name: "a", Type: cu.Base("int", 4, synth.Signed)})
		}
		s := cu.Struct("t", 8, synth.Member{Name: "p", Type: cu.Pointer(x)})
		if u.held {
			holder.Member(synth.Member{Name: "t", Type: s})
		}
		cu.Var(fmt.Sprintf("v%d", i), cu.Pointer(s), percpu.At(uint64(8*i+8)))
	}
	return b.Bytes()
}

// TestLanguages: units of C declare a name that Rust defines otherwise. The fast path and the exact engine agree about what the declaration means.
func TestLanguages(t *testing.T) {
	const c, rust = synth.C11, synth.Rust
	for _, test := range []struct {
		name  string
		units []languageUnit
	}{
		{"bound before Rust", []languageUnit{{c, 4, false}, {c, 0, false}, {rust, 8, false}}},
		{"not bound", []languageUnit{{c, 0, false}, {rust, 8, false}}},
		{"bound after Rust", []languageUnit{{c, 0, false}, {rust, 8, false}, {c, 4, false}}},
		{"defined and declared apart", []languageUnit{{c, 4, false}, {rust, 8, false}, {c, 0, false}}},
		{"a declaration equals Rust's", []languageUnit{{c, 4, false}, {c, 0, false}, {rust, 8, false}, {c, 0, false}, {c, 4, false}}},
		{"it is held", []languageUnit{{c, 4, true}, {c, 0, true}, {rust, 8, false}, {c, 0, true}, {c, 4, true}}},
		{"it is held after it was not", []languageUnit{{c, 4, true}, {c, 0, true}, {rust, 8, false}, {c, 0, false}, {c, 0, true}, {c, 4, true}, {c, 4, false}}},
		{"the same in Rust", []languageUnit{{c, 4, false}, {c, 0, false}, {rust, 4, false}, {c, 0, false}}},
		{"Rust only", []languageUnit{{c, 0, false}, {rust, 4, false}, {c, 0, false}, {rust, 4, false}}},
		{"Rust in two ways", []languageUnit{{c, 0, false}, {rust, 4, false}, {c, 0, false}, {rust, 8, false}, {c, 0, false}}},
		{"Rust declares", []languageUnit{{c, 4, false}, {rust, 0, false}, {c, 0, false}}},
		{"Rust first", []languageUnit{{rust, 8, false}, {c, 4, false}, {c, 0, false}, {c, 4, false}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, profile := range []encoder.Profile{encoder.Pahole, encoder.Default} {
				opt := encoder.Encoder{Options: encoder.Options{Profile: profile, Features: feature.Default()}}
				bothWaysWith(t, test.name, languages(test.units), opt)
			}
		})
	}
}

// TestLanguagesSelf: a struct that leads to itself is the same in C and Rust, although the first unit only declares it.
func TestLanguagesSelf(t *testing.T) {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	percpu := b.Data(".data..percpu", 0x40000, 1<<12)
	for i, lang := range []synth.Lang{synth.C11, synth.Rust, synth.C11, synth.C11} {
		cu := b.CU(fmt.Sprintf("unit%d", i), lang)
		var x *synth.DIE
		if i == 0 {
			x = cu.Forward(dwarf.TagStructType, "x")
		} else {
			x = cu.Struct("x", 8)
		}
		to := cu.Pointer(x)
		if i != 0 {
			x.Member(synth.Member{Name: "p", Type: cu.Pointer(to)})
		}
		cu.Var(fmt.Sprintf("v%d", i), to, percpu.At(uint64(8*i+8)))
	}
	bothWays(t, "self", b.Bytes(), 1)
}

// TestLanguagesApart: names that Rust defines otherwise do not make the fast path add what most units in C have.
func TestLanguagesApart(t *testing.T) {
	const c, rust, more = synth.C11, synth.Rust, 40
	for _, test := range []struct {
		name string
		unit languageUnit // more of them follow the unit in Rust
		most int          // number of types that each of them may add; one is its variable
	}{
		{"a larger struct comes first", languageUnit{c, 0, true}, 1},
		{"the names of C", languageUnit{c, 4, true}, 1},
		{"free", languageUnit{c, 0, false}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			units := []languageUnit{{c, 4, true}, {c, 0, true}, {rust, 8, false}}
			few := typesAdded(t, languages(units))
			for range more {
				units = append(units, test.unit)
			}
			image := languages(units)
			bothWays(t, test.name, image, 2)
			if got, most := typesAdded(t, image), few+more*test.most; got > most {
				t.Errorf("%d types were added, want at most %d", got, most)
			}
		})
	}
}

// typesAdded returns the number of types that the fast path gives to the exact engine.
func typesAdded(t *testing.T, image []byte) int {
	t.Helper()
	res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Stats.TypesAdded
}
