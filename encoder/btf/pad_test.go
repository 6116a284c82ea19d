package btf

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestPad(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		o := New(order, nil)
		o.Strings.Add([]byte("last"))
		wire := o.AppendWire(nil)
		whole := bytes.Clone(wire)
		for _, size := range []int{0, len(wire) - 1, len(wire)} {
			if got := Pad(wire, order, uint64(size)); !bytes.Equal(got, whole) {
				t.Errorf("%v: room for %d bytes: got %d bytes, want %d unchanged", order, size, len(got), len(wire))
			}
		}
		for n := range HeaderLen { // such bytes have no header that could state another length
			if got := Pad(wire[:n], order, uint64(len(wire))); !bytes.Equal(got, whole[:n]) {
				t.Errorf("%v: %d bytes of BTF: got %d bytes, want them unchanged", order, n, len(got))
			}
		}
		got := Pad(wire, order, uint64(len(wire)+7))
		if !bytes.Equal(wire, whole) {
			t.Errorf("%v: the argument changed", order)
		}
		if len(got) != len(wire)+7 {
			t.Fatalf("%v: got %d bytes, want %d", order, len(got), len(wire)+7)
		}
		p, err := Parse(got, nil)
		if err != nil {
			t.Fatalf("%v: %v", order, err)
		}
		if p.Len() != o.Len() {
			t.Errorf("%v: got %d types, want %d", order, p.Len(), o.Len())
		}
	}
}
