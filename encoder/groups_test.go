package encoder_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestNoTypeUnit: a reference to a type unit that does not exist is an error with its place in the profile default, and void in the profile
// pahole.
func TestNoTypeUnit(t *testing.T) {
	image := read(t, filepath.Join(unusualFolder, "groups4.elf"))
	image = bytes.ReplaceAll(image, []byte(".debug_types\x00"), []byte(".debug_tunes\x00"))
	const want = ": pointer: no type unit has the signature 0x"
	if _, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Features: feature.Default()}}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
	res, err := encodeBytes(image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Object.AppendWire(nil); !bytes.Equal(got, read(t, filepath.Join(unusualFolder, "groups4.btf.golden"))) {
		t.Errorf("in the peer's profile: got %d bytes, other ones than with the type units", len(got))
	}
}

// TestNotLinked: an object file that waits for link-time optimisation gives the types of pahole in both profiles, and a warning that says what to
// do.
func TestNotLinked(t *testing.T) {
	const want = "link it with -r and -flinker-output=nolto-rel"
	for _, name := range []string{"waiting", "waiting-zlib"} {
		image := read(t, filepath.Join(unusualFolder, name+".elf"))
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			if w := warningsOf(t, image, profile); len(w) != 1 || w[0].Rule != encoder.RuleNotLinked || !strings.Contains(w[0].Examples[0], want) {
				t.Errorf("%s: got warnings %v, want one of %s with %q", name, w, encoder.RuleNotLinked, want)
			}
			o, err := encodeUnusual(t, name, nil, profile, 2)
			if err != nil {
				t.Fatal(err)
			}
			if got, golden := o.AppendWire(nil), read(t, filepath.Join(unusualFolder, name+".btf.golden")); !bytes.Equal(got, golden) {
				t.Errorf("%s: got %d bytes, want the %d of the golden", name, len(got), len(golden))
			}
		}
	}
	for _, w := range warningsOf(t, read(t, filepath.Join(unusualFolder, "waiting-fat.elf")), encoder.Default) {
		t.Errorf("of what was compiled: got %v, want no warning", w)
	}
}
