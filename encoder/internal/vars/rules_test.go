package vars_test

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A unit of C over a section of per-CPU variables.
type world struct {
	*synth.Builder
	*synth.CU
	sec *synth.Section
	i   *synth.DIE
}

// at gives a fixture a section at an address.
func at(addr uint64, build func(w *world)) func(b *synth.Builder) {
	return func(b *synth.Builder) {
		w := &world{Builder: b, sec: b.Data(btf.SectionPerCPU, addr, 256)}
		w.unit("a.c")
		build(w)
	}
}

func (w *world) unit(name string) {
	w.CU = w.Builder.CU(name, synth.C11)
	w.i = w.Base("int", 4, synth.Signed)
}

// v adds an int with its symbol.
func (w *world) v(name string, off uint64) *synth.DIE {
	w.Symbol(name, w.sec.At(off), 4, elf.STT_OBJECT)
	return w.Var(name, w.i, w.sec.At(off))
}

// unsymboled adds an int without a symbol.
func (w *world) unsymboled(name string, off uint64) *synth.DIE {
	return w.Var(name, w.i, w.sec.At(off))
}

// TestRules is the table of rule 02/6.1, rule by rule.
func TestRules(t *testing.T) {
	const one = "static v\n.data..percpu 12: v@8+4\n"
	check(t, []fixture{
		{name: "plain", build: at(0x1000, func(w *world) { w.v("v", 8) }), want: one},
		{name: "in a section that ends with the last address", build: at(math.MaxUint64-255, func(w *world) { w.v("v", 8) }), want: one},
		{name: "linkage", build: at(0x1000, func(w *world) { w.v("v", 8).External() }), want: "global v\n.data..percpu 12: v@8+4"},
		{name: "1: declaration", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.Var("declared", w.i, synth.Nowhere).Declaration().External()
			w.unsymboled("placed", 16).Declaration()
		}), want: one},
		{name: "1: its specification gives name, type, linkage and tags", build: at(0x1000, func(w *world) {
			tag := synth.NewDIE(synth.TagLLVMAnnotation, synth.Name("btf_decl_tag"), synth.Str(dwarf.AttrConstValue, synth.FormStrp, "declared"))
			d := w.Var("v", w.i, synth.Nowhere).Declaration().External().Add(tag)
			w.Symbol("v", w.sec.At(8), 8, elf.STT_OBJECT)
			w.DIE(dwarf.TagVariable, synth.Ref(dwarf.AttrSpecification, synth.FormRef4, d), synth.Type(w.Base("long", 8, synth.Signed)),
				w.Loc(synth.OpAddr(w.sec.At(8))))
		}), want: "global v\n  tag -1 declared\n.data..percpu 12: v@8+4",
			right: "global v\n  tag -1 declared\n.data..percpu 16: v@8+8"},
		{name: "1: an array whose bound is in the definition only vanishes", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			d := w.Var("a", w.Array(w.i, w.i, synth.Flexible), synth.Nowhere).Declaration()
			w.Symbol("a", w.sec.At(16), 16, elf.STT_OBJECT)
			w.DIE(dwarf.TagVariable, synth.Ref(dwarf.AttrSpecification, synth.FormRef4, d), synth.Type(w.Array(w.i, w.i, 4)), w.Loc(synth.OpAddr(w.sec.At(16))))
		}), want: one + "no a: has size 0 or over 4 GiB",
			right: "static v\nstatic a\n.data..percpu 32: v@8+4 a@16+16"},
		{name: "2: not a direct child of the unit", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			f := w.Func("f", synth.Nowhere, 0, nil)
			f.DIE(dwarf.TagLexDwarfBlock).DIE(dwarf.TagVariable, synth.Name("inside"), synth.Type(w.i), w.Loc(synth.OpAddr(w.sec.At(16))))
			w.DIE(dwarf.TagNamespace).DIE(dwarf.TagVariable, synth.Name("spaced"), synth.Type(w.i), w.Loc(synth.OpAddr(w.sec.At(20))))
		}), want: one + "no inside: declared inside a function or namespace\nno spaced: declared inside a function or namespace"},
		{name: "3: artificial", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.v("__func__", 16).Add(synth.Flag(dwarf.AttrArtificial))
		}), want: one + "no __func__: made by the compiler"},
		{name: "4: location", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.Var("nowhere", w.i, synth.Nowhere)
			w.Var("register", w.i, synth.Nowhere).Add(w.Loc(synth.OpReg(3)))
			w.Var("list", w.i, synth.Nowhere).Add(synth.LocList(dwarf.AttrLocation, synth.FormSecOffset, synth.LocDefault(synth.OpAddr(w.sec.At(16)))))
		}), want: one},
		{name: "4: plus_uconst is added", build: at(0x1000, func(w *world) {
			w.Symbol("v", w.sec.At(8), 4, elf.STT_OBJECT)
			w.Var("v", w.i, synth.Nowhere).Add(w.Loc(synth.OpAddrx(w.sec.At(0)), synth.OpPlusUconst(8)))
		}), want: one},
		{name: "5: another section", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			other := w.Data(".data", 0x2000, 64)
			w.Symbol("x", other.At(0), 4, elf.STT_OBJECT)
			w.Var("x", w.i, other.At(0))
			w.Var("far", w.i, synth.Abs(0x90000))
		}), want: one},
		{name: "5: another section of lower index covers the address", build: func(b *synth.Builder) {
			b.Section(".comment", elf.SHT_PROGBITS, 0, 0, make([]byte, 16))
			at(0, func(w *world) {
				w.v("hidden", 8)
				w.v("seen", 16)
			})(b)
		}, want: "static seen\n.data..percpu 20: seen@16+4\nno hidden: lies in another section first",
			right: "static hidden\nstatic seen\n.data..percpu 20: hidden@8+4 seen@16+4"},
		{name: "5: a section without contents covers nothing", build: func(b *synth.Builder) {
			b.Data(".data.empty", 0x800, 0)
			b.NoBits(".bss.empty", elf.SHF_WRITE, 0x1008, 0)
			at(0x1000, func(w *world) { w.v("v", 8) })(b)
		}, want: one},
		{name: "11: 4 GiB from the start of its section", build: func(b *synth.Builder) {
			big := b.NoBits(".data..percpu", elf.SHF_WRITE, 0x1000, 1<<32+64)
			cu := b.CU("a.c", synth.C11)
			typ := cu.Base("int", 4, synth.Signed)
			for i, off := range []uint64{1<<32 - 4, 1 << 32} {
				name := []string{"last", "beyond"}[i]
				b.Symbol(name, big.At(off), 4, elf.STT_OBJECT)
				cu.Var(name, typ, big.At(off))
			}
		}, want: "static last\n.data..percpu 0: last@4294967292+4\nno beyond: section offset is over 4 GiB"},
		{name: "5: NOBITS counts, notes do not", build: func(b *synth.Builder) {
			note := b.Note(".note.x", "x", 1, make([]byte, 64))
			note.Addr = 0x1000
			sec := b.NoBits(btf.SectionPerCPU, elf.SHF_WRITE, 0x1000, 64)
			w := &world{Builder: b, sec: sec}
			w.unit("a.c")
			w.v("v", 8)
		}, want: one, right: "no v: lies in another section first"},
		{name: "6: no name", shows: rules.PeerWants, build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.DIE(dwarf.TagVariable, synth.Type(w.i), w.Loc(synth.OpAddr(w.sec.At(16))))
		}), want: one + "no : has no name",
			right: one + "no : name is not valid in BTF"},
		{name: "7: prefixes", shows: rules.JudgePeer | rules.NotVariables, build: at(0x1000, func(w *world) {
			w.v("v", 8)
			for n, name := range []string{"__UNIQUE_ID_a", "__tpstrtab_a", "__exitcall_a", "__gendwarfksyms_ptr_a", "__func_stack_frame_non_standard_a", "x__UNIQUE_ID"} {
				w.unsymboled(name, 16+4*uint64(n))
			}
		}), want: "static v\nstatic x__UNIQUE_ID\n.data..percpu 40: v@8+4 x__UNIQUE_ID@36+4\n" +
			"no __UNIQUE_ID_a: no variable by its name\nno __tpstrtab_a: no variable by its name\nno __exitcall_a: no variable by its name\n" +
			"no __gendwarfksyms_ptr_a: no variable by its name\nno __func_stack_frame_non_standard_a: no variable by its name",
			right: one + noStorage("__UNIQUE_ID_a", "__tpstrtab_a", "__exitcall_a", "__gendwarfksyms_ptr_a", "__func_stack_frame_non_standard_a", "x__UNIQUE_ID")},
		{name: "9: names", shows: rules.ValidName, build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.v("dollar$", 12)
			w.v("1digit", 16)
			w.v(".dot.1", 20)
			w.v(strings.Repeat("n", 128), 24)
			w.v(strings.Repeat("m", 129), 28)
		}), want: "static v\nstatic .dot.1\nstatic " + strings.Repeat("n", 128) + "\n.data..percpu 28: v@8+4 .dot.1@20+4 " + strings.Repeat("n", 128) + "@24+4\n" +
			"no dollar$: name is not valid in BTF\nno 1digit: name is not valid in BTF\nno " + strings.Repeat("m", 129) + ": name is not valid in BTF"},
		{name: "9: without force", without: []feature.Feature{feature.EncodeForce}, build: at(0x1000, func(w *world) { w.v("dollar$", 8) }), fails: `"dollar$" is not valid`},
		{name: "10: void", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.Symbol("nothing", w.sec.At(16), 4, elf.STT_OBJECT)
			w.Var("nothing", nil, w.sec.At(16))
		}), want: one + "no nothing: has type void"},
		{name: "10: without force", shows: rules.VoidIsSizeZero, without: []feature.Feature{feature.EncodeForce}, build: at(0x1000, func(w *world) { w.Var("nothing", nil, w.sec.At(16)) }),
			want: "no nothing: has type void", right: noStorage("nothing")},
		{name: "9 before 11, without force", without: []feature.Feature{feature.EncodeForce}, build: at(0x1000, func(w *world) { w.Var("empty$", w.Struct("e", 0), w.sec.At(16)) }),
			fails: "not valid"},
		{name: "11: sizes", build: at(0x1000, func(w *world) {
			w.v("v", 8)
			w.Symbol("empty", w.sec.At(16), 4, elf.STT_OBJECT)
			w.Var("empty", w.Struct("e", 0), w.sec.At(16))
			w.Symbol("huge", w.sec.At(24), 4, elf.STT_OBJECT)
			w.Var("huge", w.Array(w.i, w.i, 1<<30), w.sec.At(24))
		}), want: one + "no empty: has size 0 or over 4 GiB\nno huge: has size 0 or over 4 GiB"},
		{name: "without var", without: []feature.Feature{feature.Var}, build: at(0x1000, func(w *world) { w.v("v", 8) }), want: ""},
		{name: "32 bits, big-endian", target: synth.Target{Class: elf.ELFCLASS32, Order: binary.BigEndian, Machine: elf.EM_PPC},
			build: at(0x1000, func(w *world) { w.v("v", 8) }), want: one},
		{name: "in a module", target: synth.Target{Type: elf.ET_REL}, build: func(b *synth.Builder) {
			b.Text(".text", 0, 100)
			at(0, func(w *world) { w.v("v", 8) })(b)
		}, want: one},
	})
}

