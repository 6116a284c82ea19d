package sorted_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t *testing.T, data []byte, base *btf.Object) *btf.Object {
	t.Helper()
	o, err := btf.Parse(data, base)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// sections returns the bytes of BTF after the header, because the lengths of headers may differ.
func sections(t *testing.T, data []byte) (types, strs []byte) {
	t.Helper()
	order := binary.ByteOrder(binary.LittleEndian)
	if data[0] == btf.Magic>>8 {
		order = binary.BigEndian
	}
	at := func(i int) uint32 { return order.Uint32(data[i:]) }
	b := data[at(4):]
	return b[at(8):][:at(12)], b[at(16):][:at(20)]
}

// TestPeer compares the result with that of the kernel's build tool for the same input.
func TestPeer(t *testing.T) {
	images, kinds := filepath.Join("..", "..", "corpus", "images"), filepath.Join("..", "..", "golden", "dump", "testdata")
	x := filepath.Join(images, "gcc12-")
	for _, tt := range []struct{ golden, input, base string }{
		{"x86_64-based", x + "x86_64-dwarf5-based.btf.golden", ""},
		{"i386-based", x + "i386-dwarf5-based.btf.golden", ""},
		{"s390x-based", x + "s390x-dwarf5-based.btf.golden", ""},
		{"x86_64-driver", x + "x86_64-dwarf5-driver.split.golden", x + "x86_64-dwarf5-based.btf.golden"},
		{"x86_64-kinds", filepath.Join(kinds, "kinds-x86_64.btf"), ""},
		{"s390x-kinds", filepath.Join(kinds, "kinds-s390x.btf"), ""},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			var base *btf.Object
			if tt.base != "" {
				base = parse(t, read(t, tt.base), nil)
			}
			input := read(t, tt.input)
			got := sorted.ByName(parse(t, input, base)).AppendWire(nil)
			want := read(t, filepath.Join("testdata", tt.golden+".golden"))
			gotTypes, gotStrings := sections(t, got)
			wantTypes, wantStrings := sections(t, want)
			if inTypes, _ := sections(t, input); bytes.Equal(inTypes, wantTypes) {
				t.Error("the fixture is sorted as it is")
			}
			if !bytes.Equal(gotTypes, wantTypes) {
				t.Errorf("types differ (%d and %d bytes)", len(gotTypes), len(wantTypes))
			}
			if !bytes.Equal(gotStrings, wantStrings) {
				t.Errorf("strings differ (%d and %d bytes)", len(gotStrings), len(wantStrings))
			}
		})
	}
}

// names returns the names of the types, by id.
func names(o *btf.Object) (list []string) {
	for _, r := range o.All() {
		list = append(list, o.Name(r.Name()))
	}
	return list
}

