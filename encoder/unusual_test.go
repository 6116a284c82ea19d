package encoder_test

import (
	"bytes"
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

const unusualFolder = "../corpus/unusual"

// unusual has the expected results for the images of corpus/unusual. In the profile pahole: the bytes of NAME.btf.golden, or an error if pahole
// writes nothing. In the profile default: the types of another image from the same sources, in any order.
var unusual = []struct {
	name    string
	image   string   // NAME if empty; .elf is added if it has no extension
	exclude []string // languages to leave out
	peer    string   // part of the error in the profile pahole; empty if there is a golden
	like    string   // image with the same types in the profile default; empty if types are not compared
	but     []string // names of types in which the two may differ
	fails   string   // part of the error in the profile default; empty if there is none
}{
	{name: "plain"},
	{name: "clang"},
	{name: "lto"},
	{name: "lto-note0"},
	{name: "note1", like: "plain"},
	{name: "dwz", like: "plain"},
	{name: "dwz-note0", like: "plain"},
	{name: "dwz-multi", like: "plain"},
	{name: "types4", like: "plain"},
	{name: "types5", like: "plain"},
	{name: "stub"},
	{name: "stub4", like: "stub"},
	{name: "stub5", like: "stub"},
	{name: "groups"},
	{name: "groups4", like: "groups"},
	{name: "groups5", like: "groups"},
	{name: "groups4-zlib", like: "groups"},
	{name: "partial"},
	{name: "partial4", like: "partial"},
	{name: "partial5", like: "partial"},
	{name: "waiting"},
	{name: "waiting-zlib", like: "waiting"},
	{name: "waiting4", like: "waiting"},
	{name: "waiting-hidden", like: "waiting", peer: "no DWARF"},
	{name: "waiting-fat", like: "groups"},
	{name: "split4", like: "plain", peer: "no types"},
	{name: "split5", like: "plain", peer: "no types"},
	{name: "package4", like: "plain", peer: "no types"},
	{name: "package5", like: "clang", peer: "no types", but: []string{"DW_ATE_signed_32", "DW_ATE_unsigned_32", "DW_ATE_unsigned_9"}},
	{name: "splittypes4", peer: "no types", fails: "type units in split DWARF are not supported"},
	{name: "splittypes5", peer: "no types", fails: "type units in split DWARF are not supported"},
	{name: "packagetypes4", peer: "no types", fails: "type units in split DWARF are not supported"},
	{name: "gdbindex", like: "clang"},
	{name: "cxx", like: "", peer: "BTF cannot express tag 0x1f"},
	{name: "cxx-without", image: "cxx", exclude: []string{"c++14"}},
	{name: "rust"},
	{name: "rust-without", image: "rust", exclude: []string{"rust"}},
	{name: "atomic", like: "atomic-plain", peer: "BTF cannot express tag 0x47"},
	{name: "atomic-plain"},
	{name: "complex", peer: "BTF cannot express complex and imaginary floats"},
	{name: "reduced", peer: "declaration of a struct or union has no name"},
	{name: "ptrauth"},
	{name: "annot"},
	{name: "bitint"},
	{name: "nullptr"},
	{name: "nullptr-clang"},
	{name: "dollar"},
	{name: "empty", like: "plain", peer: "the unit is empty"},
	{name: "zdebug", like: "plain"},
	{name: "zlib", like: "plain"},
	{name: "zstd", like: "plain"},
	{name: "emitrelocs", like: "plain"},
	{name: "buildid", like: "plain"},
	{name: "debuglink", like: "plain"},
	{name: "kfuncs-linked"},
	{name: "kfuncs", like: "kfuncs-linked"},
	{name: "program"},
	{name: "sections", image: "sections.o.gz"},
	{name: "nosymtab", like: "plain", peer: "no symbol table"},
}

// encodeUnusual encodes an image of corpus/unusual.
func encodeUnusual(t *testing.T, image string, exclude []string, profile encoder.Profile, workers int) (*btf.Object, error) {
	t.Helper()
	if filepath.Ext(image) == "" {
		image += ".elf"
	}
	f, err := elf.Open(filepath.Join(unusualFolder, image))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	langs, err := encoder.ParseLanguages(exclude)
	if err != nil {
		t.Fatal(err)
	}
	opt := encoder.Encoder{Options: encoder.Options{Profile: profile, Features: feature.Default(), LangExclude: langs}, DebugRoots: []string{unusualFolder}, Workers: workers}
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		return nil, err
	}
	return res.Object, nil
}

