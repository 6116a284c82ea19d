package encoder_test

import (
	"bytes"
	"context"
	stdelf "debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// twoUnits is an image of two units, each with its own variable and type. If they are translated together, all types come before all variables.
func twoUnits(notes func(b *synth.Builder)) []byte {
	b := synth.New(synth.Target{})
	data := b.Data(".data..percpu", 0x20000, 64)
	for i, name := range []string{"first", "second"} {
		cu := b.CU(name+".c", synth.C11)
		place := data.At(uint64(8 + 16*i))
		cu.Var(name, cu.Struct(name+"_type", 4, synth.Member{Name: "a", Type: cu.Base("int", 4, synth.Signed)}), place)
		b.Symbol(name, place, 4, stdelf.STT_OBJECT)
	}
	if notes != nil {
		notes(b)
	}
	return b.Bytes()
}

// order returns the names of structs and variables, in the order of their ids.
func order(o *btf.Object) string {
	var names []string
	for _, r := range o.All() {
		if k := r.Kind(); k == btf.KindStruct || k == btf.KindVar {
			names = append(names, o.Name(r.Name()))
		}
	}
	return strings.Join(names, " ")
}

const (
	oneByOne = "first_type first second_type second"
	asOne    = "first_type second_type first second"
)

// TestLinkTimeNote: units are translated together if the first note of the right type and owner says that the kernel was linked with link-time
// optimisation, and not because of other notes.
func TestLinkTimeNote(t *testing.T) {
	const kernelLTO = 0x101
	const malformed = "malformed" // instead of an owner: value is the whole section
	on, off := []byte{1, 0, 0, 0}, []byte{0, 0, 0, 0}
	type note struct {
		owner string
		kind  uint32
		value []byte
	}
	for _, row := range []struct {
		name  string
		notes []note
		want  string
	}{
		{"none", nil, oneByOne},
		{"on", []note{{"Linux", kernelLTO, on}}, asOne},
		{"off", []note{{"Linux", kernelLTO, off}}, oneByOne},
		{"off twice", []note{{"Linux", kernelLTO, off}, {"Linux", kernelLTO, off}}, oneByOne},
		{"off, then on", []note{{"Linux", kernelLTO, off}, {"Linux", kernelLTO, on}}, asOne},
		{"on, then off", []note{{"Linux", kernelLTO, on}, {"Linux", kernelLTO, off}}, asOne},
		{"off, in 64 bits", []note{{"Linux", kernelLTO, append(off, on...)}}, oneByOne},
		{"behind others", []note{{"Xen", 1, on}, {"Linux", 0x100, on}, {"Linux", kernelLTO, on}}, asOne},
		{"of another owner", []note{{"GNU", kernelLTO, on}}, oneByOne},
		{"of an owner of the same length", []note{{"Linuy", kernelLTO, on}}, oneByOne},
		{"of no owner", []note{{"", kernelLTO, on}}, oneByOne},
		{"of another kind", []note{{"Linux", kernelLTO + 1, on}}, oneByOne},
		{"behind a section of malformed notes", []note{{malformed, 0, []byte{9, 0, 0, 0, 9}}, {"Linux", kernelLTO, on}}, asOne},
		{"behind a note that ends past its section", []note{{malformed, 0, []byte{9, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0}}, {"Linux", kernelLTO, on}}, asOne},
	} {
		image := twoUnits(func(b *synth.Builder) {
			for i, n := range row.notes {
				name := ".note." + string(rune('a'+i))
				if n.owner == malformed {
					b.Section(name, stdelf.SHT_NOTE, stdelf.SHF_ALLOC, 0, n.value)
					continue
				}
				b.Note(name, n.owner, n.kind, n.value)
			}
		})
		res, err := encodeBytes(image, likePeer())
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := order(res.Object); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
		t.Run(row.name, func(t *testing.T) {
			reference.Same(t, image, feature.Default().Names(), res.Object.AppendWire(nil), func(wire []byte) string {
				o, err := btf.Parse(wire, nil)
				if err != nil {
					return err.Error()
				}
				return string(dump.AppendRaw(nil, o))
			})
		})
	}
}

// TestMergedNames: of units that are translated together, pahole leaves out units by name only if it also leaves out languages.
func TestMergedNames(t *testing.T) {
	image := twoUnits(func(b *synth.Builder) { b.Note(".note.Linux", "Linux", 0x101, []byte{1, 0, 0, 0}) })
	const first, second = "first_type first", "second_type second"
	for _, row := range []struct {
		name   string
		prefix string
		langs  []string
		want   string // empty if there are no types
		right  string // the same for the profile default
	}{
		{"first.c without languages", "first.c", nil, asOne, second},
		{"second without languages", "second", nil, asOne, first},
		{"f without languages", "f", nil, asOne, second},
		{"all without languages", "", nil, "", ""}, // the merged unit has no name
		{"first.c and Rust", "first.c", []string{"rust"}, second, second},
		{"second and Rust", "second", []string{"rust"}, first, first},
		{"another and Rust", "third", []string{"rust"}, asOne, asOne},
		{"all and Rust", "", []string{"rust"}, "", ""},
	} {
		opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default(), UnitExclude: []string{row.prefix}}}
		args := []string{"--cu_exclude=" + row.prefix}
		if row.langs != nil {
			args = append(args, "--lang_exclude="+strings.Join(row.langs, ","))
			opt.LangExclude, _ = encoder.ParseLanguages(row.langs)
		}
		encode := func(profile encoder.Profile) (wire []byte, names string) {
			opt.Profile = profile
			res, err := encodeBytes(image, opt)
			if errors.Is(err, encoder.ErrNoTypes) {
				return nil, ""
			}
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			return res.Object.AppendWire(nil), order(res.Object)
		}
		if _, got := encode(encoder.Default); got != row.right {
			t.Errorf("%s, default profile: got %q, want %q", row.name, got, row.right)
		}
		opt.RulesOff = rules.NamesCount
		if _, got := encode(encoder.Pahole); got != row.right {
			t.Errorf("%s, without the rule: got %q, want %q", row.name, got, row.right)
		}
		opt.RulesOff = 0
		wire, got := encode(encoder.Pahole)
		if got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		t.Run(row.name, func(t *testing.T) {
			if want := reference.Encode(t, image, opt.Features.Names(), args...); !bytes.Equal(wire, want) {
				t.Errorf("got %d bytes that differ from the peer's %d", len(wire), len(want))
			}
		})
	}
}

