package dwarf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// TestEmptyUnits: empty units, and zeros between units, are not errors. Damaged units are.
func TestEmptyUnits(t *testing.T) {
	full := []byte{9, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1, 0} // the last byte would end a list of children
	long := append([]byte{0, 1, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1}, make([]byte, 0x100-8)...)
	header := []byte{7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8}
	header5 := []byte{8, 0, 0, 0, 5, 0, 1, 8, 0, 0, 0, 0}
	null := []byte{11, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0}
	damaged := []byte{11, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	zeros := func(n int) []byte { return make([]byte, n) }
	type row struct {
		name string
		info []byte
		want string // the place of each unit and a letter; at the end an error, if there is one
	}
	rows := []row{
		{"full", join(full, full), "0:0 full, 1:13 full"},
		{"header only", join(full, header, full), "0:0 full, 1:13 the unit ends with its header, 2:24 full"},
		{"header only, DWARF 5", join(header5, full), "0:0 the unit ends with its header, 1:12 full"},
		{"null root", join(null, full), "0:0 the unit has no root entry, 1:15 full"},
		{"null root, and something behind it", join(damaged, full), "0:0 full, 1:15 full"},
		{"a length whose first byte is zero", join(full, zeros(6), long), "0:0 full, 1:13 zeros are in place of a unit, 1:19 full"},
		{"two gaps", join(zeros(1), full, zeros(8), full), "0:0 zeros are in place of a unit, 0:1 full, 1:14 zeros are in place of a unit, 1:22 full"},
		{"as many as there may be", join(full, zeros(512), full), "0:0 full, 1:13 zeros are in place of a unit, 1:525 full"},
		{"more", join(full, zeros(513), full), "0:0 full, 1:13 CU 1: .debug_info+0xd: unit of 4 bytes is too short for a header"},
		{"no unit behind them", join(full, zeros(8), []byte{9, 9, 9, 9, 9, 9, 9, 9}), "0:0 full, 1:13 CU 1: .debug_info+0xd: unit of 4 bytes is too short for a header"},
		{"no zeros", join(full, []byte{1}), "0:0 full, .debug_info+0xd: unit header is cut short"},
	}
	for n := 1; n < 20; n++ {
		rows = append(rows,
			row{fmt.Sprintf("%d zeros between", n), join(full, zeros(n), full), fmt.Sprintf("0:0 full, 1:13 zeros are in place of a unit, 1:%d full", 13+n)},
			row{fmt.Sprintf("%d zeros at the end", n), join(full, zeros(n)), "0:0 full, 1:13 zeros are in place of a unit"})
	}
	for _, r := range rows {
		if got := unitsOf(t, sections(nil, map[string][]byte{".debug_info": r.info, ".debug_abbrev": {1, 0x11, 0, 0, 0, 0}})); got != r.want {
			t.Errorf("%s: got\n%s\nwant\n%s", r.name, got, r.want)
		}
	}
}

// unitsOf lists the units of an image: number, place, and whether the unit is empty.
func unitsOf(t *testing.T, data []byte) string {
	t.Helper()
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dwarf.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	var u dwarf.Unit
	for r := d.Units(); ; {
		more, err := r.Next(&u)
		if err != nil {
			list = append(list, err.Error())
		}
		if !more || err != nil {
			return strings.Join(list, ", ")
		}
		what := "full"
		if err := u.Open(); err != nil {
			what = err.Error()
		} else if u.Empty != dwarf.NotEmpty {
			what = u.Empty.String()
			if p := u.Place(); !u.Last() != (int(p.Off)+u.Len() < int(d.InfoSize())) {
				t.Errorf("unit at %#x: got last %v", p.Off, u.Last())
			}
		}
		list = append(list, fmt.Sprintf("%d:%d %s", u.Index, u.Off, what))
		if strings.HasPrefix(what, "CU") {
			return strings.Join(list, ", ")
		}
	}
}
