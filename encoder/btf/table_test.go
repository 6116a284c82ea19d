package btf

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

func TestRecordWords(t *testing.T) {
	o := sample(binary.LittleEndian)
	for _, tt := range []struct {
		id         ID
		references []uint32
		names      int
	}{
		{1, nil, 1}, {2, []uint32{4}, 1}, {3, []uint32{1, 1}, 1}, {4, []uint32{2, 1}, 3}, {5, []uint32{3}, 2},
		{6, nil, 2}, {7, nil, 1}, {8, []uint32{4}, 1}, {12, []uint32{1, 2, 0}, 3}, {13, []uint32{12}, 1},
		{14, []uint32{1}, 1}, {15, []uint32{14}, 1}, {16, nil, 1}, {17, []uint32{13}, 1}, {18, []uint32{1}, 1}, {19, nil, 2},
	} {
		r := o.At(tt.id)
		var references []uint32
		r.References(func(id *uint32) { references = append(references, *id) })
		if !slices.Equal(references, tt.references) {
			t.Errorf("%s: got references %v, want %v", r.Kind(), references, tt.references)
		}
		names := 0
		r.StringOffsets(func(*uint32) { names++ })
		if names != tt.names {
			t.Errorf("%s: got %d names, want %d", r.Kind(), names, tt.names)
		}
	}
}

func TestRecordFields(t *testing.T) {
	o := sample(binary.LittleEndian)
	list := o.At(4)
	got := fmt.Sprintf("%s %d %t %s %d %d", list.Kind(), list.Vlen(), list.Kflag(), o.Name(list.Name()), list.Size(), list.Elem(1)[2]>>24)
	if want := "STRUCT 2 true list 16 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := o.At(13).Type(); got != 12 {
		t.Errorf("got prototype %d, want 12", got)
	}
	if got := Kind(77).String(); got != "kind 77" {
		t.Errorf("got %q, want kind 77", got)
	}
}

// TestAppendElemWraps: the number of elements wraps at 16 bits, as in pahole. All elements are kept.
func TestAppendElemWraps(t *testing.T) {
	o := New(binary.LittleEndian, nil)
	id := o.Append(0, Info(KindEnum, 0, false), 4)
	for range MaxVlen + 3 {
		o.AppendElem(0, 0)
	}
	if got := o.At(id).Vlen(); got != 2 {
		t.Errorf("got vlen %d, want 2", got)
	}
}

func TestTable(t *testing.T) {
	tab := NewTable(40)
	tab.Grow(3, 9)
	tab.Append(0, Info(KindPtr, 0, false), 1)
	tab.Append(0, Info(KindStruct, 0, false), 8)
	tab.AppendElem(0, 40, 0)
	tab.SetKflag()
	if got := tab.Last(); got.Vlen() != 1 || !got.Kflag() || len(got) != 6 {
		t.Errorf("got last record %v", got)
	}
	var ids []ID
	for id, r := range tab.All() {
		ids = append(ids, id)
		if len(r) == 6 {
			break
		}
	}
	if !slices.Equal(ids, []ID{40, 41}) || tab.Own(39) || !tab.Own(41) || tab.Own(42) || tab.WordCount() != 9 {
		t.Errorf("got ids %v, %d words, own %t %t %t", ids, tab.WordCount(), tab.Own(39), tab.Own(41), tab.Own(42))
	}
	tab.Reset()
	if tab.Len() != 0 || tab.End() != 40 {
		t.Errorf("after a reset: got %d types, end %d", tab.Len(), tab.End())
	}
	var zero Table
	if zero.First() != 1 || zero.Append(0, 0, 0) != 1 {
		t.Error("the zero table does not start at 1")
	}
}

// TestRecord: void, the types of an object and those of its base have records.
func TestRecord(t *testing.T) {
	base := sample(binary.LittleEndian)
	o := New(binary.LittleEndian, base)
	own := o.Append(o.Strings.Add([]byte("own")), Info(KindStruct, 0, false), 8)
	if r, ok := o.Record(0); !ok || !slices.Equal(r, Record{0, 0, 0}) {
		t.Errorf("void: got %v, %v, want three zero words", r, ok)
	}
	if r, ok := o.Record(own); !ok || o.Name(r.Name()) != "own" {
		t.Errorf("own: got %v, %v", r, ok)
	}
	for _, id := range []ID{1, base.End() - 1} {
		if r, ok := o.Record(id); !ok || !slices.Equal(r, base.At(id)) {
			t.Errorf("%d: got %v, %v, want %v of the base", id, r, ok, base.At(id))
		}
	}
	if r, ok := o.Record(own + 1); ok {
		t.Errorf("got %v, want no record behind the last type", r)
	}
}

// TestRenumber: every word that References visits, and no other, is replaced.
func TestRenumber(t *testing.T) {
	fill := func() *Table {
		tab := NewTable(1)
		for k := KindInt; k < NumKinds; k++ {
			s := ShapeOf(k)
			tab.Append(0, Info(k, 2, false), 1)
			if k == KindFunc { // its vlen is its linkage
				continue
			}
			for i := range int(s.Once) + 2*int(s.Each) {
				tab.Extend([]uint32{uint32(i % 3)})
			}
		}
		return &tab
	}
	got, want := fill(), fill()
	got.Renumber([]uint32{100, 101, 102}, 0)
	for _, r := range want.All() {
		r.References(func(id *uint32) { *id += 100 })
	}
	if !slices.Equal(got.words, want.words) {
		t.Errorf("got words\n%v\nwant\n%v", got.words, want.words)
	}
}