// TestUnusualPeer: in the profile pahole every unusual image gives the bytes of pahole, or an error if pahole writes nothing.
func TestUnusualPeer(t *testing.T) {
	for _, row := range unusual {
		image := row.image
		if image == "" {
			image = row.name
		}
		for _, workers := range []int{1, 2, 7} {
			o, err := encodeUnusual(t, image, row.exclude, encoder.Pahole, workers)
			switch {
			case row.peer != "":
				if err == nil || !strings.Contains(err.Error(), row.peer) {
					t.Errorf("%s: got error %v, want %q", row.name, err, row.peer)
				}
			case err != nil:
				t.Errorf("%s: %v", row.name, err)
			default:
				want := read(t, filepath.Join(unusualFolder, row.name+".btf.golden"))
				if got := o.AppendWire(nil); !bytes.Equal(got, want) {
					t.Errorf("%s, %d workers: got %d bytes, want the %d of the golden; they differ from byte %d on",
						row.name, workers, len(got), len(want), firstDifference(got, want))
				}
			}
		}
	}
}

// TestUnusualDefault: in the profile default every unusual image gives the types of its sources, and the newest kernel accepts them.
func TestUnusualDefault(t *testing.T) {
	for _, row := range unusual {
		image := row.image
		if image == "" {
			image = row.name
		}
		o, err := encodeUnusual(t, image, row.exclude, encoder.Default, 2)
		if row.fails != "" {
			if err == nil || !strings.Contains(err.Error(), row.fails) {
				t.Errorf("%s: got error %v, want %q", row.name, err, row.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		kernels := verify.Kernels()
		if err := verify.Check(o.AppendWire(nil), verify.Options{Kernel: kernels[len(kernels)-1], Path: verify.Vmlinux}); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if row.like == "" {
			continue
		}
		want, err := encodeUnusual(t, row.like, nil, encoder.Default, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences(want, o) {
			if !slices.Contains(row.but, d[strings.LastIndexByte(d, ' ')+1:]) {
				t.Errorf("%s: %s, against %s", row.name, d, row.like)
			}
		}
	}
}

// TestUnusualFolder: each image of the folder has a row here and in README.md.
func TestUnusualFolder(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(unusualFolder, "*.elf"))
	if err != nil {
		t.Fatal(err)
	}
	paths = append(paths, filepath.Join(unusualFolder, "sections.o.gz"))
	readme := string(read(t, filepath.Join(unusualFolder, "README.md")))
	for _, path := range paths {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		found := name == "dwz-sup" // TestSupplementaryOfDWARF5
		for _, row := range unusual {
			found = found || row.name == name
		}
		if !found {
			t.Errorf("%s: no row", name)
		}
		if n := strings.Count(readme, "\n| `"+name+"` |"); n != 1 {
			t.Errorf("%s: got %d rows in README.md, want 1", name, n)
		}
	}
	if len(paths) < 20 {
		t.Errorf("got %d images, want more", len(paths))
	}
}

// TestSupplementaryOfDWARF5: pahole crashes on such a pair, so both profiles give the same BTF.
func TestSupplementaryOfDWARF5(t *testing.T) {
	want := read(t, filepath.Join(unusualFolder, "dwz-multi.btf.golden"))
	for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
		o, err := encodeUnusual(t, "dwz-sup", nil, profile, 2)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := btf.Parse(want, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences(parsed, o) {
			t.Errorf("profile %d: %s, against dwz-multi", profile, d)
		}
	}
}

// typeNamed returns the first type with a kind and name.
func typeNamed(t *testing.T, o *btf.Object, k btf.Kind, name string) btf.Record {
	t.Helper()
	for _, r := range o.All() {
		if r.Kind() == k && o.Name(r.Name()) == name {
			return r
		}
	}
	t.Fatalf("no %s %q", k, name)
	return nil
}

// follow follows references from a record through types of the given kinds.
func follow(t *testing.T, o *btf.Object, id uint32, kinds ...btf.Kind) btf.Record {
	t.Helper()
	for i, k := range kinds {
		if id == 0 {
			t.Fatalf("void at step %d, want %s", i, k)
		}
		r := o.At(btf.ID(id))
		if r.Kind() != k {
			t.Fatalf("got %s at step %d, want %s", r.Kind(), i, k)
		}
		if i == len(kinds)-1 {
			return r
		}
		id = r[2]
	}
	return nil
}

// TestCxx: references become pointers, pointers to members keep their size, and names become identifiers.
func TestCxx(t *testing.T) {
	o, err := encodeUnusual(t, "cxx", nil, encoder.Default, 1)
	if err != nil {
		t.Fatal(err)
	}
	proto := follow(t, o, typeNamed(t, o, btf.KindFunc, "cxx_sum")[2], btf.KindFuncProto)
	if got := o.Name(follow(t, o, proto.Elem(0)[1], btf.KindPtr, btf.KindStruct).Name()); got != "leaf" {
		t.Errorf("first parameter: got a pointer to %q, want to leaf", got)
	}
	if got := o.Name(follow(t, o, proto.Elem(1)[1], btf.KindPtr, btf.KindConst, btf.KindStruct).Name()); got != "derived" {
		t.Errorf("second parameter: got a pointer to const %q, want to derived", got)
	}
	if got := follow(t, o, typeNamed(t, o, btf.KindTypedef, "member_t")[2], btf.KindStruct).Size(); got != 8 {
		t.Errorf("pointer to member: got %d bytes, want 8", got)
	}
	typeNamed(t, o, btf.KindStruct, "box_inner__leaf_")
}

// TestRust: names of types become identifiers.
func TestRust(t *testing.T) {
	o, err := encodeUnusual(t, "rust", nil, encoder.Default, 1)
	if err != nil {
		t.Fatal(err)
	}
	typeNamed(t, o, btf.KindStruct, "Pair_u64_")
	typeNamed(t, o, btf.KindStruct, "_str")
	typeNamed(t, o, btf.KindFunc, "rust_area")
}

// TestComplex: complex floats become integers, like all floats without the feature float.
func TestComplex(t *testing.T) {
	o, err := encodeUnusual(t, "complex", nil, encoder.Default, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := typeNamed(t, o, btf.KindInt, "complex double").Size(); got != 16 {
		t.Errorf("got %d bytes, want 16", got)
	}
	typeNamed(t, o, btf.KindFloat, "double")
}

// TestDebugFileMissing: the error for an image without DWARF lists the places that were searched for its debug file. A wrong file is not used.
func TestDebugFileMissing(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "debuglink.elf")
	if err := os.WriteFile(image, read(t, filepath.Join(unusualFolder, "debuglink.elf")), 0o600); err != nil {
		t.Fatal(err)
	}
	encode := func() error {
		f, err := elf.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = (&encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, DebugRoots: []string{filepath.Join(dir, "root")}}).Encode(context.Background(), f)
		return err
	}
	if err := encode(); !errors.Is(err, encoder.ErrNoDWARF) || !errors.Is(err, debugfile.ErrNotFound) || !strings.Contains(err.Error(), filepath.Join(".debug", "debuglink.debug")) {
		t.Errorf("got error %v, want one that names .debug/debuglink.debug", err)
	}
	other := read(t, filepath.Join(unusualFolder, "plain.elf"))
	if err := os.WriteFile(filepath.Join(dir, "debuglink.debug"), other, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := encode(); !errors.Is(err, debugfile.ErrNotFound) || !strings.Contains(err.Error(), "checksum is") {
		t.Errorf("got error %v, want one about the checksum", err)
	}
}

// TestManySections: a linked image can have more sections than 16 bits can count. Larger section numbers are stored elsewhere. corpus/unusual has
// a relocatable image of this kind.
func TestManySections(t *testing.T) {
	b := synth.New(synth.Target{Class: stdelf.ELFCLASS64, Order: binary.LittleEndian, Machine: stdelf.EM_X86_64, Type: stdelf.ET_EXEC, DWARF: 5})
	for range 65300 {
		b.Section(".fill", stdelf.SHT_PROGBITS, stdelf.SHF_ALLOC, 0, nil)
	}
	text, percpu := b.Text(".text", 0x10000, 0x100), b.Data(".data..percpu", 0x20000, 64)
	cu := b.CU("a.c", synth.C11, synth.Producer("GNU C11 12.2.0"))
	i := cu.Base("int", 4, synth.Signed)
	cu.Var("count", i, percpu.At(8)).External()
	cu.Func("start", text.At(16), 8, i)
	b.Symbol("count", percpu.At(8), 4, stdelf.STT_OBJECT)
	b.Symbol("start", text.At(16), 8, stdelf.STT_FUNC)
	image := b.Bytes()
	opt := likePeer()
	res, err := encodeBytes(image, opt)
	if err != nil {
		t.Fatal(err)
	}
	typeNamed(t, res.Object, btf.KindVar, "count")
	typeNamed(t, res.Object, btf.KindFunc, "start")
	t.Run("peer", func(t *testing.T) {
		if want := reference.Encode(t, image, []string{"default"}); !bytes.Equal(res.Object.AppendWire(nil), want) {
			t.Error("the peer's bytes differ")
		}
	})
}

// TestMerged: force_cu_merging gives the bytes of pahole, and languages are left out unit by unit.
func TestMerged(t *testing.T) {
	for _, row := range []struct {
		image   string
		exclude string
	}{
		{"plain.elf", ""}, {"note1.elf", ""}, {"cxx.elf", "c++14"}, {"rust.elf", "rust"}, {"rust.elf", ""}, {"types5.elf", ""}, {"gdbindex.elf", ""},
		{"rust.elf", "c11"}, // the language of the first unit: all units are left out
	} {
		t.Run(row.image+" "+row.exclude, func(t *testing.T) {
			image := read(t, filepath.Join(unusualFolder, row.image))
			opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default().With(feature.ForceCUMerging)}}
			var args []string
			if row.exclude != "" {
				args = append(args, "--lang_exclude="+row.exclude)
				opt.LangExclude, _ = encoder.ParseLanguages([]string{row.exclude})
			}
			want := reference.Encode(t, image, []string{"default", "force_cu_merging"}, args...)
			res, err := encodeBytes(image, opt)
			switch {
			case want == nil:
				if !errors.Is(err, encoder.ErrNoTypes) {
					t.Errorf("got error %v, want that there are no types: the peer wrote nothing", err)
				}
			case err != nil:
				t.Error(err)
			case !bytes.Equal(res.Object.AppendWire(nil), want):
				t.Error("the peer's bytes differ")
			}
		})
	}
}

// FuzzUnusual: a damaged unusual image gives an error or BTF in both profiles, and never breaks an invariant.
func FuzzUnusual(f *testing.F) {
	for _, name := range []string{"lto", "dwz", "types4", "types5", "cxx", "rust", "atomic", "gdbindex", "split5"} {
		image, err := os.ReadFile(filepath.Join(unusualFolder, name+".elf"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(image)
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			opt := encoder.Encoder{Options: encoder.Options{Profile: profile, Features: feature.Default()}, DebugRoots: []string{}, Workers: 1}
			if _, err := encodeBytes(image, opt); err != nil && strings.Contains(err.Error(), "internal error") {
				t.Errorf("profile %d: %v", profile, err)
			}
		}
	})
}
