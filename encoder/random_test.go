package encoder_test

import (
	"bytes"
	"debug/dwarf"
	stdelf "debug/elf"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// Random images are programs of a few headers and many units. Every unit defines some of the headers' structs and declares the others, in a random
// order. Sometimes a unit has a private struct whose name has another meaning in another unit, or defines a type twice. Such types are hard to
// deduplicate, so the fast path and the exact engine could differ.

// A program has the parameters of a random image.
type program struct {
	r      *rand.Rand
	names  int     // number of structs, of unions, and of enums
	bodies int     // maximum number of members of a struct
	clash  float64 // probability that a unit defines a name in its own way
	twice  float64 // probability that a unit has two DIEs for one type without a name
	double float64 // the same for a named struct
	shared float64 // probability that a union has the name of a struct
	hidden float64 // probability that a unit only declares a name
	rust   float64 // probability that a unit is written in Rust, and declares nothing
	other  float64 // probability that a name has another definition in Rust
	seed   uint64  // of the headers
	units  int     // number of further units; Rust, which then only defines structs otherwise, comes in the second half
	target synth.Target
}

// A view is one unit of a program.
type view struct {
	*program
	cu    *synth.CU
	own   map[string]uint64 // names that this unit defines in its own way, with a number that identifies the definition
	memo  map[string]*synth.DIE
	depth int
	rust  bool
}

// translated makes a view one of Rust: every Rust unit has the same definitions.
func (v *view) translated() {
	v.rust = true
	r := rand.New(rand.NewPCG(v.seed, 99))
	for _, kind := range "sue" {
		for i := range v.names {
			if r.Float64() < v.other && (kind == 's' || v.units == 0) {
				v.own[fmt.Sprintf("%c%d", kind, i)] = 4
			}
		}
	}
}

// image builds the program with n units.
func (p *program) image(n int) []byte {
	b := synth.New(p.target)
	text, percpu := b.Text(".text", 0x10000, 1<<16), b.Data(".data..percpu", 0x40000, 1<<12)
	for i := range n + p.units {
		v := &view{program: p, own: map[string]uint64{}, memo: map[string]*synth.DIE{}}
		lang := synth.C11
		if p.rust > 0 && i >= p.units/2 && p.r.Float64() < p.rust {
			lang = synth.Rust
			v.translated()
		}
		v.cu = b.CU(fmt.Sprintf("unit%d.c", i), lang)
		for k := range 4 + p.r.IntN(8) {
			name := p.name()
			if p.r.Float64() < p.clash {
				v.own[name] = p.r.Uint64N(3) + 1
			}
			t := v.typ(p.r, 0)
			switch k % 4 {
			case 0:
				f := fmt.Sprintf("f%d", p.r.IntN(20))
				at := text.At(uint64(16 * (100*i + k)))
				v.cu.Func(f, at, 16, v.typ(p.r, 0), synth.Param{Name: "a", Type: v.cu.Pointer(t), Extra: []synth.Part{v.cu.Loc(synth.OpReg(5))}})
				b.Symbol(f, at, 16, stdelf.STT_FUNC)
			case 1:
				at := percpu.At(uint64(8 * (1 + p.r.IntN(200))))
				v.cu.Var(fmt.Sprintf("v%d_%d", i, k), v.cu.Pointer(t), at)
			case 2:
				v.cu.Typedef(fmt.Sprintf("t%d", p.r.IntN(6)), t)
			default:
				v.named(name)
			}
		}
	}
	return b.Bytes()
}

func (p *program) name() string {
	kind := []string{"s", "s", "s", "u", "e"}[p.r.IntN(5)]
	return fmt.Sprintf("%s%d", kind, p.r.IntN(p.names))
}

// typ returns a random type, sometimes void.
func (v *view) typ(r *rand.Rand, depth int) *synth.DIE {
	switch k := r.IntN(12); {
	case k == 0:
		return nil
	case k < 3 || depth > 4:
		return v.once([]string{"int", "char", "long"}[r.IntN(3)], func(name string) *synth.DIE {
			return v.cu.Base(name, map[string]uint64{"int": 4, "char": 1, "long": 8}[name], synth.Signed)
		})
	case k < 6:
		to := v.typ(r, depth+1)
		return v.anonymous("*", to, func() *synth.DIE { return v.cu.Pointer(to) })
	case k == 6:
		of := v.typ(r, depth+1)
		return v.anonymous("const", of, func() *synth.DIE { return v.cu.Const(of) })
	case k == 7:
		n := int64(r.IntN(3))
		of := v.typ(r, depth+1)
		return v.anonymous(fmt.Sprintf("[%d]", n), of, func() *synth.DIE { return v.cu.Array(of, nil, n) })
	case k == 8:
		ret, arg := v.typ(r, depth+1), v.typ(r, depth+1)
		return v.anonymous(fmt.Sprintf("func%p", arg), ret, func() *synth.DIE { return v.cu.FuncType(ret, synth.Param{Type: arg}) })
	case k == 9:
		m := v.typ(r, depth+1)
		return v.anonymous("struct", m, func() *synth.DIE {
			return v.cu.Struct("", 8, synth.Member{Name: "m", Type: m})
		})
	default:
		kind := []string{"s", "s", "s", "u", "e"}[r.IntN(5)]
		return v.named(fmt.Sprintf("%s%d", kind, r.IntN(v.names)))
	}
}

// once creates a type on the first call, and returns it on later calls.
func (v *view) once(key string, make func(name string) *synth.DIE) *synth.DIE {
	if d := v.memo[key]; d != nil {
		return d
	}
	d := make(key)
	v.memo[key] = d
	return d
}

// anonymous creates a type on the first call, and sometimes again on later calls.
func (v *view) anonymous(what string, of *synth.DIE, make func() *synth.DIE) *synth.DIE {
	key := fmt.Sprintf("%s %p", what, of)
	if v.program.r.Float64() < v.twice {
		delete(v.memo, key)
	}
	return v.once(key, func(string) *synth.DIE { return make() })
}

// named returns a struct, union or enum: the definition of the headers, that of this unit, or a declaration.
func (v *view) named(name string) *synth.DIE {
	if d := v.memo[name]; d != nil && v.program.r.Float64() >= v.double {
		return d
	}
	tag, text := dwarf.TagStructType, name
	switch name[0] {
	case 'u':
		tag = dwarf.TagUnionType
		if v.shared > 0 && uint64(name[1])*977%100 < uint64(100*v.shared) {
			text = "s" + name[1:]
		}
	case 'e':
		tag = dwarf.TagEnumerationType
	}
	d := synth.NewDIE(tag, synth.Name(text))
	v.memo[name] = d // before its members, which may refer to it
	v.cu.Add(d)
	if hidden := v.program.r.Float64() < v.hidden || v.depth > 6; hidden && !v.rust {
		d.Declaration()
		return d
	}
	v.depth++
	defer func() { v.depth-- }()
	r := rand.New(rand.NewPCG(v.seed+v.own[name], uint64(name[0])<<32|uint64(name[1])))
	size := 4 + 4*v.own[name]*uint64(r.IntN(2))
	if tag == dwarf.TagEnumerationType {
		size = min(size, 8) / 4 * 4
	}
	d.Add(synth.Num(dwarf.AttrByteSize, synth.FormData1, size))
	if tag == dwarf.TagEnumerationType {
		for i := range 1 + r.IntN(2) {
			d.DIE(dwarf.TagEnumerator, synth.Name(fmt.Sprintf("%s_%d", name, i)), synth.Num(dwarf.AttrConstValue, synth.FormData1, uint64(i)+v.own[name]))
		}
		return d
	}
	for i := range 1 + r.IntN(v.bodies) {
		m := synth.Member{Name: string(rune('a' + i)), Type: v.typ(r, 1)}
		if tag == dwarf.TagStructType {
			m.Off = uint64(8 * i)
		}
		d.Member(m)
	}
	return d
}

// programs returns the kinds of programs, from those that resemble kernels to those that nobody writes.
func programs(seed uint64) map[string]*program {
	r := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	return map[string]*program{
		"clean":      {r: r(1), seed: seed, names: 8, bodies: 5, hidden: 0.4, twice: 0.1},
		"private":    {r: r(2), seed: seed, names: 8, bodies: 4, hidden: 0.4, twice: 0.1, clash: 0.1},
		"two kinds":  {r: r(3), seed: seed, names: 6, bodies: 4, hidden: 0.4, twice: 0.1, clash: 0.05, shared: 0.5},
		"few names":  {r: r(4), seed: seed, names: 3, bodies: 3, hidden: 0.5, twice: 0.3, clash: 0.3},
		"defined":    {r: r(7), seed: seed, names: 4, bodies: 4, twice: 0.1, double: 0.05, clash: 0.02},
		"doubles":    {r: r(6), seed: seed, names: 8, bodies: 4, hidden: 0.4, twice: 0.1, double: 0.05},
		"languages":  {r: r(8), seed: seed, names: 8, bodies: 4, hidden: 0.4, twice: 0.1, rust: 0.2, other: 0.2},
		"few shared": {r: r(9), seed: seed, names: 4, bodies: 2, hidden: 0.5, twice: 0.1, rust: 0.3, other: 0.3},
		"two sides":  {r: r(10), seed: seed, names: 6, bodies: 3, hidden: 0.3, twice: 0.1, rust: 0.3, other: 0.1, double: 0.01, clash: 0.02},
		"lookalikes": {r: r(11), seed: seed, names: 9, bodies: 4, hidden: 0.35, twice: 0.01, rust: 0.15, other: 0.15, units: 24},
		"everything": {r: r(5), seed: seed, names: 3, bodies: 3, hidden: 0.5, twice: 0.3, clash: 0.4, shared: 0.5, double: 0.1},
	}
}

// The number of random programs. For a long run: go test ./encoder -run RandomPrograms -args -program-seeds 10000 -first-seed 500
var (
	programSeeds = flag.Uint64("program-seeds", 0, "random programs of so many seeds; 0: as many as take some seconds")
	firstSeed    = flag.Uint64("first-seed", 0, "the first of them")
)

// seeds returns the number of seeds of a test, which the flags can change.
func seeds(usual, short uint64) uint64 {
	switch {
	case *programSeeds != 0:
		return *programSeeds
	case testing.Short():
		return short
	}
	return usual
}

// eachProgram calls do for random programs of every kind, with so many seeds each, unless the flags say otherwise.
func eachProgram(t *testing.T, usual, short uint64, do func(t *testing.T, kind string, seed uint64)) {
	rounds := seeds(usual, short)
	for kind := range programs(0) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed; seed < *firstSeed+rounds; seed++ {
				do(t, kind, seed)
			}
		})
	}
}

