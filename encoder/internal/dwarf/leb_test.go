package dwarf

import (
	"bytes"
	"math"
	"testing"
)

func TestLEB128(t *testing.T) {
	rows := []struct {
		name     string
		b        []byte
		unsigned uint64
		signed   int64
		next     int // 0 if it is cut short or too long
	}{
		{"zero", []byte{0}, 0, 0, 1},
		{"one byte", []byte{0x3f}, 63, 63, 1},
		{"sign bit", []byte{0x7f}, 127, -1, 1},
		{"two bytes", []byte{0x80, 0x01}, 128, 128, 2},
		{"minus 128", []byte{0x80, 0x7f}, 0x3f80, -128, 2},
		{"padded", []byte{0x81, 0x80, 0x80, 0x00}, 1, 1, 4},
		{"padded negative", []byte{0xff, 0xff, 0xff, 0x7f}, 1<<28 - 1, -1, 4},
		{"largest", append(bytes.Repeat([]byte{0xff}, 9), 0x01), math.MaxUint64, -1, 10},
		{"smallest", append(bytes.Repeat([]byte{0x80}, 9), 0x7f), 1 << 63, math.MinInt64, 10},
		{"more behind it", []byte{0x05, 0xff}, 5, 5, 1},
		{"nothing", nil, 0, 0, 0},
		{"cut short", []byte{0x80}, 0, 0, 0},
		{"cut short after many", bytes.Repeat([]byte{0x80}, 9), 0, 0, 0},
		{"past 64 bits", append(bytes.Repeat([]byte{0x80}, 10), 0x01), 0, 0, 0},
		{"without end", bytes.Repeat([]byte{0xff}, 100), 0, 0, 0},
	}
	for _, r := range rows {
		for _, start := range []int{0, 3} {
			b := append(make([]byte, start), r.b...)
			want := r.next
			if want != 0 {
				want += start
			}
			if v, next := uleb(b, start); v != r.unsigned || next != want {
				t.Errorf("%s: unsigned: got %d to %d, want %d to %d", r.name, v, next, r.unsigned, want)
			}
			if v, next := sleb(b, start); v != r.signed || next != want {
				t.Errorf("%s: signed: got %d to %d, want %d to %d", r.name, v, next, r.signed, want)
			}
		}
	}
	if _, next := uleb([]byte{1}, 5); next != 0 {
		t.Error("read behind the end")
	}
	if _, next := sleb([]byte{1}, -1); next != 0 {
		t.Error("read before the start")
	}
}
