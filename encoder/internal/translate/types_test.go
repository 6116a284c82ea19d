package translate_test

import (
	"debug/dwarf"
	"encoding/binary"
	"testing"

	"debug/elf"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// one is the fixture of a single C unit.
func one(build func(cu *synth.CU)) func(*synth.Builder) {
	return func(b *synth.Builder) { build(b.CU("a.c", synth.C11)) }
}

// Rule 01/6.1: base types, and rule 02/4.1: integers that BTF cannot express.
func TestBaseTypes(t *testing.T) {
	check(t, []fixture{
		{name: "encodings", build: one(func(cu *synth.CU) {
			cu.Base("int", 4, synth.Signed)
			cu.Base("signed char", 1, synth.SignedChar)
			cu.Base("char", 1, synth.UnsignedChar)
			cu.Base("_Bool", 1, synth.Boolean)
			cu.Base("char16_t", 2, synth.UTF)
			cu.Base("long unsigned int", 8, synth.Unsigned)
			cu.Base("addr", 8, synth.Address)
			cu.Base("__int128", 16, synth.Signed)
		}), want: `
			1 INT int 4 signed
			2 INT signed char 1 signed
			3 INT char 1
			4 INT _Bool 1 bool
			5 INT char16_t 2
			6 INT long unsigned int 8
			7 INT addr 8
			8 INT __int128 16 signed`},
		{name: "odd sizes become a fake int", shows: rules.OddInteger, build: one(func(cu *synth.CU) {
			cu.Base("a", 0, synth.Unsigned)
			cu.Base("b", 3, synth.Signed)
			cu.Base("c", 32, synth.Boolean)
		}), want: `
			1 INT __SANITIZED_FAKE_INT__ 4
			2 INT __SANITIZED_FAKE_INT__ 4 signed
			3 INT __SANITIZED_FAKE_INT__ 4 bool`},
		{name: "bit_size is ignored", build: one(func(cu *synth.CU) {
			cu.Base("_BitInt(24)", 4, synth.Signed).Add(synth.Num(dwarf.AttrBitSize, synth.FormData1, 24))
		}), want: `1 INT _BitInt(24) 4 signed`},
		{name: "floats", build: one(func(cu *synth.CU) {
			cu.Base("_Float16", 2, synth.Float)
			cu.Base("float", 4, synth.Float)
			cu.Base("double", 8, synth.Float)
			cu.Base("long double i386", 12, synth.Float)
			cu.Base("long double", 16, synth.Float)
		}), want: `
			1 FLOAT _Float16 2
			2 FLOAT float 4
			3 FLOAT double 8
			4 FLOAT long double i386 12
			5 FLOAT long double 16`},
		{name: "floats without the feature", without: []feature.Feature{feature.Float}, build: one(func(cu *synth.CU) {
			cu.Base("double", 8, synth.Float)
			cu.Base("long double", 12, synth.Float)
			cu.Base("complex", 16, synth.ComplexFloat)
			cu.Base("imaginary", 8, synth.Imaginary)
		}), want: `
			1 INT double 8
			2 INT __SANITIZED_FAKE_INT__ 4
			3 INT complex 16
			4 INT imaginary 8`},
		{name: "complex", shows: rules.OddFloat, build: one(func(cu *synth.CU) { cu.Base("c", 16, synth.ComplexFloat) }), fails: "BTF cannot express"},
		{name: "imaginary", build: one(func(cu *synth.CU) { cu.Base("c", 8, synth.Imaginary) }), fails: "BTF cannot express"},
		{name: "float of odd size", build: one(func(cu *synth.CU) { cu.Base("f", 10, synth.Float) }), fails: "a float of 10 bytes"},
		{name: "no name", shows: rules.NamelessBase, build: one(func(cu *synth.CU) { cu.Base("", 4, synth.Signed).Drop(dwarf.AttrName) }), fails: "no name"},
	})
}

// Rules 01/6.2, 01/6.3 and 01/6.4: qualifiers, pointers and typedefs.
func TestModifiers(t *testing.T) {
	unsupported := func(tag dwarf.Tag) func(*synth.Builder) {
		return one(func(cu *synth.CU) { cu.DIE(tag, synth.Type(cu.Base("int", 4, synth.Signed))) })
	}
	check(t, []fixture{
		{name: "qualifiers", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Restrict(cu.Pointer(cu.Const(cu.Volatile(i))))
			cu.Const(nil)
			cu.Volatile(nil)
			cu.Pointer(nil)
		}), want: `
			1 INT int 4 signed
			2 VOLATILE 1
			3 CONST 2
			4 PTR 3
			5 RESTRICT 4
			6 CONST 0
			7 VOLATILE 0
			8 PTR 0`},
		{name: "typedefs", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Typedef("b", cu.Typedef("a", i))
			cu.Typedef("nothing", nil)
		}), want: `
			1 INT int 4 signed
			2 TYPEDEF a 1
			3 TYPEDEF b 2
			4 TYPEDEF nothing 0`},
		{name: "typedef named by its specification", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			a := cu.Typedef("a", i)
			cu.Typedef("", i).Add(synth.Ref(dwarf.AttrSpecification, synth.FormRef4, a))
		}), want: `
			1 INT int 4 signed
			2 TYPEDEF a 1
			3 TYPEDEF a 1`},
		{name: "typedef without a name", shows: rules.NamelessTypedef, build: one(func(cu *synth.CU) { cu.Typedef("", cu.Base("int", 4, synth.Signed)) }), fails: "no name"},
		{name: "atomic", shows: rules.Foreign, build: unsupported(0x47), fails: "BTF cannot express tag 0x47"},
		{name: "reference", build: unsupported(dwarf.TagReferenceType), fails: "BTF cannot express tag 0x10"},
		{name: "rvalue reference", build: unsupported(dwarf.TagRvalueReferenceType), fails: "BTF cannot express tag 0x42"},
		{name: "pointer to member", build: unsupported(dwarf.TagPtrToMemberType), fails: "BTF cannot express tag 0x1f"},
		{name: "string type", build: unsupported(dwarf.TagStringType), fails: "BTF cannot express tag 0x12"},
		{name: "interface", build: unsupported(dwarf.TagInterfaceType), fails: "BTF cannot express tag 0x38"},
		{name: "skipped tags", shows: rules.LostType, build: one(func(cu *synth.CU) {
			for _, tag := range []dwarf.Tag{dwarf.TagSubrangeType, dwarf.TagModule, dwarf.TagLexDwarfBlock, dwarf.TagTemplateAlias, dwarf.TagPackedType, 0x4109} {
				cu.DIE(tag).Base("hidden", 4, synth.Signed)
			}
			cu.Base("int", 4, synth.Signed)
		}), want: `1 INT int 4 signed`},
	})
}

