//go:build unix

package encoder_test

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

// symbolShapes are shapes that grow in the number of functions, variables and symbols.
func symbolShapes() []shape {
	var list []shape
	add := func(name string, n int, make func(b *synth.Builder, n int)) {
		list = append(list, shape{name, n, make})
	}
	add("functions", 10000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			function(b, cu, text, numbered("f", i), i, integer)
		}
	})
	add("functions of one name", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			function(b, cu, text, "f", i, integer, in(cu, "a", integer))
		}
	})
	add("functions of one name, elsewhere", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 32*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			cu.Func("f", text.At(uint64(16*(n+i))), 16, integer)
			b.Symbol("f", text.At(uint64(16*i)), 16, elf.STT_FUNC)
		}
	})
	add("functions of one name with suffixes", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			cu.Func("f", text.At(uint64(16*i)), 16, integer)
			b.Symbol(numbered("f.isra.", i), text.At(uint64(16*i)), 16, elf.STT_FUNC)
		}
	})
	add("tags of functions", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			function(b, cu, text, numbered("f", i), i, integer).Add(tagDIE(numbered("tag", i)))
		}
	})
	add("tags of params", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			p := in(cu, "a", integer)
			p.Extra = append(p.Extra, tagDIE("tag"))
			function(b, cu, text, numbered("f", i), i, integer, p)
		}
	})
	add("tags of one function", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16)
		cu, integer := unit(b, "unit")
		f := function(b, cu, text, "f", 0, integer)
		for i := range n {
			f.Add(tagDIE(numbered("tag", i)))
		}
	})
	add("tags of one struct", 5000, func(b *synth.Builder, n int) {
		cu, integer := unit(b, "unit")
		s := cu.Struct("s", 4, synth.Member{Name: "m", Type: integer})
		for i := range n {
			s.Add(tagDIE(numbered("tag", i)))
		}
	})
	add("tags of members", 5000, func(b *synth.Builder, n int) {
		twice(b, func(cu *synth.CU, integer *synth.DIE) {
			s := cu.Struct("s", 4*uint64(n))
			for i := range n {
				s.Member(synth.Member{Name: numbered("m", i), Type: integer, Off: 4 * uint64(i), Extra: []synth.Part{tagDIE("tag")}})
			}
		})
	})
	add("tags of nested structs", 400, func(b *synth.Builder, n int) {
		cu, integer := unit(b, "unit")
		s := cu.Struct("s", 4)
		for i := range n {
			t := s.Struct(numbered("s", i), 4, synth.Member{Name: "m", Type: integer})
			s.Member(synth.Member{Name: "n", Type: t})
			for k := range 10 {
				s.Add(tagDIE(numbered("tag", k)))
			}
			s = t
		}
	})
	add("tags of variables", 5000, func(b *synth.Builder, n int) {
		percpu := b.Data(".data..percpu", 0x40000, 4*n+4)
		cu, integer := unit(b, "unit")
		for i := range n {
			at := percpu.At(uint64(4 * i))
			name := numbered("v", i)
			cu.Var(name, integer, at).Add(tagDIE(numbered("tag", i)))
			b.Symbol(name, at, 4, elf.STT_OBJECT)
		}
	})
	add("variables of one name", 5000, func(b *synth.Builder, n int) {
		percpu := b.Data(".data..percpu", 0x40000, 4*n+4)
		cu, integer := unit(b, "unit")
		for i := range n {
			at := percpu.At(uint64(4 * i))
			cu.Var("v", integer, at)
			b.Symbol("v", at, 4, elf.STT_OBJECT)
		}
	})
	add("variables and symbols at one address", 3000, func(b *synth.Builder, n int) {
		percpu := b.Data(".data..percpu", 0x40000, 64)
		cu, integer := unit(b, "unit")
		for i := range n {
			cu.Var(numbered("v", i), integer, percpu.At(8))
			b.Symbol(numbered("v", i), percpu.At(8), 8, elf.STT_OBJECT)
		}
	})
	add("variables and sections", 3000, func(b *synth.Builder, n int) {
		cu, integer := unit(b, "unit")
		for i := range n {
			sec := b.Data(numbered(".data.", i), 0x40000+uint64(4*i), 4)
			cu.Var(numbered("v", i), integer, sec.At(0))
			b.Symbol(numbered("v", i), sec.At(0), 4, elf.STT_OBJECT)
		}
	})
	add("functions at one address", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 64)
		cu, integer := unit(b, "unit")
		for i := range n {
			function(b, cu, text, numbered("f", i), 0, integer)
		}
	})
	add("a param of unions holding each other", 15, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 64)
		cu, integer := unit(b, "unit")
		t := integer
		for i := range n {
			t = cu.Union(numbered("u", i), 4, synth.Member{Name: "a", Type: t}, synth.Member{Name: "b", Type: t})
		}
		var ps []synth.Param
		for i := range 8 {
			ps = append(ps, in(cu, numbered("p", i), cu.Struct("s", 4, synth.Member{Name: "m", Type: t})))
		}
		function(b, cu, text, "f", 0, nil, ps...)
	})
	add("prototypes of prototypes", 12, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 64)
		for i := range 2 {
			cu, integer := unit(b, numbered("unit", i))
			t := integer
			for range n {
				t = cu.Pointer(cu.FuncType(nil, synth.Param{Type: t}, synth.Param{Type: t}))
			}
			function(b, cu, text, "f", 0, nil, in(cu, "p", t))
		}
	})
	add("prototypes of prototypes in one function twice", 12, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 64)
		cu, integer := unit(b, "unit")
		for range 2 {
			t := integer
			for range n {
				t = cu.Pointer(cu.FuncType(nil, synth.Param{Type: t}, synth.Param{Type: t}))
			}
			function(b, cu, text, "f", 0, nil, in(cu, "p", t))
		}
	})
	add("kfuncs of one set", 5000, func(b *synth.Builder, n int) { kfuncs(b, 1, n) })
	add("sets of kfuncs", 3000, func(b *synth.Builder, n int) { kfuncs(b, n, 1) })
	add("abstract origins", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		for i := range n {
			name := numbered("f", i)
			origin := cu.Func(name, synth.Nowhere, 0, integer, synth.Param{Name: "a", Type: integer})
			at := text.At(uint64(16 * i))
			f := cu.DIE(dwarf.TagSubprogram, synth.Ref(dwarf.AttrAbstractOrigin, synth.FormRef4, origin), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, at))
			_ = f
			b.Symbol(name, at, 16, elf.STT_FUNC)
		}
	})
	add("a chain of specifications", 5000, func(b *synth.Builder, n int) {
		text := b.Text(".text", 0x10000, 16*n)
		cu, integer := unit(b, "unit")
		f := cu.Func("f", synth.Nowhere, 0, integer)
		b.Symbol("f", text.At(0), 16, elf.STT_FUNC)
		for i := range n {
			f = cu.DIE(dwarf.TagSubprogram, synth.Ref(dwarf.AttrSpecification, synth.FormRef4, f), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, text.At(uint64(16*i))))
		}
	})
	add("imported units", 1500, func(b *synth.Builder, n int) {
		var last *synth.CU
		cu, _ := unit(b, "unit")
		for i := range n {
			p := b.CU(numbered("partial", i), synth.C11, synth.Partial)
			integer := p.Base("int", 4, synth.Signed)
			p.Struct(numbered("s", i), 4, synth.Member{Name: "m", Type: integer})
			cu.DIE(dwarf.TagImportedUnit, synth.Ref(dwarf.AttrImport, synth.FormRefAddr, p.Root()))
			last = p
		}
		_ = last
	})
	return list
}

// kfuncs adds sets of kfuncs, each with the given number of members.
func kfuncs(b *synth.Builder, sets, members int) {
	text := b.Text(".text", 0x10000, 16*sets*members)
	cu, integer := unit(b, "unit")
	var data []byte
	type symbol struct {
		name string
		at   int
		size uint64
	}
	var symbols []symbol
	n := 0
	for i := range sets {
		symbols = append(symbols, symbol{numbered("__BTF_ID__set8__set", i), len(data), uint64(8 + 8*members)})
		data = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(data, 0), 1)
		for range members {
			name := numbered("f", n)
			function(b, cu, text, name, n, integer)
			symbols = append(symbols, symbol{fmt.Sprintf("__BTF_ID__func__%s__%d", name, n), len(data), 4})
			data = append(data, 0, 0, 0, 0, 0, 0, 0, 0)
			n++
		}
	}
	sec := b.Section(".BTF_ids", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x8000000, data)
	for _, s := range symbols {
		b.Symbol(s.name, sec.At(uint64(s.at)), s.size, elf.STT_OBJECT)
	}
}
