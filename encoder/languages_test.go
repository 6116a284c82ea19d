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
	bare bool // there is no pointer to t
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
		if !u.bare {
			s = cu.Pointer(s)
		}
		cu.Var(fmt.Sprintf("v%d", i), s, percpu.At(uint64(8*i+8)))
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
		{"bound before Rust", []languageUnit{{lang: c, x: 4}, {lang: c}, {lang: rust, x: 8}}},
		{"not bound", []languageUnit{{lang: c}, {lang: rust, x: 8}}},
		{"bound after Rust", []languageUnit{{lang: c}, {lang: rust, x: 8}, {lang: c, x: 4}}},
		{"defined and declared apart", []languageUnit{{lang: c, x: 4}, {lang: rust, x: 8}, {lang: c}}},
		{"a declaration equals Rust's", []languageUnit{{lang: c, x: 4}, {lang: c}, {lang: rust, x: 8}, {lang: c}, {lang: c, x: 4}}},
		{"it is held", []languageUnit{{lang: c, x: 4, held: true}, {lang: c, held: true}, {lang: rust, x: 8}, {lang: c, held: true}, {lang: c, x: 4, held: true}}},
		{"it is held after it was not", []languageUnit{{lang: c, x: 4, held: true}, {lang: c, held: true}, {lang: rust, x: 8}, {lang: c}, {lang: c, held: true}, {lang: c, x: 4, held: true}, {lang: c, x: 4}}},
		{"the same in Rust", []languageUnit{{lang: c, x: 4}, {lang: c}, {lang: rust, x: 4}, {lang: c}}},
		{"Rust only", []languageUnit{{lang: c}, {lang: rust, x: 4}, {lang: c}, {lang: rust, x: 4}}},
		{"Rust in two ways", []languageUnit{{lang: c}, {lang: rust, x: 4}, {lang: c}, {lang: rust, x: 8}, {lang: c}}},
		{"Rust declares", []languageUnit{{lang: c, x: 4}, {lang: rust}, {lang: c}}},
		{"a pointer to it is new where it is free", []languageUnit{
			{lang: c, x: 4, held: true, bare: true}, {lang: c, held: true, bare: true}, {lang: rust, x: 8}, {lang: c}, {lang: c, x: 4, held: true}, {lang: c, held: true}}},
		{"Rust first", []languageUnit{{lang: rust, x: 8}, {lang: c, x: 4}, {lang: c}, {lang: c, x: 4}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, profile := range []encoder.Profile{encoder.Pahole, encoder.Default} {
				opt := encoder.Encoder{Options: encoder.Options{Profile: profile, Features: feature.Default()}}
				bothWaysWith(t, test.name, languages(test.units), opt)
			}
		})
	}
}

// TestLanguagesDeclared: C or Rust declares a name that has several meanings. The typedef t leads to it, and is the same in both languages.
// What is compared with t decides what the declaration means.
func TestLanguagesDeclared(t *testing.T) {
	type namesake struct {
		tag  dwarf.Tag
		size uint64 // 0: it is only declared
	}
	type languageUnit struct {
		lang synth.Lang
		x, y namesake // y, which nothing leads to, has the name of x
	}
	const c, rust = synth.C11, synth.Rust
	of := func(size uint64) namesake { return namesake{dwarf.TagStructType, size} }
	none, union := namesake{}, namesake{dwarf.TagUnionType, 8}
	for _, test := range []struct {
		name  string
		units []languageUnit
	}{
		{"two definitions in C", []languageUnit{{rust, of(0), none}, {c, of(4), none}, {c, of(8), none}}},
		{"two kinds in C", []languageUnit{{c, of(4), union}, {rust, of(0), none}}},
		{"two kinds, one of them in Rust", []languageUnit{{c, of(4), none}, {rust, of(0), union}}},
		{"two kinds in Rust", []languageUnit{{rust, of(4), union}, {c, of(0), none}}},
		{"two kinds, one of them in C", []languageUnit{{rust, of(4), none}, {c, of(0), union}}},
	} {
		b := synth.New(synth.Target{})
		b.Text(".text", 0x10000, 16)
		percpu := b.Data(".data..percpu", 0x40000, 1<<12)
		for i, u := range test.units {
			cu := b.CU(numbered("unit", i), u.lang)
			var x *synth.DIE
			for _, n := range []namesake{u.y, u.x} {
				switch {
				case n == none:
				case n.size != 0:
					x = synth.NewDIE(n.tag, synth.Name("x"), synth.Num(dwarf.AttrByteSize, synth.FormData1, n.size))
					cu.Add(x)
				default:
					x = cu.Forward(n.tag, "x")
				}
			}
			cu.Var(numbered("v", i), cu.Typedef("t", cu.Pointer(x)), percpu.At(uint64(8*i+8)))
		}
		bothWays(t, test.name, b.Bytes(), 1)
	}
}

// TestLanguagesRing: types without names lead to each other in Rust. They have no classes.
func TestLanguagesRing(t *testing.T) {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	unit(b, "first")
	for i := range 2 {
		cu := b.CU(numbered("unit", i), synth.Rust)
		ring := cu.Struct("", 8)
		ring.Member(synth.Member{Name: "p", Type: cu.Pointer(ring)})
		cu.Struct("x", 8, synth.Member{Name: "m", Type: ring})
	}
	bothWays(t, "ring", b.Bytes(), 1)
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
		{"a larger struct comes first", languageUnit{lang: c, held: true}, 1},
		{"the names of C", languageUnit{lang: c, x: 4, held: true}, 1},
		{"free", languageUnit{lang: c}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			units := []languageUnit{{lang: c, x: 4, held: true}, {lang: c, held: true}, {lang: rust, x: 8}}
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
