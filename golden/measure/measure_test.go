package measure

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// A place is a variable of a test section. Its type is an array of its size.
type place struct {
	name      string
	off, size uint32
}

const section = ".data..percpu"

// object builds an object with a section of these variables, which are by offset.
func object(list ...place) *btf.Object {
	o := btf.New(binary.LittleEndian, nil)
	add := func(s string) uint32 { return o.Strings.Add([]byte(s)) }
	char := o.Append(add("char"), btf.Info(btf.KindInt, 0, false), 1, 8)
	var entries []uint32
	for _, p := range list {
		array := o.Append(0, btf.Info(btf.KindArray, 0, false), 0, uint32(char), uint32(char), p.size)
		v := o.Append(add(p.name), btf.Info(btf.KindVar, 0, false), uint32(array), btf.LinkageStatic)
		entries = append(entries, uint32(v), p.off, p.size)
	}
	if list == nil {
		return o
	}
	last := list[len(list)-1]
	o.Append(add(section), btf.Info(btf.KindDatasec, uint32(len(list)), false), last.off+last.size)
	copy(o.Space(len(entries)), entries)
	return o
}

func TestOf(t *testing.T) {
	o := object(place{"a", 0, 4}, place{"b", 8, 4})
	wire := len(o.AppendWire(nil))
	s := Of(o, wire)
	if sum := s.Types + s.Functions + s.Variables + s.Strings + s.Other; sum != wire {
		t.Errorf("the parts add up to %d bytes, want %d", sum, wire)
	}
	const header = 24
	if s.Other != header || s.Functions != 0 || s.Variables != 2*16+12+2*12 || s.Types != 16+2*24 || s.Strings != len("\x00char\x00a\x00b\x00"+section+"\x00") {
		t.Errorf("got %+v", s)
	}
	want := []KindSize{{"INT", 1, 16}, {"ARRAY", 2, 48}, {"VAR", 2, 32}, {"DATASEC", 1, 36}}
	if !slices.Equal(s.Kinds, want) {
		t.Errorf("kinds: got %v, want %v", s.Kinds, want)
	}
}

// lines writes the variables of a section: name@offset+size, with state and old offset.
func lines(s *Section) string {
	var parts []string
	for i := range s.Variables {
		v := &s.Variables[i]
		text := fmt.Sprintf("%s@%d+%d", v.Name, v.Offset, v.Size)
		if v.State != Same {
			text += ":" + string(v.State)
		}
		if v.Distance() != 0 {
			text += fmt.Sprintf("%+d", v.Distance())
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestInSection(t *testing.T) {
	left := []Variable{{Name: "weak", Offset: 8, Size: 4}, {Name: "asm", Offset: 16, Size: 8}, {Name: "asm", Offset: 16, Size: 8}, {Name: "outside", Offset: 64, Size: 4}}
	s := InSection(object(place{"a", 0, 4}, place{"b", 8, 4}, place{"c", 32, 8}), section, 64, left)
	if got, want := lines(s), "a@0+4 b@8+4 asm@16+8:left out c@32+8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s.Variables[0].Type != "char [4]" && s.Variables[0].Type != "char[4]" {
		t.Errorf("type: got %q", s.Variables[0].Type)
	}
	// Holes: 4 to 8, 12 to 16, 24 to 32, 40 to 64.
	if s.Holes != 4 || s.HoleBytes != 4+4+8+24 || s.Count != 3 || s.Size != 64 {
		t.Errorf("got %d holes of %d bytes, %d variables, size %d", s.Holes, s.HoleBytes, s.Count, s.Size)
	}
	if s := InSection(object(), section, 64, nil); s != nil {
		t.Errorf("without variables and symbols: got %+v", s)
	}
	if s := InSection(object(), section, 64, left[:1]); s == nil || s.Count != 0 || len(s.Variables) != 1 {
		t.Errorf("with a symbol only: got %+v", s)
	}
}

func TestAgainst(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new []place
		want     string
	}{
		{"equal", []place{{"a", 0, 8}}, []place{{"a", 0, 8}}, "a@0+8"},
		{"added, and others move", []place{{"a", 0, 8}, {"c", 8, 8}}, []place{{"a", 0, 8}, {"b", 8, 16}, {"c", 24, 8}}, "a@0+8 b@8+16:added c@24+8:moved+16"},
		{"removed", []place{{"a", 0, 8}, {"b", 8, 16}, {"c", 24, 8}}, []place{{"a", 0, 8}, {"c", 8, 8}}, "a@0+8 b@8+16:removed c@8+8:moved-16"},
		{"resized", []place{{"a", 0, 8}, {"b", 8, 8}}, []place{{"a", 0, 16}, {"b", 16, 8}}, "a@0+16:changed b@16+8:moved+8"},
		{"past others", []place{{"a", 0, 8}, {"b", 8, 8}, {"c", 16, 8}}, []place{{"b", 0, 8}, {"c", 8, 8}, {"a", 16, 8}}, "b@0+8:moved-8 c@8+8:moved-8 a@16+8:moved+16"},
		{"two of one name", []place{{"s", 0, 8}, {"s", 8, 4}}, []place{{"n", 0, 8}, {"s", 8, 8}, {"s", 16, 4}}, "n@0+8:added s@8+8:moved+8 s@16+4:moved+8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, new := object(tt.old...), object(tt.new...)
			s := InSection(new, section, 64, nil)
			s.Against(cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{}))
			if got := lines(s); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	var none *Section
	none.Against(&cause.Comparison{}) // there is nothing to mark
}