// TestRandomPrograms: the fast path gives the same bytes as the exact engine.
func TestRandomPrograms(t *testing.T) {
	eachProgram(t, 350, 30, func(t *testing.T, kind string, seed uint64) {
		image := programs(seed)[kind].image(2 + int(seed%11))
		bothWays(t, fmt.Sprintf("%s, seed %d", kind, seed), image, 1+int(seed%3))
	})
}

// targets are relocatable files as modules are, in which every unit has its own strings.
var targets = []synth.Target{
	{Type: stdelf.ET_REL, OwnStrings: true},
	{Type: stdelf.ET_REL, OwnStrings: true, Machine: stdelf.EM_S390, Order: binary.BigEndian},
	{Type: stdelf.ET_REL, OwnStrings: true, Class: stdelf.ELFCLASS32, Machine: stdelf.EM_386},
	{Type: stdelf.ET_REL, OwnStrings: true, Class: stdelf.ELFCLASS32, Machine: stdelf.EM_MIPS, Order: binary.BigEndian},
}

// TestRandomModules: with a base, the fast path gives the same bytes as the exact engine. The base is a program with the same headers.
func TestRandomModules(t *testing.T) {
	eachProgram(t, 250, 30, func(t *testing.T, kind string, seed uint64) {
		p := programs(seed)[kind]
		p.target = targets[seed%4]
		opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Workers: 1 + int(seed%3)}
		if seed%5 == 0 {
			opt.Profile = encoder.Default
		}
		opt.Paranoid = seed%3 == 0
		kernel := opt
		kernel.Exact = true
		if seed%7 == 0 {
			p.clash /= 4 // the module differs from its base more than the units of the base do
		}
		res, err := encodeBytes(p.image(1+int(seed%6)), kernel)
		if err != nil {
			t.Fatal(err)
		}
		wire := res.Object.AppendWire(nil)
		p.clash = programs(seed)[kind].clash
		image := p.image(1 + int(seed%11))
		var first []byte
		for i, base := range []func(o *btf.Object) *encoder.Base{encoder.NewBase, encoder.NewLazyBase} {
			o, err := btf.Parse(wire, nil)
			if i > 0 {
				o, err = btf.Skim(wire)
			}
			if err != nil {
				t.Fatal(err)
			}
			opt.Base = base(o)
			got := bothWaysWith(t, fmt.Sprintf("%s, seed %d, base %d", kind, seed, i), image, opt)
			if i > 0 && !bytes.Equal(got, first) {
				t.Errorf("%s, seed %d: a lazy base gives other bytes", kind, seed)
			}
			first = got
		}
	})
}

