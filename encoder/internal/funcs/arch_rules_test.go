package funcs_test

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestABIs: what pahole does not know of calling conventions, apart from the registers of TestConventions. The profile default
// keeps a function if its parameters are where the architecture's psABI puts them.
func TestABIs(t *testing.T) {
	const clang = "clang version 19.1.7"
	arm := synth.Target{Class: elf.ELFCLASS32, Machine: elf.EM_ARM}
	// seek is f(int, long long, int) with the second parameter in two registers, and the third one on the stack where reg is 0.
	seek := func(producer string, first, pair, last int) func(m *image) {
		return func(m *image) {
			m.unit("b.c", synth.Producer(producer))
			wide := m.Base("long long int", 8, synth.Signed)
			params := []synth.Param{m.at("file", m.i, synth.OpReg(first)),
				m.at("offset", wide, synth.OpReg(pair), synth.OpPiece(4), synth.OpReg(pair+1), synth.OpPiece(4))}
			if last == 0 {
				params = append(params, m.at("whence", m.i, synth.OpFbreg(0)))
			} else {
				params = append(params, m.at("whence", m.i, synth.OpReg(last)))
			}
			m.fn("f", 0, nil, params...)
		}
	}
	const kept = "f(file int, offset long long int, whence int) void"
	// large is f(union of 24 bytes, int).
	large := func(producer string, next int, where ...synth.Op) func(m *image) {
		return func(m *image) {
			m.unit("b.c", synth.Producer(producer))
			u := m.Union("u", 24, synth.Member{Name: "l", Type: m.l}, synth.Member{Name: "a", Type: m.Array(m.l, m.i, 3)})
			m.fn("f", 0, nil, m.at("u", u, where...), m.at("k", m.i, synth.OpReg(next)))
		}
	}
	const large2 = "f(u union u, k int) void"
	order := func(regs ...int) func(m *image) {
		return func(m *image) {
			m.unit("b.c", synth.Producer(clang))
			var params []synth.Param
			for i, r := range regs {
				params = append(params, m.at(string('a'+rune(i)), m.i, synth.OpReg(r)))
			}
			m.fn("f", 0, nil, params...)
		}
	}
	big := func(m elf.Machine, class elf.Class) synth.Target {
		return synth.Target{Machine: m, Class: class, Order: binary.BigEndian}
	}
	check(t, []fixture{
		{name: "arm: an even pair, as vfs_llseek has", shows: rules.PeerConventions, target: arm, build: seek("GNU C11", 0, 2, 0), want: unexpected, right: kept},
		{name: "arm: an even pair, clang", target: arm, build: seek(clang, 0, 2, 0), want: kept, right: kept},
		{name: "arm: no pair starts at an odd register", target: arm, build: seek("GNU C11", 0, 1, 3), want: kept, right: unexpected},
		{name: "arm: the fifth parameter is on the stack", target: arm, build: func(m *image) {
			m.symbol("f.constprop.0", 0)
			m.Func("f", m.text.At(0), 16, nil, m.at("a", m.i, synth.OpReg(0)), m.at("b", m.i, synth.OpReg(1)), m.at("c", m.i, synth.OpReg(2)),
				m.at("d", m.i, synth.OpReg(3)), m.at("e", m.i, synth.OpFbreg(0)))
		}, want: "f: optimized parameters", right: "f(a int, b int, c int, d int, e int) void"},
		{name: "mips o32: an even pair", target: big(elf.EM_MIPS, elf.ELFCLASS32), build: seek(clang, 4, 6, 0), want: unexpected, right: kept},
		{name: "ppc: an odd pair", target: big(elf.EM_PPC, elf.ELFCLASS32), build: seek(clang, 3, 5, 7), want: unexpected, right: kept},
		{name: "riscv32: any pair", target: synth.Target{Machine: elf.EM_RISCV, Class: elf.ELFCLASS32}, build: seek(clang, 10, 11, 13), want: unexpected, right: kept},

		{name: "sparc64: in the caller's window", target: big(elf.EM_SPARCV9, elf.ELFCLASS64), build: order(8, 9, 10), want: unexpected, right: "f(a int, b int, c int) void"},
		{name: "sparc64: in the callee's window", target: big(elf.EM_SPARCV9, elf.ELFCLASS64), build: order(24, 25, 26), want: unexpected, right: "f(a int, b int, c int) void"},
		{name: "sparc64: elsewhere", target: big(elf.EM_SPARCV9, elf.ELFCLASS64), build: order(24, 26), want: unexpected, right: unexpected},
		{name: "arc", target: synth.Target{Machine: elf.EM_ARC_COMPACT2, Class: elf.ELFCLASS32}, build: order(1, 0), want: "f(a int, b int) void", right: unexpected},
		{name: "loongarch", target: synth.Target{Machine: elf.EM_LOONGARCH}, build: order(5, 4), want: "f(a int, b int) void", right: unexpected},

		{name: "arm64: the address of a large union is an argument", target: synth.Target{Machine: elf.EM_AARCH64}, build: large(clang, 1, synth.OpBreg(0, 0)),
			want: unexpected, right: large2},
		{name: "arm64: the same by gcc", target: synth.Target{Machine: elf.EM_AARCH64}, build: large("GNU C11", 1, synth.OpBreg(0, 0)), want: large2, right: large2},
		{name: "x86-64: a large union is on the stack", build: large(clang, 5, synth.OpFbreg(0)), want: large2, right: large2},
		{name: "x86-64: the same by gcc", build: large("GNU C11", 5, synth.OpFbreg(0)), want: unexpected, right: large2},

		{name: "i386: long long is aligned to four bytes", target: synth.Target{Class: elf.ELFCLASS32}, build: func(m *image) {
			wide := m.Base("long long int", 8, synth.Signed)
			ts := m.Struct("timespec64", 12, synth.Member{Name: "sec", Type: wide}, synth.Member{Name: "nsec", Type: m.i, Off: 8})
			m.fn("f", 0, nil, m.at("t", ts, synth.OpFbreg(0)))
		}, want: "f: uncertain parameter location", right: "f(t struct timespec64) void"},
	})
}
