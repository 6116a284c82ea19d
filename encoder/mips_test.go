package encoder_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden"
)

// TestAsPeer: the peer does not relocate modules of little-endian 64-bit MIPS. The default profile does, and gives the types and
// functions that the big-endian module of the same source has, which the peer does relocate.
func TestAsPeer(t *testing.T) {
	image := read(t, imagePath(t, "gcc12-mips64el-dwarf5-module"))
	res, err := encodeBytes(image, likePeer())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Object.AppendWire(nil), read(t, filepath.Join(imageFolder, "gcc12-mips64el-dwarf5-module.btf.golden")); !bytes.Equal(got, want) {
		t.Errorf("profile pahole: got %d bytes that are not the %d of the golden", len(got), len(want))
	}
	if res, err = encodeBytes(image, encoder.Options{Features: feature.Default()}); err != nil {
		t.Fatal(err)
	}
	want, err := btf.Parse(read(t, filepath.Join(imageFolder, "gcc12-mips64-dwarf5-module.btf.golden")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Diff(want, res.Object).Changes {
		t.Errorf("profile default: %v %s %q against the big-endian module", c.Op, c.Kind, c.Name)
	}
}
