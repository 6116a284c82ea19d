package encoder_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden"
)

// featureSets are the sets that are compared: each feature alone, the default set without each of its features, the default set with each other
// feature, and all features except the one that needs memory for a whole image at a time.
func featureSets() []feature.Set {
	sets := []feature.Set{feature.None, feature.Default(), feature.All().Without(feature.ForceCUMerging)}
	for _, name := range feature.Names() {
		one, err := feature.FromNames([]string{name})
		if err != nil {
			panic(err)
		}
		sets = append(sets, one)
		if without := feature.Default()&^one | feature.None; without != feature.Default() {
			sets = append(sets, without)
		} else {
			sets = append(sets, feature.Default()|one)
		}
	}
	return sets
}

// featureKernels returns the lab kernels for which pahole encodes every set of features: those in the environment variable, separated
// by commas, by default the smallest one.
func featureKernels() []string {
	if list := os.Getenv("BTFBATCH_FEATURE_KERNELS"); list != "" {
		return strings.Split(list, ",")
	}
	return []string{"6.1-s390x"}
}

// eachFeatureKernel runs a test on each of these kernels.
func eachFeatureKernel(t *testing.T, test func(t *testing.T, f *elf.File)) {
	t.Helper()
	if testing.Short() {
		t.Skip("encoding whole kernels takes a while")
	}
	for _, kernel := range featureKernels() {
		t.Run(kernel, func(t *testing.T) {
			f, err := elf.Open(reference.Kernel(t, kernel))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			test(t, f)
		})
	}
}

// keptKernel is a kernel of the other byte order. The first three sets are compared on it, and the sets whose output the lab keeps.
const keptKernel = "6.12-cloud-amd64"