// TestSplitPlaces: if the name of a split unit's file is absolute, the file is found there. Otherwise it is searched for in the folder of the
// compilation, and then in the folder of the image. At last its base name is searched for in the folder of the image.
func TestSplitPlaces(t *testing.T) {
	const id, file = 0x3fcbd9062e4c3112, "a-split5.dwo"
	dwo := read(t, filepath.Join(unusualFolder, file))
	for _, row := range []struct {
		name string
		dwo  func(dir string) string // the name in the image
		dir  func(dir string) string
		at   string // path of the file in dir; the image is in dir/image
		ok   bool
	}{
		{"absolute", func(dir string) string { return filepath.Join(dir, "far", "o", file) }, nil, "far/o", true},
		{"absolute, in the folder of the image only", func(dir string) string { return filepath.Join(dir, "far", "o", file) }, nil, "image", true},
		{"absolute, under the folder of the image", func(dir string) string { return filepath.Join(dir, "far", "o", file) }, nil, "image/o", false},
		{"from where it was compiled", func(string) string { return filepath.Join("o", file) }, func(dir string) string { return filepath.Join(dir, "far") }, "far/o", true},
		{"from the folder of the image", func(string) string { return filepath.Join("o", file) }, nil, "image/o", true},
		{"beside the image", func(string) string { return filepath.Join("o", file) }, nil, "image", true},
		{"elsewhere", func(string) string { return filepath.Join("o", file) }, nil, "far/o", false},
	} {
		dir := t.TempDir()
		compiled := "/nowhere"
		if row.dir != nil {
			compiled = row.dir(dir)
		}
		b := synth.New(synth.Target{})
		b.Text(".text", 0x10000, 0x100)
		b.Section(".debug_addr", stdelf.SHT_PROGBITS, 0, 0, append([]byte{0x84, 0, 0, 0, 5, 0, 8, 0}, make([]byte, 128)...))
		b.CU("", 0, synth.Skeleton(id), synth.With(synth.Num(synth.AttrAddrBase, synth.FormSecOffset, 8),
			synth.Str(0x76, synth.FormStrp, row.dwo(dir)), synth.Str(0x1b, synth.FormLineStrp, compiled)))
		image := filepath.Join(dir, "image", "x.elf")
		for path, data := range map[string][]byte{filepath.Join(dir, filepath.FromSlash(row.at), file): dwo, image: b.Bytes()} {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f, err := elf.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, DebugRoots: []string{}}).Encode(context.Background(), f)
		f.Close()
		switch {
		case !row.ok && (err == nil || !strings.Contains(err.Error(), "contents of the unit are elsewhere")):
			t.Errorf("%s: got error %v, want that the contents are elsewhere", row.name, err)
		case row.ok && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.ok && res.Object.Len() < 10:
			t.Errorf("%s: got %d types, want those of %s", row.name, res.Object.Len(), file)
		}
	}
}
