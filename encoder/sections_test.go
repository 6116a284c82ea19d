package encoder_test

import (
	"bytes"
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// driver encodes a committed module with the BTF of its kernel as base.
func driver(t *testing.T, opt encoder.Options) (f *elf.File, base []byte, res *encoder.Result) {
	t.Helper()
	const name = "gcc12-x86_64-dwarf5-"
	base, err := os.ReadFile(filepath.Join("..", "corpus", "images", name+"based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := btf.Parse(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = elf.Open(filepath.Join("..", "corpus", "images", name+"driver.ko")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	enc := encoder.Encoder{Options: opt, Base: encoder.NewBase(o)}
	if res, err = enc.Encode(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	return f, base, res
}

// TestSections: only the feature distilled_base gives a pair of sections. The pair is sorted if the BTF is sorted, and kernels accept it.
func TestSections(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opt   encoder.Options
		pair  bool
		names []string // of the sections
	}{
		{"whole", encoder.Options{}, false, []string{".BTF"}},
		{"distilled", encoder.Options{Features: feature.Default().With(feature.DistilledBase)}, true, []string{".BTF", ".BTF.base"}},
		{"distilled and sorted", encoder.Options{Features: feature.Default().With(feature.DistilledBase), SortByName: true}, true, []string{".BTF", ".BTF.base"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, base, res := driver(t, tt.opt)
			s, err := res.Sections()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.Object.AppendWire(nil), s.BTF) || (s.Base != nil) != tt.pair {
				t.Errorf("got a base of %d bytes, want a pair: %t", len(s.Base), tt.pair)
			}
			if tt.pair == bytes.Equal(s.BTF, res.Object.AppendWire(nil)) {
				t.Error("the split BTF of a pair continues the base itself")
			}
			if tt.pair && !bytes.Equal(s.Object.Base.AppendWire(nil), s.Base) {
				t.Error("the split BTF of a pair continues another base")
			}
			var names []string
			for _, e := range s.List() {
				names = append(names, e.Name)
			}
			if len(names) != len(tt.names) || names[0] != tt.names[0] || names[len(names)-1] != tt.names[len(tt.names)-1] {
				t.Errorf("got sections %v, want %v", names, tt.names)
			}
			if tt.opt.SortByName && !byName(s.Object) {
				t.Error("the split BTF is not sorted")
			}
			opt := verify.Options{Path: verify.Module, Order: f.Order, PtrSize: f.AddrSize(), Base: base, Distilled: s.Base}
			if err := verify.Check(s.BTF, opt); err != nil {
				t.Error(err)
			}
		})
	}
}

// byName reports whether the types of a BTF object are sorted by name.
func byName(o *btf.Object) bool {
	last := ""
	for _, r := range o.All() {
		name := o.Name(r.Name())
		if name < last {
			return false
		}
		last = name
	}
	return true
}

// TestSectionsWithoutBase: without a base there is nothing to distil.
func TestSectionsWithoutBase(t *testing.T) {
	res, err := encodeBytes(read(t, imagePath(t, "gcc12-x86_64-dwarf5-based")), encoder.Encoder{Options: encoder.Options{Features: feature.Of(feature.DistilledBase)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := res.Sections(); !errors.Is(err, distill.ErrNoBase) {
		t.Errorf("got error %v, want %v", err, distill.ErrNoBase)
	}
}

// TestSectionsFor: a module has no reserved size, and BTF must not leave a stale distilled base in the image.
func TestSectionsFor(t *testing.T) {
	f, _, res := driver(t, encoder.Options{Features: feature.Default().With(feature.DistilledBase)})
	pair, err := res.Sections()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "driver.ko")
	fitted, err := pair.For(f)
	if err != nil || !bytes.Equal(fitted.BTF, pair.BTF) {
		t.Fatalf("a module has no room to fill: got %d bytes and error %v, want %d", len(fitted.BTF), err, len(pair.BTF))
	}
	if err := f.Embed(fitted.List(), elf.NewCopy(out)); err != nil {
		t.Fatal(err)
	}
	with, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer with.Close()
	if _, err := (encoder.Sections{BTF: res.Object.AppendWire(nil)}).For(with); !errors.Is(err, encoder.ErrStaleBase) {
		t.Errorf("got error %v, want %v", err, encoder.ErrStaleBase)
	}
	if _, err := pair.For(with); err != nil {
		t.Errorf("a pair replaces a pair: %v", err)
	}
}

// TestSectionsForRoom: the BTF of a linked image is padded to the reserved size, in either byte order. Longer BTF is not cut.
func TestSectionsForRoom(t *testing.T) {
	for name, target := range map[string]synth.Target{
		"little-endian": {},
		"big-endian":    {Class: stdelf.ELFCLASS64, Order: binary.BigEndian, Machine: stdelf.EM_S390},
	} {
		t.Run(name, func(t *testing.T) {
			const room = 200
			b := synth.New(target)
			b.Section(btf.SectionBTF, stdelf.SHT_PROGBITS, stdelf.SHF_ALLOC, 0x20000, make([]byte, room))
			image := b.Bytes()
			f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
			if err != nil {
				t.Fatal(err)
			}
			o := btf.New(f.Order, nil)
			o.Append(o.Strings.Add([]byte("t")), btf.Info(btf.KindTypedef, 0, false), 0)
			s, err := encoder.Sections{BTF: o.AppendWire(nil), Object: o}.For(f)
			if err != nil || len(s.BTF) != room {
				t.Fatalf("got %d bytes and error %v, want %d", len(s.BTF), err, room)
			}
			if back, err := btf.Parse(s.BTF, nil); err != nil || back.Len() != 1 || len(back.Strings.Bytes()) != room-btf.HeaderLen-12 {
				t.Errorf("the strings do not end with the room: %v", err)
			}
			long := make([]byte, room+1)
			if s, err = (encoder.Sections{BTF: long}).For(f); err != nil || !bytes.Equal(s.BTF, long) {
				t.Errorf("longer BTF: got %d bytes and error %v, want %d", len(s.BTF), err, len(long))
			}
		})
	}
}
