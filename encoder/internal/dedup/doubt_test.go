package dedup

import (
	"errors"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestDoubtArray: arrays with different elements are in doubt only if a type that was skipped, because it has merged, leads to the one of the base.
// Otherwise the comparison cannot have met that array before.
func TestDoubtArray(t *testing.T) {
	for _, c := range []struct {
		name  string
		links int // between the skipped type and the array; negative: it does not lead to it
		doubt bool
	}{
		{"the skipped type leads elsewhere", -1, false},
		{"the skipped type leads to a declaration", -2, false},
		{"the skipped type has the array", 0, true},
		{"the skipped type leads to the array", 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			build := func(w world, elem string) (tree uint32) {
				i := w.int("int")
				array := w.array(w.strct(elem, i), i, 0)
				to := array
				switch c.links {
				case -1:
					to = i
				case -2:
					to = w.ptr(w.fwd("declared", false))
				}
				for range c.links {
					to = w.ptr(to)
				}
				tree = w.strct("tree", to)
				w.strct("", tree, array)
				return tree
			}
			base := newWorld(nil)
			tree := build(base, "first")
			split := newWorld(base.Object)
			build(split, "second")
			names := &Namesakes{base: base.Object, of: map[uint32]uint32{base.At(btf.ID(tree))[0]: tree}}
			_, err := Run(split.Object, Options{Partial: true, Peer: rules.Default, Namesakes: names})
			if got := errors.Is(err, ErrDoubt); got != c.doubt || err != nil && !got {
				t.Errorf("got error %v, want doubt %v", err, c.doubt)
			}
		})
	}
}