// TestFeatures: each feature switched on and off alone gives the types and strings of pahole, or an exception says why not. The lab keeps the
// output of pahole, because so many sets take minutes.
func TestFeatures(t *testing.T) {
	if testing.Short() {
		t.Skip("pahole takes seconds for a whole kernel")
	}
	exceptions, err := golden.ReadExceptions(filepath.Join("testdata", "exceptions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kernels := featureKernels()
	for _, kernel := range kernels {
		for _, set := range featureSets() {
			t.Run(kernel+"/"+setName(set), func(t *testing.T) { compareFeatures(t, kernel, set, exceptions) })
		}
	}
	if slices.Contains(kernels, keptKernel) {
		return
	}
	left := 0
	for i, set := range featureSets() {
		if i >= 3 && !reference.Keeps(t, keptKernel, set.Names(), "--lang_exclude=rust") {
			left++
			continue
		}
		t.Run(keptKernel+"/"+setName(set), func(t *testing.T) { compareFeatures(t, keptKernel, set, exceptions) })
	}
	if left > 0 {
		t.Run(keptKernel+"/others", func(t *testing.T) {
			t.Skipf("the lab does not keep pahole's output for %d sets; set BTFBATCH_FEATURE_KERNELS=%s to compare them", left, keptKernel)
		})
	}
}

func compareFeatures(t *testing.T, kernel string, set feature.Set, exceptions *golden.Exceptions) {
	f, err := elf.Open(reference.Kernel(t, kernel))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res, err := encoder.Encode(context.Background(), f, encoder.Options{Profile: encoder.Pahole, Features: set, LangExclude: []encoder.Language{0x1c}})
	if err != nil {
		t.Fatal(err)
	}
	got := res.Object.AppendWire(nil)
	want := reference.EncodeKernel(t, kernel, set.Names(), "--lang_exclude=rust")
	if equalSections(t, got, want) {
		return
	}
	file := filepath.Join(t.TempDir(), "peer.btf")
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	raw := filepath.Join(t.TempDir(), "golden")
	if err := os.WriteFile(raw, bpftool(t, "btf", "dump", "file", file, "format", "raw"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmp, err := golden.Compare(res.Object, raw, golden.Options{Image: kernel + "/" + setName(set), Exceptions: exceptions})
	if err != nil {
		t.Fatal(err)
	}
	if cmp.Verdict != golden.Accepted {
		t.Errorf("differs from pahole's: %s", told(cmp))
	}
}

// setName returns a name for a set. It is short if the set and the default set differ in one feature.
func setName(s feature.Set) string {
	switch added, left := s&^feature.Default(), feature.Default()&^s; {
	case s == feature.None:
		return "none"
	case left == 0 && added == 0:
		return "default"
	case left == 0:
		return "default+" + added.String()
	case added == 0 && len(left.Names()) == 1:
		return "default-" + left.String()
	}
	return s.String()
}

func equalSections(t *testing.T, a, b []byte) bool {
	at, as := sections(t, a)
	bt, bs := sections(t, b)
	return bytes.Equal(at, bt) && bytes.Equal(as, bs)
}

func bpftool(t *testing.T, args ...string) []byte {
	return peer(t, reference.Dir(t), "bpftool", args...)
}

// TestFeaturesSmall is TestFeatures on the committed images, which takes seconds.
func TestFeaturesSmall(t *testing.T) {
	for _, name := range imageNames(t) {
		if testing.Short() && !strings.HasSuffix(name, "x86_64-dwarf5-zerobased") {
			continue
		}
		image := read(t, imagePath(t, name))
		for _, set := range append(featureSets(), feature.All()) {
			t.Run(name+"/"+setName(set), func(t *testing.T) {
				t.Parallel()
				opt := likePeer()
				opt.Features = set
				want := reference.Encode(t, image, set.Names(), "--lang_exclude=rust")
				res, err := encodeBytes(image, opt)
				switch {
				case want == nil:
					if err == nil {
						t.Error("got BTF, want an error: the peer wrote nothing")
					}
				case err != nil:
					t.Error(err)
				case !equalSections(t, res.Object.AppendWire(nil), want):
					t.Error("differs from pahole's")
				}
			})
		}
	}
}

// TestLayoutSection: with the feature layout, the section of rule 02/8.1 is between types and strings. The pahole of the lab is linked with a
// libbpf that cannot write it.
func TestLayoutSection(t *testing.T) {
	table := [20][2]byte{ // by kind: bytes after the record, and per element
		1: {4, 0}, 3: {12, 0}, 4: {0, 12}, 5: {0, 12}, 6: {0, 8}, 13: {0, 8}, 14: {4, 0}, 15: {0, 12}, 17: {4, 0}, 19: {0, 12},
	}
	var want []byte
	for _, k := range table {
		want = append(want, k[0], k[1], 0, 0)
	}
	for _, name := range []string{"gcc12-x86_64-dwarf5-zerobased", "gcc12-s390x-dwarf5-based"} {
		image := read(t, imagePath(t, name))
		with, without := likePeer(), likePeer()
		with.Features = with.Features.With(feature.Layout)
		a, err := encodeBytes(image, with)
		if err != nil {
			t.Fatal(err)
		}
		b, err := encodeBytes(image, without)
		if err != nil {
			t.Fatal(err)
		}
		got, plain := a.Object.AppendWire(nil), b.Object.AppendWire(nil)
		if !equalSections(t, got, plain) {
			t.Errorf("%s: the layout section changes types or strings", name)
		}
		order := a.Object.Order
		at := 32 + order.Uint32(got[12:])
		if n := order.Uint32(got[4:]); n != 32 {
			t.Errorf("%s: header of %d bytes, want 32", name, n)
		}
		if off, n := order.Uint32(got[24:]), order.Uint32(got[28:]); off != order.Uint32(got[12:]) || n != 80 || order.Uint32(got[16:]) != off+n {
			t.Errorf("%s: layout at %d, %d bytes, strings at %d; want it behind %d bytes of types, 80 bytes, and the strings behind it", name,
				off, n, order.Uint32(got[16:]), order.Uint32(got[12:]))
		}
		if section := got[at : at+80]; !bytes.Equal(section, want) {
			t.Errorf("%s: layout section\ngot  %x\nwant %x", name, section, want)
		}
	}
}
