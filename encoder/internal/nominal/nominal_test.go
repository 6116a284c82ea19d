package nominal

import (
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// TestHashes: equal parts in equal order give equal hashes, and any difference gives a different hash.
func TestHashes(t *testing.T) {
	named, other := Name(1, Struct), Name(2, Struct)
	classes := map[string]func() Hash{
		"begin":                         func() Hash { return Begin(1, Void) },
		"begin, other words":            func() Hash { return Begin(2, Void) },
		"begin, words above 32 bits":    func() Hash { return Begin(1|1<<40, Void) },
		"begin, of a named type":        func() Hash { return Begin(1, named) },
		"begin, of another named type":  func() Hash { return Begin(1, other) },
		"begin, of a number":            func() Hash { return Begin(1, Plain(0)) },
		"begin, of another number":      func() Hash { return Begin(1, Plain(1)) },
		"an element":                    func() Hash { return Begin(1, Void).Element(3, named) },
		"an element, other words":       func() Hash { return Begin(1, Void).Element(4, named) },
		"an element, of another type":   func() Hash { return Begin(1, Void).Element(3, other) },
		"two elements":                  func() Hash { return Begin(1, Void).Element(3, named).Element(4, other) },
		"two elements, the other way":   func() Hash { return Begin(1, Void).Element(4, other).Element(3, named) },
		"two elements, types exchanged": func() Hash { return Begin(1, Void).Element(3, other).Element(4, named) },
		"two equal elements":            func() Hash { return Begin(1, Void).Element(3, named).Element(3, named) },
		"a name":                        func() Hash { return named },
		"void":                          func() Hash { return Void },
		"a number":                      func() Hash { return Plain(7) },
	}
	seen := map[uint64]string{}
	for name, hash := range classes {
		h := hash()
		if h != hash() {
			t.Errorf("%s: the same twice gives two hashes", name)
		}
		if !h.Known() {
			t.Errorf("%s: it is not known", name)
		}
		if before, ok := seen[h.A]; ok { // A distinguishes them by itself
			t.Errorf("%s: a part of its hash is that of %s", name, before)
		}
		seen[h.A] = name
	}
	if (Hash{}).Known() {
		t.Error("the zero value is known")
	}
}

// TestSecondPart: B depends on what came before, on the words, and on the type that is referred to, even where A does not.
func TestSecondPart(t *testing.T) {
	ref := Name(7, Struct)
	h := Begin(1, ref)
	same := h.Element(3, ref)
	for name, got := range map[string]Hash{
		"another B before":         Hash{h.A, h.B ^ 1<<9}.Element(3, ref),
		"another B of the type":    h.Element(3, Hash{ref.A, ref.B ^ 1<<9}),
		"another B, an element on": Hash{h.A, h.B ^ 1<<31}.Element(2, ref).Element(3, ref),
		"other words":              h.Element(3|1<<60, ref),
	} {
		if got.B == same.B {
			t.Errorf("%s: it does not count", name)
		}
	}
}

// TestNames: a name and a group make one hash, and no two of them the same one.
func TestNames(t *testing.T) {
	type key struct {
		name  uint32
		group Group
	}
	seen := map[uint64]key{}
	for _, g := range []Group{Struct, Union, Enum} {
		for name := range uint32(2000) {
			for _, n := range []uint32{name, name << 8, ^name} {
				h := Name(n, g)
				if k, ok := seen[h.A]; ok && k != (key{n, g}) {
					t.Fatalf("name %d of group %d and name %d of group %d are one", n, g, k.name, k.group)
				}
				seen[h.A] = key{n, g}
			}
		}
	}
}

// TestGroupOf: which records are one name space, and which of them only declare.
func TestGroupOf(t *testing.T) {
	for _, tt := range []struct {
		kind     btf.Kind
		vlen     uint32
		kflag    bool
		want     Group
		declares bool
	}{
		{btf.KindStruct, 0, false, Struct, false},
		{btf.KindStruct, 2, true, Struct, false},
		{btf.KindUnion, 0, false, Union, false},
		{btf.KindFwd, 0, false, Struct, true},
		{btf.KindFwd, 0, true, Union, true},
		{btf.KindEnum, 0, false, Enum, true},
		{btf.KindEnum, 1, true, Enum, false},
		{btf.KindEnum64, 0, true, Enum, true},
		{btf.KindEnum64, 3, false, Enum, false},
		{btf.KindInt, 0, false, None, false},
		{btf.KindTypedef, 0, false, None, false},
		{btf.KindFuncProto, 0, false, None, false},
		{btf.KindDatasec, 0, false, None, false},
	} {
		g, declares := GroupOf(btf.Record{1, btf.Info(tt.kind, tt.vlen, tt.kflag), 0})
		if g != tt.want || declares != tt.declares {
			t.Errorf("%s with %d elements and kind flag %v: got group %d, declares %v, want %d, %v", tt.kind, tt.vlen, tt.kflag, g, declares,
				tt.want, tt.declares)
		}
	}
}

// TestFold: all bits of both factors count.
func TestFold(t *testing.T) {
	const x, y = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f
	for i := range 64 {
		if Fold(x^1<<i, y) == Fold(x, y) || Fold(x, y^1<<i) == Fold(x, y) {
			t.Errorf("bit %d does not count", i)
		}
	}
	if got := Fold(1<<63, 6); got != 3 { // 6<<63 is 3<<64
		t.Errorf("got %d, want the upper and the lower half, 3 and 0", got)
	}
}
