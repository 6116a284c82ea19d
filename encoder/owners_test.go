package encoder

import (
	"context"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// TestPassesOnlyRead: neither the analysis of functions nor the join changes the result of translating a unit. The only allowed change is that
// the join resolves the references of a deviating CU. (The results of the class table need no test, because their fields are not exported.)
func TestPassesOnlyRead(t *testing.T) {
	images, err := filepath.Glob("../corpus/images/*.elf")
	if err != nil || len(images) == 0 {
		t.Fatalf("no images: %v", err)
	}
	compared := 0
	for _, path := range append(images, "internal/funcs/testdata/signature-clang19-x86_64.elf") {
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		opt := &Encoder{Options: Options{Features: feature.All().Without(feature.ForceCUMerging)}}
		var beside openFiles
		in, err := openImage(f, opt, &beside, true)
		if err != nil {
			f.Close() // the image needs other files
			continue
		}
		if !in.plan.exact {
			compared += unitsOnlyRead(t, path, in)
		}
		beside.close()
		f.Close()
	}
	if compared < 100 {
		t.Errorf("compared %d units, want more", compared)
	}
}

// unitsOnlyRead translates and joins units as the pipeline does, and compares their contents before and after. It returns the number of units.
func unitsOnlyRead(t *testing.T, path string, in *image) (n int) {
	t.Helper()
	a, opt := newAssembler(in, false), in.translateOptions(context.Background(), true)
	for r := in.d.Units(); ; n++ {
		var w worker
		var u unit
		more, err := r.Next(&w.raw)
		if err != nil || !more {
			return n
		}
		if err := w.raw.Open(); err != nil {
			t.Fatal(err)
		}
		if w.raw.Empty != dwarf.NotEmpty || in.mustMerge(w.raw.Uses()) || readsSplit(&w.raw, opt.Peer) {
			return n
		}
		if err := w.tr.CU(&w.raw, &in.d.Strings, opt, &u.types, &w.subs); err != nil {
			t.Fatal(err)
		}
		before := snapshot(&u.types, &w.subs)
		w.funcs.Analyze(&w.raw, &u.types, &w.subs, in.table, &u.funcs)
		if after := snapshot(&u.types, &w.subs); !reflect.DeepEqual(before, after) {
			t.Errorf("%s, unit %d: the analysis of functions changed what the translation returned", path, n)
		}
		lazy := u.types.LazyRefs
		if err := a.add(&u); err != nil {
			return n // it needs another plan
		}
		if after := snapshot(&u.types, &w.subs); u.types.LazyRefs == lazy && !reflect.DeepEqual(before, after) {
			t.Errorf("%s, unit %d: the join changed what the translation returned", path, n)
		}
	}
}

// snapshot copies the contents of a unit.
func snapshot(u *translate.Unit, fs *translate.Subprograms) []any {
	return []any{
		slices.Clone(u.Types.Words()), slices.Clone(u.Types.Starts()), slices.Clone(u.Dies), slices.Clone(u.Named),
		slices.Clone(u.Vars), slices.Clone(u.TypeTags), slices.Clone(u.VarTags), slices.Clone(u.Notes),
		slices.Clone(fs.Funcs), slices.Clone(fs.Params), slices.Clone(fs.Tags),
	}
}
