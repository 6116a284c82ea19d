package encoder_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// encodeDriver encodes the committed module of an architecture with the BTF of its kernel as base. golden is the BTF of pahole.
func encodeDriver(t *testing.T, arch string, profile encoder.Profile) (o *btf.Object, golden []byte) {
	t.Helper()
	images := filepath.Join("..", "corpus", "images")
	wire, err := os.ReadFile(filepath.Join(images, "gcc12-"+arch+"-dwarf5-based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	base, err := btf.Parse(wire, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(filepath.Join(images, "gcc12-"+arch+"-dwarf5-driver.ko"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	view, err := btf.Skim(wire)
	if err != nil {
		t.Fatal(err)
	}
	var results []*btf.Object
	for _, b := range []*encoder.Base{encoder.NewBase(base), encoder.NewLazyBase(view)} {
		res, err := (&encoder.Encoder{Options: encoder.Options{Profile: profile, Features: feature.Default()}, Base: b}).Encode(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Object().AppendWire(nil), wire) {
			t.Error("the base was changed")
		}
		results = append(results, res.Object)
	}
	if !bytes.Equal(results[0].AppendWire(nil), results[1].AppendWire(nil)) {
		t.Errorf("%s: with a lazy base, the BTF is different:\n%s", arch, dump.AppendRaw(nil, results[1]))
	}
	if golden, err = os.ReadFile(filepath.Join(images, "gcc12-"+arch+"-dwarf5-driver.split.golden")); err != nil {
		t.Fatal(err)
	}
	return results[0], golden
}

// TestSplit: the split BTF of the committed modules is the same as that of pahole.
func TestSplit(t *testing.T) {
	for _, arch := range []string{"x86_64", "i386", "s390x"} {
		o, want := encodeDriver(t, arch, encoder.Pahole)
		if !bytes.Equal(o.AppendWire(nil), want) {
			t.Errorf("%s: it is not the peer's:\n%s", arch, dump.AppendRaw(nil, o))
		}
	}
}

// TestSplitTypedefs: in split BTF, pahole never uses a typedef of the base (rule 03/11), so it repeats typedefs and the types that refer to them. The
// profile default repeats neither, and has only the types that the base lacks.
func TestSplitTypedefs(t *testing.T) {
	for _, arch := range []string{"x86_64", "i386", "s390x"} {
		peer, _ := encodeDriver(t, arch, encoder.Pahole)
		o, _ := encodeDriver(t, arch, encoder.Default)
		if n := typedefs(peer); n < 6 {
			t.Errorf("%s: the profile pahole has %d typedefs, want the module's 6 or more", arch, n)
		}
		if n := typedefs(o); n != 0 {
			t.Errorf("%s: the default profile has %d typedefs, want none: the base has them all\n%s", arch, n, dump.AppendRaw(nil, o))
		}
		if o.Len() >= peer.Len() {
			t.Errorf("%s: got %d types, the peer's rule gives %d", arch, o.Len(), peer.Len())
		}
		if err := o.CheckReferences(); err != nil {
			t.Errorf("%s: %v", arch, err)
		}
	}
}

func typedefs(o *btf.Object) (n int) {
	for _, r := range o.All() {
		if r.Kind() == btf.KindTypedef {
			n++
		}
	}
	return n
}