// bothWays encodes an image with the fast path and with only the exact engine, compares the results, and returns the bytes.
func bothWays(t *testing.T, name string, image []byte, workers int) []byte {
	t.Helper()
	return bothWaysWith(t, name, image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Workers: workers})
}

func bothWaysWith(t *testing.T, name string, image []byte, opt encoder.Encoder) []byte {
	t.Helper()
	fast, err := encodeBytes(image, opt)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	opt.Exact = true
	exact, err := encodeBytes(image, opt)
	if err != nil {
		t.Fatalf("%s: exact: %v", name, err)
	}
	got := fast.Object.AppendWire(nil)
	if !bytes.Equal(got, exact.Object.AppendWire(nil)) {
		t.Errorf("%s: the fast way gives %d types, the exact engine %d", name, fast.Object.Len(), exact.Object.Len())
	}
	return got
}

// TestRandomPeer: the exact engine gives the bytes of pahole.
func TestRandomPeer(t *testing.T) {
	reference.Dir(t)
	rounds := seeds(40, 3)
	for seed := 1000 + *firstSeed; seed < 1000+*firstSeed+rounds; seed++ {
		for kind, p := range programs(seed) {
			exactAsPeer(t, fmt.Sprintf("%s, seed %d", kind, seed), p.image(2+int(seed%7)))
		}
	}
}

// exactAsPeer checks that the exact engine gives the bytes of pahole for an image.
func exactAsPeer(t *testing.T, name string, image []byte) {
	t.Helper()
	opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Exact: true}
	res, err := encodeBytes(image, opt)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if want := reference.Encode(t, image, opt.Features.Names()); !bytes.Equal(res.Object.AppendWire(nil), want) {
		t.Errorf("%s: got %d bytes that differ from the peer's %d", name, len(res.Object.AppendWire(nil)), len(want))
	}
}
