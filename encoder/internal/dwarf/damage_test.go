package dwarf_test

import (
	"bytes"
	stddwarf "debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// sections returns an image with the given debug sections.
func sections(order binary.ByteOrder, contents map[string][]byte) []byte {
	b := synth.New(synth.Target{Order: order})
	for _, name := range []string{".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_addr", ".debug_loc", ".debug_loclists", ".debug_types"} {
		if data := contents[name]; data != nil {
			b.Section(name, elf.SHT_PROGBITS, 0, 0, data)
		}
	}
	return b.Bytes()
}

// visit opens every unit of an image and reads every DIE with its locations. It returns the first error.
func visit(data []byte) error {
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		return err
	}
	d, err := dwarf.Open(f)
	if err != nil {
		return err
	}
	var (
		u    dwarf.Unit
		c    dwarf.Cursor
		locs dwarf.Locations
	)
	for r := d.Units(); ; {
		more, err := r.Next(&u)
		if err != nil || !more {
			return err
		}
		if err := u.Open(); err != nil {
			return err
		}
		c.Start(&u)
		depth := 0
		for pos := c.Next; ; {
			a := c.Read(pos)
			pos = c.Next
			if a == nil {
				depth--
			} else {
				d.Strings.Append(nil, c.Name())
				d.Strings.Append(nil, c.ConstString())
				c.LowPC()
				c.Ref(dwarf.SlotType)
				locs.Each(&u, c.Location(), func(int, []dwarf.Op, []byte) bool { return true })
				for _, s := range []dwarf.Slot{dwarf.SlotExpr, dwarf.SlotMemberAt, dwarf.SlotDataBitAt} {
					if c.Present(s) {
						u.Address(c.Val[s])
						u.FirstOperand(c.Val[s])
					}
				}
				if a.Tag == dwarf.TagStructureType {
					pos = c.Skip(a)
				} else if a.Children {
					depth++
				}
			}
			if c.Err != nil {
				return c.Err
			}
			if depth <= 0 {
				break
			}
		}
	}
}

// unit returns a DWARF 4 unit that uses the first abbreviation table: a header, followed by the bytes of the DIEs.
func unit(dies ...byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(7+len(dies)))
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(append(b, 8), dies...)
}

// abbrevs are those of most tests: 1 is a compile unit with children, 2 a base type whose size is a data1, 3 a struct with children,
// 4 an inline name, 5 a block, 6 a udata, 7 a sibling before children, 8 an indirect form.
var abbrevs = []byte{
	1, 0x11, 1, 0, 0,
	2, 0x24, 0, 0x0b, 0x0b, 0, 0,
	3, 0x13, 1, 0, 0,
	4, 0x24, 0, 0x03, 0x08, 0, 0,
	5, 0x34, 0, 0x02, 0x0a, 0, 0,
	6, 0x24, 0, 0x0b, 0x0f, 0, 0,
	7, 0x13, 1, 0x01, 0x13, 0, 0,
	8, 0x24, 0, 0x0b, 0x16, 0, 0,
	0}

