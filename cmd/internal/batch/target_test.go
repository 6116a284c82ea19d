package batch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// Padded BTF is BTF of the same types, and fills what the linker reserved.
func TestPadded(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		o := btf.New(order, nil)
		o.Append(o.Strings.Add([]byte("int")), btf.Info(btf.KindInt, 0, false), 4, 1<<24|32)
		tg := target{wire: o.AppendWire(nil), order: order, object: o}
		for _, more := range []int{-4, 0, 1, 100} {
			tg.reserved = uint64(len(tg.wire) + more)
			got := tg.padded()
			if want := len(tg.wire) + max(more, 0); len(got) != want {
				t.Errorf("%v, %+d: got %d bytes, want %d", order, more, len(got), want)
			}
			if err := verify.Check(got, verify.Options{Path: verify.Vmlinux, Order: order}); err != nil {
				t.Errorf("%v, %+d: %v", order, more, err)
			}
			back, err := btf.Parse(got, nil)
			if err != nil || back.Len() != 1 || back.Name(back.At(1).Name()) != "int" {
				t.Errorf("%v, %+d: read back: %v", order, more, err)
			}
			if !bytes.Equal(tg.wire, o.AppendWire(nil)) {
				t.Fatalf("%v, %+d: the BTF itself has changed", order, more)
			}
		}
	}
}