func noStorage(names ...string) string {
	var out strings.Builder
	for _, n := range names {
		out.WriteString("no " + n + ": owns no storage in the section\n")
	}
	return out.String()
}

// TestSectionStart is rule 02/6.1.8: at offset 0 the symbol table says whether a variable is there or was discarded.
func TestSectionStart(t *testing.T) {
	const first = "static first\n.data..percpu 4: first@0+4\n"
	check(t, []fixture{
		{name: "the first variable of a section with an address", build: at(0x1000, func(w *world) {
			w.v("first", 0)
			w.unsymboled("discarded", 0)
		}), want: first + "no discarded: owns no storage in the section",
			// It is at the address of a variable with storage, and that address is not 0: nothing tells them apart but the name.
			right: "static first\n.data..percpu 4: first@0+4\nno discarded: a strong definition of that offset exists"},
		{name: "the first variable of a section at address 0", build: at(0, func(w *world) {
			w.v("first", 0)
			w.unsymboled("discarded", 0)
		}), want: first + "no discarded: owns no storage in the section",
			right: "no first: symbol value is 0\nno discarded: owns no storage in the section"},
		{name: "a symbol of its name elsewhere in the section", build: at(0, func(w *world) {
			w.v("v", 8)
			w.Local("twin", w.sec.At(16), 4, elf.STT_OBJECT)
			w.unsymboled("twin", 0)
		}), want: "static v\nstatic twin\n.data..percpu 12: twin@0+4 v@8+4",
			right: "static v\n.data..percpu 12: v@8+4\nno twin: owns no storage in the section"},
		{name: "a symbol of its name in another section", build: at(0, func(w *world) {
			w.v("v", 8)
			w.Local("twin", w.Data(".data", 0x2000, 16).At(0), 4, elf.STT_OBJECT)
			w.unsymboled("twin", 0)
		}), want: "static v\n.data..percpu 12: v@8+4\nno twin: owns no storage in the section"},
		{name: "a symbol of its name that is no object", build: at(0, func(w *world) {
			w.v("v", 8)
			w.Symbol("tls", w.sec.At(0), 4, elf.STT_TLS)
			w.Symbol("untyped", w.sec.At(0), 4, elf.STT_NOTYPE)
			w.unsymboled("tls", 0)
			w.unsymboled("untyped", 0)
		}), want: "static v\n.data..percpu 12: v@8+4\n" + noStorage("tls", "untyped")},
		{name: "extended section indices", target: synth.Target{XIndex: true}, build: at(0, func(w *world) { w.v("first", 0) }), want: first,
			right: "no first: symbol value is 0"},
		{name: "elsewhere no symbol is asked for", build: at(0x1000, func(w *world) { w.unsymboled("v", 8) }), want: "static v\n.data..percpu 12: v@8+4",
			right: noStorage("v")},
	})
}

