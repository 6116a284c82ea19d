package verify

import (
	"errors"
	"testing"
)

// The numbers of kinds that these tests write.
const (
	kInt, kPtr, kArray, kStruct, kUnion, kEnum, kFwd, kTypedef, kVolatile, kConst = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	kFunc, kProto, kVar, kDatasec, kDeclTag, kTypeTag, kEnum64                    = 12, 13, 14, 15, 17, 18, 19
)

// sized adds a type without members.
func sized(kind, size uint32) func(*blob) {
	return func(b *blob) { b.add(b.str("foo"), kind<<24, size) }
}

func flagged1(kind, size uint32) func(*blob) {
	return func(b *blob) { b.add(b.str("foo"), kindFlagBit|kind<<24, size) }
}

func ints(sizes ...uint32) func(*blob) {
	return func(b *blob) {
		for _, s := range sizes {
			b.integer("foo", s)
		}
	}
}

func both(fs ...func(*blob)) func(*blob) {
	return func(b *blob) {
		for _, f := range fs {
			f(b)
		}
	}
}

// sameString adds structs that share the string of their name, as in the output of an encoder.
func sameString(sizes ...uint32) func(*blob) {
	return func(b *blob) {
		name := b.str("foo")
		for _, s := range sizes {
			b.add(name, info(kStruct, 0), s)
		}
	}
}

func embeds(b *blob) { b.add(b.str("q"), info(kStruct, 1), 16, 0, 1, 0) }

func embedsDeep(b *blob) {
	i := b.integer("i", 4)
	a := b.add(0, info(kArray, 0), 0, b.ref(kTypedef, 1, "t"), i, 2)
	b.add(b.str("q"), info(kStruct, 1), 16, 0, a, 0)
}

type relocateCase struct {
	name                   string
	base, distilled, split func(*blob)
	want                   string
}

// relocateCases: every one but those with shared strings was also put to libbpf 1.8, whose relocation is the kernel's.
func relocateCases() []relocateCase {
	const (
		missing = "distilled base BTF type 'foo' [1] is not mapped to base BTF id"
		twice   = "distilled base BTF type 'foo' [1], size 8 has multiple candidates of the same size (ids [2, 1]) in base BTF"
	)
	return []relocateCase{
		{"same integer", ints(4), ints(4), nil, ""},
		{"integer of another size", ints(4), ints(8), nil, missing},
		{"integer of another encoding", ints(4), func(b *blob) { b.add(b.str("foo"), info(kInt, 0), 4, 32) }, nil, missing},
		{"two integers", ints(8, 8), ints(8), nil, twice},
		{"enum for an integer", sized(kEnum, 4), ints(4), nil, missing},
		{"integer for a struct", ints(4), sized(kStruct, 4), nil, ""},
		{"integer of another size for a struct", ints(4), sized(kStruct, 8), nil, missing},
		{"forward declaration for a struct", sized(kFwd, 0), sized(kStruct, 8), nil, ""},
		{"enum for a struct", sized(kEnum, 8), sized(kStruct, 8), nil, ""},
		{"struct of another size", sized(kStruct, 4), sized(kStruct, 8), nil, ""},
		{"embedded struct of another size", sized(kStruct, 4), sized(kStruct, 8), embeds, missing},
		{"struct embedded in an array", sized(kStruct, 4), sized(kStruct, 8), embedsDeep, missing},
		{"embedded struct", sized(kStruct, 8), sized(kStruct, 8), embeds, ""},
		{"two structs, one of the size", sameString(4, 8), sized(kStruct, 8), nil, ""},
		{"two structs of the size", sameString(8, 8), sized(kStruct, 8), nil, twice},
		{"two structs, two strings", both(sized(kStruct, 4), sized(kStruct, 8)), sized(kStruct, 8), nil, twice},
		{"struct and union of the size", both(sized(kStruct, 8), sized(kUnion, 8)), sized(kStruct, 8), nil, twice},
		{"struct and integer of another size", both(sized(kStruct, 8), ints(4)), sized(kStruct, 8), nil, ""},
		{"struct for a forward declaration", sized(kStruct, 8), sized(kFwd, 0), nil, ""},
		{"struct with bit-fields for one", flagged1(kStruct, 8), sized(kFwd, 0), nil, missing},
		{"union for that of a struct", sized(kUnion, 8), sized(kFwd, 0), nil, missing},
		{"union for that of a union", sized(kUnion, 8), flagged1(kFwd, 0), nil, missing},
		{"union with bit-fields for one", flagged1(kUnion, 8), flagged1(kFwd, 0), nil, ""},
		{"forward declaration and struct for one", both(sized(kFwd, 0), sized(kStruct, 8)), sized(kFwd, 0), nil, twice},
		{"64-bit enum", sized(kEnum64, 8), sized(kEnum, 8), nil, ""},
		{"distilled 64-bit enum", sized(kEnum64, 8), sized(kEnum64, 8), nil, "type [1] in distilled based BTF has unexpected kind [19]"},
		{"distilled pointer", ints(4), func(b *blob) { b.ref(kPtr, b.integer("foo", 4)) }, nil,
			"type [2] in distilled based BTF has unexpected kind [2]"},
		{"anonymous", ints(4), func(b *blob) { b.add(0, info(kStruct, 0), 4) }, nil,
			"type [1], kind [4] is invalid for distilled base BTF; it is anonymous"},
		{"typedef of the name", func(b *blob) { b.ref(kTypedef, b.integer("int", 4), "foo") }, sized(kStruct, 8), nil, missing},
	}
}

