package distill_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/golden/dump"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, data []byte, base *btf.Object) *btf.Object {
	t.Helper()
	o, err := btf.Parse(data, base)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestPeer: the sections that pahole puts into a module, and what bpftool makes of them on the whole base.
func TestPeer(t *testing.T) {
	for _, arch := range []string{"x86_64", "i386", "s390x"} {
		t.Run(arch, func(t *testing.T) {
			driver := "gcc12-" + arch + "-dwarf5-driver."
			kernel := parse(t, read(t, "gcc12-"+arch+"-dwarf5-based.btf.golden"), nil)
			base, split, err := distill.Distill(parse(t, read(t, driver+"split.golden"), kernel))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(base.AppendWire(nil), read(t, driver+"base.golden")) {
				t.Errorf("the distilled base is another one:\n%s", dump.AppendRaw(nil, base))
			}
			if !bytes.Equal(split.AppendWire(nil), read(t, driver+"distilled.golden")) {
				t.Errorf("the split BTF is another one:\n%s", dump.AppendRaw(nil, split))
			}
			relocated, err := distill.Relocate(split, base, kernel)
			if err != nil {
				t.Fatal(err)
			}
			if got := dump.AppendRaw(nil, relocated); !bytes.Equal(got, read(t, driver+"relocated.golden")) {
				t.Errorf("relocated it is another one:\n%s", got)
			}
			if err := relocated.CheckReferences(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A builder adds types to an object by their names.
type builder struct{ *btf.Object }

func (b builder) str(s string) uint32 { return b.Strings.Add([]byte(s)) }

// plain adds a type that is one record of three words.
func (b builder) plain(k btf.Kind, name string, word uint32) uint32 {
	return uint32(b.Append(b.str(name), btf.Info(k, 0, false), word))
}

func (b builder) integer(name string, size uint32) uint32 {
	return uint32(b.Append(b.str(name), btf.Info(btf.KindInt, 0, false), size, btf.IntSigned<<24|8*size))
}

func (b builder) array(elem, index, n uint32) uint32 {
	return uint32(b.Append(0, btf.Info(btf.KindArray, 0, false), 0, elem, index, n))
}

// with adds a type with one element, of which the words after its name are given.
func (b builder) with(k btf.Kind, name string, word uint32, elem string, words ...uint32) uint32 {
	id := b.Append(b.str(name), btf.Info(k, 0, false), word)
	b.AppendElem(append([]uint32{b.str(elem)}, words...)...)
	return uint32(id)
}

func newBuilder(order binary.ByteOrder, base *btf.Object) builder {
	return builder{btf.New(order, base)}
}

// TestDistill reaches every kind that can be distilled, in a base in which others lie between them.
func TestDistill(t *testing.T) {
	b := newBuilder(binary.BigEndian, nil)
	number := b.integer("int", 4)
	b.integer("not reached", 2)
	float := b.plain(btf.KindFloat, "double", 8)
	behind := b.with(btf.KindStruct, "behind", 16, "member", float, 0) // a member of what is named: not reached
	named := b.with(btf.KindStruct, "named", 16, "inner", behind, 0)
	b.SetKflag() // says how members and enumerators are written, of which the distilled type has none
	fwd := b.plain(btf.KindFwd, "later", 0)
	enum := b.with(btf.KindEnum, "color", 4, "RED", 7)
	b.SetKflag()
	wide := b.with(btf.KindEnum64, "wide", 8, "HIGH", 0, 1)
	nameless := b.with(btf.KindEnum, "", 4, "A", 0)
	union := b.with(btf.KindUnion, "", 8, "f", float, 0)
	namedUnion := b.with(btf.KindUnion, "either", 8, "f", float, 0)
	typedef := b.plain(btf.KindTypedef, "alias", named)
	list := b.array(typedef, number, 3)
	proto := b.with(btf.KindFuncProto, "", 0, "arg", b.plain(btf.KindPtr, "", b.plain(btf.KindConst, "", wide)))
	tag := b.plain(btf.KindTypeTag, "user", b.plain(btf.KindVolatile, "", b.plain(btf.KindRestrict, "", fwd)))

	s := newBuilder(binary.BigEndian, b.Object)
	own := s.Append(s.str("own"), btf.Info(btf.KindStruct, 0, false), 64)
	for i, id := range []uint32{list, enum, nameless, union, namedUnion} {
		s.AppendElem(s.str([]string{"list", "member", "nameless", "union", "either"}[i]), id, 0)
	}
	f := s.plain(btf.KindPtr, "", proto)
	s.plain(btf.KindTypedef, "f_t", f)
	s.plain(btf.KindPtr, "", tag)
	s.plain(btf.KindPtr, "", uint32(own))

	base, split, err := distill.Distill(s.Object)
	if err != nil {
		t.Fatal(err)
	}
	const wantBase = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] FLOAT 'double' size=8
[3] STRUCT 'named' size=16 vlen=0
[4] FWD 'later' fwd_kind=struct
[5] ENUM 'color' encoding=UNSIGNED size=4 vlen=0
[6] ENUM 'wide' encoding=UNSIGNED size=8 vlen=0
[7] UNION 'either' size=8 vlen=0
`
	const wantSplit = `[8] STRUCT 'own' size=64 vlen=5
	'list' type_id=16 bits_offset=0
	'member' type_id=5 bits_offset=0
	'nameless' type_id=13 bits_offset=0
	'union' type_id=14 bits_offset=0
	'either' type_id=7 bits_offset=0
[9] PTR '(anon)' type_id=19
[10] TYPEDEF 'f_t' type_id=9
[11] PTR '(anon)' type_id=22
[12] PTR '(anon)' type_id=8
[13] ENUM '(anon)' encoding=UNSIGNED size=4 vlen=1
	'A' val=0
[14] UNION '(anon)' size=8 vlen=1
	'f' type_id=2 bits_offset=0
[15] TYPEDEF 'alias' type_id=3
[16] ARRAY '(anon)' type_id=15 index_type_id=1 nr_elems=3
[17] CONST '(anon)' type_id=6
[18] PTR '(anon)' type_id=17
[19] FUNC_PROTO '(anon)' ret_type_id=0 vlen=1
	'arg' type_id=18
[20] RESTRICT '(anon)' type_id=4
[21] VOLATILE '(anon)' type_id=20
[22] TYPE_TAG 'user' type_id=21
`
	if got := string(dump.AppendRaw(nil, base)); got != wantBase {
		t.Errorf("base: got\n%swant\n%s", got, wantBase)
	}
	if got := string(dump.AppendRaw(nil, split)); got != wantSplit {
		t.Errorf("split: got\n%swant\n%s", got, wantSplit)
	}
	for id, r := range base.All() {
		if r.Kflag() {
			t.Errorf("base: type %d has a kind flag", id)
		}
	}
	if base.Order != binary.ByteOrder(binary.BigEndian) || split.Order != base.Order {
		t.Errorf("got byte orders %v and %v, want the object's", base.Order, split.Order)
	}
	if got, want := string(base.Strings.Bytes()), "\x00int\x00double\x00named\x00later\x00color\x00wide\x00either\x00"; got != want {
		t.Errorf("base: got strings %q, want %q", got, want)
	}
}

func TestDistillErrors(t *testing.T) {
	b := newBuilder(binary.LittleEndian, nil)
	b.integer("int", 4)
	b.with(btf.KindFuncProto, "", 0, "arg", 1)
	fn := b.plain(btf.KindFunc, "f", 2)
	if _, _, err := distill.Distill(b.Object); !errors.Is(err, distill.ErrNoBase) {
		t.Errorf("without a base: got error %v, want %v", err, distill.ErrNoBase)
	}
	for _, tt := range []struct {
		name string
		ref  uint32
		want string
	}{
		{"a function", fn, "type 4: refers to type 3 of the base, a FUNC, which cannot be distilled"},
		{"no type", 5, "type 4: refers to type 5 of 5"},
	} {
		s := newBuilder(binary.LittleEndian, b.Object)
		s.plain(btf.KindPtr, "", tt.ref)
		if _, _, err := distill.Distill(s.Object); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got error %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Whatever can be parsed as a split object over a little kernel is refused, or distilled and put back onto that kernel.
func FuzzDistill(f *testing.F) {
	kernel := parse(f, read(f, "gcc12-x86_64-dwarf5-based.btf.golden"), nil)
	f.Add(read(f, "gcc12-x86_64-dwarf5-driver.split.golden"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := btf.Parse(data, kernel)
		if err != nil {
			return
		}
		base, split, err := distill.Distill(o)
		if err != nil {
			return
		}
		if split.Len() < o.Len() {
			t.Fatalf("got %d types of %d", split.Len(), o.Len())
		}
		relocated, err := distill.Relocate(split, base, kernel)
		if err != nil {
			// The kernel has several types of a name, or the object embeds one that is declared only.
			if !strings.Contains(err.Error(), "distilled base: type ") {
				t.Fatal(err)
			}
			return
		}
		if relocated.First() != kernel.End() || relocated.Len() != split.Len() {
			t.Fatalf("relocated: got ids from %d, %d types, want from %d, %d", relocated.First(), relocated.Len(), kernel.End(), split.Len())
		}
		for id, r := range o.All() {
			if got := relocated.At(id); got.Kind() != r.Kind() || relocated.Name(got.Name()) != o.Name(r.Name()) {
				t.Fatalf("type %d: got %s %s, want %s %s", id, got.Kind(), relocated.Name(got.Name()), r.Kind(), o.Name(r.Name()))
			}
		}
	})
}

// TestDeepBase: a base may nest types as deep as it has types.
func TestDeepBase(t *testing.T) {
	const n = 5_000_000
	b := builder{btf.New(binary.LittleEndian, nil)}
	last := b.integer("int", 4)
	for range n {
		last = b.plain(btf.KindPtr, "", last)
	}
	s := builder{btf.New(binary.LittleEndian, b.Object)}
	s.plain(btf.KindTypedef, "t", last)
	base, split, err := distill.Distill(s.Object)
	if err != nil {
		t.Fatal(err)
	}
	if base.Len() != 1 || split.Len() != n+1 {
		t.Errorf("got a base of %d types and %d others", base.Len(), split.Len())
	}
}
