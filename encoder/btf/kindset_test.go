package btf

import (
	"slices"
	"testing"
)

func TestKindSets(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  KindSet
		want []Kind
	}{
		{"none", Kinds(), nil},
		{"first and last", Kinds(KindVoid, KindEnum64), []Kind{KindVoid, KindEnum64}},
		{"qualifiers", Qualifiers, []Kind{KindVolatile, KindConst, KindRestrict}},
		{"modifiers", Modifiers, []Kind{KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag}},
		{"references", References, []Kind{KindPtr, KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag}},
		{"composites", Composites, []Kind{KindStruct, KindUnion}},
		{"enums", Enums, []Kind{KindEnum, KindEnum64}},
		{"sized", Sized, []Kind{KindInt, KindStruct, KindUnion, KindEnum, KindDatasec, KindFloat, KindEnum64}},
		{"complement", ^Modifiers & ^Sized, []Kind{KindVoid, KindPtr, KindArray, KindFwd, KindFunc, KindFuncProto, KindVar, KindDeclTag}},
	} {
		var got []Kind
		for k := range Kind(255) {
			if tt.set.Has(k) {
				got = append(got, k)
			}
			if k < NumKinds && tt.set.HasKnown(k) != tt.set.Has(k) {
				t.Errorf("%s: HasKnown(%s) is %v", tt.name, k, tt.set.HasKnown(k))
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestReferences holds the set against the table of shapes: its kinds have one type id and nothing after the record.
func TestReferences(t *testing.T) {
	for k := KindInt; k < NumKinds; k++ {
		s := ShapeOf(k)
		want := s.Refers && s.Once == 0 && s.Each == 0 && k != KindFunc // the vlen of a FUNC is its linkage
		if got := References.Has(k); got != want {
			t.Errorf("%s: got %v, want %v", k, got, want)
		}
	}
}

func TestFwdKind(t *testing.T) {
	for kflag, want := range map[bool]Kind{false: KindStruct, true: KindUnion} {
		if got := (Record{0, Info(KindFwd, 0, kflag), 0}).FwdKind(); got != want {
			t.Errorf("kind_flag %v: got %s, want %s", kflag, got, want)
		}
	}
}

func TestDeclares(t *testing.T) {
	for _, tt := range []struct {
		kind  Kind
		kflag bool
		want  Kind
	}{{KindFwd, false, KindStruct}, {KindFwd, true, KindUnion}, {KindUnion, false, KindUnion}, {KindEnum, true, KindEnum}, {KindPtr, false, KindPtr}} {
		if got := (Record{0, Info(tt.kind, 0, tt.kflag), 0}).Declares(); got != tt.want {
			t.Errorf("%s, kind_flag %v: got %s, want %s", tt.kind, tt.kflag, got, tt.want)
		}
	}
}

func TestEnumValue(t *testing.T) {
	for _, tt := range []struct {
		kind  Kind
		kflag bool
		words []uint32
		want  int64
	}{
		{KindEnum, false, []uint32{0, 0xffffffff}, 0xffffffff},
		{KindEnum, true, []uint32{0, 0xffffffff}, -1},
		{KindEnum64, false, []uint32{0, 1, 2}, 2<<32 + 1},
		{KindEnum64, true, []uint32{0, 0xfffffffe, 0xffffffff}, -2},
	} {
		if got := (Record{0, Info(tt.kind, 1, tt.kflag), 4}).EnumValue(tt.words); got != tt.want {
			t.Errorf("%s, kind_flag %v, %#x: got %d, want %d", tt.kind, tt.kflag, tt.words, got, tt.want)
		}
	}
}

func TestPrintedInt(t *testing.T) {
	for word, want := range map[uint32]uint32{
		0x20: 0x20, IntSigned<<24 | 0x03_00_20: IntSigned<<24 | 0x03_00_20, IntBool<<24 | 8: IntBool<<24 | 8,
		0xf0_00_ff_20:               0x20, // unused bits
		(IntSigned|IntChar)<<24 | 8: 0x0f_00_00_08, 8<<24 | 8: 0x0f_00_00_08,
	} {
		if got := PrintedInt(word); got != want {
			t.Errorf("%#x: got %#x, want %#x", word, got, want)
		}
	}
}

func TestMemberOffset(t *testing.T) {
	for _, tt := range []struct {
		word      uint32
		kflag     bool
		off, bits uint32
	}{
		{0, false, 0, 0},
		{0x05000123, false, 0x05000123, 0}, // a plain offset may need all 32 bits
		{0x05000123, true, 0x123, 5},
		{0xffffffff, true, 0xffffff, 255},
		{0x00000040, true, 0x40, 0},
	} {
		if off, bits := MemberOffset(tt.word, tt.kflag); off != tt.off || bits != tt.bits {
			t.Errorf("%#x, kind_flag %v: got %d and %d, want %d and %d", tt.word, tt.kflag, off, bits, tt.off, tt.bits)
		}
	}
}

func TestIntData(t *testing.T) {
	if enc, off, bits := IntData(0xf1081fc0); enc != IntSigned || off != 8 || bits != 0xc0 {
		t.Errorf("got encoding %d, offset %d, %d bits, want %d, 8, %d", enc, off, bits, IntSigned, 0xc0)
	}
}
