package encoder_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// An asking is something that the peer can be asked for, and the same of the encoder.
type asking struct {
	args []string
	opt  encoder.Options
}

var askings = []asking{
	{[]string{"--cu_exclude=src/m"}, encoder.Options{UnitExclude: []string{"src/m"}}},
	{[]string{"--cu_exclude=unit1"}, encoder.Options{UnitExclude: []string{"unit1"}}},
	{[]string{"--cu_exclude="}, encoder.Options{UnitExclude: []string{""}}},
	{[]string{"--kabi_prefix=s"}, encoder.Options{NamePrefix: "s"}},
	{[]string{"--kabi_prefix=in"}, encoder.Options{NamePrefix: "in"}},
	{[]string{"--kabi_prefix=src/", "--cu_exclude=src/m"}, encoder.Options{NamePrefix: "src/", UnitExclude: []string{"src/m"}}},
	{[]string{"--fixup_silly_bitfields"}, encoder.Options{PlainFields: true}},
}

// askPeer compares with the peer, and the fast way with the exact engine.
func askPeer(t *testing.T, name string, image []byte, a asking) {
	t.Helper()
	opt := a.opt
	opt.Profile, opt.Features, opt.VerifyDedup = encoder.Pahole, feature.Default(), true
	want := reference.Encode(t, image, opt.Features.Names(), a.args...)
	res, err := encodeBytes(image, opt)
	switch {
	case errors.Is(err, encoder.ErrNoTypes) && want == nil:
	case err != nil:
		t.Errorf("%s %s: %v", name, a.args, err)
	case !bytes.Equal(res.Object.AppendWire(nil), want):
		t.Errorf("%s %s: got %d bytes that differ from the peer's %d", name, a.args, len(res.Object.AppendWire(nil)), len(want))
	}
}

// TestNamesAndFields: units left out by name, names cut to a prefix, and bit fields that are none, are what the peer makes of them.
func TestNamesAndFields(t *testing.T) {
	for _, name := range []string{"gcc12-x86_64-dwarf5-zerobased", "gcc12-x86_64-dwarf5-differing", "clang19-x86_64-dwarf5-lto",
		"gcc12-s390x-dwarf5-based", "clang19-arm64-dwarf5-based", "gcc12-i386-dwarf4-emitrelocs", "gcc12-x86_64-dwarf5-module"} {
		for _, a := range askings {
			askPeer(t, name, read(t, imagePath(t, name)), a)
		}
	}
}

// TestRandomNames: the same of random programs, in which a prefix makes one name of many.
func TestRandomNames(t *testing.T) {
	for seed := range uint64(10) {
		for kind, p := range programs(3000 + seed) {
			image := p.image(3)
			for _, a := range askings[1:5] {
				askPeer(t, fmt.Sprintf("%s, seed %d", kind, seed), image, a)
			}
		}
	}
}