// TestDamagedDIEs: a DIE that is cut short anywhere gives an error that names unit, section and offset.
func TestDamagedDIEs(t *testing.T) {
	rows := []struct {
		name string
		info []byte
		want string // part of the error; empty if there is none
	}{
		{"sound", unit(1, 2, 4, 4, 'a', 0, 5, 1, 0x53, 6, 0x84, 0x01, 0), ""},
		{"no terminator", unit(1, 2, 4), ".debug_info+0xe: DIE lies past the end"},
		{"no terminator below", unit(1, 3, 2, 4), ".debug_info+0xf: DIE lies past the end"},
		{"undeclared abbreviation", unit(1, 9, 0), ".debug_info+0xc: abbrev code 9 is not declared"},
		{"undeclared and large", unit(1, 0xff, 0xff, 0xff, 0x7f, 0), ".debug_info+0xc: abbrev code 268435455 is not declared"},
		{"code cut short", unit(1, 0x80), ".debug_info+0xc: abbrev code is cut short"},
		{"code without end", unit(append([]byte{1}, bytes.Repeat([]byte{0xff}, 20)...)...), ".debug_info+0xc: abbrev code is cut short"},
		{"attribute past the end", unit(1, 2), ".debug_info+0xc: DIE reaches past the end"},
		{"string without end", unit(1, 4, 'a', 'b'), ".debug_info+0xd: string of attribute 0x3 is not terminated"},
		{"block past the end", unit(1, 5, 9, 0x53), ".debug_info+0xd: attribute 0x2 is cut short"},
		{"number cut short", unit(1, 6, 0x80), ".debug_info+0xd: attribute 0xb is cut short"},
		{"number without end", unit(append([]byte{1, 6}, bytes.Repeat([]byte{0x80}, 20)...)...), ".debug_info+0xd: attribute 0xb is cut short"},
		{"sibling that leads back", unit(1, 7, 12, 0, 0, 0, 2, 4, 0, 2, 4, 0), ""},
		{"sibling that leads out", unit(1, 7, 0xff, 0xff, 0, 0, 2, 4, 0, 2, 4, 0), ""},
		{"indirect", unit(1, 8, 0x0b, 4, 0), ""},
		{"indirect indirect", unit(1, 8, 0x16, 0x0b, 4, 0), "has the indirect form 0x16"},
		{"indirect implicit", unit(1, 8, 0x21, 0), "has the indirect form 0x21"},
		{"indirect unknown", unit(1, 8, 0x7e, 0), "form 0x7e is unknown"},
		{"header cut short", []byte{1, 2, 3}, ".debug_info+0x0: unit header is cut short"},
		{"second header cut short", append(unit(1, 0), 1, 2, 3), ".debug_info+0xd: unit header is cut short"},
		{"too long", append([]byte{0xff, 0, 0, 0}, unit(1, 0)...), ".debug_info+0x0: unit of 255 bytes reaches past the end"},
		{"reserved length", append([]byte{0xf1, 0xff, 0xff, 0xff}, make([]byte, 20)...), ".debug_info+0x0: unit length 0xfffffff1 is reserved"},
		{"64-bit length cut short", []byte{0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0}, ".debug_info+0x0: unit header is cut short"},
		{"64-bit length too long", append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, make([]byte, 20)...), "reaches past the end"},
		{"version 1", append([]byte{8, 0, 0, 0, 1}, make([]byte, 7)...), ".debug_info+0x4: DWARF version 1 is not supported"},
		{"version 6", append([]byte{8, 0, 0, 0, 6}, make([]byte, 7)...), ".debug_info+0x4: DWARF version 6 is not supported"},
		{"short for its header", []byte{3, 0, 0, 0, 4, 0, 0}, "too short for a header"},
		{"address size", append([]byte{8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 3}, 1), "addresses of 3 bytes are not supported"},
		{"unit type", append([]byte{9, 0, 0, 0, 5, 0, 9, 8, 0, 0, 0, 0}, 1), "unit type 0x9 is unknown"},
		{"abbreviations elsewhere", append([]byte{8, 0, 0, 0, 4, 0, 0xff, 0xff, 0, 0, 8}, 1), ".debug_abbrev+0xffff: "},
	}
	for _, r := range rows {
		err := visit(sections(nil, map[string][]byte{".debug_info": r.info, ".debug_abbrev": abbrevs}))
		switch {
		case r.want == "" && err != nil:
			t.Errorf("%s: got error %v, want none", r.name, err)
		case r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)):
			t.Errorf("%s: got error %v, want %q", r.name, err, r.want)
		}
		var bad *image.FormatError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%s: error %v names no section and offset", r.name, err)
		}
	}
}

