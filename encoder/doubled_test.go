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

// selfish adds a struct whose one member is the struct itself: two of them in a CU are two nodes that no comparison of raw
// types finds equal.
func selfish(cu *synth.CU, name string) *synth.DIE {
	d := cu.Struct(name, 4)
	d.Member(synth.Member{Name: "b", Off: 8, Type: d})
	return d
}

// doubledName is an image of three units. In the second, two DIEs define the struct in, and out has one of each: the comparison
// with the first out fails, and both survive. The third is equal to either.
func doubledName() []byte {
	b := synth.New(synth.Target{})
	b.Text(".text", 0x10000, 16)
	b.Data(".data..percpu", 0x40000, 64)
	for i, double := range []bool{false, true, false} {
		cu := b.CU(string(rune('a'+i))+".c", synth.C11)
		out := cu.Struct("out", 4) // before what it holds, or that would be settled when it is compared
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

// TestDoubledName: a name that one unit defines twice makes room for a second survivor of a class, and later types of that class
// take the one whose turn in the list of candidates it is.
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

// bothEqual is an image of one unit with two structs s, which differ in what x is, and a struct o of both. A second o has twice
// an s whose x is only declared, so that it is equal to either.
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
	o := cu.Struct("o", 16) // before what it holds, or that would be settled when it is compared
	either := one(cu.Forward(dwarf.TagStructType, "x"))
	o.Member(synth.Member{Name: "a", Type: cu.Pointer(either)})
	o.Member(synth.Member{Name: "b", Type: cu.Pointer(either), Off: 8})
	cu.Typedef("t", either)
	return b.Bytes()
}

// TestBothEqual: of two types that a third one equals, the one that the comparison met first takes it.
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
