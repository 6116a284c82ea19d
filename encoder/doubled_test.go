package encoder_test

import (
	"bytes"
	"debug/dwarf"
	"os"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// selfish adds a struct whose only member is the struct itself. Two such structs in one CU are different for every comparison of raw records.
func selfish(cu *synth.CU, name string) *synth.DIE {
	d := cu.Struct(name, 4)
	d.Member(synth.Member{Name: "b", Off: 8, Type: d})
	return d
}

// doubledName is an image of three units. In the second unit, two DIEs define the struct in, and the struct out has a member of each. The
// comparison with the out of the first unit fails, so both survive. The out of the third unit is equal to either.
func doubledName() []byte {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	b.Data(".data..percpu", 0x40000, 64)
	for i, double := range []bool{false, true, false} {
		cu := b.CU(string(rune('a'+i))+".c", synth.C11)
		out := cu.Struct("out", 4) // before its members, which would otherwise be merged before it is compared
		in := selfish(cu, "in")
		other := in
		if double {
			other = selfish(cu, "in")
		}
		out.Member(synth.Member{Name: "c", Off: 16, Type: in})
		out.Member(synth.Member{Name: "d", Off: 24, Type: other})
		if i == 2 {
			cu.Const(out)
		}
	}
	return b.Bytes()
}

// TestDoubledName: if one unit defines a name twice, a class can have a second survivor. Later types of that class are merged with the first
// equal one in the list of candidates.
func TestDoubledName(t *testing.T) {
	image := doubledName()
	got := bothWays(t, "doubled name", image, 1)
	o, err := btf.Parse(got, nil)
	if err != nil {
		t.Fatal(err)
	}
	outs := 0
	for _, r := range o.All() {
		if o.Name(r.Name()) == "out" {
			outs++
		}
	}
	if outs != 2 {
		t.Errorf("got %d structs out, want 2: the example is none", outs)
	}
	if _, err := os.Stat(reference.Lab(t)); err != nil && !reference.Required() {
		t.Log("no lab: not compared with the peer")
		return
	}
	reference.Dir(t)
	if want := reference.Encode(t, image, feature.Default().Names()); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes that differ from the peer's %d", len(got), len(want))
	}
}

// bothEqual is an image of one unit. It has two structs s, in which the type x differs, and a struct o with a member of each. A second struct o has
// two members of an s whose x is only declared, so this s is equal to either.
func bothEqual() []byte {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	cu := b.CU("a.c", synth.C11)
	one := func(x *synth.DIE) *synth.DIE {
		return cu.Struct("s", 8, synth.Member{Name: "a", Type: cu.Pointer(x)})
	}
	defined := func(name string) *synth.DIE {
		return one(cu.Struct("x", 8, synth.Member{Name: "a", Type: cu.Base(name, 8, synth.Signed)}))
	}
	first, second := defined("long"), defined("long long")
	cu.Struct("o", 16, synth.Member{Name: "a", Type: cu.Pointer(first)}, synth.Member{Name: "b", Type: cu.Pointer(second), Off: 8})
	o := cu.Struct("o", 16) // before its members, which would otherwise be merged before it is compared
	either := one(cu.Forward(dwarf.TagStructType, "x"))
	o.Member(synth.Member{Name: "a", Type: cu.Pointer(either)})
	o.Member(synth.Member{Name: "b", Type: cu.Pointer(either), Off: 8})
	cu.Typedef("t", either)
	return b.Bytes()
}

// TestBothEqual: a type that is equal to two others is merged with the one that the comparison met first.
func TestBothEqual(t *testing.T) {
	image := bothEqual()
	got := bothWays(t, "both equal", image, 1)
	o, err := btf.Parse(got, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := follow(t, o, typeNamed(t, o, btf.KindTypedef, "t")[2], btf.KindStruct)
	x = follow(t, o, x.Elem(0)[1], btf.KindPtr, btf.KindStruct)
	if name := o.Name(follow(t, o, x.Elem(0)[1], btf.KindInt).Name()); name != "long" {
		t.Errorf("got the struct that leads to %s, want that which leads to long", name)
	}
	t.Run("peer", func(t *testing.T) {
		if want := reference.Encode(t, image, feature.Default().Names()); !bytes.Equal(got, want) {
			t.Errorf("got %d bytes that differ from the peer's %d", len(got), len(want))
		}
	})
}
