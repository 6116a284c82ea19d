package funcs_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A set is a BTF id set as the kernel's macros lay it out: a count and flags, then per function an id and flags.
type set struct {
	name    string
	flags   uint32
	members []kfunc
}

type kfunc struct {
	symbol string
	flags  uint32
}

// ids adds .BTF_ids with sets.
func (m *image) ids(sets ...set) {
	order := m.Target().Order.(binary.AppendByteOrder)
	var data []byte
	type symbol struct {
		name      string
		off, size int
	}
	var symbols []symbol
	for _, s := range sets {
		symbols = append(symbols, symbol{s.name, len(data), 8 + 8*len(s.members)})
		data = order.AppendUint32(order.AppendUint32(data, 0), s.flags)
		for _, f := range s.members {
			symbols = append(symbols, symbol{f.symbol, len(data), 4})
			data = order.AppendUint32(order.AppendUint32(data, 0), f.flags)
		}
	}
	addr := uint64(0x20000)
	if m.Target().Type == elf.ET_REL {
		addr = 0
	}
	sec := m.Section(".BTF_ids", elf.SHT_PROGBITS, elf.SHF_ALLOC, addr, data)
	for _, s := range symbols {
		m.Local(s.name, sec.At(uint64(s.off)), uint64(s.size), elf.STT_OBJECT)
	}
}

// Rule 02/5.7: which functions get the tags of kfuncs, and what they do to types.
func TestKfuncs(t *testing.T) {
	const fastcall, ret, arg1, arg2 = 1 << 12, 1 << 13, 1 << 14, 1 << 15
	sets := func(flags uint32, members ...kfunc) func(m *image) {
		return func(m *image) {
			m.ids(set{"__BTF_ID__set8__my_set", flags, members})
			m.fn("f", 16, m.Pointer(m.i), m.at("a", m.Pointer(m.i), synth.OpReg(5)), m.at("b", m.Pointer(nil), synth.OpReg(4)))
			m.fn("g", 32, m.i, m.at("a", m.i, synth.OpReg(5)))
		}
	}
	const f, g = `f(a *int, b *void) *int`, `g(a int) int`
	tagged := "\n  tag -1 bpf_kfunc (1)"
	big := synth.Target{Machine: elf.EM_S390, Order: binary.BigEndian}
	check(t, []fixture{
		{name: "a member of a set of kfuncs", build: sets(1, kfunc{"__BTF_ID__func__f__12", 0}), want: f + tagged + "\n" + g},
		{name: "fastcall", build: sets(1, kfunc{"__BTF_ID__func__f__12", fastcall}), want: f + tagged + "\n  tag -1 bpf_fastcall (2)\n" + g},
		{name: "a set of something else", build: sets(2, kfunc{"__BTF_ID__func__f__12", 0}), want: f + "\n" + g},
		{name: "other symbols", build: sets(1, kfunc{"__BTF_ID__struct__f__1", 0}, kfunc{"__BTF_ID__func__f_1", 0}, kfunc{"__BTF_ID__func__nobody__2", 0}),
			want: f + "\n" + g},
		{name: "the last pair of underscores ends the name", build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, []kfunc{{"__BTF_ID__func__a__b__77", 0}}})
			m.fn("a__b", 16, nil)
			m.fn("a", 32, nil)
		}, want: "a() void\na__b() void" + tagged},
		{name: "big-endian", target: big, build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, []kfunc{{"__BTF_ID__func__f__1", fastcall}}})
			m.fn("f", 16, nil)
		}, want: "f() void" + tagged + "\n  tag -1 bpf_fastcall (2)"},
		{name: "a function that is left out gets none", build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, []kfunc{{"__BTF_ID__func__f__1", 0}}})
			m.fn("f", 16, nil, m.at("a", m.i, synth.OpReg(3)))
		}, want: unexpected},
		{name: "outside of every set", build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, nil}, set{"not_a_set", 1, []kfunc{{"__BTF_ID__func__f__1", 0}}})
			m.fn("f", 16, nil)
		}, want: `f() void`},
		{name: "right behind a set", build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, nil}, set{"__BTF_ID__func__f__1", 0, nil})
			m.fn("f", 16, nil)
		}, want: `f() void`},
		{name: "in a module", target: synth.Target{Type: elf.ET_REL}, build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, []kfunc{{"__BTF_ID__func__f__1", 0}}})
			m.fn("f", 16, nil)
		}, want: "f() void" + tagged},
		{name: "in several sections of a module", shows: rules.LastIDs, target: synth.Target{Type: elf.ET_REL}, build: func(m *image) {
			m.ids(set{"__BTF_ID__set8__s", 1, []kfunc{{"__BTF_ID__func__f__1", 0}}})
			m.ids(set{"__BTF_ID__set8__t", 1, []kfunc{{"__BTF_ID__func__g__1", fastcall}}})
			m.fn("f", 16, nil)
			m.fn("g", 32, nil)
		}, want: "f() void\ng() void" + tagged + "\n  tag -1 bpf_fastcall (2)", right: "f() void" + tagged + "\ng() void" + tagged + "\n  tag -1 bpf_fastcall (2)"},
		{name: "without decl_tag_kfuncs", without: []feature.Feature{feature.DeclTagKfuncs}, build: sets(1, kfunc{"__BTF_ID__func__f__12", 0}), want: f + "\n" + g},
		{name: "without decl_tag", without: []feature.Feature{feature.DeclTag}, build: sets(1, kfunc{"__BTF_ID__func__f__12", 0}), want: f + "\n" + g},

		{name: "arena pointers without the feature", build: sets(1, kfunc{"__BTF_ID__func__f__1", ret | arg1 | arg2}), want: f + tagged + "\n" + g},
		{name: "arena pointers", with: []feature.Feature{feature.Attributes}, build: sets(1, kfunc{"__BTF_ID__func__f__1", ret | arg1 | arg2}),
			want: "f(a *tag(address_space(1),true) int, b *tag(address_space(1),true) void) *tag(address_space(1),true) int" + tagged + "\n" + g},
		{name: "arena result only", with: []feature.Feature{feature.Attributes}, build: sets(1, kfunc{"__BTF_ID__func__f__1", ret}),
			want: "f(a *int, b *void) *tag(address_space(1),true) int" + tagged + "\n" + g},
		{name: "arena pointer that is none", with: []feature.Feature{feature.Attributes}, build: sets(1, kfunc{"__BTF_ID__func__g__1", arg1}), fails: "not a pointer"},
		{name: "arena argument that is not there", with: []feature.Feature{feature.Attributes}, build: sets(1, kfunc{"__BTF_ID__func__g__1", arg2}), fails: "no argument 2"},
	})
}
