package translate_test

import (
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// unitOf translates the first unit of an image.
func unitOf(t testing.TB, image []byte) *translate.Unit {
	t.Helper()
	d, err := open(image)
	if err != nil {
		t.Fatal(err)
	}
	var u dwarf.Unit
	if more, err := d.Units().Next(&u); !more || err != nil {
		t.Fatalf("got %v, %v, want a unit", more, err)
	}
	if err := u.Open(); err != nil {
		t.Fatal(err)
	}
	var (
		tr  translate.Translator
		out translate.Unit
		fs  translate.Subprograms
	)
	if err := tr.CU(&u, &d.Strings, everything(feature.Default()), &out, &fs); err != nil {
		t.Fatal(err)
	}
	return &out
}

func hex(v uint64) string { return fmt.Sprintf("%#x", v) }