// Rule 01/6.5: one ARRAY per dimension.
func TestArrays(t *testing.T) {
	check(t, []fixture{
		{name: "dimensions", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Array(i, i, 7)
			a := cu.Array(i, i, 2, 3, 4)
			cu.Pointer(a)
			cu.Array(i, i, 0, 5)
		}), want: `
			1 INT int 4 signed
			2 ARRAY 1[7]
			3 ARRAY 1[4]
			4 ARRAY 3[3]
			5 ARRAY 4[2]
			6 PTR 5
			7 ARRAY 1[5]
			8 ARRAY 7[0]`},
		{name: "no subrange", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.DIE(dwarf.TagArrayType, synth.Type(i))
			cu.DIE(dwarf.TagArrayType, synth.Type(i)).EmptyChildren()
		}), want: `
			1 INT int 4 signed
			2 ARRAY 1[0]
			3 ARRAY 1[0]`},
		{name: "bounds", shows: rules.LowerBound, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			bound := func(attrs ...synth.Attr) {
				r := synth.NewDIE(dwarf.TagSubrangeType).Set(attrs...)
				cu.DIE(dwarf.TagArrayType, synth.Type(i), r)
			}
			bound() // flexible
			bound(synth.Num(dwarf.AttrUpperBound, synth.FormData4, 0xffffffff))
			bound(synth.Int(dwarf.AttrUpperBound, synth.FormSdata, -1))
			bound(synth.Int(dwarf.AttrUpperBound, synth.FormImplicitConst, 9))
			bound(synth.Num(dwarf.AttrUpperBound, synth.FormData8, 1<<32))
			bound(synth.Num(dwarf.AttrCount, synth.FormData1, 6))
			bound(synth.Num(dwarf.AttrCount, synth.FormUdata, 1<<33|6))
			bound(synth.Num(dwarf.AttrLowerBound, synth.FormData1, 2), synth.Num(dwarf.AttrUpperBound, synth.FormData1, 4))
			// A bound that only the running program knows hides the count.
			bound(synth.Expr(dwarf.AttrUpperBound, synth.FormExprloc, synth.OpFbreg(-8)), synth.Num(dwarf.AttrCount, synth.FormData1, 6))
			bound(synth.Ref(dwarf.AttrUpperBound, synth.FormRef4, i))
			bound(synth.Expr(dwarf.AttrCount, synth.FormExprloc, synth.OpFbreg(-8)))
		}), want: `
			1 INT int 4 signed
			2 ARRAY 1[0]
			3 ARRAY 1[0]
			4 ARRAY 1[0]
			5 ARRAY 1[10]
			6 ARRAY 1[1]
			7 ARRAY 1[6]
			8 ARRAY 1[6]
			9 ARRAY 1[5]
			10 ARRAY 1[0]
			11 ARRAY 1[0]
			12 ARRAY 1[0]`},
		{name: "vectors and other children", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			a := cu.Array(i, i, 4).Add(synth.Flag(0x2107)) // DW_AT_GNU_vector
			a.Base("hidden", 8, synth.Signed)
			cu.Pointer(a)
		}), want: `
			1 INT int 4 signed
			2 ARRAY 1[4]
			3 PTR 2`},
		{name: "of void", shows: rules.KeepsUnsized, build: one(func(cu *synth.CU) { cu.Array(nil, nil, 3) }), want: `1 ARRAY 0[3]`},
	})
}

