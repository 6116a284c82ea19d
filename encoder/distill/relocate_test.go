package distill_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// sized makes types of the name foo, of one kind and the given sizes.
func sized(k btf.Kind, sizes ...uint32) func(builder) {
	return func(b builder) {
		for _, s := range sizes {
			b.plain(k, "foo", s)
		}
	}
}

func flagged(k btf.Kind, size uint32) func(builder) {
	return func(b builder) { b.plain(k, "foo", size); b.SetKflag() }
}

func ints(sizes ...uint32) func(builder) {
	return func(b builder) {
		for _, s := range sizes {
			b.integer("foo", s)
		}
	}
}

func both(fs ...func(builder)) func(builder) {
	return func(b builder) {
		for _, f := range fs {
			f(b)
		}
	}
}

// embeds has the first distilled type as a member, by value.
func embeds(b builder) { b.with(btf.KindStruct, "holder", 16, "member", 1, 0) }

// embedsDeep has it behind an array of a typedef of a constant.
func embedsDeep(b builder) {
	i := b.integer("i", 4)
	c := b.plain(btf.KindConst, "", 1)
	b.with(btf.KindUnion, "holder", 16, "member", b.array(b.plain(btf.KindTypedef, "t", c), i, 2), 0)
}

// points has a pointer to it.
func points(b builder) {
	b.with(btf.KindStruct, "holder", 16, "member", b.plain(btf.KindPtr, "", 1), 0)
}

