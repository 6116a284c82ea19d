package dwarf

import (
	"testing"
	"unsafe"
)

// TestSizes: the structs for declarations and attributes stay small.
func TestSizes(t *testing.T) {
	for _, row := range []struct {
		name string
		got  uintptr
		want uintptr
	}{
		{"attr", unsafe.Sizeof(attr{}), 16},
		{"layout", unsafe.Sizeof(layout{}), 56},
		{"Abbrev", unsafe.Sizeof(Abbrev{}), 80},
		{"declaration", unsafe.Sizeof(declaration{}), 160},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %d bytes, want %d", row.name, row.got, row.want)
		}
	}
}

// TestCutShort: a DIE whose code and short name reach past the end of its unit ends a run, even if no memory follows the slack.
func TestCutShort(t *testing.T) {
	u := &Unit{unitBytes: unitBytes{data: make([]byte, 2+slack), end: 2, refEnd: 2}, origin: origin{d: &Data{}}, abbrevs: &abbrevs{}}
	u.abbrevs.upTo(lowCodes + 300)
	led := Abbrev{Tag: TagMember, lead: true, fixed: 4, layout: layout{kind: RunMembers, fixity: namePrefixed, num: 1, typ: 1, scale: 8}}
	u.abbrevs.dense[1], u.abbrevs.dense[0x80+1] = led, led
	for _, bytes := range []string{"\x01abc", "\x00\x81\x01abc", "\x00\x01abc"} {
		clear(u.data)
		copy(u.data, bytes)
		for pos := range u.end {
			var c Cursor
			c.Start(u)
			run := Run{}
			if run.Read(&c, RunMembers, pos); len(run.Words) != 0 || run.Next != pos {
				t.Errorf("%q from %d: got words %v and next %d", bytes, pos, run.Words, run.Next)
			}
		}
	}
}
