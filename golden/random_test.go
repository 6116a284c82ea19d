package golden

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"gopkg.in/yaml.v3"

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

// A function that takes another one of two structs of one name is reported, and so are types with an additional copy.
func TestSeveralOfOneName(t *testing.T) {
	program := func(to string, more ...string) *btf.Object {
		return parse(t, types(append([]string{intType, "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0", "STRUCT 's' size=8 vlen=1|'b' type_id=1 bits_offset=32",
			"PTR '(anon)' type_id=" + to, "FUNC_PROTO '(anon)' ret_type_id=0 vlen=1|'p' type_id=4", "FUNC 'f' type_id=5 linkage=static"}, more...)...))
	}
	for _, tt := range []struct {
		name     string
		old, new *btf.Object
		want     string
	}{
		{"equal", program("2"), program("2"), "0 causes, 0 consequences: equal\n"},
		{"the other one", program("2"), program("3"), "~ func f: ~p [breaks: func-signature]\n1 cause, 0 consequences: breaks 1 · neutral 0 · adds 0\n"},
		{"once more", program("2"), program("2", "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0"),
			"~ struct s: copies 1 → 2 [neutral: type-copies] impact 1\n1 cause, 0 consequences: breaks 0 · neutral 1 · adds 0\n"},
		{"a third one", program("2"), program("2", "STRUCT 's' size=12 vlen=0"),
			"+ struct s [adds: type-added]\n1 cause, 0 consequences: breaks 0 · neutral 0 · adds 1\n"},
	} {
		var b bytes.Buffer
		c := cause.Compare(cause.Input{Object: tt.old}, cause.Input{Object: tt.new}, cause.Options{})
		if err := show.Brief(&b, c, show.Options{}); err != nil || b.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, b.String(), tt.want)
		}
	}
}

// TestRandomAccept: whatever differs between two random objects, exceptions by the keys in the report accept it all, and a golden that is replaced
// leaves no difference.
func TestRandomAccept(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	differ := 0
	for i := range 200 {
		old := randomObject(r, 1+r.IntN(12))
		new := randomObject(r, 1+r.IntN(12))
		if i%2 == 0 {
			new = permuted(r, old)
		}
		for _, semantic := range []bool{false, true} {
			compare := func(golden, is *btf.Object, e *Exceptions) *Result {
				text := dump.AppendRaw(nil, golden)
				res, err := Compare(is, write(t, "golden", text), Options{Semantic: semantic, Exceptions: e})
				if err != nil {
					t.Fatal(err)
				}
				return res
			}
			if got := compare(new, new, nil); got.Verdict != Equal {
				t.Fatalf("%d: got %s after the golden was accepted", i, got.Verdict)
			}
			before := compare(old, new, nil)
			if before.Verdict != Differs || before.Comparison == nil { // equal, or a text that no types explain
				continue
			}
			differ++
			var list []map[string]string
			for _, x := range before.Comparison.Causes {
				list = append(list, map[string]string{"key": x.Key, "reason": "r"})
			}
			text, err := yaml.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			if after := compare(old, new, exceptions(t, string(text))); after.Verdict != Accepted && after.Problem == "" {
				t.Errorf("%d, semantic: %t: got %s with exceptions for every key: %v\n%s", i, semantic, after.Verdict, after.Comparison.Verdict, text)
			}
		}
	}
	if differ < 100 {
		t.Errorf("only %d comparisons differ", differ)
	}
}