// TestManyDimensions: only the first 64 count.
func TestManyDimensions(t *testing.T) {
	for _, n := range []int{64, 65, 80} {
		b := synth.New(synth.Target{})
		cu := b.CU("a.c", synth.C11)
		i := cu.Base("int", 4, synth.Signed)
		dims := make([]int64, n)
		for j := range dims {
			dims[j] = 1 + int64(j)%3
		}
		cu.Pointer(cu.Array(i, i, dims...))
		image := b.Bytes()
		u := unitOf(t, image)
		if got, want := u.Types.Len(), 1+64+1; got != want {
			t.Errorf("%d dimensions: got %d types, want %d", n, got, want)
		}
		if got := u.Types.At(2)[5]; got != uint32(dims[63]) {
			t.Errorf("%d dimensions: innermost counts %d, want %d", n, got, dims[63])
		}
		if got := u.Types.Last().Type(); got != 65 {
			t.Errorf("%d dimensions: pointer leads to %d, want the outermost, 65", n, got)
		}
		t.Run("peer", func(t *testing.T) { samePeer(t, image, feature.Default()) })
	}
}

// Rules 01/6.7 and 02/4.4: enums, their size and sign.
func TestEnums(t *testing.T) {
	long := func(cu *synth.CU, sign synth.Encoding) *synth.DIE { return cu.Base("long", 8, sign) }
	check(t, []fixture{
		{name: "sizes and signs", build: one(func(cu *synth.CU) {
			u := cu.Base("unsigned int", 4, synth.Unsigned)
			cu.Enum("plain", 4, u, synth.Value{Name: "A", Value: 0}, synth.Value{Name: "B", Value: 0xffffffff})
			cu.Enum("small", 1, u, synth.Value{Name: "C", Value: 255})
			// The sign comes from the values, not from the type.
			cu.Enum("negative", 4, u, synth.Value{Name: "D", Value: -1}, synth.Value{Name: "E", Value: 5})
			cu.Enum("positive", 4, cu.Base("int", 4, synth.Signed), synth.Value{Name: "F", Value: 1})
			cu.Enum("", 4, nil, synth.Value{Name: "G", Value: 2})
		}), want: `
			1 INT unsigned int 4
			2 ENUM plain 4: A=0 B=4294967295
			3 ENUM small 1: C=255
			4 ENUM negative 4 signed: D=-1 E=5
			5 INT int 4 signed
			6 ENUM positive 4: F=1
			7 ENUM 4: G=2`},
		{name: "forward", build: one(func(cu *synth.CU) {
			cu.DIE(dwarf.TagEnumerationType, synth.Name("state")).Declaration()
			cu.DIE(dwarf.TagEnumerationType, synth.Name("zero"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 0))
		}), want: `
			1 ENUM state 4:
			2 ENUM zero 4:`},
		{name: "forms of values", build: one(func(cu *synth.CU) {
			e := cu.Enum("e", 4, nil)
			value := func(name string, a synth.Attr) { e.DIE(dwarf.TagEnumerator, synth.Name(name), a) }
			value("data1", synth.Num(dwarf.AttrConstValue, synth.FormData1, 0xff))
			value("data2", synth.Num(dwarf.AttrConstValue, synth.FormData2, 0xffff))
			value("udata", synth.Num(dwarf.AttrConstValue, synth.FormUdata, 1<<31))
			value("sdata", synth.Int(dwarf.AttrConstValue, synth.FormSdata, -3))
			value("implicit", synth.Int(dwarf.AttrConstValue, synth.FormImplicitConst, -1<<31))
			value("block", synth.Block(dwarf.AttrConstValue, synth.FormBlock1, 1, 2))
			e.DIE(dwarf.TagEnumerator, synth.Name("none"))
			e.Base("hidden", 4, synth.Signed)
		}), want: `1 ENUM e 4 signed: data1=255 data2=65535 udata=-2147483648 sdata=-3 implicit=-2147483648 block=0 none=0`},
		{name: "64 bits", build: one(func(cu *synth.CU) {
			// The type alone decides the sign, whatever the values are.
			cu.Enum("u", 8, long(cu, synth.Unsigned), synth.Value{Name: "A", Value: -1})
			s := long(cu, synth.Signed)
			cu.Enum("s", 8, s, synth.Value{Name: "B", Value: 1 << 40})
			cu.Enum("t", 8, cu.Typedef("alias", s), synth.Value{Name: "C", Value: -2})
			cu.Enum("n", 8, nil, synth.Value{Name: "D", Value: 7})
		}), want: `
			1 INT long 8
			2 ENUM64 u 8: A=18446744073709551615
			3 INT long 8 signed
			4 ENUM64 s 8 signed: B=1099511627776
			5 TYPEDEF alias 3
			6 ENUM64 t 8: C=18446744073709551614
			7 ENUM64 n 8: D=7`},
		{name: "64 bits without the feature", without: []feature.Feature{feature.Enum64}, build: one(func(cu *synth.CU) {
			cu.Enum("s", 8, long(cu, synth.Signed), synth.Value{Name: "A", Value: 1 << 40}, synth.Value{Name: "B", Value: -5})
		}), want: `
			1 INT long 8 signed
			2 ENUM s 8: A=0 B=4294967291`},
		{name: "value below", build: one(func(cu *synth.CU) { cu.Enum("e", 4, nil, synth.Value{Name: "A", Value: -1<<31 - 1}) }), fails: "does not fit 32 bits"},
		{name: "value above", build: one(func(cu *synth.CU) { cu.Enum("e", 4, nil, synth.Value{Name: "A", Value: 1 << 32}) }), fails: "does not fit 32 bits"},
		{name: "odd size", shows: rules.OddEnum, build: one(func(cu *synth.CU) { cu.Enum("e", 3, nil) }), fails: "of 3 bytes"},
		{name: "too wide", build: one(func(cu *synth.CU) { cu.Enum("e", 16, nil) }), fails: "of 16 bytes"},
		{name: "nameless value", shows: rules.NamelessEnumerator, build: one(func(cu *synth.CU) {
			cu.Enum("e", 4, nil).DIE(dwarf.TagEnumerator, synth.Num(dwarf.AttrConstValue, synth.FormData1, 1))
		}), fails: "no name"},
	})
}

