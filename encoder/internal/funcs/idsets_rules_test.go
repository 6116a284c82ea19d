package funcs_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A pair is a function of a set in a finished image: its id and its flags.
type pair struct{ id, flags uint32 }

// finished adds a set as the kernel's build leaves it: the symbols are in their old places, and the pairs are sorted by id.
func (m *image) finished(functions []string, pairs ...pair) {
	order := m.Target().Order.(binary.AppendByteOrder)
	data := order.AppendUint32(order.AppendUint32(nil, uint32(len(pairs))), 1)
	for _, p := range pairs {
		data = order.AppendUint32(order.AppendUint32(data, p.id), p.flags)
	}
	sec := m.Section(".BTF_ids", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x20000, data)
	m.Local("__BTF_ID__set8__s", sec.At(0), uint64(len(data)), elf.STT_OBJECT)
	for i, f := range functions {
		m.Local("__BTF_ID__func__"+f+"__1", sec.At(uint64(8+8*i)), 4, elf.STT_OBJECT)
	}
}

// ownBTF adds the BTF to which the ids belong: FUNCs of these names, with ids from 2 on.
func (m *image) ownBTF(functions ...string) {
	o := btf.New(m.Target().Order, nil)
	proto := o.Append(0, btf.Info(btf.KindFuncProto, 0, false), 0)
	for _, f := range functions {
		o.Append(o.Strings.Add([]byte(f)), btf.Info(btf.KindFunc, btf.LinkageStatic, false), uint32(proto))
	}
	m.Section(".BTF", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x30000, o.AppendWire(nil))
}

// TestFinishedSets is rule 02/5.7: in a finished image, the flags at a function's symbol are those of another function.
func TestFinishedSets(t *testing.T) {
	const fastcall = 1 << 12
	three := func(build func(m *image)) func(m *image) {
		return func(m *image) {
			build(m)
			for i, name := range []string{"f", "g", "h"} {
				m.fn(name, uint64(16*i+16), nil)
			}
		}
	}
	const tagged, fast = "() void\n  tag -1 bpf_kfunc (1)", "\n  tag -1 bpf_fastcall (2)"
	const displaced = "f" + tagged + "\ng" + tagged + fast + "\nh" + tagged
	symbols := []string{"f", "g", "h"}
	// Sorted by id, the pairs are those of h, f, g.
	sorted := []pair{{2, 0}, {3, fastcall}, {4, 0}}
	check(t, []fixture{
		{name: "sorted by the ids of the BTF in the image", shows: rules.FlagsAtSymbol, build: three(func(m *image) {
			m.finished(symbols, sorted...)
			m.ownBTF("h", "f", "g")
		}), want: displaced, right: "f" + tagged + fast + "\ng" + tagged + "\nh" + tagged},
		{name: "big-endian", target: synth.Target{Machine: elf.EM_S390, Order: binary.BigEndian}, build: three(func(m *image) {
			m.finished(symbols, sorted...)
			m.ownBTF("h", "f", "g")
		}), want: displaced, right: "f" + tagged + fast + "\ng" + tagged + "\nh" + tagged},
		{name: "a function that had no BTF", build: three(func(m *image) {
			m.finished(symbols, pair{0, 0}, pair{2, 0}, pair{3, fastcall})
			m.ownBTF("g", "f")
		}), want: "f" + tagged + "\ng" + tagged + "\nh" + tagged + fast, right: "f" + tagged + fast + "\ng" + tagged + "\nh" + tagged},
		{name: "no BTF in the image", build: three(func(m *image) { m.finished(symbols, sorted...) }),
			want: displaced, right: "f" + tagged + "\ng" + tagged + "\nh" + tagged},
		{name: "no BTF in the image, flags that all have", build: three(func(m *image) {
			m.finished(symbols, pair{2, fastcall}, pair{3, fastcall | 1}, pair{4, fastcall})
		}), want: "f" + tagged + fast + "\ng" + tagged + fast + "\nh" + tagged + fast},
		{name: "BTF of another build", build: three(func(m *image) {
			m.finished(symbols, pair{1, 0}, pair{2, fastcall}, pair{3, 0})
			m.ownBTF("h", "f", "g")
		}), want: displaced, right: "f" + tagged + "\ng" + tagged + "\nh" + tagged},
		{name: "as linked", build: three(func(m *image) { m.finished(symbols, pair{0, 0}, pair{0, fastcall}, pair{0, 0}) }), want: displaced},
	})
}
