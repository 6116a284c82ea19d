package dwarf_test

import (
	stddwarf "debug/dwarf"
	"errors"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// TestAskToStop: a cursor calls stop once per megabyte, and an error of stop ends the walk.
func TestAskToStop(t *testing.T) {
	const dies = 40 // of 100,000 bytes each
	b := synth.New(synth.Target{})
	cu := b.CU("a.c", synth.C11)
	for range dies {
		cu.DIE(stddwarf.TagBaseType, synth.Str(stddwarf.AttrName, synth.FormString, strings.Repeat("x", 100_000)))
	}
	u := firstUnit(t, open(t, b.Bytes()))
	walk := func(stop func() error) (read int, err error) {
		var c dwarf.Cursor
		c.Start(u)
		c.AskToStop(stop)
		for pos := c.Next; ; {
			a := c.Read(pos)
			if a == nil || c.Err != nil {
				return read, c.Err
			}
			if read++; a.Tag == dwarf.TagCompileUnit {
				pos = c.Next
			} else {
				pos = c.Skip(a)
			}
		}
	}
	asked := 0
	if read, err := walk(func() error { asked++; return nil }); err != nil || read < dies || asked < 3 || asked > 4 {
		t.Errorf("got %d entries and %d questions (%v), want %d and one for each megabyte", read, asked, err, dies)
	}
	enough := errors.New("enough")
	if read, err := walk(func() error { return enough }); !errors.Is(err, enough) || read < 10 || read > 12 {
		t.Errorf("got %d entries (%v), want those of the first megabyte", read, err)
	}
	if read, err := walk(nil); err != nil || read < dies {
		t.Errorf("nobody to ask: got %d entries (%v), want %d", read, err, dies)
	}
}
