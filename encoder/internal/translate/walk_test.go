package translate_test

import (
	"debug/dwarf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// Rule 01/4: an entry is numbered when its DIE is complete.
func TestPostOrder(t *testing.T) {
	check(t, []fixture{
		{name: "nested types come before the outer one", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			outer := cu.DIE(dwarf.TagStructType, synth.Name("outer"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8))
			anon := outer.Struct("", 4, synth.Member{Name: "x", Type: i})
			outer.Member(synth.Member{Name: "anon", Type: anon})
			outer.Member(synth.Member{Name: "p", Type: outer.Pointer(anon), Off: 4})
			cu.Typedef("after", i)
		}), want: `
			1 INT int 4 signed
			2 STRUCT 4: x:1@0
			3 PTR 2
			4 STRUCT outer 8: anon:2@0 p:3@32
			5 TYPEDEF after 1`},
		{name: "types in functions and blocks come where they are met", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Func("f", synth.Abs(0x1000), 16, nil)
			f.Struct("loc1", 4, synth.Member{Name: "a", Type: i})
			block := f.DIE(dwarf.TagLexDwarfBlock)
			loc2 := block.Struct("loc2", 4, synth.Member{Name: "b", Type: i})
			block.DIE(dwarf.TagLexDwarfBlock).Typedef("loc2_t", loc2)
			cu.Typedef("after", i)
		}), want: `
			1 INT int 4 signed
			2 STRUCT loc1 4: a:1@0
			3 STRUCT loc2 4: b:1@0
			4 TYPEDEF loc2_t 3
			5 TYPEDEF after 1
			func f 0() at 0x1000`},
		{name: "inline expansions are skipped whole", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Func("f", synth.Abs(0x1000), 16, nil)
			inlined := f.DIE(dwarf.TagInlinedSubroutine)
			inlined.Enum("e", 4, nil)
			inlined.DIE(dwarf.TagLexDwarfBlock).Pointer(i)
			inlined.DIE(dwarf.TagInlinedSubroutine).Pointer(nil)
			inlined.Func("declared_inside", synth.Nowhere, 0, nil).Declaration()
			f.DIE(dwarf.TagLexDwarfBlock).DIE(dwarf.TagInlinedSubroutine).Struct("s", 4)
			f.Pointer(inlined.Typedef("t", i))
			cu.Typedef("after", i)
		}), want: `
			1 INT int 4 signed
			2 PTR 0
			3 TYPEDEF after 1
			func f 0() at 0x1000`},
		{name: "types in a function type", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			proto := cu.DIE(dwarf.TagSubroutineType)
			s := proto.Forward(dwarf.TagStructType, "only_here")
			p := proto.Pointer(s)
			proto.DIE(dwarf.TagFormalParameter, synth.Type(p))
			proto.DIE(dwarf.TagFormalParameter, synth.Type(i), synth.Name("named"))
			proto.DIE(dwarf.TagUnspecifiedParameters)
			cu.Pointer(proto)
		}), want: `
			1 INT int 4 signed
			2 FWD only_here struct
			3 PTR 2
			4 FUNC_PROTO 0(:3 named:1 :0)
			5 PTR 4`},
		{name: "a type used before its DIE", build: one(func(cu *synth.CU) {
			s := synth.NewDIE(dwarf.TagStructType, synth.Name("list"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8))
			p := cu.Pointer(s)
			cu.Add(s)
			s.Member(synth.Member{Name: "next", Type: p})
		}), want: `
			1 PTR 2
			2 STRUCT list 8: next:1@0`},
		{name: "a nested function has the lower number", build: one(func(cu *synth.CU) {
			f := cu.Func("outer", synth.Abs(0x1000), 16, nil)
			f.DIE(dwarf.TagLexDwarfBlock).Func("inner", synth.Nowhere, 0, nil).Declaration()
		}), want: `
			func inner 0() declared
			func outer 0() at 0x1000`},
		{name: "namespaces", build: func(b *synth.Builder) {
			cu := b.CU("a.cc", synth.CPP)
			ns := cu.DIE(dwarf.TagNamespace, synth.Name("ns"))
			i := ns.Base("int", 4, synth.Signed)
			ns.DIE(dwarf.TagNamespace).Struct("s", 4, synth.Member{Name: "a", Type: i})
			ns.Var("v", i, synth.Abs(0x2000))
			cu.Pointer(i)
		}, want: `
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0
			3 PTR 1
			var v 1 at 0x2000 size 4 inner`},
	})
}

