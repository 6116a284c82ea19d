package dense

import (
	"bytes"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// images reads the BTF of the committed images.
func images(t testing.TB) map[string]*btf.Object {
	t.Helper()
	list := map[string]*btf.Object{}
	for name, data := range reference.Committed(t) {
		var err error
		if list[name], err = btf.Parse(data, nil); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// What is read back has the same dump, and is written the same.
func TestRoundTrip(t *testing.T) {
	for name, o := range images(t) {
		data, err := Append(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(data, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want, got := dump.AppendRaw(nil, o), dump.AppendRaw(nil, p); !bytes.Equal(got, want) {
			t.Errorf("%s: the dump differs", name)
		}
		if again, err := Append(nil, p); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s: %v, written again it differs", name, err)
		}
	}
}

// Split BTF keeps its first id, and must continue its base.
func TestSplit(t *testing.T) {
	base := images(t)["gcc12-x86_64-dwarf5-based.btf.golden"]
	base.Strings.Index()
	o := btf.New(base.Order, base)
	o.Append(o.Strings.Add([]byte("mine")), btf.Info(btf.KindTypedef, 0, false), 1)
	data, err := Append(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(data, base)
	if err != nil || !bytes.Equal(dump.AppendRaw(nil, p), dump.AppendRaw(nil, o)) {
		t.Errorf("%v: the dump differs", err)
	}
	other := btf.New(base.Order, nil)
	if _, err := Parse(data, other); err == nil {
		t.Error("it was read with another base")
	}
}

// A golden that is damaged at any place is an error, or says something else; it never ends the program.
func TestDamage(t *testing.T) {
	o := images(t)["gcc12-s390x-dwarf5-based.btf.golden"]
	data, err := Append(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		if _, err := Parse(data[:i], nil); err == nil {
			t.Fatalf("cut at %d of %d bytes, it was read", i, len(data))
		}
		bad := bytes.Clone(data)
		bad[i] ^= 0x55
		if p, err := Parse(bad, nil); err == nil {
			if again, err := Append(nil, p); err != nil || bytes.Equal(again, data) {
				t.Errorf("byte %d changed: %v, and nothing is different", i, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := Append(nil, images(f)["gcc12-s390x-dwarf5-based.btf.golden"])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Parse(data, nil)
		if err != nil {
			return
		}
		first, err := Append(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(first, nil)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Append(nil, p); err != nil || !bytes.Equal(again, first) {
			t.Errorf("%v, written again it differs", err)
		}
		if !bytes.Equal(dump.AppendRaw(nil, o), dump.AppendRaw(nil, p)) {
			t.Error("the dump differs")
		}
	})
}
