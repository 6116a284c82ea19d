package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestVariableCosts: the sizes of the sections add up to the difference between the BTF with all variables and that without variables.
func TestVariableCosts(t *testing.T) {
	for _, name := range imageNames(t) {
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			image := read(t, imagePath(t, name))
			f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
			if err != nil {
				t.Fatal(err)
			}
			opt := likePeer()
			opt.Profile = profile
			c, err := opt.VariableCosts(context.Background(), f)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.None.Vars != 0 || c.None.Datasecs != 0 {
				t.Errorf("%s: without variables, got %+v", name, c.None)
			}
			if c.PerCPU.Datasecs > 1 || c.PerCPU.Vars > c.All.Vars || c.All.Datasecs != len(c.Sections) {
				t.Errorf("%s: got %+v with per-CPU variables, %+v with all, in %d sections", name, c.PerCPU, c.All, len(c.Sections))
			}
			sum := c.None
			for _, s := range c.Sections {
				if s.Vars == 0 || s.TypeBytes < 12+28*s.Vars {
					t.Errorf("%s: section %s takes %+v", name, s.Name, s.Share)
				}
				sum.Vars += s.Vars
				sum.Datasecs += s.Datasecs
				sum.TypeBytes += s.TypeBytes
				sum.StringBytes += s.StringBytes
			}
			if sum != c.All {
				t.Errorf("%s, profile %d: the sections add up to %+v, want %+v", name, profile, sum, c.All)
			}
		}
	}
}

// TestVariableCostsLikeEncodings: the costs of one encoding are what three encodings give, also with section rules and with a base.
func TestVariableCostsLikeEncodings(t *testing.T) {
	rules := [][]encoder.SectionRule{nil, {{Section: ".data..percpu", NoDatasec: true}, {Section: ".data", DropSymbols: []string{"s*"}}}, {{Section: "*"}}}
	for _, name := range imageNames(t) {
		image := read(t, imagePath(t, name))
		f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
		if err != nil {
			t.Fatal(err)
		}
		opt := likePeer()
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			for i, r := range rules {
				opt.Profile, opt.Sections, opt.Base = profile, r, nil
				likeEncodings(t, fmt.Sprintf("%s, profile %s, rules %d", name, profile, i), f, &opt)
			}
		}
		opt.Features = opt.Features.Without(feature.Var)
		res, err := opt.Encode(context.Background(), f)
		if err != nil {
			continue
		}
		opt.Base = encoder.NewBase(res.Object)
		likeEncodings(t, name+", based on itself", f, &opt)
	}
}

// likeEncodings compares the costs with those of three encodings.
func likeEncodings(t *testing.T, what string, f *elf.File, opt *encoder.Encoder) {
	t.Helper()
	c, failure := opt.VariableCosts(context.Background(), f)
	none := opt.Features.Without(feature.Var, feature.GlobalVar, feature.Layout)
	for i, x := range []struct {
		name     string
		features feature.Set
	}{{"none", none}, {"per-CPU", none.With(feature.Var)}, {"all", none.With(feature.Var, feature.GlobalVar)}} {
		e := *opt
		e.Features = x.features
		res, err := e.Encode(context.Background(), f)
		if failure != nil && x.name == "all" && (err == nil || err.Error() != failure.Error()) {
			t.Errorf("%s: got error %v, want %v", what, failure, err)
		}
		if failure != nil || errors.Is(err, encoder.ErrNoTypes) {
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", what, x.name, err)
			continue
		}
		got, o := []encoder.Share{c.None, c.PerCPU, c.All}[i], res.Object
		want := encoder.Share{TypeBytes: 4 * o.WordCount(), StringBytes: len(o.Strings.Bytes())}
		var n encoder.Kinds
		for _, r := range o.All() {
			n[r.Kind()]++
		}
		want.Vars, want.Datasecs = n[btf.KindVar], n[btf.KindDatasec]
		if got != want || c.Kinds[i] != n {
			t.Errorf("%s, %s: got %+v and kinds %v, want %+v and %v", what, x.name, got, c.Kinds[i], want, n)
		}
	}
}

// TestVariableCostsExample: in one image a DATASEC takes 12 bytes, each variable 28, and names take their length.
func TestVariableCostsExample(t *testing.T) {
	image := read(t, imagePath(t, "gcc12-x86_64-dwarf5-weakpair"))
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	opt := likePeer()
	c, err := opt.VariableCosts(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	want := encoder.SectionShare{Name: ".data..percpu", Share: encoder.Share{Vars: 3, Datasecs: 1, TypeBytes: 12 + 3*28,
		StringBytes: len("only_here\x00shared_level\x00.data..percpu\x00")}}
	if len(c.Sections) != 1 || c.Sections[0] != want {
		t.Errorf("got %+v, want %+v", c.Sections, want)
	}
	if c.PerCPU != c.All || c.All.Bytes() != c.None.Bytes()+want.Bytes() {
		t.Errorf("got %+v, %+v and %+v", c.None, c.PerCPU, c.All)
	}
}

// TestVariableCostsKernels: for whole kernels, the sizes are those of the BTF in the three encodings.
func TestVariableCostsKernels(t *testing.T) {
	eachFeatureKernel(t, func(t *testing.T, f *elf.File) {
		opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default(), LangExclude: []encoder.Language{0x1c}}}
		c, err := opt.VariableCosts(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		none := feature.Default().Without(feature.Var)
		for _, x := range []struct {
			name     string
			features feature.Set
			got      encoder.Share
		}{{"none", none, c.None}, {"per-CPU", feature.Default(), c.PerCPU}, {"all", feature.Default().With(feature.GlobalVar), c.All}} {
			opt.Features = x.features
			res, err := opt.Encode(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			const header = 24
			if want := len(res.Object.AppendWire(nil)) - header; x.got.Bytes() != want {
				t.Errorf("%s: got %d bytes, want %d", x.name, x.got.Bytes(), want)
			}
		}
		if c.All.Vars < 50*c.PerCPU.Vars || len(c.Sections) < 8 {
			t.Errorf("got %d per-CPU variables, %d in all, in %d sections; want more", c.PerCPU.Vars, c.All.Vars, len(c.Sections))
		}
	})
}