// TestDamagedAbbrevs: damaged tables give errors, and codes of every size work.
func TestDamagedAbbrevs(t *testing.T) {
	long := bytes.Repeat([]byte{0x03, 0x08}, 5000)
	rows := []struct {
		name  string
		table []byte
		info  []byte
		want  string
	}{
		{"empty section", []byte{}, unit(0), "cut short"},
		{"no terminator", abbrevs[:len(abbrevs)-1], unit(1, 0), "cut short"},
		{"ends in a declaration", abbrevs[:7], unit(1, 0), "cut short"},
		{"ends behind a code", []byte{1}, unit(1, 0), "cut short"},
		{"ends behind a tag", []byte{1, 0x11}, unit(1, 0), "cut short"},
		{"ends in an implicit value", []byte{1, 0x11, 0, 0x0b, 0x21, 0x80}, unit(1, 0), "cut short"},
		{"tag out of range", []byte{1, 0x80, 0x80, 0x04, 0, 0, 0, 0}, unit(1, 0), "tag 0x10000 is out of range"},
		{"unknown form", []byte{1, 0x11, 0, 0x0b, 0x7e, 0, 0, 0}, unit(1, 0), "form 0x7e is unknown"},
		{"unknown attribute", []byte{1, 0x11, 1, 0xff, 0x7f, 0x0b, 0, 0, 0}, unit(1, 0x55, 0), ""},
		{"too many attributes", append(append([]byte{1, 0x11, 0}, long...), 0, 0, 0), unit(1, 0), "more than 4096 attributes"},
		{"large codes", []byte{0x81, 0x80, 0x20, 0x11, 1, 0, 0, 0x82, 0x80, 0x80, 0x80, 0x10, 0x24, 0, 0x0b, 0x0b, 0, 0, 0},
			unit(0x81, 0x80, 0x20, 0x82, 0x80, 0x80, 0x80, 0x10, 4, 0), ""},
		{"code without end", append(bytes.Repeat([]byte{0xff}, 12), 0x11, 0, 0, 0, 0), unit(1, 0), "cut short"},
		{"children flag of 255", []byte{1, 0x11, 255, 0, 0, 0}, unit(1, 0), ""},
	}
	for _, r := range rows {
		err := visit(sections(nil, map[string][]byte{".debug_info": r.info, ".debug_abbrev": r.table}))
		if r.want == "" && err != nil || r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)) {
			t.Errorf("%s: got error %v, want %q", r.name, err, r.want)
		}
	}
}

// TestReferencesOutOfRange: a reference that leads out of its unit cannot be followed.
func TestReferencesOutOfRange(t *testing.T) {
	for _, v := range []uint64{0xffffffff, 1 << 20} {
		b := synth.New(synth.Target{})
		d := b.CU("a.c", synth.C11).DIE(stddwarf.TagPointerType, synth.Num(stddwarf.AttrType, synth.FormRef4, v))
		read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
			if off, ok := c.Ref(dwarf.SlotType); ok {
				t.Errorf("reference to %#x: got offset %#x, want none", v, off)
			}
		})
	}
	b := synth.New(synth.Target{})
	d := b.CU("a.c", synth.C11).DIE(stddwarf.TagSubprogram, synth.Num(stddwarf.AttrLowpc, synth.FormAddrx, 1<<40))
	read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
		if addr, ok := c.LowPC(); ok {
			t.Errorf("got address %#x, want none", addr)
		}
	})
}

// TestStringsOutOfRange: a name outside its section is an error. Otherwise a type would lose its name without a message.
func TestStringsOutOfRange(t *testing.T) {
	rows := []struct {
		name string
		form synth.Form
		v    uint64
		want string
	}{
		{"strp", synth.FormStrp, 0xfffffff0, "string at 0xfffffff0 lies outside .debug_str"},
		{"line_strp", synth.FormLineStrp, 0xfffffff0, "string at 0xfffffff0 lies outside .debug_line_str"},
		{"strx", synth.FormStrx, 1 << 30, "string 1073741824 is not in .debug_str_offsets"},
		{"strx1", synth.FormStrx1, 200, "string 200 is not in .debug_str_offsets"},
	}
	for _, r := range rows {
		b := synth.New(synth.Target{})
		cu := b.CU("a.c", synth.C11)
		for _, form := range []synth.Form{synth.FormStrp, synth.FormLineStrp, synth.FormStrx} {
			cu.DIE(stddwarf.TagStructType, synth.Str(stddwarf.AttrName, form, "in its section"))
		}
		d := cu.DIE(stddwarf.TagStructType, synth.Num(stddwarf.AttrName, r.form, r.v))
		read(t, b, d, func(_ *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
			if name := c.Name(); name != 0 || c.Err == nil || !strings.Contains(c.Err.Error(), r.want) {
				t.Errorf("%s: got name %d, error %v, want %q", r.name, name, c.Err, r.want)
			}
		})
	}
}

