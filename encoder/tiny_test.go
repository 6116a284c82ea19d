package encoder_test

import (
	"debug/dwarf"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A tiny program is a text with a header and some units in C and Rust, one in each line:
//
//	A=*A,i  U=*A  A'=*A  c -U *A  rust 'A A *U
//
// The header defines the structs A to D and the unions U to X by the types of their members; A' and A" are variants of A. A unit has a list of types. -A in it
// means that the unit only declares A, 'A that it has the variant A' of A, and +A that it has one more DIE of A. The named types of a unit come first, in the
// order of the list. Types are written as prefixes before a name: * is a pointer, c const, [ an array, t a
// typedef, { a struct without a name that has a member of the type, and ( a pointer to a function with a parameter of the type. i and j are integers.
type tiny struct {
	defs  map[string]string // by name, perhaps of a variant: the types of its members, with commas between them
	units []tinyUnit
}

type tinyUnit struct {
	rust  bool
	state map[byte]string // by name: "-", "'" or "\""
	types []string
}

// parseTiny parses a tiny program. Units begin with the words c and rust.
func parseTiny(text string) (p tiny) {
	p.defs = map[string]string{}
	for word := range strings.FieldsSeq(text) {
		if name, members, ok := strings.Cut(word, "="); ok {
			p.defs[name] = members
			continue
		}
		if word == "c" || word == "rust" {
			p.units = append(p.units, tinyUnit{rust: word == "rust", state: map[byte]string{}})
			continue
		}
		u := &p.units[len(p.units)-1]
		if strings.ContainsAny(word[:1], "-'\"") {
			u.state[word[1]] = word[:1]
		} else {
			u.types = append(u.types, word)
		}
	}
	return p
}

const tinyNames = "ABCDUVWX"

func (p tiny) String() string {
	var words []string
	for i := range tinyNames {
		for _, variant := range []string{"", "'", "\""} {
			if members, ok := p.defs[tinyNames[i:i+1]+variant]; ok {
				words = append(words, tinyNames[i:i+1]+variant+"="+members)
			}
		}
	}
	for _, u := range p.units {
		words = append(words, map[bool]string{true: "rust", false: "c"}[u.rust])
		for i := range tinyNames {
			if s := u.state[tinyNames[i]]; s != "" {
				words = append(words, s+tinyNames[i:i+1])
			}
		}
		words = append(words, u.types...)
	}
	return strings.Join(words, " ")
}

// image builds the program.
func (p tiny) image() []byte {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	for i, u := range p.units {
		lang := synth.C11
		if u.rust {
			lang = synth.Rust
		}
		v := tinyView{&p, &p.units[i], b.CU(fmt.Sprintf("unit%d", i), lang), map[string]*synth.DIE{}}
		v.all()
	}
	return b.Bytes()
}

// A tinyView builds one unit.
type tinyView struct {
	*tiny
	unit *tinyUnit
	cu   *synth.CU
	memo map[string]*synth.DIE
}

// all builds the types of the unit.
func (v *tinyView) all() {
	var names []string
	for _, t := range v.unit.types {
		if isName(t) && v.memo[t] == nil {
			v.add(t)
			names = append(names, t)
		}
	}
	for _, name := range names {
		v.fill(name, v.memo[name])
	}
	for _, t := range v.unit.types {
		if name, again := strings.CutPrefix(t, "+"); again {
			v.fill(name, v.add(name))
		} else {
			v.typ(t)
		}
	}
}

func isName(t string) bool { return len(t) == 1 && strings.Contains(tinyNames, t) }

// typ returns the DIE of a type.
func (v *tinyView) typ(t string) *synth.DIE {
	if d := v.memo[t]; d != nil {
		return d
	}
	if isName(t) {
		d := v.add(t)
		v.fill(t, d)
		return d
	}
	var of *synth.DIE
	if len(t) > 1 {
		of = v.typ(t[1:])
	}
	if v.memo[t] == nil { // of does not lead to it
		v.memo[t] = v.wrapped(t, of)
	}
	return v.memo[t]
}

// wrapped creates the type of a text that is not a name. Without its first letter it is the type of.
func (v *tinyView) wrapped(t string, of *synth.DIE) *synth.DIE {
	switch t[0] {
	case 'i':
		return v.cu.Base("int", 4, synth.Signed)
	case 'j':
		return v.cu.Base("i32", 4, synth.Signed)
	case '*':
		return v.cu.Pointer(of)
	case 'c':
		return v.cu.Const(of)
	case '[':
		return v.cu.Array(of, nil, 2)
	case 't':
		return v.cu.Typedef("t"+t[len(t)-1:], of)
	case '{':
		return v.cu.Struct("", 8, synth.Member{Name: "m", Type: of})
	}
	return v.cu.Pointer(v.cu.FuncType(nil, synth.Param{Type: of}))
}

// add creates the DIE of a struct or union with a name.
func (v *tinyView) add(name string) *synth.DIE {
	tag := dwarf.TagStructType
	if name >= "U" {
		tag = dwarf.TagUnionType
	}
	v.memo[name] = synth.NewDIE(tag, synth.Name(name))
	v.cu.Add(v.memo[name])
	return v.memo[name]
}

// fill makes it a declaration or a definition.
func (v *tinyView) fill(name string, d *synth.DIE) {
	state := v.unit.state[name[0]]
	if state == "-" {
		d.Declaration()
		return
	}
	var members []string
	if list := v.defs[name+state]; list != "" {
		members = strings.Split(list, ",")
	}
	d.Add(synth.Num(dwarf.AttrByteSize, synth.FormData1, uint64(8*len(members))))
	for i, t := range members {
		m := synth.Member{Name: string(rune('a' + i)), Type: v.typ(t)}
		if name < "U" {
			m.Off = uint64(8 * i)
		}
		d.Member(m)
	}
}

// randomTiny returns a random program in which structs and unions refer to themselves and each other in rings.
func randomTiny(seed uint64) (p tiny) {
	r := rand.New(rand.NewPCG(seed, 78))
	n := 1 + r.IntN(4)
	var names []string
	for i := range n {
		names = append(names, string(tinyNames[i+4*(r.IntN(4)/3)]))
	}
	wraps, longest := "*", 1+r.IntN(3)
	for range 3 {
		wraps += string("*[[ct{("[r.IntN(7)])
	}
	wrap := func(name string) string {
		for range 1 + r.IntN(longest) {
			name = string(wraps[r.IntN(len(wraps))]) + name
		}
		return name
	}
	ints := r.IntN(2)
	typ := func(next string) string {
		switch k := r.IntN(8); {
		case k < ints:
			return "i"
		case k < 5:
			return wrap(next)
		}
		return wrap(names[r.IntN(n)])
	}
	p.defs = map[string]string{}
	other, rustOther := [4]float64{0, 0.2, 0.4, 0.6}[r.IntN(4)], map[string]string{}
	for i, name := range names {
		var members []string
		for range 1 + r.IntN(3) {
			members = append(members, typ(names[(i+1)%n]))
		}
		p.defs[name] = strings.Join(members, ",")
		variant := append([]string(nil), members...)
		switch r.IntN(4) {
		case 0:
			variant[r.IntN(len(variant))] = "j"
		case 1:
			variant = nil
		case 2:
			variant = variant[1:]
		default:
			variant[r.IntN(len(variant))] = typ(name)
		}
		p.defs[name+"'"] = strings.Join(variant, ",")
		if r.Float64() < other {
			rustOther[name] = "'"
		}
	}
	declared, rustDeclared, rust := 0.15+0.4*r.Float64(), [3]float64{0, 0, 0.2}[r.IntN(3)], 0.15+0.3*r.Float64()
	stray, clash := [4]float64{0, 0, 0, 0.1}[r.IntN(4)], [4]float64{0, 0, 0, 0.1}[r.IntN(4)]
	early := r.IntN(3) == 0 // the first unit declares most names, and Rust comes next
	for i := range 2 + r.IntN(7) {
		u := tinyUnit{rust: r.Float64() < rust, state: map[byte]string{}}
		if early && i < 2 {
			u.rust = i == 1
		}
		for _, name := range names {
			state, fwd, odd := "", declared, clash
			if u.rust {
				state, fwd, odd = rustOther[name], rustDeclared, stray
			} else if early && i == 0 {
				fwd = 0.7
			}
			switch {
			case r.Float64() < fwd:
				state = "-"
			case r.Float64() < odd:
				state = "'"
			}
			if state != "" {
				u.state[name[0]] = state
			}
		}
		for range 1 + r.IntN(3) {
			t := names[r.IntN(n)]
			switch k := r.IntN(8); {
			case k == 0 && (u.rust || ints != 0):
				t = "i"
			case k < 4:
				t = typ(t)
			}
			u.types = append(u.types, t)
		}
		p.units = append(p.units, u)
	}
	return p
}

// edited returns a program that differs from p in some places.
func (p tiny) edited(r *rand.Rand) tiny {
	units := slices.Clone(p.units)
	for i := range units {
		units[i].state, units[i].types = maps.Clone(units[i].state), slices.Clone(units[i].types)
	}
	p.defs = maps.Clone(p.defs)
	name := func() string { return string("ABCDUV"[r.IntN(6)]) }
	typ := func() (t string) {
		for t = name(); r.IntN(2) == 0; {
			t = string("***[ct({"[r.IntN(8)]) + t
		}
		return t
	}
	for range 1 + r.IntN(8) {
		i := r.IntN(len(units))
		u := &units[i]
		n := len(u.types)
		switch r.IntN(10) {
		case 0:
			units = slices.Insert(units, r.IntN(len(units)+1), tinyUnit{u.rust, maps.Clone(u.state), slices.Clone(u.types)})
		case 1:
			units = slices.Delete(units, i, i+1)
		case 2:
			u.state[name()[0]] = [4]string{"", "-", "-", "'"}[r.IntN(4)]
		case 3:
			delete(u.state, name()[0])
		case 4:
			if n > 0 {
				k := r.IntN(n)
				u.types = slices.Delete(u.types, k, k+1)
			}
		case 5:
			u.types = slices.Insert(u.types, r.IntN(n+1), "+"+name())
		case 6:
			key := name() + [2]string{"", "'"}[r.IntN(2)]
			p.defs[key] = strings.Trim(p.defs[key]+","+typ(), ",")
		case 7:
			r.Shuffle(n, func(i, j int) { u.types[i], u.types[j] = u.types[j], u.types[i] })
		default:
			u.types = slices.Insert(u.types, r.IntN(n+1), typ())
		}
		if len(units) == 0 {
			units = append(units, tinyUnit{state: map[byte]string{}})
		}
	}
	p.units = units
	return p
}

// numberedTiny returns the random program of a seed.
func numberedTiny(seed uint64) tiny {
	r := rand.New(rand.NewPCG(seed, 79))
	if seed%3 == 0 {
		return randomTiny(seed)
	}
	return parseTiny(tinies[r.IntN(len(tinies))].program).edited(r)
}

// TestRings: with units in two languages that share rings of types, the fast path gives the same bytes as the exact engine.
func TestRings(t *testing.T) {
	for seed := range seeds(1000, 200) {
		if p := numberedTiny(*firstSeed + seed); differsExactly(p) {
			t.Errorf("seed %d: the fast way and the exact engine differ: %s", *firstSeed+seed, p.reduced(differsExactly))
		}
	}
}

// tinies are programs in which the fast way could differ from the exact engine. In most of them, C is a look-alike because of D, and a unit that only declares
// D is free to merge its C with Rust's. See internal/dedup/languages.go for these words.
var tinies = []struct{ name, program string }{
	{"only Rust has an int, and it is the index type of arrays", "A=[*A B=U C=A,i U=*A c -A U rust C c B"},
	{
		"a unit with two types of one name may bind B before the last one does",
		"A=*B B=C B'=j C=*D D=i D'=j c C B c -D -B A C rust 'D 'B C B c U +U A c -D A C B *C",
	},
	{
		"A is before C and holds it, but B is ambiguous, so it is open which A it merges with",
		"A=C,*B B=i,i B'=*i C=*D D=i D'=j c C A c -D C rust 'D C c 'B -D C A c -B -D A C *C",
	},
	{"the first A holds a C that was free", "A=C C=*D D=i D'=j c C U c -D C rust 'D C c -D C A c -D A C *C"},
	{"the first A leads to a B that holds a C that was free", "A=*B B=C C=*D D=i D'=j c -B A C U c -D C rust 'D C c -D C A B c -D A B C *C"},
	{"the second A has one array type where the first has two, so the third A equals the second", "A=[*A,[B,*B A'=[*A,[*A,*B B=A c A c 'A A c A"},
	{"B has an array of B from a unit that declares it, so it differs from Rust's B, in which an array occurs twice", "A=[B A'=[A B=[B,[A rust 'A B c -B A c A"},
}

// TestTiny: the fast path gives the same bytes as the exact engine.
func TestTiny(t *testing.T) {
	for _, test := range tinies {
		t.Run(test.name, func(t *testing.T) { bothWays(t, test.name, parseTiny(test.program).image(), 1) })
	}
}

// TestTinyPeer: for programs with rings, the exact engine gives the bytes of pahole.
func TestTinyPeer(t *testing.T) {
	reference.Dir(t)
	for _, test := range tinies {
		exactAsPeer(t, test.name, parseTiny(test.program).image())
	}
	for seed := range seeds(30, 3) {
		p := numberedTiny(*firstSeed + seed)
		exactAsPeer(t, p.String(), p.image())
	}
}

// TestParseTiny: the text of a program is the program.
func TestParseTiny(t *testing.T) {
	for seed := range uint64(100) {
		want := numberedTiny(seed).String()
		if got := parseTiny(want).String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// differsExactly reports whether the fast way and the exact engine differ for a program.
func differsExactly(p tiny) bool {
	var results [2]string
	image := p.image()
	for i, exact := range []bool{false, true} {
		res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Exact: exact, Workers: 1})
		if err != nil {
			results[i] = err.Error() // there are no types, for example
		} else {
			results[i] = string(res.Object.AppendWire(nil))
		}
	}
	return results[0] != results[1]
}

// reduced returns a program of which nothing can be left out without losing a property that p has.
func (p tiny) reduced(has func(tiny) bool) tiny {
	words := strings.Fields(p.String())
	for i := 0; i < len(words); i++ {
		for _, less := range shorter(words[i]) {
			text := strings.Join(slices.Concat(words[:i], less, words[i+1:]), " ")
			if soundTiny.MatchString(text+" ") && has(parseTiny(text)) {
				words, i = strings.Fields(text), -1
				break
			}
		}
	}
	return parseTiny(strings.Join(words, " "))
}

// shorter returns what can replace a word: nothing, or the word without some of its letters.
func shorter(word string) (list [][]string) {
	list = append(list, nil)
	for n := len(word) - 1; n > 0; n-- {
		for i := range len(word) - n + 1 {
			list = append(list, []string{word[:i] + word[i+n:]})
		}
	}
	return list
}

// soundTiny matches programs with a space at the end.
var soundTiny = regexp.MustCompile(strings.NewReplacer("N", "[A-DU-X]", "T", `[*c[t{(]*[A-DU-Xij]`).Replace(`^(N['"]?=(T(,T)*)? )*((c|rust) ((['"+-]N|T) )*)*$`))