func (tc *relocateCase) check() error {
	base, distilled := newBlob(), newBlob()
	tc.base(base)
	tc.distilled(distilled)
	split := distilled.split()
	split.ref(kTypedef, 1, "t")
	if tc.split != nil {
		tc.split(split)
	}
	return Check(split.bytes(), Options{Path: Module, Base: base.bytes(), Distilled: distilled.bytes()})
}

func TestRelocate(t *testing.T) {
	for _, tc := range relocateCases() {
		t.Run(tc.name, func(t *testing.T) {
			if _, got := verdict(t, tc.check()); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestModule checks a module against its base, and against one that is not its own.
func TestModule(t *testing.T) {
	base := newBlob()
	i := base.integer("int", 4)
	split := base.split()
	split.add(split.str("s"), info(kStruct, 1), 4, split.str("m"), i, 0)
	split.ref(kTypedef, i, "t")
	check := func(k Kernel, base, distilled []byte) error {
		return Check(split.bytes(), Options{Kernel: k, Path: Module, Base: base, Distilled: distilled})
	}
	for _, k := range Kernels() {
		err := check(k, base.bytes(), nil)
		if none := k == V5_10; errors.Is(err, ErrNoPath) != none || !none && err != nil {
			t.Errorf("%v: %v", k, err)
		}
	}
	if err := check(Newest, nil, nil); err == nil {
		t.Error("a module without a base was accepted")
	}
	base.str("one string more")
	if _, got := verdict(t, check(Newest, base.bytes(), nil)); got != "[2] STRUCT one string more size=4 vlen=1 Invalid name" {
		t.Errorf("on another base: %q", got)
	}
	var r *Refusal
	if err := check(Newest, []byte("no BTF at all"), nil); !errors.As(err, &r) || r.Path != Vmlinux {
		t.Errorf("on a base that is no BTF: %v", err)
	}
	// A kernel that does not know distilled bases ignores it.
	distilled := newBlob()
	distilled.integer("char", 1)
	if err := check(V6_1, split0(base, split), distilled.bytes()); err != nil {
		t.Errorf("6.1 with a distilled base: %v", err)
	}
	if err := check(V6_12, split0(base, split), distilled.bytes()); err == nil {
		t.Error("6.12 took a distilled base that is not the module's")
	}
}

// split0 is the base without the types added after the split.
func split0(base, split *blob) []byte {
	b := *base
	b.strs = b.strs[:split.start]
	return b.bytes()
}
