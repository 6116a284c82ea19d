package dwarf_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// longTable returns an abbreviation table with declarations of equal length, and their offsets.
func longTable(n int) (table []byte, starts []int) {
	for range n {
		starts = append(starts, len(table))
		table = append(table, 1, 0x11, 0) // a compile unit without children
		for k := range 50 {
			table = append(table, 0x80|byte(k), 0x46, 0x0b) // attribute 0x2300 + k, a data1
		}
		table = append(table, 0, 0)
	}
	return append(table, 0), starts
}

// tableUnit returns a unit whose abbreviation table starts at an offset.
func tableUnit(off int, root ...byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(7+len(root)))
	b = binary.LittleEndian.AppendUint32(append(b, 4, 0), uint32(off))
	return append(append(b, 8), root...)
}

// TestTablesOverlap: units may share abbreviation tables in any order. But overlapping tables are refused, because together they could be many times
// as long as the section.
func TestTablesOverlap(t *testing.T) {
	const n = 400
	table, starts := longTable(n)
	root := append([]byte{1}, make([]byte, 50)...)
	count := func(whole bool, offs []int, table []byte) error {
		var info []byte
		for _, off := range offs {
			info = append(info, tableUnit(off, root...)...)
		}
		d := open(t, sections(nil, map[string][]byte{".debug_info": info, ".debug_abbrev": table}))
		var u dwarf.Unit
		if whole {
			w, err := d.MergeUnits(false)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range w.Order() {
				if err := w.Open(i, &u); err != nil {
					return err
				}
			}
			return nil
		}
		for r := d.Units(); ; {
			if more, err := r.Next(&u); err != nil || !more {
				return err
			}
			if err := u.Open(); err != nil {
				t.Fatal(err)
			}
			if err := u.LongTable().Count(); err != nil {
				return err
			}
		}
	}
	var turns []int
	for range n {
		turns = append(turns, 0, len(table))
	}
	for _, whole := range []bool{false, true} {
		if err := count(whole, turns, append(bytes.Clone(table), table...)); err != nil {
			t.Errorf("whole=%v, two tables: got error %v", whole, err)
		}
		err := count(whole, starts, table)
		if err == nil || !strings.Contains(err.Error(), ".debug_abbrev+0x") || !strings.Contains(err.Error(), "abbreviation tables overlap") {
			t.Errorf("whole=%v, each declaration a table: got error %v", whole, err)
		}
	}
}

// TestHighCodes: a declaration with a high code needs no more memory than one with a low code.
func TestHighCodes(t *testing.T) {
	table := []byte{0x80, 0x80, 0x06, 0x11, 1, 0, 0, 0x81, 0x80, 0x06, 0x24, 0, 0x0b, 0x0b, 0, 0, 0} // codes 0x18000 and 0x18001
	info := tableUnit(0, 0x80, 0x80, 0x06, 0x81, 0x80, 0x06, 4, 0)
	d := open(t, sections(nil, map[string][]byte{".debug_info": info, ".debug_abbrev": table}))
	var u dwarf.Unit
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := d.Units().Next(&u); err != nil {
		t.Fatal(err)
	}
	if err := u.Open(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if u.Tag != dwarf.TagCompileUnit || !u.Children {
		t.Errorf("got a root of tag %#x", u.Tag)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("opening a unit takes %d bytes", got)
	}
}
