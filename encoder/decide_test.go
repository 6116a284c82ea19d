package encoder_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// decisions are those of one encoding, by name.
type decisions struct {
	funcs map[string]encoder.FuncDecision
	vars  map[string][]encoder.VarDecision
}

func (d *decisions) hooks() encoder.Hooks {
	d.funcs, d.vars = map[string]encoder.FuncDecision{}, map[string][]encoder.VarDecision{}
	return encoder.Hooks{
		OnFunc: func(f encoder.FuncDecision) { d.funcs[f.Name] = f },
		OnVar:  func(v encoder.VarDecision) { d.vars[v.Name] = append(d.vars[v.Name], v) },
	}
}

// sameDecisions compares what DecideName decides about names with all decisions of an encoding.
func sameDecisions(t *testing.T, f *elf.File, opt encoder.Options, step int) (compared int) {
	t.Helper()
	first, err := encoder.Encode(context.Background(), f, opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Profile = encoder.Pahole
	var all decisions
	e := encoder.Encoder{Options: opt, Hooks: all.hooks()}
	if _, err := e.Encode(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	// The rarest reasons come first, so that every reason is compared.
	seen := map[any]int{}
	names := []string{"no_such_name"}
	for i, name := range slices.Sorted(maps.Keys(all.funcs)) {
		reason := all.funcs[name].Reason
		if seen[reason]++; seen[reason] <= 3 || i%step == 0 {
			names = append(names, name)
		}
	}
	for i, name := range slices.Sorted(maps.Keys(all.vars)) {
		reason := all.vars[name][0].Reason
		if seen[reason]++; name != "" && (seen[reason] <= 3 || i%step == 0) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		var some decisions
		e.Hooks = some.hooks()
		if err := e.DecideName(context.Background(), f, name, first); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if some.funcs[name] != all.funcs[name] || !slices.Equal(some.vars[name], all.vars[name]) {
			t.Errorf("%s: got %+v and %+v, want %+v and %+v", name, some.funcs[name], some.vars[name], all.funcs[name], all.vars[name])
		}
		if len(some.funcs) > len(all.funcs)/2 && len(all.funcs) > 1000 {
			t.Errorf("%s: all units were read: got decisions about %d functions of %d", name, len(some.funcs), len(all.funcs))
		}
		compared++
	}
	return compared
}

// TestDecideName: the units that mention a name decide about it as all units do.
func TestDecideName(t *testing.T) {
	eachFeatureKernel(t, func(t *testing.T, f *elf.File) {
		opt := encoder.Options{Features: feature.Default(), LangExclude: []encoder.Language{0x1c}}
		t.Logf("%d names", sameDecisions(t, f, opt, 4000))
	})
}

// TestDecideNameSmall: a small image is read as a whole.
func TestDecideNameSmall(t *testing.T) {
	for _, name := range []string{"gcc12-x86_64-dwarf5-module", "gcc12-x86_64-dwarf5-dwarf64", "clang19-x86_64-dwarf5-lto"} {
		image := read(t, imagePath(t, name))
		f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
		if err != nil {
			t.Fatal(err)
		}
		if sameDecisions(t, f, encoder.Options{Features: feature.Default()}, 1) < 3 {
			t.Errorf("%s has too few names", name)
		}
	}
}
