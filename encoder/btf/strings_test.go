package btf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

func TestStrings(t *testing.T) {
	s := NewStrings(nil)
	for _, tt := range []struct {
		str  string
		want uint32
	}{{"", 0}, {"abc", 1}, {"bc", 5}, {"abc", 1}, {"bc", 5}, {"ab", 8}} {
		if got := s.Add([]byte(tt.str)); got != tt.want {
			t.Errorf("Add(%q): got %d, want %d", tt.str, got, tt.want)
		}
	}
	if got := string(s.Bytes()); got != "\x00abc\x00bc\x00ab\x00" {
		t.Errorf("got section %q", got)
	}
	if got, ok := s.Get(2); string(got) != "bc" || !ok {
		t.Errorf("got %q (%t) inside a string, want bc", got, ok)
	}
	if _, ok := s.Get(s.End()); ok {
		t.Error("an offset past the end was found")
	}

	split := NewStrings(s)
	if got := split.Add([]byte("ab")); got != 8 {
		t.Errorf("got %d for a string of the base, want 8", got)
	}
	if got := split.Add([]byte("own")); got != s.End() {
		t.Errorf("got %d for an own string, want %d", got, s.End())
	}
	if got, ok := split.Get(1); string(got) != "abc" || !ok {
		t.Errorf("got %q (%t) from the base, want abc", got, ok)
	}
	if string(split.Bytes()) != "own\x00" || split.Start() != s.End() {
		t.Errorf("got section %q at %d", split.Bytes(), split.Start())
	}
}

// A table that was read finds its strings only after Index, and of a string held twice the first.
func TestStringsIndex(t *testing.T) {
	s := parseStrings([]byte("\x00x\x00yy\x00x\x00"), nil)
	s.Index()
	for str, want := range map[string]uint32{"": 0, "x": 1, "yy": 3} {
		if got, ok := s.Find([]byte(str)); got != want || !ok {
			t.Errorf("Find(%q): got %d (%t), want %d", str, got, ok, want)
		}
	}
	if _, ok := s.Find([]byte("y")); ok {
		t.Error("a suffix was found")
	}
	if got := s.Add([]byte("z")); got != 8 {
		t.Errorf("got %d for an added string, want 8", got)
	}
}

func TestStringsGrow(t *testing.T) {
	o := New(binary.LittleEndian, nil)
	offs := make([]uint32, 5000)
	for i := range offs {
		offs[i] = o.Strings.Add(fmt.Append(nil, "name", i))
	}
	for i, off := range offs {
		want := fmt.Sprint("name", i)
		if got := o.Name(off); got != want {
			t.Fatalf("got %q at %d, want %q", got, off, want)
		}
		if again := o.Strings.Add([]byte(want)); again != off {
			t.Fatalf("%s was added twice: %d, %d", want, off, again)
		}
	}
}

func FuzzStrings(f *testing.F) {
	f.Add([]byte("\x00a\x00bb\x00a\x00"), []byte("bb"))
	f.Add([]byte("\x00"), []byte(""))
	f.Fuzz(func(t *testing.T, section, str []byte) {
		if slices.Contains(str, 0) {
			return
		}
		if len(section) == 0 || section[0] != 0 || section[len(section)-1] != 0 {
			return
		}
		s := parseStrings(section, nil)
		s.Index()
		off := s.Add(str)
		if got, ok := s.Get(off); !ok || string(got) != string(str) {
			t.Fatalf("got %q (%t) at %d, want %q", got, ok, off, str)
		}
		if again := s.Add(str); again != off {
			t.Fatalf("got %d the second time, want %d", again, off)
		}
	})
}

// TestPrefetchBase: with a base, Prefetch reads the strings of the base that Add will compare.
func TestPrefetchBase(t *testing.T) {
	base := NewStrings(nil)
	for i := range 1000 {
		base.Add(fmt.Appendf(nil, "%c_of_base_%d", 'a'+i%26, i))
	}
	section := parseStrings(base.Bytes(), nil)
	s := NewStrings(section)
	if s.baseIndex() != nil {
		t.Fatal("an index that was not built is ready")
	}
	section.Index()
	s.Prefetch([]uint64{s.Hash(nil), s.Hash([]byte("in no base"))})
	read := 0
	for i := range 1000 {
		str := fmt.Appendf(nil, "%c_of_base_%d", 'a'+i%26, i)
		hash := s.Hash(str)
		slot := uint64(section.read.slots[hash&uint64(len(section.read.slots)-1)])
		if s.Prefetch([]uint64{hash})^slot == uint64(str[0]) {
			read++
		}
	}
	if read < 950 { // another string may have the same bits of the hash, and come first
		t.Errorf("read %d of 1000 strings", read)
	}
}

// TestStringIndexTag: slots have room for offsets up to the end of a section, whatever its size, and other bits of a slot exclude strings.
func TestStringIndexTag(t *testing.T) {
	for _, size := range []int{2, 3, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097} {
		section, places := make([]byte, 1, size), []int{}
		for i := 0; len(section) < size-6; i++ {
			places = append(places, len(section))
			section = append(fmt.Append(section, i), 0)
		}
		places = append(places, len(section))
		section = append(section, "aaaaaaaa"[:size-len(section)]...)
		section[size-1] = 0
		var x stringIndex
		if !x.build(section) {
			t.Fatalf("%d bytes: no index", size)
		}
		for i, at := range places {
			end := at + bytes.IndexByte(section[at:], 0)
			if end == at {
				continue
			}
			if got, ok := x.find(section, section[at:end]); !ok || int(got) != at {
				t.Errorf("%d bytes, string %d: got %d (%t), want %d", size, i, got, ok, at)
			}
		}
		if all := int(^x.tag); all < size || all > 2*size {
			t.Errorf("%d bytes: slots have the bits %#x of the hash", size, x.tag)
		}
	}
}
