package encoder_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden"
)

// TestAsPeer: modules of some machines the peer does not relocate, or wrongly. The default profile does, and gives the types and
// functions that another module of the same source has, which the peer does relocate.
func TestAsPeer(t *testing.T) {
	for name, right := range map[string]string{
		"gcc12-mips64el-dwarf5-module": "gcc12-mips64-dwarf5-module",
		"gcc12-hppa-dwarf5-module":     "gcc12-mips-dwarf5-module",
		"gcc12-hppa64-dwarf5-module":   "gcc12-sparc64-dwarf5-module",
		"gcc12-sh4-dwarf5-module":      "gcc12-i386-dwarf5-module", // of which a u64 is aligned otherwise
	} {
		image := read(t, imagePath(t, name))
		res, err := encodeBytes(image, likePeer())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := res.Object.AppendWire(nil), read(t, filepath.Join(imageFolder, name+".btf.golden")); !bytes.Equal(got, want) {
			t.Errorf("%s, profile pahole: got %d bytes that are not the %d of the golden", name, len(got), len(want))
		}
		if res, err = encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}}); err != nil {
			t.Fatal(err)
		}
		want, err := btf.Parse(read(t, filepath.Join(imageFolder, right+".btf.golden")), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range golden.Diff(want, res.Object).Changes {
			if strings.Contains(name, "sh4") && (c.Kind == btf.KindDatasec || c.Kind == btf.KindVar && c.Name == "packets") {
				continue // its offset
			}
			t.Errorf("%s, profile default: %v %s %q against %s", name, c.Op, c.Kind, c.Name, right)
		}
	}
}

// TestStopsAsPeer: where the linker dropped a function of MIPS, but not all of its relocations, the peer relocates no debug section.
// The default profile does, and has the per-CPU variables.
func TestStopsAsPeer(t *testing.T) {
	for _, name := range []string{"gcc12-mips-dwarf5-twice", "gcc12-mipsel-dwarf5-twice"} {
		res, err := encodeBytes(read(t, imagePath(t, name)), encoder.Encoder{Options: encoder.Options{Features: feature.Default()}})
		if err != nil {
			t.Fatal(err)
		}
		peer, err := btf.Parse(read(t, filepath.Join(imageFolder, name+".btf.golden")), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range golden.Diff(peer, res.Object).Changes {
			got = append(got, fmt.Sprintf("%v %s %s", c.Op, c.Kind, c.Name))
		}
		slices.Sort(got)
		if want := []string{"added DATASEC .data..percpu", "added VAR counter", "added VAR other"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