// TestOrder: names are sorted by bytes, not by letters, and a prefix of a name comes before the name.
func TestOrder(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	fwd := func(name string) {
		o.Append(o.Strings.Add([]byte(name)), btf.Info(btf.KindFwd, 0, false), 0)
	}
	for _, name := range []string{"eightbytes_b", "b", "", "eightbytes", "B", "\xff", "eightbytes_a", "eightbyt", ".data", "_"} {
		fwd(name)
	}
	got := names(sorted.ByName(o))
	want := []string{"", ".data", "B", "_", "b", "eightbyt", "eightbytes", "eightbytes_a", "eightbytes_b", "\xff"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEqualNames: types with equal names keep their order, and so do types without a name.
func TestEqualNames(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	name := o.Strings.Add([]byte("same"))
	for i := range uint32(40) {
		o.Append(name*(i%2), btf.Info(btf.KindFwd, 0, false), i) // the third word tells them apart
	}
	for id, r := range sorted.ByName(o).All() {
		i := uint32(id) - 1
		want := 2 * i
		if i >= 20 {
			want = 2*(i-20) + 1
		}
		if r.Type() != btf.ID(want) {
			t.Fatalf("type %d: got the one that was at %d, want %d", id, r.Type(), want)
		}
	}
}

// TestReferences: if all names are different, the result does not depend on the order of the input, and references lead to the same names.
func TestReferences(t *testing.T) {
	const n = 200
	build := func(perm []int) *btf.Object {
		o := btf.New(binary.LittleEndian, nil)
		place := make([]uint32, n)
		for at, i := range perm {
			place[i] = uint32(at) + 1
			o.Strings.Add([]byte("t" + strconv.Itoa(i)))
		}
		for _, i := range perm {
			name, _ := o.Strings.Find([]byte("t" + strconv.Itoa(i)))
			a, b := place[(i+7)%n], place[(i*3)%n]
			switch i % 4 {
			case 0:
				o.Append(name, btf.Info(btf.KindTypedef, 0, false), a)
			case 1:
				o.Append(name, btf.Info(btf.KindStruct, 2, false), 8, 0, a, 0, 0, b, 32)
			case 2:
				o.Append(name, btf.Info(btf.KindFuncProto, 1, false), a, 0, b)
			case 3:
				o.Append(name, btf.Info(btf.KindArray, 0, false), 0, a, b, 3)
			}
		}
		return o
	}
	straight := make([]int, n)
	for i := range straight {
		straight[i] = i
	}
	want := sorted.ByName(build(straight))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		o := build(rnd.Perm(n))
		before := bytes.Clone(o.AppendWire(nil))
		got := sorted.ByName(o)
		if !bytes.Equal(o.AppendWire(nil), before) {
			t.Fatal("the argument changed")
		}
		for id, r := range got.All() {
			w, _ := want.Record(id)
			if got.Name(r.Name()) != want.Name(w.Name()) || !slices.Equal(r[1:], w[1:]) {
				t.Fatalf("type %d: got %s %v, want %s %v", id, got.Name(r.Name()), r[1:], want.Name(w.Name()), w[1:])
			}
		}
		if again := sorted.ByName(got); !bytes.Equal(again.AppendWire(nil), got.AppendWire(nil)) {
			t.Fatal("sorting the result changes it")
		}
	}
}

// TestSplit: ids of the base do not change, and own ids continue them.
func TestSplit(t *testing.T) {
	base := btf.New(binary.BigEndian, nil)
	base.Append(base.Strings.Add([]byte("z")), btf.Info(btf.KindInt, 0, false), 4, 32) // 1
	base.Append(base.Strings.Add([]byte("a")), btf.Info(btf.KindTypedef, 0, false), 1) // 2
	o := btf.New(binary.BigEndian, base)
	o.Append(o.Strings.Add([]byte("y")), btf.Info(btf.KindTypedef, 0, false), 4) // 3 -> 4
	o.Append(o.Strings.Add([]byte("a")), btf.Info(btf.KindTypedef, 0, false), 2) // 4 -> 3, a name of the base
	got := sorted.ByName(o)
	if got.Base != base || got.First() != 3 || got.Len() != 2 {
		t.Fatalf("got base %p, first %d, %d types, want %p, 3, 2", got.Base, got.First(), got.Len(), base)
	}
	for _, want := range []struct {
		id   btf.ID
		name string
		to   btf.ID
	}{{3, "a", 2}, {4, "y", 3}} {
		if r := got.At(want.id); got.Name(r.Name()) != want.name || r.Type() != want.to {
			t.Errorf("type %d: got %s of %d, want %s of %d", want.id, got.Name(r.Name()), r.Type(), want.name, want.to)
		}
	}
}

// TestLayout: the layout section stays the same.
func TestLayout(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	o.Layout = true
	o.Append(o.Strings.Add([]byte("b")), btf.Info(btf.KindInt, 0, false), 4, 32)
	o.Append(o.Strings.Add([]byte("a")), btf.Info(btf.KindInt, 0, false), 4, 32)
	wire := o.AppendWire(nil)
	wire[btf.LongHeaderLen+2*16+2] = 7 // flags of kind 0, which the encoder never writes
	got := parse(t, sorted.ByName(parse(t, wire, nil)).AppendWire(nil), nil)
	if !slices.Equal(names(got), []string{"a", "b"}) || !got.Layout || got.AppendWire(nil)[btf.LongHeaderLen+2*16+2] != 7 {
		t.Errorf("got %q, layout %t", names(got), got.Layout)
	}
}
