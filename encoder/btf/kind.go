package btf

import "fmt"

// An ID is the number of a type within one object; 0 is void. A split object continues the ids of its base.
type ID uint32

// A Kind says what a type record is.
type Kind uint8

// The kinds of BTF (rule 04/A.2).
const (
	KindVoid Kind = iota
	KindInt
	KindPtr
	KindArray
	KindStruct
	KindUnion
	KindEnum
	KindFwd
	KindTypedef
	KindVolatile
	KindConst
	KindRestrict
	KindFunc
	KindFuncProto
	KindVar
	KindDatasec
	KindFloat
	KindDeclTag
	KindTypeTag
	KindEnum64
	NumKinds
)

// A Shape says what follows the three words of a record, and what its words mean.
type Shape struct {
	Name string
	// Once and Each count 32-bit words: after the record, and per vlen.
	Once, Each uint8
	// Refers: the third word is a type id, not a size.
	Refers bool
	// NameAt and TypeAt are the words of one element (or of the part counted by Once, for an array) that hold a string
	// offset or a type id; -1 is none.
	NameAt, TypeAt int8
}

// shapes is the table by which records are read, written, renumbered and dumped.
var shapes = [NumKinds]Shape{
	KindVoid:      {"UNKNOWN", 0, 0, false, -1, -1},
	KindInt:       {"INT", 1, 0, false, -1, -1},
	KindPtr:       {"PTR", 0, 0, true, -1, -1},
	KindArray:     {"ARRAY", 3, 0, false, -1, -1},
	KindStruct:    {"STRUCT", 0, 3, false, 0, 1},
	KindUnion:     {"UNION", 0, 3, false, 0, 1},
	KindEnum:      {"ENUM", 0, 2, false, 0, -1},
	KindFwd:       {"FWD", 0, 0, false, -1, -1},
	KindTypedef:   {"TYPEDEF", 0, 0, true, -1, -1},
	KindVolatile:  {"VOLATILE", 0, 0, true, -1, -1},
	KindConst:     {"CONST", 0, 0, true, -1, -1},
	KindRestrict:  {"RESTRICT", 0, 0, true, -1, -1},
	KindFunc:      {"FUNC", 0, 0, true, -1, -1},
	KindFuncProto: {"FUNC_PROTO", 0, 2, true, 0, 1},
	KindVar:       {"VAR", 1, 0, true, -1, -1},
	KindDatasec:   {"DATASEC", 0, 3, false, -1, 0},
	KindFloat:     {"FLOAT", 0, 0, false, -1, -1},
	KindDeclTag:   {"DECL_TAG", 1, 0, true, -1, -1},
	KindTypeTag:   {"TYPE_TAG", 0, 0, true, -1, -1},
	KindEnum64:    {"ENUM64", 0, 3, false, 0, -1},
}

// String is the name that bpftool prints.
func (k Kind) String() string {
	if k >= NumKinds {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return shapes[k].Name
}

// ShapeOf returns the shape of a kind. An unknown kind has the shape of void.
func ShapeOf(k Kind) Shape {
	if k >= NumKinds {
		return shapes[KindVoid]
	}
	return shapes[k]
}

// Linkage of a FUNC (in its vlen) and of a VAR.
const (
	LinkageStatic = 0
	LinkageGlobal = 1
	LinkageExtern = 2
)

// Encoding bits of an INT.
const (
	IntSigned = 1
	IntChar   = 2
	IntBool   = 4
)

// EncodingText returns what bpftool and the kernel print for the encoding bits of an INT.
func EncodingText(bits uint32) string {
	switch bits {
	case 0:
		return "(none)"
	case IntSigned:
		return "SIGNED"
	case IntChar:
		return "CHAR"
	case IntBool:
		return "BOOL"
	}
	return "UNKN"
}

// MaxVlen is the largest vlen that pahole 1.32 writes; the count wraps beyond it (rule 03/15).
const MaxVlen = 0xffff