// TestVectors: a variable like this_cpu_vector of arm64 is real at offset 0 of a section with an address, and stays in both
// profiles.
func TestVectors(t *testing.T) {
	check(t, []fixture{{name: "this_cpu_vector", target: synth.Target{Machine: elf.EM_AARCH64}, build: func(b *synth.Builder) {
		sec := b.Data(btf.SectionPerCPU, 0xffff800081a0c000, 64)
		cu := b.CU("proton-pack.c", synth.C11)
		cu.Var("this_cpu_vector", cu.Pointer(nil), sec.At(0)).External()
		b.Symbol("this_cpu_vector", sec.At(0), 8, elf.STT_OBJECT)
	}, want: "global this_cpu_vector\n.data..percpu 8: this_cpu_vector@0+8"}})
}

// Rule 02/6.4: what a DATASEC holds, in which order, and its size.
func TestDatasec(t *testing.T) {
	check(t, []fixture{
		{name: "sorted by offset, stable; ends where its last variable does", build: at(0x1000, func(w *world) {
			w.v("third", 32)
			w.v("first", 8)
			long := w.Array(w.i, w.i, 16)
			w.Symbol("wide", w.sec.At(16), 64, elf.STT_OBJECT)
			w.Var("wide", long, w.sec.At(16))
			w.unit("b.c")
			w.v("again", 32)
		}), want: "static third\nstatic first\nstatic wide\nstatic again\n.data..percpu 36: first@8+4 wide@16+64 third@32+4 again@32+4",
			right: "static first\nstatic wide\n.data..percpu 80: first@8+4 wide@16+64\nno third: a strong definition of that offset exists\n" +
				"no again: a strong definition of that offset exists"},
		{name: "sections in the order of their headers", with: []feature.Feature{feature.GlobalVar}, build: func(b *synth.Builder) {
			late, early := b.Data(".late", 0x3000, 16), b.Data(".early", 0x2000, 16)
			w := &world{Builder: b, sec: early}
			w.unit("a.c")
			w.v("e", 4)
			w.sec = late
			w.v("l", 8)
		}, want: "static e\nstatic l\n.late 12: l@8+4\n.early 8: e@4+4"},
		{name: "farther apart than 31 bits", shows: rules.PeerOrder, with: []feature.Feature{feature.GlobalVar}, build: func(b *synth.Builder) {
			w := &world{Builder: b, sec: b.NoBits(".bss", elf.SHF_WRITE, 0x1000, 1<<32)}
			w.unit("a.c")
			w.v("low", 16)
			w.v("high", 0x9000_0000)
		}, want: "static low\nstatic high\n.bss 20: high@2415919104+4 low@16+4", right: "static low\nstatic high\n.bss 2415919108: low@16+4 high@2415919104+4"},
		{name: "weak and strong definition", shows: rules.PeerEntries, build: at(0x1000, func(w *world) {
			w.Symbol("v", w.sec.At(8), 8, elf.STT_OBJECT)
			w.Var("v", w.i, w.sec.At(8)).External()
			w.unit("b.c")
			w.Var("v", w.Base("long", 8, synth.Signed), w.sec.At(8)).External()
		}), want: "global v\nglobal v\n.data..percpu 16: v@8+4 v@8+8",
			right: "global v\n.data..percpu 16: v@8+8\nno v: a strong definition of that offset exists"},
		{name: "two sections of one name", target: synth.Target{Type: elf.ET_REL}, build: func(b *synth.Builder) {
			w := &world{Builder: b, sec: b.Data(btf.SectionPerCPU, 0, 16)}
			w.unit("a.c")
			w.v("a", 4)
			w.sec = b.Data(btf.SectionPerCPU, 0, 16)
			w.v("b", 4)
		}, want: "static a\nstatic b\n.data..percpu 8: a@4+4\n.data..percpu 8: b@4+4"},
	})
}