// TestRelocateRules goes through what a distilled type may be taken for. Every row was put to bpftool too, see
// TestRelocateLikeBpftool.
func TestRelocateRules(t *testing.T) {
	for _, tt := range relocateRules() {
		_, err := tt.relocate(t)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

type rule struct {
	name                   string
	base, distilled, split func(builder)
	want                   string // in the error; "" is none
}

// relocate puts the rule's split object, and a typedef foo_t of the first distilled type, onto the rule's base.
func (r *rule) relocate(t *testing.T) (*btf.Object, error) {
	t.Helper()
	base, distilled, split := r.build()
	return distill.Relocate(split, distilled, base)
}

// TestRelocateLikeBpftool puts every rule to bpftool, which reads a module that has both sections.
func TestRelocateLikeBpftool(t *testing.T) {
	bpftool := peer.Program(t, "bpftool")
	module := filepath.Join("..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-module.ko")
	for _, tt := range relocateRules() {
		base, distilled, split := tt.build()
		baseFile, file := filepath.Join(t.TempDir(), "base"), filepath.Join(t.TempDir(), "module.ko")
		if err := os.WriteFile(baseFile, base.AppendWire(nil), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := elf.Embed(module, []elf.EmbedSection{{Name: ".BTF", Data: split.AppendWire(nil)},
			{Name: ".BTF.base", Data: distilled.AppendWire(nil)}}, elf.NewCopy(file)); err != nil {
			t.Fatal(err)
		}
		text, peerErr := exec.Command(bpftool, "-B", baseFile, "btf", "dump", "file", file, "format", "raw").Output()
		o, err := tt.relocate(t)
		if (err == nil) != (peerErr == nil) {
			t.Errorf("%s: got error %v, bpftool %v", tt.name, err, peerErr)
		} else if err == nil && !bytes.Equal(dump.AppendRaw(nil, o), text) {
			t.Errorf("%s: got\n%sbpftool\n%s", tt.name, dump.AppendRaw(nil, o), text)
		}
	}
}

func (r *rule) build() (base, distilled, split *btf.Object) {
	b, d := newBuilder(binary.LittleEndian, nil), newBuilder(binary.LittleEndian, nil)
	b.plain(btf.KindFloat, "first", 8)
	r.base(b)
	r.distilled(d)
	s := newBuilder(binary.LittleEndian, d.Object)
	s.plain(btf.KindTypedef, "foo_t", 1)
	if r.split != nil {
		r.split(s)
	}
	return b.Object, d.Object, s.Object
}

func relocateRules() []rule {
	const (
		missing = "type 1 (%s foo, size 8) is not in the base"
		twice   = "could be type 2 and type 3 of the base"
	)
	gone := func(k string) string { return strings.Replace(missing, "%s", k, 1) }
	return []rule{
		{"integer", ints(4), ints(4), nil, ""},
		{"integer of another size", ints(4), ints(8), nil, gone("INT")},
		{"integer of another encoding", ints(8), func(b builder) { b.Append(b.str("foo"), btf.Info(btf.KindInt, 0, false), 8, 64) }, nil, gone("INT")},
		{"two integers", ints(8, 8), ints(8), nil, twice},
		{"two integers, one of the size", ints(4, 8), ints(8), nil, ""},
		{"float", sized(btf.KindFloat, 8), sized(btf.KindFloat, 8), nil, ""},
		{"float of another size", sized(btf.KindFloat, 4), sized(btf.KindFloat, 8), nil, gone("FLOAT")},
		{"enum for an integer", sized(btf.KindEnum, 8), ints(8), nil, gone("INT")},
		{"enum", sized(btf.KindEnum, 8), sized(btf.KindEnum, 8), nil, ""},
		{"64-bit enum", sized(btf.KindEnum64, 8), sized(btf.KindEnum, 8), nil, ""},
		{"enum of another size", sized(btf.KindEnum, 4), sized(btf.KindEnum, 8), nil, gone("ENUM")},
		{"struct", sized(btf.KindStruct, 8), sized(btf.KindStruct, 8), nil, ""},
		{"struct of another size", sized(btf.KindStruct, 4), sized(btf.KindStruct, 8), points, ""},
		{"union for a struct", sized(btf.KindUnion, 4), sized(btf.KindStruct, 8), nil, ""},
		{"enum for a struct", sized(btf.KindEnum, 8), sized(btf.KindStruct, 8), nil, ""},
		{"integer of another size for a struct", ints(4), sized(btf.KindStruct, 8), nil, gone("STRUCT")},
		{"forward for a struct", sized(btf.KindFwd, 0), sized(btf.KindStruct, 8), nil, ""},
		{"embedded", sized(btf.KindStruct, 8), sized(btf.KindStruct, 8), embeds, ""},
		{"embedded, of another size", sized(btf.KindStruct, 4), sized(btf.KindStruct, 8), embeds, gone("STRUCT")},
		{"embedded deep, of another size", sized(btf.KindUnion, 4), sized(btf.KindUnion, 8), embedsDeep, gone("UNION")},
		{"two structs", sized(btf.KindStruct, 8, 8), sized(btf.KindStruct, 8), nil, twice},
		{"two structs, one of the size", sized(btf.KindStruct, 4, 8), sized(btf.KindStruct, 8), nil, ""},
		{"struct and union", both(sized(btf.KindStruct, 8), sized(btf.KindUnion, 8)), sized(btf.KindStruct, 8), nil, twice},
		{"struct and union, one of the size", both(sized(btf.KindStruct, 4), sized(btf.KindUnion, 8)), sized(btf.KindStruct, 8), nil, ""},
		{"struct for a forward", sized(btf.KindStruct, 8), sized(btf.KindFwd, 0), nil, ""},
		{"struct with bit-fields for a forward", flagged(btf.KindStruct, 8), sized(btf.KindFwd, 0), nil, "type 1 (FWD foo, size 0) is not in the base"},
		{"union for a forward of a union", sized(btf.KindUnion, 8), flagged(btf.KindFwd, 0), nil, "is not in the base"},
		{"union with bit-fields for that", flagged(btf.KindUnion, 8), flagged(btf.KindFwd, 0), nil, ""},
		{"forward of a union for that of a struct", flagged(btf.KindFwd, 0), sized(btf.KindFwd, 0), nil, "is not in the base"},
		{"forward and struct for a forward", both(sized(btf.KindFwd, 0), sized(btf.KindStruct, 8)), sized(btf.KindFwd, 0), nil, twice},
		{"typedef", both(ints(8), func(b builder) { b.plain(btf.KindTypedef, "bar", 1) }), func(b builder) { b.plain(btf.KindStruct, "bar", 8) }, nil,
			"type 1 (STRUCT bar, size 8) is not in the base"},
		{"distilled pointer", ints(8), func(b builder) { b.plain(btf.KindPtr, "", 0) }, nil, "distilled base: type 1 is a PTR"},
		{"distilled 64-bit enum", sized(btf.KindEnum64, 8), sized(btf.KindEnum64, 8), nil, "distilled base: type 1 is a ENUM64"},
		{"anonymous", ints(8), func(b builder) { b.plain(btf.KindStruct, "", 8) }, nil, "distilled base: type 1, a STRUCT, is anonymous"},
		{"a name inside another", ints(8), ints(8), func(b builder) { b.Append(b.Base.At(1).Name()+1, btf.Info(btf.KindTypedef, 0, false), 1) },
			"type 4 has a name at 0x2, where the distilled base names no type"},
		{"a reference to no type", ints(8), ints(8), func(b builder) { b.plain(btf.KindPtr, "", 99) }, "type 4 refers to type 99 of 4"},
	}
}

// TestRelocateRewrites looks at ids and names of the outcome. The base has one struct of the name, so any size will do, and an
// integer whose size is not the right one.
func TestRelocateRewrites(t *testing.T) {
	r := rule{base: both(ints(4), sized(btf.KindStruct, 24)), distilled: both(sized(btf.KindStruct, 8)), split: func(b builder) {
		b.with(btf.KindStruct, "foo", 8, "foo_t", b.plain(btf.KindPtr, "", 1), 0)
	}}
	o, err := r.relocate(t)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[4] TYPEDEF 'foo_t' type_id=3
[5] PTR '(anon)' type_id=3
[6] STRUCT 'foo' size=8 vlen=1
	'foo_t' type_id=5 bits_offset=0
`
	if got := string(dump.AppendRaw(nil, o)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestRelocateForeign: the distilled base must be that of the split object.
func TestRelocateForeign(t *testing.T) {
	r := rule{base: ints(8), distilled: ints(8)}
	base, _, split := r.build()
	if _, err := distill.Relocate(split, base, base); err == nil || !strings.Contains(err.Error(), "the distilled base ends at type 3") {
		t.Errorf("got error %v, want one about the end of the base", err)
	}
}