// Rule 01/6.10: an unspecified type takes no id, and references to it are void.
func TestUnspecifiedTypes(t *testing.T) {
	check(t, []fixture{
		{name: "an assembler's unit", build: func(b *synth.Builder) {
			cu := b.CU("entry.S", synth.Asm, synth.Version(2))
			void := cu.DIE(dwarf.TagUnspecifiedType)
			cu.DIE(dwarf.TagSubprogram, synth.Name("entry"), synth.Addr(dwarf.AttrLowpc, synth.FormAddr, synth.Abs(0x1000)),
				synth.Ref(dwarf.AttrType, synth.FormRefUdata, void), synth.Num(dwarf.AttrExternal, synth.FormFlag, 1))
			b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
		}, want: `
			func entry 0() at 0x1000

			1 INT int 4 signed`},
		{name: "nested", shows: rules.Unspecified, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Func("f", synth.Abs(0x1000), 16, nil)
			u := f.DIE(dwarf.TagUnspecifiedType, synth.Name("decltype(nullptr)"))
			f.Pointer(u)
			cu.Typedef("after", i)
		}), want: `
			1 INT int 4 signed
			2 PTR 0
			3 TYPEDEF after 1
			func f 0() at 0x1000`},
		{name: "member of one", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 8, synth.Member{Name: "a", Type: cu.DIE(dwarf.TagUnspecifiedType)}, synth.Member{Name: "b", Type: i, Off: 4})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 8: a:0@0 b:1@32`},
	})
}

// Rule 01/8.2: a reference to a DIE without a type is void.
func TestMissingTargets(t *testing.T) {
	check(t, []fixture{
		{name: "ref_sig8", shows: rules.EmptyStub, build: func(b *synth.Builder) {
			cu := b.CU("a.c", synth.C11)
			s := synth.NewDIE(dwarf.TagStructType, synth.Name("s"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4))
			tu := b.CU("", synth.C11, synth.TypeUnit(0x1234, s))
			tu.Add(s)
			sig := synth.Ref(dwarf.AttrType, synth.FormRefSig8, s)
			cu.DIE(dwarf.TagPointerType, sig)
			cu.DIE(dwarf.TagTypedef, synth.Name("t"), sig)
			// The stub of a type unit is a struct of size 0.
			cu.DIE(dwarf.TagStructType, synth.Ref(0x69, synth.FormRefSig8, s))
		}, want: `
			1 PTR 0
			2 TYPEDEF t 0
			3 STRUCT 0:

			1 STRUCT s 4:`},
		{name: "another unit's", build: func(b *synth.Builder) {
			b.Note(".note.Linux", "Linux", 0x101, make([]byte, 4))
			i := b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
			b.CU("b.c", synth.C11).DIE(dwarf.TagPointerType, synth.Ref(dwarf.AttrType, synth.FormRefAddr, i))
		}, fails: "where no DIE starts"}, // this is one unit by itself; the encoder translates such units together
		{name: "a skipped DIE", build: one(func(cu *synth.CU) {
			cu.Pointer(cu.DIE(dwarf.TagModule).Base("int", 4, synth.Signed))
		}), want: `1 PTR 0`},
		{name: "not a type", build: one(func(cu *synth.CU) {
			cu.Pointer(cu.Var("v", nil, synth.Nowhere))
		}), want: `1 PTR 0`},
		{name: "its own unit by ref_addr", build: func(b *synth.Builder) {
			b.Note(".note.Linux", "Linux", 0x101, make([]byte, 4))
			b.CU("pad.c", synth.C11).Base("char", 1, synth.SignedChar)
			cu := b.CU("a.c", synth.C11)
			cu.DIE(dwarf.TagPointerType, synth.Ref(dwarf.AttrType, synth.FormRefAddr, cu.Base("int", 4, synth.Signed)))
		}, want: `
			1 INT char 1 signed

			1 INT int 4 signed
			2 PTR 1`},
	})
}

// Rule 01/2.2: roots of units.
func TestUnits(t *testing.T) {
	check(t, []fixture{
		{name: "empty unit", build: func(b *synth.Builder) {
			b.CU("empty.c", synth.C11)
			b.CU("childless.c", synth.C11).EmptyChildren()
			b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
		}, want: `1 INT int 4 signed`},
		{name: "skeleton", build: func(b *synth.Builder) {
			b.CU("s.c", synth.C11, synth.Skeleton(1)).Base("hidden", 4, synth.Signed)
			b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
		}, want: `1 INT int 4 signed`},
		{name: "no unit at all", build: func(b *synth.Builder) {
			b.CU("s.c", synth.C11, synth.RootTag(dwarf.TagStructType)).Base("int", 4, synth.Signed)
		}, fails: "root DIE has tag 0x13"},
		{name: "imported unit", build: one(func(cu *synth.CU) {
			cu.Base("int", 4, synth.Signed)
			cu.DIE(dwarf.TagImportedUnit)
		}), fails: "imported unit", deviates: "the peer writes what precedes a unit that it cannot decode"},
		{name: "DWARF 2 to 5 in one image", build: func(b *synth.Builder) {
			for v := 2; v <= 5; v++ {
				cu := b.CU("a.c", synth.C11, synth.Version(v))
				cu.Struct("s", 4, synth.Member{Name: "a", Type: cu.Base("int", 4, synth.Signed)})
			}
		}, want: strings.Repeat(`
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0
`, 4)},
		{name: "the 64-bit format", build: func(b *synth.Builder) {
			cu := b.CU("a.c", synth.C11, synth.Dwarf64)
			cu.Struct("longer name", 4, synth.Member{Name: "a", Type: cu.Base("int", 4, synth.Signed)})
		}, want: `
			1 INT int 4 signed
			2 STRUCT longer name 4: a:1@0`},
	})
}

// Rule 01/10.3: members of Rust by offset.
func TestRustOrder(t *testing.T) {
	members := func(lang synth.Lang) func(b *synth.Builder) {
		return func(b *synth.Builder) {
			cu := b.CU("a.rs", lang)
			i := cu.Base("u32", 4, synth.Unsigned)
			cu.Struct("s", 16, synth.Member{Name: "c", Type: i, Off: 8}, synth.Member{Name: "a", Type: i}, synth.Member{Name: "zst", Type: i, Off: 8},
				synth.Member{Name: "b", Type: i, Off: 4})
		}
	}
	check(t, []fixture{
		{name: "rust", build: members(synth.Rust), want: `
			1 INT u32 4
			2 STRUCT s 16: a:1@0 b:1@32 c:1@64 zst:1@64`},
		{name: "c++", build: members(synth.CPP), want: `
			1 INT u32 4
			2 STRUCT s 16: c:1@64 a:1@0 zst:1@64 b:1@32`},
	})
}

// TestRustFieldOrder: a bit field of a Rust struct has the byte offset of its storage unit, which depends on the size of its type.
func TestRustFieldOrder(t *testing.T) {
	check(t, []fixture{{name: "rust", build: func(b *synth.Builder) {
		cu := b.CU("a.rs", synth.Rust)
		s := cu.Struct("s", 16)
		short, long := cu.Base("u16", 2, synth.Unsigned), cu.Base("u64", 8, synth.Unsigned)
		s.Member(synth.Member{Name: "d", Type: short, Off: 8})
		s.Member(synth.Member{Name: "c", Type: short, Bits: 14, BitOff: 33})
		s.Member(synth.Member{Name: "a", Type: long, Bits: 5, BitOff: 43})
		s.Member(synth.Member{Name: "b", Type: long, Bits: 2, BitOff: 3, Unit: 8})
	}, want: `
			1 STRUCT s 16: a:3@43/5 b:3@3/2 c:2@33/14 d:2@64/0
			2 INT u16 2
			3 INT u64 8`}})
}

// TestDeepNesting: nesting that is deeper than in any source is an error, not a crash.
func TestDeepNesting(t *testing.T) {
	for _, tag := range []dwarf.Tag{dwarf.TagNamespace, dwarf.TagStructType, dwarf.TagSubroutineType, dwarf.TagSubprogram} {
		b := synth.New(synth.Target{})
		d := b.CU("a.c", synth.C11).Root()
		for range 3000 {
			d = d.DIE(tag)
		}
		d.Base("int", 4, synth.Signed)
		_, err := translated(b.Bytes(), feature.Default())
		if err == nil || !strings.Contains(err.Error(), "nested more than") {
			t.Errorf("%v: got error %v, want one about nesting", tag, err)
		}
	}
}

// TestErrorsNameThePlace: unit, section, offset.
func TestErrorsNameThePlace(t *testing.T) {
	b := synth.New(synth.Target{Order: binary.BigEndian, Machine: 22})
	b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
	cu := b.CU("b.c", synth.C11)
	bad := cu.DIE(0x47, synth.Type(cu.Base("int", 4, synth.Signed)))
	image := b.Bytes()
	_, err := translated(image, feature.Default())
	want := "CU 1: .debug_info+" + hex(bad.Offset()) + ": BTF cannot express tag 0x47"
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
