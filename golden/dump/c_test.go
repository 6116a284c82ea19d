package dump

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The .golden files are the output of bpftool 7.8. See testdata/make.sh.
func TestCLikeBpftool(t *testing.T) {
	for _, name := range []string{"kinds-x86_64", "kinds-x86_64-split", "kinds-i686", "kinds-s390x", "layout-x86_64", "layout-i686", "layout-s390x",
		"random-0", "random-1", "random-2"} {
		o := load(t, name)
		for golden, opt := range map[string]COptions{name + "-c.golden": {}, name + "-unsorted.golden": {Unsorted: true}} {
			var b bytes.Buffer
			if err := WriteC(&b, o, opt); err != nil {
				t.Errorf("%s: %v", golden, err)
			}
			if want := readFixture(t, golden); !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s: %s", golden, firstDifference(b.Bytes(), want))
			}
		}
	}
}

// body returns what WriteC prints between the preamble and the kfuncs.
func body(t *testing.T, o *btf.Object, opt COptions) (string, error) {
	t.Helper()
	var b bytes.Buffer
	err := WriteC(&b, o, opt)
	text, ok := strings.CutPrefix(b.String(), cPreamble)
	if !ok {
		t.Errorf("got %q, want the preamble first", text)
	}
	text, _, _ = strings.Cut(strings.TrimSuffix(text, cEpilogue), "\n/* BPF kfuncs */")
	return text, err
}

