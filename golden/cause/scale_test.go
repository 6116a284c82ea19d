package cause

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// chain returns n structs that each hold the one before. The first has the given size.
func chain(n int, first uint32) *btf.Object {
	o := btf.New(binary.LittleEndian, nil)
	char := uint32(o.Append(o.Strings.Add([]byte("char")), btf.Info(btf.KindInt, 0, false), 1, 8))
	array := uint32(o.Append(0, btf.Info(btf.KindArray, 0, false), 0, char, char, first))
	last, member := array, o.Strings.Add([]byte("m"))
	for i := range n {
		last = uint32(o.Append(o.Strings.Add(fmt.Appendf(nil, "s%d", i)), btf.Info(btf.KindStruct, 1, false), first, member, last, 0))
	}
	return o
}

// nest returns a struct with n levels of anonymous structs, some of them behind typedefs. The innermost member has the given name.
func nest(n, typedefs int, innermost string) *btf.Object {
	o := btf.New(binary.LittleEndian, nil)
	last := uint32(o.Append(o.Strings.Add([]byte("char")), btf.Info(btf.KindInt, 0, false), 1, 8))
	name := o.Strings.Add([]byte(innermost))
	for i := range n {
		last = uint32(o.Append(0, btf.Info(btf.KindStruct, 1, false), 1, name, last, 0))
		name = 0
		if i < typedefs {
			o.Append(o.Strings.Add(fmt.Appendf(nil, "t%d", i)), btf.Info(btf.KindTypedef, 0, false), last)
		}
	}
	o.Append(o.Strings.Add([]byte("outer")), btf.Info(btf.KindStruct, 1, false), 1, 0, last, 0)
	return o
}

// doubled returns n levels of unions that each have the next one twice: 2^n members.
func doubled(n int, innermost string) *btf.Object {
	o := btf.New(binary.LittleEndian, nil)
	last := uint32(o.Append(o.Strings.Add([]byte("char")), btf.Info(btf.KindInt, 0, false), 1, 8))
	last = uint32(o.Append(0, btf.Info(btf.KindUnion, 1, false), 1, o.Strings.Add([]byte(innermost)), last, 0))
	a, b := o.Strings.Add([]byte("a")), o.Strings.Add([]byte("b"))
	for range n {
		last = uint32(o.Append(0, btf.Info(btf.KindUnion, 2, false), 1, a, last, 0, b, last, 0))
	}
	o.Append(o.Strings.Add([]byte("outer")), btf.Info(btf.KindStruct, 1, false), 1, 0, last, 0)
	return o
}

// Large and deeply nested BTF is compared in linear time and without recursion. A quadratic comparison would take minutes.
func TestScale(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		old, new             *btf.Object
		causes, consequences int
	}{
		{"structs that hold each other", chain(10_000, 8), chain(10_000, 16), 1, 9_999},
		{"anonymous nesting", nest(50_000, 0, "a"), nest(50_000, 0, "b"), 1, 0},
		{"anonymous nesting with names on the way", nest(50_000, 5_000, "a"), nest(50_000, 5_000, "b"), 5_001, 0},
		{"a tree of unions", doubled(60, "a"), doubled(60, "b"), 1, 0},
	} {
		start := time.Now()
		c := Compare(Input{Object: tt.old}, Input{Object: tt.new}, Options{})
		if len(c.Causes) != tt.causes || len(c.Consequences) != tt.consequences {
			t.Errorf("%s: got %d causes and %d consequences, want %d and %d", tt.name, len(c.Causes), len(c.Consequences), tt.causes, tt.consequences)
		}
		if d := time.Since(start); d > 30*time.Second {
			t.Errorf("%s: took %s", tt.name, d)
		} else {
			t.Logf("%s: %s", tt.name, d)
		}
	}
}

func BenchmarkChain(b *testing.B) {
	old, new := chain(10_000, 8), chain(10_000, 16)
	b.ReportAllocs()
	for b.Loop() {
		Compare(Input{Object: old}, Input{Object: new}, Options{})
	}
}

func BenchmarkNest(b *testing.B) {
	old, new := nest(50_000, 0, "a"), nest(50_000, 0, "b")
	b.ReportAllocs()
	for b.Loop() {
		Compare(Input{Object: old}, Input{Object: new}, Options{})
	}
}
