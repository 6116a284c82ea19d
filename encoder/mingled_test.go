package encoder_test

import (
	"debug/dwarf"
	stdelf "debug/elf"
	"fmt"
	"math/rand/v2"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A mingle has the parameters of random images in which two languages have the same few names. All units have the same headers. A unit defines, declares
// or lacks each name. In Rust, some names have a variant of the definition of C: other integers, no members, another size, or a member less.
type mingle struct {
	names    int     // number of names
	units    int     // maximum number of units
	rust     float64 // probability that a unit is in Rust
	other    float64 // probability that Rust has a variant of a name
	declared float64 // probability that a unit in C declares a name
	rustFwd  float64 // the same for a unit in Rust
	clash    float64 // probability that a unit in C has a variant of a name
	stray    float64 // probability that a unit in Rust defines a name as no other unit in Rust does
	double   float64 // probability that a unit has two DIEs of a name
	kinds    string  // of the names: s struct, u union, e enum
	cross    float64 // probability that a union has the name of a struct
	late     bool    // no unit of the first half is in Rust
}

func mingles() map[string]mingle {
	return map[string]mingle{
		"plain":     {names: 4, units: 10, rust: 0.3, other: 0.4, declared: 0.4, kinds: "sssu"},
		"declaring": {names: 4, units: 10, rust: 0.3, other: 0.3, declared: 0.4, rustFwd: 0.3, kinds: "sssu"},
		"one":       {names: 3, units: 14, rust: 0.15, other: 0.4, declared: 0.5, kinds: "s", late: true},
		"chains":    {names: 6, units: 16, rust: 0.15, other: 0.2, declared: 0.3, kinds: "s", late: true},
		"clashing":  {names: 5, units: 10, rust: 0.3, other: 0.3, declared: 0.2, rustFwd: 0.1, clash: 0.05, kinds: "sssue"},
		"opposed":   {names: 5, units: 8, rust: 0.3, other: 0.2, rustFwd: 0.3, clash: 0.15, kinds: "sssue"},
		"strays":    {names: 4, units: 10, rust: 0.4, other: 0.2, declared: 0.2, rustFwd: 0.1, stray: 0.1, kinds: "ssu"},
		"doubles":   {names: 4, units: 10, rust: 0.3, other: 0.2, declared: 0.2, double: 0.03, kinds: "sse"},
		"cross":     {names: 4, units: 10, rust: 0.3, other: 0.2, declared: 0.2, rustFwd: 0.1, cross: 0.5, kinds: "su"},
		"all":       {names: 4, units: 10, rust: 0.3, other: 0.2, declared: 0.2, rustFwd: 0.1, clash: 0.03, stray: 0.05, double: 0.02, cross: 0.2, kinds: "ssue"},
	}
}

// A mingled is one unit of a mingle.
type mingled struct {
	*mingle
	r     *rand.Rand // of the image
	seed  uint64
	cu    *synth.CU
	rust  bool
	alt   map[string]int // by name: its variant in this unit, 0 for the definition of the headers
	memo  map[string]*synth.DIE
	depth int
}

// image builds an image.
func (m mingle) image(seed uint64) []byte {
	b := synth.New(synth.Target{})
	text, percpu := b.Text(".text", 0x10000, 1<<16), b.Data(".data..percpu", 0x40000, 1<<12)
	r := rand.New(rand.NewPCG(seed, 77))
	others := map[string]int{}
	for _, name := range m.all() {
		if r.Float64() < m.other {
			others[name] = 1 + r.IntN(4)
		}
	}
	n := 2 + r.IntN(m.units-1)
	for i := range n {
		v := &mingled{mingle: &m, r: r, seed: seed, alt: map[string]int{}, memo: map[string]*synth.DIE{}}
		lang := []synth.Lang{synth.C11, synth.C11, synth.C11, synth.C89, synth.CPP, synth.Asm, 0}[r.IntN(7)]
		if r.Float64() < m.rust && (!m.late || i >= n/2) {
			lang, v.rust = synth.Rust, true
		}
		for _, name := range m.all() {
			switch {
			case v.rust && r.Float64() < m.stray, !v.rust && r.Float64() < m.clash:
				v.alt[name] = 1 + r.IntN(5)
			case v.rust:
				v.alt[name] = others[name]
			}
		}
		v.cu = b.CU(fmt.Sprintf("unit%d.c", i), lang)
		for k := range 1 + r.IntN(6) {
			t := v.ref(r, 0)
			switch r.IntN(4) {
			case 0:
				f := fmt.Sprintf("f%d", r.IntN(20))
				at := text.At(uint64(16 * (100*i + k)))
				v.cu.Func(f, at, 16, v.ref(r, 0), synth.Param{Name: "a", Type: v.cu.Pointer(t), Extra: []synth.Part{v.cu.Loc(synth.OpReg(5))}})
				b.Symbol(f, at, 16, stdelf.STT_FUNC)
			case 1:
				v.cu.Var(fmt.Sprintf("v%d_%d", i, k), v.cu.Pointer(t), percpu.At(uint64(8*(1+r.IntN(200)))))
			case 2:
				v.cu.Typedef(fmt.Sprintf("t%d", r.IntN(4)), t)
			default:
				v.named(m.all()[r.IntN(m.names)])
			}
		}
	}
	return b.Bytes()
}

// all returns the names, each after the letter of its kind.
func (m *mingle) all() (list []string) {
	for i := range m.names {
		list = append(list, fmt.Sprintf("%c%d", m.kinds[i%len(m.kinds)], i))
	}
	return list
}

// once creates a type on the first call, and returns it on later calls.
func (v *mingled) once(key string, make func() *synth.DIE) *synth.DIE {
	if d := v.memo[key]; d != nil {
		return d
	}
	d := make()
	v.memo[key] = d
	return d
}

func (v *mingled) base(name string) *synth.DIE {
	return v.once(name, func() *synth.DIE {
		return v.cu.Base(name, map[string]uint64{"char": 1, "u8": 1, "int": 4, "i32": 4}[name], synth.Signed)
	})
}

// ref returns a type that a member can have. It depends on r only.
func (v *mingled) ref(r *rand.Rand, depth int) *synth.DIE {
	name := v.all()[r.IntN(v.names)]
	wrap := func(what string, of *synth.DIE, make func() *synth.DIE) *synth.DIE {
		return v.once(fmt.Sprintf("%s %p", what, of), make)
	}
	switch k := r.IntN(16); {
	case k == 0:
		return v.base("int")
	case k == 1 && depth < 4:
		of := v.ref(r, depth+1)
		return wrap("const", of, func() *synth.DIE { return v.cu.Const(of) })
	case k == 2 && depth < 4:
		n := r.Int64N(3)
		of := v.ref(r, depth+1)
		return wrap(fmt.Sprint("array ", n), of, func() *synth.DIE { return v.cu.Array(of, nil, n) })
	case k == 3 && depth < 4:
		of := v.ref(r, depth+1)
		return wrap("proto", of, func() *synth.DIE { return v.cu.Pointer(v.cu.FuncType(nil, synth.Param{Type: of})) })
	case k == 4 && depth < 4:
		of := v.ref(r, depth+1)
		return wrap("nameless", of, func() *synth.DIE { return v.cu.Struct("", 8, synth.Member{Name: "m", Type: of}) })
	case k == 5 && depth < 4:
		of := v.ref(r, depth+1)
		return wrap("typedef", of, func() *synth.DIE { return v.cu.Typedef("t"+name, of) })
	case k < 9:
		return v.named(name)
	}
	of := v.named(name)
	return wrap("pointer", of, func() *synth.DIE { return v.cu.Pointer(of) })
}

// named returns the type of a name.
func (v *mingled) named(name string) *synth.DIE {
	if d := v.memo[name]; d != nil && v.r.Float64() >= v.double {
		return d
	}
	tag, text := map[byte]dwarf.Tag{'s': dwarf.TagStructType, 'u': dwarf.TagUnionType, 'e': dwarf.TagEnumerationType}[name[0]], name
	if name[0] == 'u' && rand.New(rand.NewPCG(v.seed, uint64(name[1]))).Float64() < v.cross {
		text = v.all()[0]
	}
	d := synth.NewDIE(tag, synth.Name(text))
	v.memo[name] = d
	v.cu.Add(d)
	declared := v.declared
	if v.rust {
		declared = v.rustFwd
	}
	if v.r.Float64() < declared || v.depth > 6 {
		d.Declaration()
		return d
	}
	v.depth++
	defer func() { v.depth-- }()
	alt := v.alt[name]
	r := rand.New(rand.NewPCG(v.seed, uint64(name[0])<<32|uint64(name[1])))
	size := 4 + 4*r.Uint64N(2)
	if alt == 3 || alt == 2 && tag == dwarf.TagEnumerationType {
		size = 12 - size
	}
	if alt == 5 && tag != dwarf.TagEnumerationType {
		size = 16
	}
	d.Add(synth.Num(dwarf.AttrByteSize, synth.FormData1, size))
	if tag == dwarf.TagEnumerationType {
		for i := range 1 + r.IntN(2) + alt&1 {
			d.DIE(dwarf.TagEnumerator, synth.Name(fmt.Sprintf("%s_%d", name, i)), synth.Num(dwarf.AttrConstValue, synth.FormData1, uint64(i+alt/2)))
		}
		return d
	}
	members := r.IntN(4)
	for i := range members {
		if alt == 2 || alt == 4 && i == members-1 {
			break
		}
		m := synth.Member{Name: string(rune('a' + i)), Type: v.ref(r, 1)}
		if alt == 1 && i == 0 {
			m.Type = v.base("i32")
		}
		if tag == dwarf.TagStructType {
			m.Off = uint64(8 * i)
		}
		d.Member(m)
	}
	return d
}

// TestMingled: with units in two languages that share a few names, the fast path gives the same bytes as the exact engine.
func TestMingled(t *testing.T) {
	rounds := seeds(100, 30)
	for kind, m := range mingles() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed; seed < *firstSeed+rounds; seed++ {
				opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Workers: 1 + int(seed%3)}
				if seed%5 == 0 {
					opt.Profile = encoder.Default
				}
				bothWaysWith(t, fmt.Sprintf("%s, seed %d", kind, seed), m.image(seed), opt)
			}
		})
	}
}

// TestMingledPeer: with units in two languages that share a few names, the exact engine gives the bytes of pahole.
func TestMingledPeer(t *testing.T) {
	reference.Dir(t)
	rounds := seeds(10, 1)
	for kind, m := range mingles() {
		for seed := 1000 + *firstSeed; seed < 1000+*firstSeed+rounds; seed++ {
			exactAsPeer(t, fmt.Sprintf("%s, seed %d", kind, seed), m.image(seed))
		}
	}
}
