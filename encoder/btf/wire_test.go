package btf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func TestWriteParse(t *testing.T) {
	for _, tt := range orders {
		for _, layout := range []bool{false, true} {
			o := sample(tt.order)
			o.Layout = layout
			wire := o.AppendWire(nil)
			got, err := Parse(wire, nil)
			if err != nil {
				t.Fatalf("%s, layout %t: %v", tt.name, layout, err)
			}
			if !slices.Equal(got.words, o.words) || !slices.Equal(got.start, o.start) {
				t.Errorf("%s, layout %t: types changed on the way", tt.name, layout)
			}
			if got.Order != tt.order || got.Layout != layout {
				t.Errorf("%s, layout %t: got %v, layout %t", tt.name, layout, got.Order, got.Layout)
			}
			if again := got.AppendWire(nil); !bytes.Equal(again, wire) {
				t.Errorf("%s, layout %t: the second write differs from the first", tt.name, layout)
			}
			if err := got.CheckReferences(); err != nil {
				t.Errorf("%s, layout %t: %v", tt.name, layout, err)
			}
		}
	}
}

func TestParsePeer(t *testing.T) {
	for _, name := range []string{"kinds-x86_64.btf", "kinds-s390x.btf"} {
		data := peerBTF(t, name)
		o, err := Parse(data, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(o.AppendWire(nil), data) {
			t.Errorf("%s: writing what was read changes it", name)
		}
		if err := o.CheckReferences(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseSplit(t *testing.T) {
	base := sample(binary.LittleEndian)
	o := New(binary.LittleEndian, base)
	own := o.Strings.Add([]byte("own"))
	o.Append(own, Info(KindTypedef, 0, false), uint32(base.End()-1))
	o.Append(base.Strings.Add([]byte("int")), Info(KindTypedef, 0, false), uint32(o.First()))
	wire := o.AppendWire(nil)
	got, err := Parse(wire, base)
	if err != nil {
		t.Fatal(err)
	}
	if got.First() != base.End() || got.Len() != 2 {
		t.Errorf("got ids from %d, %d types, want from %d, 2 types", got.First(), got.Len(), base.End())
	}
	if r, ok := got.Record(got.First()); !ok || got.Name(r.Name()) != "own" || r.Type() != base.End()-1 {
		t.Errorf("got %v (%t), want the typedef own", r, ok)
	}
	if r, ok := got.Record(4); !ok || got.Name(r.Name()) != "list" {
		t.Errorf("got %v (%t) for type 4, want the base's struct list", r, ok)
	}
	if _, ok := got.Record(got.End()); ok {
		t.Error("a type after the last was found")
	}
	if !bytes.Equal(got.AppendWire(nil), wire) {
		t.Error("writing what was read changes it")
	}
}

// patch changes the word at a byte offset of little-endian BTF.
func patch(off int, w uint32) func([]byte) []byte {
	return func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[off:], w)
		return b
	}
}

func TestParseErrors(t *testing.T) {
	whole := sample(binary.LittleEndian).AppendWire(nil)
	last := len(whole) - 1
	for _, tt := range []struct {
		name   string
		change func([]byte) []byte
		offset int
	}{
		{"empty", func([]byte) []byte { return nil }, 0},
		{"magic", patch(0, 0x01000000|0xeb9e), 0},
		{"version", patch(0, 0x00020000|Magic), 2},
		{"header too short", patch(4, 20), 4},
		{"header longer than the file", patch(4, 1<<20), 4},
		{"strings past the end", patch(20, 1<<30), 16},
		{"types over the strings", patch(12, binary.LittleEndian.Uint32(whole[16:])+4), 8},
		{"types not aligned", patch(8, 2), 8},
		{"record cut short", patch(12, 8), HeaderLen},
		{"elements cut short", patch(12, 16+12+24+12), HeaderLen + 16 + 12 + 24},
		{"unknown kind", patch(HeaderLen+4, Info(NumKinds, 0, false)), HeaderLen},
		{"kind void", patch(HeaderLen+4, 0), HeaderLen},
		{"strings without an end", func(b []byte) []byte { b[last] = 'x'; return b }, last},
		{"no strings", func(b []byte) []byte { return patch(20, 0)(b) }, HeaderLen + int(binary.LittleEndian.Uint32(whole[16:]))},
		{"strings without the empty one", func(b []byte) []byte {
			b[HeaderLen+binary.LittleEndian.Uint32(b[16:])] = 'x'
			return b
		}, HeaderLen + int(binary.LittleEndian.Uint32(whole[16:]))},
	} {
		_, err := Parse(tt.change(bytes.Clone(whole)), nil)
		var format *FormatError
		if !errors.As(err, &format) {
			t.Errorf("%s: got error %v, want a FormatError", tt.name, err)
			continue
		}
		if format.Offset != tt.offset {
			t.Errorf("%s: got offset %#x (%s), want %#x", tt.name, format.Offset, format.Problem, tt.offset)
		}
	}
}

// A kind that only the layout section tells of is carried through.
func TestUnknownKind(t *testing.T) {
	const kind = NumKinds + 2
	o := sample(binary.BigEndian)
	id := o.Append(0, Info(kind, 2, false), 8, 1, 2, 3, 4, 5)
	o.Append(o.Strings.Add([]byte("after")), Info(KindTypedef, 0, false), uint32(id))
	o.Layout = true
	o.layout = append(o.layoutSection(), 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0)
	wire := o.AppendWire(nil)
	got, err := Parse(wire, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.At(id); r.Kind() != kind || len(r) != 8 {
		t.Errorf("got kind %d of %d words, want kind %d of 8", r.Kind(), len(r), kind)
	}
	if !bytes.Equal(got.AppendWire(nil), wire) {
		t.Error("writing what was read changes it")
	}
	if err := got.CheckReferences(); err != nil {
		t.Error(err)
	}

	split := New(binary.BigEndian, got)
	split.Append(0, Info(kind, 0, false), 8, 1)
	if _, err := Parse(split.AppendWire(nil), got); err != nil {
		t.Errorf("the base's layout does not hold for a split object: %v", err)
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{"\x9f\xeb": true, "\xeb\x9f\x01": true, "\x7fELF": false, "\x9f": false, "": false} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("Sniff(%q): got %t, want %t", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range orders {
		o := sample(tt.order)
		f.Add(o.AppendWire(nil))
		o.Layout = true
		f.Add(o.AppendWire(nil))
	}
	f.Add(peerBTF(f, "kinds-x86_64.btf"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Parse(data, nil)
		compareSkimmed(t, data, o, err)
		if err != nil {
			return
		}
		first := o.AppendWire(nil)
		again, err := Parse(first, nil)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.AppendWire(nil), first) {
			t.Fatal("the second write differs from the first")
		}
		if got, want := again.CheckReferences(), o.CheckReferences(); (got == nil) != (want == nil) {
			t.Fatalf("checked after writing: got %v, want %v", got, want)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	data := peerBTF(b, "kinds-x86_64.btf")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data, nil); err != nil {
			b.Fatal(err)
		}
	}
}