// Rules 01/6.6 and 01/8.3: structs and unions, and the origins of their names.
func TestComposites(t *testing.T) {
	check(t, []fixture{
		{name: "structs and unions", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 8, synth.Member{Name: "a", Type: i}, synth.Member{Type: i, Off: 4})
			cu.Struct("", 0)
			cu.Union("u", 4, synth.Member{Name: "x", Type: i}, synth.Member{Name: "y", Type: i})
			cu.DIE(dwarf.TagClassType, synth.Name("c"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4)).Member(synth.Member{Name: "m", Type: i})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 8: a:1@0 :1@32
			3 STRUCT 0:
			4 UNION u 4: x:1@0 y:1@0
			5 STRUCT c 4: m:1@0`},
		{name: "declarations", build: one(func(cu *synth.CU) {
			cu.Pointer(cu.Forward(dwarf.TagStructType, "s"))
			cu.Pointer(cu.Forward(dwarf.TagUnionType, "u"))
			cu.Forward(dwarf.TagClassType, "c")
			// A declaration whose value is 0 is none.
			cu.Struct("d", 0).Add(synth.Num(dwarf.AttrDeclaration, synth.FormFlag, 0))
		}), want: `
			1 FWD s struct
			2 PTR 1
			3 FWD u union
			4 PTR 3
			5 FWD c struct
			6 STRUCT d 0:`},
		{name: "members of a declaration are ignored, types inside are not", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			s := cu.Forward(dwarf.TagStructType, "s")
			s.Member(synth.Member{Name: "a", Type: i})
			s.Enum("inside", 4, nil, synth.Value{Name: "A", Value: 1})
		}), want: `
			1 INT int 4 signed
			2 ENUM inside 4: A=1
			3 FWD s struct`},
		{name: "nameless declaration", shows: rules.NamelessDecl, build: one(func(cu *synth.CU) { cu.Forward(dwarf.TagStructType, "") }), fails: "no name"},
		{name: "named by the specification", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			f := cu.Forward(dwarf.TagStructType, "s")
			cu.Struct("", 4, synth.Member{Name: "a", Type: i}).Add(synth.Ref(dwarf.AttrSpecification, synth.FormRef4, f))
			cu.Enum("", 4, nil).Add(synth.Ref(dwarf.AttrSpecification, synth.FormRef4, f))
		}), want: `
			1 INT int 4 signed
			2 FWD s struct
			3 STRUCT s 4: a:1@0
			4 ENUM s 4:`},
		{name: "inheritance gives no field", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			base := cu.Struct("base", 4, synth.Member{Name: "b", Type: i})
			s := cu.Struct("derived", 8)
			s.DIE(dwarf.TagInheritance, synth.Type(base), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 0))
			s.Member(synth.Member{Name: "d", Type: i, Off: 4})
		}), want: `
			1 INT int 4 signed
			2 STRUCT base 4: b:1@0
			3 STRUCT derived 8: d:1@32`},
		{name: "static members", shows: rules.StaticMember, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			s := cu.Struct("s", 4, synth.Member{Name: "a", Type: i})
			s.DIE(dwarf.TagMember, synth.Name("nowhere"), synth.Type(i)).Declaration()
			s.DIE(dwarf.TagVariable, synth.Name("variable"), synth.Type(i)).Declaration()
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0 nowhere:1@0`},
		{name: "children that are not members", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			s := cu.Struct("s", 4)
			s.DIE(dwarf.TagTemplateTypeParameter, synth.Name("T"), synth.Type(i))
			s.DIE(dwarf.TagVariantPart).Base("hidden", 4, synth.Signed)
			s.DIE(dwarf.TagSubrangeType, synth.Type(i))
			s.Func("method", synth.Nowhere, 0, i).Declaration()
			s.Member(synth.Member{Name: "a", Type: i})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 4: a:1@0
			func method 1() declared`},
		{name: "union member off its start", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.DIE(dwarf.TagUnionType, synth.Name("u"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 8),
				synth.NewDIE(dwarf.TagMember, synth.Name("a"), synth.Type(i), synth.Num(dwarf.AttrDataMemberLoc, synth.FormData1, 4)))
		}), fails: "union member at bit 32"},
		{name: "members far away", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("big", 1<<24, synth.Member{Name: "a", Type: i, Off: 1 << 22})
		}), want: `
			1 INT int 4 signed
			2 STRUCT big 16777216: a:1@33554432`},
	})
}

// Rule 01/3.2: member offsets that are expressions.
func TestMemberOffsets(t *testing.T) {
	at := func(cu *synth.CU, name string, attrs ...synth.Attr) *synth.DIE {
		d := synth.NewDIE(dwarf.TagMember, synth.Name(name), synth.Type(cu.Base("int", 4, synth.Signed)))
		return d.Set(attrs...)
	}
	build := func(version int) func(b *synth.Builder) {
		return func(b *synth.Builder) {
			cu := b.CU("a.c", synth.C11, synth.Version(version))
			s := synth.NewDIE(dwarf.TagStructType, synth.Name("s"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 64))
			form := synth.FormBlock1
			loc := dwarf.AttrDataMemberLoc
			s.Add(at(cu, "plus", synth.Expr(loc, form, synth.OpPlusUconst(4))))
			s.Add(at(cu, "constu", synth.Expr(loc, form, synth.OpConstu(8), synth.OpRaw(0x22))))
			s.Add(at(cu, "udata", synth.Num(loc, synth.FormUdata, 12)))
			s.Add(at(cu, "data4", synth.Num(loc, synth.FormData4, 16)))
			s.Add(at(cu, "data2", synth.Num(loc, synth.FormData2, 20)))
			cu.Add(s)
		}
	}
	check(t, []fixture{
		{name: "DWARF 3", build: build(3), want: memberTypes + `
			6 STRUCT s 64: plus:1@32 constu:2@64 udata:3@96 data4:4@0 data2:5@160`},
		{name: "DWARF 4", build: build(4), want: memberTypes + `
			6 STRUCT s 64: plus:1@32 constu:2@64 udata:3@96 data4:4@128 data2:5@160`},
		{name: "another opcode", build: func(b *synth.Builder) {
			cu := b.CU("a.c", synth.C11, synth.Version(4))
			s := synth.NewDIE(dwarf.TagStructType, synth.Name("s"), synth.Num(dwarf.AttrByteSize, synth.FormData1, 64))
			s.Add(at(cu, "other", synth.Expr(dwarf.AttrDataMemberLoc, synth.FormExprloc, synth.OpLit(4))))
			cu.Add(s)
		}, want: `
			1 INT int 4 signed
			2 STRUCT s 64: other:1@4294967288`},
	})
}

const memberTypes = `
			1 INT int 4 signed
			2 INT int 4 signed
			3 INT int 4 signed
			4 INT int 4 signed
			5 INT int 4 signed`

// Rule 01/10.1: the places of members and bit fields.
func TestBitFields(t *testing.T) {
	big := synth.Target{Class: elf.ELFCLASS64, Order: binary.BigEndian, Machine: elf.EM_S390, DWARF: 4}
	little := synth.Target{DWARF: 4}
	oldStyle := one(func(cu *synth.CU) {
		i := cu.Base("int", 4, synth.Signed)
		u := cu.Typedef("u8", cu.Base("unsigned char", 1, synth.UnsignedChar))
		s := cu.Struct("s", 8,
			synth.Member{Name: "a", Type: i, Bits: 3, BitOff: 0, Unit: 4},
			synth.Member{Name: "b", Type: i, Bits: 29, BitOff: 3, Unit: 4},
			synth.Member{Name: "c", Type: i, Off: 4})
		// The storage unit has the size of the type if the member states none.
		s.Member(synth.Member{Name: "d", Type: cu.Const(u), Bits: 2, BitOff: 40, Unit: 1}).Drop(dwarf.AttrByteSize)
	})
	check(t, []fixture{
		{name: "data_bit_offset", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			e := cu.Enum("e", 4, nil)
			cu.Struct("s", 8, synth.Member{Name: "a", Type: i, Bits: 3}, synth.Member{Name: "b", Type: e, Bits: 4, BitOff: 3},
				synth.Member{Name: "c", Type: i, Off: 4}, synth.Member{Name: "whole", Type: i, Bits: 32, BitOff: 32})
		}), want: `
			1 INT int 4 signed
			2 ENUM e 4:
			3 STRUCT s 8: a:1@0/3 b:2@3/4 c:1@32/0 whole:1@32/32`},
		{name: "data_bit_offset, big-endian", target: big, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 8, synth.Member{Name: "a", Type: i, Bits: 3}, synth.Member{Name: "b", Type: i, Bits: 4, BitOff: 3})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 8: a:1@0/3 b:1@3/4`},
		{name: "more bits than fit", shows: rules.FieldBits, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 64).Add(synth.NewDIE(dwarf.TagMember, synth.Name("a"), synth.Ref(dwarf.AttrType, synth.FormRef4, i),
				synth.Num(dwarf.AttrBitSize, synth.FormData2, 260), synth.Num(dwarf.AttrDataBitOffset, synth.FormData1, 8)))
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 64: a:1@8/4`},
		{name: "more bits than kernels take, beside plain members", shows: rules.FieldBits, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 64, synth.Member{Name: "a", Type: i}, synth.Member{Name: "b", Type: i, Bits: 200, BitOff: 32})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 64: a:1@0/0 b:1@32/200`},
		{name: "old style, little-endian", target: little, build: oldStyle, want: `
			1 INT int 4 signed
			2 INT unsigned char 1
			3 TYPEDEF u8 2
			4 STRUCT s 8: a:1@0/3 b:1@3/29 c:1@32/0 d:5@40/2
			5 CONST 3`},
		{name: "old style, big-endian", target: big, build: oldStyle, want: `
			1 INT int 4 signed
			2 INT unsigned char 1
			3 TYPEDEF u8 2
			4 STRUCT s 8: a:1@0/3 b:1@3/29 c:1@32/0 d:5@40/2
			5 CONST 3`},
		{name: "old style, another storage unit than the type's", target: little, build: one(func(cu *synth.CU) {
			u := cu.Base("unsigned char", 1, synth.UnsignedChar)
			cu.Struct("s", 8, synth.Member{Name: "a", Type: u, Bits: 2, BitOff: 40, Unit: 4})
		}), want: `
			1 INT unsigned char 1
			2 STRUCT s 8: a:1@40/2`},
		{name: "negative bit_offset", target: little, build: one(func(cu *synth.CU) {
			// A field that crosses its storage unit in a packed struct, as gcc describes it.
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 5, synth.Member{Name: "a", Type: i, Extra: []synth.Part{
				synth.Num(dwarf.AttrBitSize, synth.FormData1, 32), synth.Num(dwarf.AttrByteSize, synth.FormData1, 4),
				synth.Num(dwarf.AttrBitOffset, synth.FormData1, 0xfd)}})
		}), want: `
			1 INT int 4 signed
			2 STRUCT s 5: a:1@3/32`},
		{name: "in a union", target: little, build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Union("u", 4, synth.Member{Name: "a", Type: i, Bits: 3, Unit: 4}, synth.Member{Name: "b", Type: i})
		}), want: `
			1 INT int 4 signed
			2 UNION u 4: a:1@0/3 b:1@0/0`},
		{name: "far away", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 1<<22, synth.Member{Name: "a", Type: i, Bits: 3, BitOff: 0x1000000})
		}), fails: "bit field at bit 16777216"},
		{name: "not a multiple of eight", build: one(func(cu *synth.CU) {
			i := cu.Base("int", 4, synth.Signed)
			cu.Struct("s", 4, synth.Member{Name: "a", Type: i, Extra: []synth.Part{synth.Num(dwarf.AttrDataBitOffset, synth.FormData1, 3)}}).Add()
		}), fails: "plain member at bit 3"},
	})
}
