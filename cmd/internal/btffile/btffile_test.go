package btffile_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/btffile/sides"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// TestDistilled: a module with a distilled base is read with that base, or relocated to the base that is given.
func TestDistilled(t *testing.T) {
	images := filepath.Join("..", "..", "..", "corpus", "images")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(images, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const driver = "gcc12-s390x-dwarf5-driver."
	module := filepath.Join(t.TempDir(), "driver.ko")
	if err := elf.Embed(filepath.Join(images, driver+"ko"), []elf.EmbedSection{{Name: ".BTF", Data: read(driver + "distilled.golden")},
		{Name: ".BTF.base", Data: read(driver + "base.golden")}}, elf.NewCopy(module)); err != nil {
		t.Fatal(err)
	}
	o, size, err := sides.Object(btffile.Paths, module, "")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(o.AppendWire(nil), read(driver+"distilled.golden")) || size != 8 {
		t.Errorf("alone: got %d types, pointers of %d bytes", o.Len(), size)
	}
	o, _, err = sides.Object(btffile.Paths, module, filepath.Join(images, "gcc12-s390x-dwarf5-based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	if got := dump.AppendRaw(nil, o); !bytes.Equal(got, read(driver+"relocated.golden")) {
		t.Errorf("relocated to the whole base: got a dump that differs from bpftool's:\n%s", got)
	}
	if _, _, err := sides.Object(btffile.Paths, module, filepath.Join(images, "gcc12-arm64-dwarf5-vectors.btf.golden")); err == nil {
		t.Error("relocated to a base without its types: got no error")
	}
}

// TestParseOnce: a base that is used once is checked as any other is, in its own byte order or in another.
func TestParseOnce(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, to := range []btf.ID{1, 2, 9} {
			o := btf.New(order, nil)
			o.Append(o.Strings.Add([]byte("int")), btf.Info(btf.KindInt, 0, false), 4, 32)
			o.Append(0, btf.Info(btf.KindPtr, 0, false), uint32(to))
			wire := o.AppendWire(nil)
			want, wantErr := btffile.Parse(wire)
			got, err := btffile.ParseOnce(wire)
			if (err != nil) != (to == 9) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("%v, a pointer to type %d: got error %v, want %v", order, to, err, wantErr)
			}
			if err == nil && !bytes.Equal(got.AppendWire(nil), want.AppendWire(nil)) {
				t.Errorf("%v, a pointer to type %d: the types differ", order, to)
			}
		}
	}
}