// TestUnendedString: a string section that is cut inside its last string gives an error.
func TestUnendedString(t *testing.T) {
	err := visit(sections(nil, map[string][]byte{".debug_info": unit(1, 0), ".debug_abbrev": abbrevs, ".debug_str": []byte("ab\x00c")}))
	if err == nil || !strings.Contains(err.Error(), ".debug_str+0x3: last string is not terminated") {
		t.Errorf("got error %v, want one of .debug_str", err)
	}
}

// TestNoAbbrevs: units without their abbreviations give an error.
func TestNoAbbrevs(t *testing.T) {
	err := visit(sections(nil, map[string][]byte{".debug_info": unit(1, 0)}))
	if err == nil || !strings.Contains(err.Error(), ".debug_abbrev+0x0: ") {
		t.Errorf("got error %v, want one of .debug_abbrev", err)
	}
}

// TestSectionPastTheEnd: a section that reaches past the end of the file gives an error when the file is opened, whatever size it states.
func TestSectionPastTheEnd(t *testing.T) {
	data := synth.Sample(synth.Target{}).Bytes()
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	headers := binary.LittleEndian.Uint64(data[40:])
	for _, name := range []string{".debug_info", ".debug_abbrev", ".debug_str", ".debug_loclists"} {
		bad := bytes.Clone(data)
		binary.LittleEndian.PutUint64(bad[headers+64*uint64(f.Section(name).Index)+32:], 1<<45)
		if err := visit(bad); err == nil || !strings.Contains(err.Error(), name+"+0x") {
			t.Errorf("%s: got error %v, want one of the section", name, err)
		}
	}
}

func TestNoDWARF(t *testing.T) {
	for name, data := range map[string][]byte{"no section": synth.New(synth.Target{}).Bytes(), "empty section": sections(nil, map[string][]byte{".debug_info": {}})} {
		if err := visit(data); !errors.Is(err, dwarf.ErrNoDWARF) {
			t.Errorf("%s: got error %v, want %v", name, err, dwarf.ErrNoDWARF)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add(unit(1, 2, 4, 4, 'a', 0, 5, 1, 0x53, 6, 0x84, 0x01, 0), abbrevs, []byte("a\x00"), []byte{}, []byte{}, false)
	for _, target := range synth.Targets() {
		data := synth.Sample(target).Bytes()
		file, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
		if err != nil {
			f.Fatal(err)
		}
		section := func(name string) []byte {
			s := file.Section(name)
			if s == nil {
				return []byte{}
			}
			b, err := file.Data(s)
			if err != nil {
				f.Fatal(err)
			}
			return b
		}
		f.Add(section(".debug_info"), section(".debug_abbrev"), section(".debug_str"), section(".debug_loc"), section(".debug_loclists"),
			file.Order == binary.ByteOrder(binary.BigEndian))
	}
	f.Fuzz(func(t *testing.T, info, abbrev, str, loc, lists []byte, big bool) {
		order := binary.ByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		str = append(bytes.Clone(str), 0)
		b := synth.New(synth.Target{Order: order, Machine: elf.EM_X86_64})
		for name, data := range map[string][]byte{".debug_info": info, ".debug_abbrev": abbrev, ".debug_str": str, ".debug_loc": loc, ".debug_loclists": lists,
			".debug_str_offsets": str, ".debug_addr": loc, ".debug_line_str": str} {
			b.Section(name, elf.SHT_PROGBITS, 0, 0, data)
		}
		visit(b.Bytes())
	})
}