func TestC(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func(b builder)
		opt   COptions
		want  string
	}{
		{"padding of a 32-bit kernel", func(b builder) {
			i := b.add(btf.KindInt, 0, false, "long int", 4, 32)
			b.add(btf.KindStruct, 1, false, "s", 12, b.name("a"), i, 64)
		}, COptions{Unsorted: true}, "struct s {\n\tlong: 32;\n\tlong: 32;\n\tlong int a;\n};\n\n"},
		{"a struct of odd size is aligned to nothing", func(b builder) {
			i, c := b.add(btf.KindInt, 0, false, "int", 4, 32), b.add(btf.KindInt, 0, false, "char", 1, 8)
			odd := b.add(btf.KindStruct, 2, false, "odd", 5, b.name("a"), i, 0, b.name("b"), c, 32)
			b.add(btf.KindStruct, 2, false, "s", 9, b.name("c"), c, 0, b.name("o"), odd, 32)
		}, COptions{Unsorted: true}, "struct odd {\n\tint a;\n\tchar b;\n} __attribute__((packed));\n\nstruct s {\n\tchar c;\n\tint: 0;\n\tstruct odd o;\n};\n\n"},
		{"a struct of whole size is aligned as its members are", func(b builder) {
			i, c := b.add(btf.KindInt, 0, false, "int", 4, 32), b.add(btf.KindInt, 0, false, "char", 1, 8)
			even := b.add(btf.KindStruct, 2, false, "even", 8, b.name("a"), i, 0, b.name("b"), c, 32)
			b.add(btf.KindStruct, 2, false, "s", 12, b.name("c"), c, 0, b.name("e"), even, 32)
		}, COptions{Unsorted: true}, "struct even {\n\tint a;\n\tchar b;\n};\n\nstruct s {\n\tchar c;\n\tstruct even e;\n};\n\n"},
		{"pointer size given", func(b builder) {
			p := b.add(btf.KindPtr, 0, false, "", 0)
			b.add(btf.KindStruct, 2, false, "s", 8, b.name("a"), p, 0, b.name("b"), p, 32)
		}, COptions{Unsorted: true, PointerSize: 4}, "struct s {\n\tvoid *a;\n\tvoid *b;\n};\n\n"},
		{"roots bring what they need, in their order", func(b builder) {
			b.add(btf.KindStruct, 0, false, "first", 0)
			s := b.add(btf.KindStruct, 0, false, "second", 0)
			b.add(btf.KindTypedef, 0, false, "t", s)
		}, COptions{Roots: []btf.ID{3, 1}}, "struct second {};\n\ntypedef struct second t;\n\nstruct first {};\n\n"},
		{"no roots at all", func(b builder) { b.add(btf.KindStruct, 0, false, "s", 0) }, COptions{Roots: []btf.ID{}}, ""},
		{"names used twice", func(b builder) {
			b.add(btf.KindStruct, 0, false, "x", 0)
			b.add(btf.KindUnion, 0, false, "x", 0)
			b.add(btf.KindTypedef, 0, false, "x", 1)
			b.add(btf.KindEnum, 1, false, "", 4, b.name("x"), 0)
		}, COptions{Unsorted: true}, "struct x {};\n\nunion x___2 {};\n\ntypedef struct x x;\n\nenum {\n\tx___2 = 0,\n};\n\n"},
		{"first in order is left out", func(b builder) {
			b.add(btf.KindEnum, 1, false, "", 4, b.name("A"), 0)
			b.add(btf.KindEnum, 1, false, "", 4, b.name("B"), 0)
		}, COptions{}, "enum {\n\tB = 0,\n};\n\n"},
	} {
		b := builder{btf.New(binary.LittleEndian, nil)}
		tt.build(b)
		if got, err := body(t, b.Object, tt.opt); got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestCKfuncs(t *testing.T) {
	b := builder{btf.New(binary.LittleEndian, nil)}
	i := b.add(btf.KindInt, 0, false, "int", 4, 32)
	proto := b.add(btf.KindFuncProto, 1, false, "", i, b.name("a"), i)
	last, first := b.add(btf.KindFunc, 0, false, "last", proto), b.add(btf.KindFunc, 0, false, "first", proto)
	for _, f := range []uint32{last, first} {
		b.add(btf.KindDeclTag, 0, false, "bpf_kfunc", f, ^uint32(0))
	}
	b.add(btf.KindDeclTag, 0, false, "bpf_fastcall", last, ^uint32(0))
	var got bytes.Buffer
	if err := WriteC(&got, b.Object, COptions{}); err != nil {
		t.Fatal(err)
	}
	const want = "\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\nextern int first(int a) __weak __ksym;\n" +
		"extern __bpf_fastcall int last(int a) __weak __ksym;\n#endif\n\n" + cEpilogue
	if !strings.HasSuffix(got.String(), want) {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestCErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func(b builder)
		want  string
	}{
		{"struct in itself", func(b builder) { b.add(btf.KindStruct, 1, false, "s", 4, b.name("a"), 1, 0) }, "type 1 (STRUCT): contains itself"},
		{"typedef of itself", func(b builder) { b.add(btf.KindTypedef, 0, false, "t", 1) }, "type 1 (TYPEDEF): contains itself"},
		{"pointer to itself", func(b builder) { b.add(btf.KindPtr, 0, false, "", 1) }, "type 1 (PTR): contains itself"},
		{"member that is a function's type", func(b builder) {
			b.add(btf.KindFuncProto, 0, false, "", 0)
			c := b.add(btf.KindInt, 0, false, "char", 1, 8)
			b.add(btf.KindStruct, 2, false, "s", 16, b.name("a"), c, 0, b.name("b"), 1, 64)
		}, "type 1 (FUNC_PROTO): has no alignment"},
		{"member that is a variable", func(b builder) {
			b.add(btf.KindVar, 0, false, "v", 0, 0)
			b.add(btf.KindStruct, 1, false, "s", 0, b.name("a"), 1, 0)
		}, "type 1 (VAR): is no type"},
		{"unknown kind", func(b builder) { b.add(btf.NumKinds, 0, false, "x", 0) }, "kind 20 is unknown"},
		{"type that does not exist", func(b builder) { b.add(btf.KindPtr, 0, false, "", 9) }, "type 1 refers to type 9"},
		{"prototypes that double with each step", func(b builder) {
			for i := range uint32(60) {
				b.add(btf.KindFuncProto, 2, false, "", 0, b.name("a"), i, b.name("b"), i)
			}
		}, "too many others"},
	} {
		b := builder{btf.New(binary.LittleEndian, nil)}
		tt.build(b)
		err := WriteC(&bytes.Buffer{}, b.Object, COptions{Unsorted: true})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := WriteC(fullDisk{}, load(t, "kinds-x86_64"), COptions{}); !errors.Is(err, errFull) {
		t.Errorf("got error %v, want %v", err, errFull)
	}
}

// TestStructsInStructs: the alignment of a struct is computed once, however often it is a member.
func TestStructsInStructs(t *testing.T) {
	b := builder{btf.New(binary.LittleEndian, nil)}
	b.add(btf.KindInt, 0, false, "int", 4, 32)
	for i := range uint32(60) {
		b.add(btf.KindStruct, 2, false, fmt.Sprint("s", i), 4, b.name("a"), i+1, 0, b.name("b"), i+1, 0)
	}
	got, err := body(t, b.Object, COptions{Unsorted: true})
	if want := "struct s59 {\n\tstruct s58 a;\n\tstruct s58 b;\n};\n\n"; err != nil || !strings.HasSuffix(got, want) {
		t.Errorf("got %q, %v, want %q at the end", got[max(len(got)-len(want), 0):], err, want)
	}
}

// TestLongChainsEnd: a long chain of references ends in time, even if it cannot be printed.
func TestLongChainsEnd(t *testing.T) {
	for _, k := range []btf.Kind{btf.KindPtr, btf.KindTypedef, btf.KindConst} {
		b := builder{btf.New(binary.LittleEndian, nil)}
		name := map[bool]string{true: "t"}[k == btf.KindTypedef]
		for i := range uint32(200_000) {
			b.add(k, 0, false, name, i)
		}
		began := time.Now()
		err := WriteC(&bytes.Buffer{}, b.Object, COptions{})
		if k == btf.KindPtr && err != nil || k != btf.KindPtr && (err == nil || !strings.Contains(err.Error(), "too many others")) {
			t.Errorf("%s: got %v", k, err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: took %v", k, took)
		}
	}
}

// Printing ends for every BTF that a library can load.
func TestCEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		o := randomObject(r, 3+r.IntN(40), 0.3)
		WriteC(&bytes.Buffer{}, o, COptions{})
		WriteC(&bytes.Buffer{}, o, COptions{Unsorted: true})
	}
}
