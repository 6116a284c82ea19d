package funcs_test

import (
	"bytes"
	"debug/dwarf"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestSignature is true_signature on functions that clang changed: see testdata/signature.c.
func TestSignature(t *testing.T) {
	image, err := os.ReadFile(filepath.Join("testdata", "signature-clang19-x86_64.elf"))
	if err != nil {
		t.Fatal(err)
	}
	features := feature.Default().With(feature.TrueSignature)
	const want = `
both_members(p struct pair) int
constant(used int) int
entry(a int, p *struct pair, q *struct packet) int
first_member(p__a long) int
inside_register(p struct packet, used int) int
last_member(used int, p__b long) int
middle(used int, last long) int
nothing_left() int
on_stack(a int, c int, e int, g int, h int) int
second_register(p__body long, used int) int
two_structs(p struct packet, q struct packet, used int) int`
	got, _, err := outcome(image, encoder.Encoder{Options: encoder.Options{Features: features}})
	if err != nil || got != trim(want) {
		t.Errorf("default profile: got\n%s, %v\nwant%s", got, err, want)
	}
	const off = `
entry(a int, p *struct pair, q *struct packet) int
both_members: optimized parameters
constant: optimized parameters
first_member: optimized parameters
inside_register: optimized parameters
last_member: optimized parameters
middle: optimized parameters
nothing_left: optimized parameters
on_stack: optimized parameters
second_register: optimized parameters
two_structs: optimized parameters`
	if got, _, err = outcome(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}}); err != nil || got != trim(off) {
		t.Errorf("without the feature: got\n%s, %v\nwant%s", got, err, off)
	}
	t.Run("peer", func(t *testing.T) {
		for _, f := range []feature.Set{features, feature.Default()} {
			_, res, err := outcome(image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: f}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(res.Object.AppendWire(nil), peer.Encode(t, image, f.Names())) {
				t.Errorf("%s: differs from the peer's", f)
			}
		}
	})
}

// TestReduced: where a parameter is decides what is left of it.
func TestReduced(t *testing.T) {
	clang := synth.Producer("clang version 19.1.7")
	nocall := synth.Num(dwarf.AttrCalling, synth.FormData1, 3)
	low := []synth.Op{synth.OpReg(5), synth.OpPiece(8)}
	high := []synth.Op{synth.OpPiece(8), synth.OpReg(5), synth.OpPiece(8)}
	one := func(params ...[]synth.Op) func(m *image) {
		return func(m *image) {
			m.unit("b.c", clang)
			two := m.Struct("two", 16, synth.Member{Name: "a", Type: m.l}, synth.Member{Name: "b", Type: m.l, Off: 8})
			var ps []synth.Param
			for i, ops := range params {
				ps = append(ps, m.at(string('p'+rune(i)), two, ops...))
			}
			ps = append(ps, m.at("last", m.i, synth.OpReg(4)))
			m.fn("f", 0, nil, ps...).Add(nocall)
		}
	}
	changed := func(types func(m *image) []synth.Param) func(m *image) {
		return func(m *image) {
			m.unit("b.c", clang)
			m.fn("f", 0, nil, types(m)...).Add(nocall)
		}
	}
	with := []feature.Feature{feature.TrueSignature}
	check(t, []fixture{
		{name: "the first member", with: with, build: one(low), want: "f(p__a long, last int) void"},
		{name: "the second member", with: with, build: one(high), want: "f(p__b long, last int) void"},
		{name: "both members", with: with, build: one([]synth.Op{synth.OpReg(5), synth.OpPiece(8), synth.OpReg(4), synth.OpPiece(8)}),
			want: "f(p struct two, last int) void"},
		{name: "one member, and the struct takes its registers all the same", with: with, build: changed(func(m *image) []synth.Param {
			two := m.Struct("two", 16, synth.Member{Name: "a", Type: m.l}, synth.Member{Name: "b", Type: m.l, Off: 8})
			return []synth.Param{m.at("p", two, low...), m.at("last", m.i, synth.OpReg(1))}
		}), want: "f(p struct two, last int) void"},
		{name: "one member, elsewhere", shows: rules.NamedAfterMember, with: with, build: changed(func(m *image) []synth.Param {
			two := m.Struct("two", 16, synth.Member{Name: "a", Type: m.l}, synth.Member{Name: "b", Type: m.l, Off: 8})
			return []synth.Param{m.at("k", m.i, synth.OpReg(5)), m.at("p", two, synth.OpPiece(8), synth.OpReg(8), synth.OpPiece(8))}
		}), want: "f(k int, p__b struct two) void", right: "f(k int, p struct two) void"},
		{name: "a constant, and nothing", with: with, build: changed(func(m *image) []synth.Param {
			return []synth.Param{m.at("c", m.i, synth.OpLit(1), synth.OpStackValue()), {Name: "n", Type: m.i}, m.at("k", m.i, synth.OpReg(5))}
		}), want: "f(k int) void"},
		{name: "no location, but its register stays free", with: with, build: changed(func(m *image) []synth.Param {
			return []synth.Param{{Name: "n", Type: m.i}, m.at("k", m.i, synth.OpReg(4))}
		}), want: "f(n int, k int) void"},
		{name: "on the stack", with: with, build: changed(func(m *image) []synth.Param {
			return []synth.Param{m.at("k", m.i, synth.OpFbreg(8))}
		}), want: unexpected},
		{name: "the name of a symbol with a suffix", with: with, build: func(m *image) {
			m.symbol("f.llvm.7", 0)
			m.Func("f", m.text.At(0), 16, nil, m.at("k", m.i, synth.OpReg(5)))
		}, want: "f.llvm.7(k int) void"},
		{name: "an abstract instance is not compared with code", with: with, build: func(m *image) {
			m.Func("f", synth.Nowhere, 0, nil, synth.Param{Name: "a", Type: m.l})
			m.fn("f", 0, nil, m.at("k", m.i, synth.OpReg(5)))
		}, want: "f(k int) void"},
		{name: "abstract instances are compared with each other", with: with, build: func(m *image) {
			m.symbol("f", 0)
			m.Func("f", synth.Nowhere, 0, nil, synth.Param{Name: "a", Type: m.l})
			m.Func("f", synth.Nowhere, 0, nil, synth.Param{Name: "a", Type: m.i})
		}, want: "f: inconsistent prototype"},
	})
}