// Rule 02/6.2: global_var, and addresses that several sections hold.
func TestGlobalVar(t *testing.T) {
	check(t, []fixture{
		{name: "every section", with: []feature.Feature{feature.GlobalVar}, without: []feature.Feature{feature.Var}, build: at(0x1000, func(w *world) {
			w.v("percpu", 8)
			data := w.Data(".data", 0x2000, 16)
			w.Symbol("g", data.At(4), 4, elf.STT_OBJECT)
			w.Var("g", w.i, data.At(4)).External()
			bss := w.NoBits(".bss", elf.SHF_WRITE, 0x3000, 16)
			w.Symbol("b", bss.At(0), 4, elf.STT_OBJECT)
			w.Var("b", w.i, bss.At(0))
		}), want: "static percpu\nglobal g\nstatic b\n.data..percpu 12: percpu@8+4\n.data 8: g@4+4\n.bss 4: b@0+4"},
		{name: "a variable in a note lands in a debug section", shows: rules.PeerHoldsVariables, with: []feature.Feature{feature.GlobalVar}, build: func(b *synth.Builder) {
			note := b.Note(".note", "x", 1, make([]byte, 64))
			note.Addr = 0
			cu := b.CU("a.c", synth.C11)
			cu.Var("noted", cu.Base("int", 4, synth.Signed), synth.Abs(4))
		}, want: "static noted\n.debug_info 8: noted@4+4", right: "no noted: owns no storage in the section"},
		{name: "a variable with a symbol in a note", with: []feature.Feature{feature.GlobalVar}, build: func(b *synth.Builder) {
			note := b.Note(".note", "x", 1, make([]byte, 64))
			note.Addr = 0x1000
			cu := b.CU("a.c", synth.C11)
			cu.Var("noted", cu.Base("int", 4, synth.Signed), note.At(20))
			b.Symbol("noted", note.At(20), 4, elf.STT_OBJECT)
		}, want: "", right: "static noted\n.note 24: noted@20+4"},
	})
}
