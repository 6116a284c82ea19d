package encoder_test

import (
	"context"
	"debug/dwarf"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// warningsOf encodes an image with 1, 2 and 7 workers, with the fast path and the exact engine. It returns the warnings, which must be the same.
func warningsOf(t *testing.T, image []byte, profile encoder.Profile) []encoder.Warning {
	t.Helper()
	var all [][]encoder.Warning
	for _, opt := range []encoder.Encoder{{Workers: 1}, {Workers: 2}, {Workers: 7}, {Workers: 1, Exact: true}, {Workers: 2, Paranoid: true},
		{Workers: 2, VerifyDedup: true}} {
		opt.Profile, opt.Features = profile, feature.Default()
		res, err := encodeBytes(image, opt)
		if err != nil {
			t.Fatalf("%+v: %v", opt, err)
		}
		all = append(all, res.Warnings)
	}
	for i := range all {
		if !reflect.DeepEqual(all[i], all[0]) {
			t.Fatalf("run %d: got warnings %v, want %v", i, all[i], all[0])
		}
	}
	return all[0]
}

// TestWarnings: a finding that several units include from one header counts once, and findings without a name count each. The number of examples is
// bounded, and they are in the order of the units.
func TestWarnings(t *testing.T) {
	b := synth.New(synth.Target{})
	for i := range 30 {
		cu := b.CU(fmt.Sprintf("drivers/unit%d.c", i), synth.C11)
		n := cu.Base("int", 4, synth.Signed)
		cu.Struct("same", 4, synth.Member{Name: "a", Type: n})
		cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
	}
	got := warningsOf(t, b.Bytes(), encoder.Default)
	if len(got) != 2 || got[0].Rule != encoder.RuleReduced || got[1].Rule != "nameless-declaration" {
		t.Fatalf("got warnings %v, want those of two rules", got)
	}
	w := got[1]
	if w.Count != 30 || len(w.Examples) != 20 {
		t.Errorf("got %d findings and %d examples, want 30 and 20", w.Count, len(w.Examples))
	}
	for i, text := range w.Examples {
		if want := fmt.Sprintf("CU %d (drivers/unit%d.c): .debug_info+0x", i, i); !strings.HasPrefix(text, want) {
			t.Errorf("example %d: got %q, want it to begin with %q", i, text, want)
		}
	}
}

// TestNoWarnings: images of C compilers give no warnings.
func TestNoWarnings(t *testing.T) {
	for _, name := range imageNames(t) {
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			f, err := elf.Open(imagePath(t, name))
			if err != nil {
				t.Fatal(err)
			}
			res, err := encoder.Encode(context.Background(), f, encoder.Options{Profile: profile, Features: feature.Default()})
			f.Close()
			if err == nil && len(res.Warnings) != 0 {
				t.Errorf("%s, profile %d: got warnings %v, want none", name, profile, res.Warnings)
			}
		}
	}
}

// unusualWarnings encodes an image of corpus/unusual in the profile default and returns the warnings by rule.
func unusualWarnings(t *testing.T, name string) map[string]encoder.Warning {
	t.Helper()
	list := map[string]encoder.Warning{}
	for _, w := range warningsOf(t, read(t, filepath.Join(unusualFolder, name+".elf")), encoder.Default) {
		list[w.Rule] = w
	}
	return list
}

// TestReducedDebugInfo: if most structs of an image are only declared, there is a warning with their number.
func TestReducedDebugInfo(t *testing.T) {
	const want = "3 of 4 structs are declarations only (DEBUG_INFO_REDUCED?); members that hold one: 1 (local.full)"
	if got := unusualWarnings(t, "reduced")[encoder.RuleReduced]; got.Count != 1 || got.Examples[0] != want {
		t.Errorf("got %v, want %q", got, want)
	}
}

// TestDeclaredOnly: forward declarations alone give a warning only if there are many and they are the majority of the structs.
func TestDeclaredOnly(t *testing.T) {
	for _, x := range []struct {
		declared, defined int
		want              string
	}{
		{9, 0, ""},
		{10, 10, ""},
		{11, 10, "11 of 21 structs are declarations only (DEBUG_INFO_REDUCED?)"},
	} {
		b := synth.New(synth.Target{})
		cu := b.CU("a.c", synth.C11)
		n := cu.Base("int", 4, synth.Signed)
		for i := range x.defined {
			cu.Struct(fmt.Sprintf("defined%d", i), 4, synth.Member{Name: "a", Type: n})
		}
		for i := range x.declared {
			cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Str(dwarf.AttrName, synth.FormString, fmt.Sprintf("declared%d", i)),
				synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
		}
		image := b.Bytes()
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			got := ""
			for _, w := range warningsOf(t, image, profile) {
				got = w.Examples[0]
			}
			if got != x.want {
				t.Errorf("%d declared, %d defined, profile %d: got %q, want %q", x.declared, x.defined, profile, got, x.want)
			}
		}
	}
}

// TestWarningsOfUnitsReadTwice: a unit that is translated again because of ambiguous names gives its warnings once.
func TestWarningsOfUnitsReadTwice(t *testing.T) {
	b := synth.New(synth.Target{})
	for i := range 6 {
		cu := b.CU(fmt.Sprintf("unit%d.c", i), synth.C11)
		n, l := cu.Base("int", 4, synth.Signed), cu.Base("long", 8, synth.Signed)
		var w *synth.DIE
		switch i % 3 {
		case 0:
			w = cu.Struct("wild", 4, synth.Member{Name: "a", Type: n})
		case 1:
			w = cu.Struct("wild", 8, synth.Member{Name: "a", Type: l})
		default:
			w = cu.Forward(dwarf.TagStructType, "wild")
		}
		cu.Struct("user", 8, synth.Member{Name: "w", Type: cu.Pointer(w)})
		cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
	}
	image := b.Bytes()
	res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	twice := false
	for _, p := range res.Phases {
		twice = twice || p.Name == "ambiguous names"
	}
	if !twice {
		t.Fatal("no unit was translated twice")
	}
	for _, w := range warningsOf(t, image, encoder.Default) {
		if w.Rule == "nameless-declaration" && w.Count != 6 {
			t.Errorf("got %d findings, want 6", w.Count)
		}
	}
}
