package encoder_test

import (
	"bytes"
	stdelf "debug/elf"
	"errors"
	"fmt"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// An asking is a set of arguments of pahole, with the corresponding options of the encoder.
type asking struct {
	args []string
	opt  encoder.Encoder
}

var askings = []asking{
	{[]string{"--cu_exclude=src/m"}, encoder.Encoder{Options: encoder.Options{UnitExclude: []string{"src/m"}}}},
	{[]string{"--cu_exclude=unit1"}, encoder.Encoder{Options: encoder.Options{UnitExclude: []string{"unit1"}}}},
	{[]string{"--cu_exclude="}, encoder.Encoder{Options: encoder.Options{UnitExclude: []string{""}}}},
	{[]string{"--kabi_prefix=s"}, encoder.Encoder{Options: encoder.Options{NamePrefix: "s"}}},
	{[]string{"--kabi_prefix=in"}, encoder.Encoder{Options: encoder.Options{NamePrefix: "in"}}},
	{[]string{"--kabi_prefix=src/", "--cu_exclude=src/m"}, encoder.Encoder{Options: encoder.Options{NamePrefix: "src/", UnitExclude: []string{"src/m"}}}},
	{[]string{"--fixup_silly_bitfields"}, encoder.Encoder{Options: encoder.Options{PlainFields: true}}},
}

// ask compares the fast path with the exact engine, and both with pahole.
func ask(t *testing.T, name string, image []byte, a asking) {
	t.Helper()
	opt := a.opt
	opt.Profile, opt.Features, opt.Exact = encoder.Pahole, feature.Default(), true
	exact, err := encodeBytes(image, opt)
	var want []byte // nil if all units are left out
	switch {
	case errors.Is(err, encoder.ErrNoTypes):
	case err != nil:
		t.Errorf("%s %s: %v", name, a.args, err)
		return
	default:
		want = exact.Object.AppendWire(nil)
	}
	opt.Exact = false
	for _, opt.Workers = range []int{1, 3} {
		fast, err := encodeBytes(image, opt)
		switch {
		case want == nil && errors.Is(err, encoder.ErrNoTypes):
		case err != nil:
			t.Errorf("%s %s: %v", name, a.args, err)
		case !bytes.Equal(fast.Object.AppendWire(nil), want):
			t.Errorf("%s %s, %d workers: the fast way and the exact engine differ", name, a.args, opt.Workers)
		}
	}
	t.Run(name, func(t *testing.T) {
		if peer := reference.Encode(t, image, opt.Features.Names(), a.args...); !bytes.Equal(want, peer) {
			t.Errorf("%s: got %d bytes that differ from the peer's %d", a.args, len(want), len(peer))
		}
	})
}

// TestWhatIsAsked: each asking has its effect on the types of an image.
func TestWhatIsAsked(t *testing.T) {
	b := synth.New(synth.Target{})
	text := b.Text(".text", 0x10000, 0x100)
	for i, name := range []string{"src/main.c", "src/unit1.c", "unit1.c", "lib/unit1.c"} {
		cu := b.CU(name, synth.C11)
		typ := cu.Base("int", 4, synth.Signed)
		s := cu.Struct(fmt.Sprintf("s%d", i), 8, synth.Member{Name: "inner", Type: typ}, synth.Member{Name: "in", Type: typ, Off: 4})
		f := fmt.Sprintf("f%d", i)
		b.Symbol(f, text.At(uint64(16*i)), 16, stdelf.STT_FUNC)
		cu.Func(f, text.At(uint64(16*i)), 16, typ, synth.Param{Name: "p", Type: cu.Pointer(s), Extra: []synth.Part{cu.Loc(synth.OpReg(5))}})
	}
	image := b.Bytes()
	for i, want := range []string{
		"s1 s2 s3 f1 f2 f3", "s0 s1 s3 f0 f1 f3", "", "s f0 f1 f2 f3", "s0 s1 s2 s3 f0 f1 f2 f3",
		"s0 s1 s2 s3 f0 f1 f2 f3", // the prefix cuts the names of units too
	} {
		ask(t, "built", image, askings[i])
		opt := askings[i].opt
		opt.Profile, opt.Features = encoder.Pahole, feature.Default()
		res, err := encodeBytes(image, opt)
		if want == "" {
			if !errors.Is(err, encoder.ErrNoTypes) {
				t.Errorf("%s: got error %v, want that there are no types", askings[i].args, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range res.Object.All() {
			if k := r.Kind(); k == btf.KindStruct || k == btf.KindFunc {
				got = append(got, res.Object.Name(r.Name()))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", askings[i].args, got, want)
		}
	}
}

// TestNamesAndFields: leaving out units by name, cutting names to a prefix, and turning bit fields into plain members give the bytes of pahole.
func TestNamesAndFields(t *testing.T) {
	for _, name := range []string{"gcc12-x86_64-dwarf5-zerobased", "gcc12-x86_64-dwarf5-differing", "clang19-x86_64-dwarf5-lto",
		"gcc12-s390x-dwarf5-based", "clang19-arm64-dwarf5-based", "gcc12-i386-dwarf4-emitrelocs", "gcc12-x86_64-dwarf5-module"} {
		for _, a := range askings {
			ask(t, name, read(t, imagePath(t, name)), a)
		}
	}
}

// TestRandomNames is the same for random programs, in which a prefix makes many names equal.
func TestRandomNames(t *testing.T) {
	for seed := range uint64(10) {
		for kind, p := range programs(3000 + seed) {
			image := p.image(3)
			for _, a := range askings[1:5] {
				ask(t, fmt.Sprintf("%s, seed %d", kind, seed), image, a)
			}
		}
	}
}
