package dump

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/sebdah/goldie/v2"
)

// builder makes BTF objects that no compiler makes.
type builder struct{ *btf.Object }

func (b builder) name(s string) uint32 { return b.Strings.Add([]byte(s)) }

// add appends a record with its header and its elements.
func (b builder) add(k btf.Kind, vlen uint32, kflag bool, name string, words ...uint32) uint32 {
	return uint32(b.Append(append([]uint32{b.name(name), btf.Info(k, vlen, kflag)}, words...)...))
}

// odd has every kind, with extreme values.
func odd(order binary.ByteOrder) builder {
	b := builder{btf.New(order, nil)}
	last := uint32(math.MaxUint32)
	integer := b.add(btf.KindInt, 0, false, "int", 4, 32)
	for bits := range uint32(16) {
		b.add(btf.KindInt, 0, false, "encoded", 16, bits<<24|3<<16|128)
	}
	b.add(btf.KindInt, 0, true, "", last, last)
	b.add(btf.KindArray, 0, false, "", 0, 0, integer, last)
	b.add(btf.KindStruct, 0, false, "", last)
	b.add(btf.KindStruct, 3, true, "", 8, b.name("a"), integer, 5<<24|3, 0, integer, 0xffffffff, b.name("c"), 0, 0)
	b.add(btf.KindUnion, 2, false, "u", 8, b.name("a"), integer, last, 0, 0, 1<<24)
	b.add(btf.KindEnum, 0, false, "", 4)
	b.add(btf.KindEnum, 3, false, "plain", 4, b.name("A"), 0, b.name("B"), 1<<31, b.name("C"), last)
	b.add(btf.KindEnum, 3, true, "signed", 8, b.name("A"), 0, b.name("B"), 1<<31, 0, last)
	b.add(btf.KindEnum64, 3, false, "plain64", 8, b.name("A"), 1, 0, b.name("B"), 0, 1<<31, b.name("C"), last, last)
	b.add(btf.KindEnum64, 3, true, "signed64", 8, b.name("A"), 1, 0, b.name("B"), 0, 1<<31, b.name("C"), last, last)
	b.add(btf.KindFwd, 0, false, "s", 0)
	b.add(btf.KindFwd, 0, true, "u", 0)
	for _, k := range []btf.Kind{btf.KindPtr, btf.KindTypedef, btf.KindVolatile, btf.KindConst, btf.KindRestrict, btf.KindTypeTag} {
		b.add(k, 0, false, "x", integer)
		b.add(k, 0, k == btf.KindTypeTag, "", 0)
	}
	proto := b.add(btf.KindFuncProto, 3, false, "", 0, b.name("a"), integer, 0, integer, 0, 0)
	b.add(btf.KindFuncProto, 0, false, "named", integer)
	for l := range uint32(4) {
		b.add(btf.KindFunc, l, false, "f", proto)
		b.add(btf.KindVar, 0, false, "v", integer, l)
	}
	v := uint32(b.End()) - 1
	b.add(btf.KindDatasec, 4, false, ".data", last, v, 0, 4, v-1, last, last, 0, 1, 2, 1, 3, 4)
	b.add(btf.KindDatasec, 0, false, "", 0)
	b.add(btf.KindFloat, 0, false, "long double", 16)
	b.add(btf.KindDeclTag, 0, false, "tag", v, last)
	b.add(btf.KindDeclTag, 0, true, "tag", proto, 7)
	b.add(btf.KindDeclTag, 0, false, "\" \\ ' \t\n\r\f\b \x01 \xff é", v, 0)
	return b
}

// oddSplit is split BTF on top of odd.
func oddSplit(base builder) builder {
	b := builder{btf.New(base.Order, base.Object)}
	b.add(btf.KindPtr, 0, false, "", 1)
	b.add(btf.KindStruct, 1, false, "own", 4, b.name("a"), uint32(b.First()), 0)
	b.add(btf.KindDatasec, 2, false, ".data", 4, uint32(base.End())-8, 0, 4, uint32(b.First())+1, 4, 4)
	return b
}

// TestFixtures keeps the objects of this file equal to the files that bpftool read. With -update it writes the files; run testdata/make.sh
// after that.
func TestFixtures(t *testing.T) {
	files := goldie.New(t, goldie.WithNameSuffix(".btf"))
	little := odd(binary.LittleEndian)
	files.Assert(t, "odd", little.AppendWire(nil))
	files.Assert(t, "odd-split", oddSplit(little).AppendWire(nil))
	files.Assert(t, "odd-big", odd(binary.BigEndian).AppendWire(nil))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 3 {
		files.Assert(t, fmt.Sprint("random-", i), randomObject(r, 40, 0).AppendWire(nil))
	}
}

// load reads a fixture. A name that ends in -split is split BTF on top of the fixture without that ending.
func load(t testing.TB, name string) *btf.Object {
	t.Helper()
	var base *btf.Object
	if whole, split := strings.CutSuffix(name, "-split"); split {
		base = load(t, whole)
	}
	o, err := btf.Parse(readFixture(t, name+".btf"), base)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
