package encoder_test

import (
	"debug/dwarf"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestArraysOfOtherElements: two definitions of a struct that differ only in the elements of an array are equal if the comparison has met the array
// before, in a type that the fast path leaves out. In the order in which the other definition comes first, the array was not met twice, and they differ.
func TestArraysOfOtherElements(t *testing.T) {
	for _, c := range []struct {
		elements [2]string // of the array in each unit
		structs  int
	}{{[2]string{"first", "second"}, 1}, {[2]string{"second", "first"}, 2}} {
		t.Run(fmt.Sprint(c.elements), func(t *testing.T) {
			b := synth.New(synth.Target{})
			for i, name := range c.elements {
				cu := b.CU(fmt.Sprintf("unit%d.c", i), synth.C11)
				n := cu.Base("int", 4, synth.Signed)
				elements := map[string]*synth.DIE{}
				for _, name := range []string{"first", "second"} {
					elements[name] = cu.Struct(name, 4, synth.Member{Name: "of_" + name, Type: n})
				}
				index := cu.Base("long unsigned int", 8, 7)
				again := cu.DIE(dwarf.TagPointerType, synth.Num(dwarf.AttrByteSize, synth.FormData1, 8))
				arrays := map[string]*synth.DIE{"first": cu.Array(elements["first"], index, 4)}
				if name == "second" {
					arrays[name] = cu.Array(elements[name], index, 4)
				}
				cu.Struct("outer", 24, synth.Member{Name: "inner", Type: again}, synth.Member{Name: "array", Type: arrays[name], Off: 8})
				again.Add(synth.Ref(dwarf.AttrType, synth.FormRef4, cu.Struct("inner", 16, synth.Member{Name: "array", Type: arrays["first"]})))
			}
			image := b.Bytes()
			asPeer(t, image)
			res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, VerifyDedup: true})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, r := range res.Object.All() {
				if r.Kind() == btf.KindStruct && res.Object.Name(r.Name()) == "outer" {
					n++
				}
			}
			if n != c.structs {
				t.Errorf("got %d structs, want %d", n, c.structs)
			}
		})
	}
}
