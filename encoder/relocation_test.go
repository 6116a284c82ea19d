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
	"github.com/btfbatch/btfbatch/golden/cause"
)

// TestAsPeer: pahole does not relocate modules of some machines, or relocates them wrongly. The profile default relocates them. It gives the same
// types and functions as for a module of the same source that pahole relocates correctly.
func TestAsPeer(t *testing.T) {
	for name, right := range map[string]string{
		"gcc12-mips64el-dwarf5-module": "gcc12-mips64-dwarf5-module",
		"gcc12-hppa-dwarf5-module":     "gcc12-mips-dwarf5-module",
		"gcc12-hppa64-dwarf5-module":   "gcc12-sparc64-dwarf5-module",
		"gcc12-sh4-dwarf5-module":      "gcc12-i386-dwarf5-module", // where u64 has another alignment
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
		for _, d := range differences(want, res.Object) {
			if strings.Contains(name, "sh4") && (strings.Contains(d, " section ") || strings.HasSuffix(d, " var packets")) {
				continue // its offset differs
			}
			t.Errorf("%s, profile default: %s, against %s", name, d, right)
		}
	}
}

// TestStopsAsPeer: if the linker removed a function of MIPS but not all of its relocations, pahole relocates no debug section. The profile default
// relocates them, and has the per-CPU variables.
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
		got := differences(peer, res.Object)
		slices.Sort(got)
		if want := []string{"added section .data..percpu", "added var counter", "added var other"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// differences lists the declarations that differ, and the differing types that no declaration needs, as "op kind name".
func differences(old, new *btf.Object) (list []string) {
	c := cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{Exact: true})
	for _, x := range c.Causes {
		if x.Kind != cause.Order {
			list = append(list, fmt.Sprintf("%s %s %s", x.Op, x.Kind, x.Name))
		}
		for _, m := range x.Members {
			if m.Part == cause.Ids && strings.Contains(m.New, "no declaration needs") {
				list = append(list, m.New)
			}
		}
	}
	for _, x := range c.Consequences {
		list = append(list, fmt.Sprintf("changed %s %s", x.Kind, x.Name))
	}
	return list
}
