package btf

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomStrings returns n strings, many of which have a beginning and an end in common.
func randomStrings(r *rand.Rand, n int) []string {
	list := make([]string, n)
	for i := range list {
		word := func(most int) string { return strings.Repeat(string(rune('a'+r.IntN(2))), r.IntN(most)) }
		if list[i] = word(4) + word(5) + word(3); r.IntN(3) == 0 {
			list[i] = "beginning" + word(4) + word(4) + "the end" + word(2)
		}
	}
	return list
}

// TestExpect: with expectations, every lookup in a base has the same result, whether the string was expected or not.
func TestExpect(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	found, late := 0, 0
	for range 400 {
		section := "\x00" + strings.Join(randomStrings(r, 50+r.IntN(100)), "\x00") + "\x00"
		indexed := parseStrings([]byte(section), nil)
		indexed.Index()
		base := parseStrings([]byte(section), nil)
		base.late = true
		s := NewStrings(base)
		expected := randomStrings(r, r.IntN(10))
		s.Expect([]byte(strings.Join(expected, "\x00") + "\x00"))
		s.Expect([]byte(strings.Join(randomStrings(r, 3), "\x00") + "\x00"))
		for _, str := range append(expected, randomStrings(r, 10)...) {
			got, ok := s.Find([]byte(str))
			want, wantOK := indexed.Find([]byte(str))
			if ok != wantOK || ok && got != want {
				t.Fatalf("Find(%q): got %d (%t), want %d (%t)\nexpected %q\n%q", str, got, ok, want, wantOK, expected, section)
			}
			if ok && len(str) > 3 {
				found++
			}
		}
		if base.read.slots != nil {
			late++
		}
	}
	if found < 1000 || late < 100 {
		t.Errorf("%d strings were found, and %d bases have an index: the test says little", found, late)
	}
}

// TestExpectAll: if all strings were expected, the base gets no index.
func TestExpectAll(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	for range 100 {
		list := randomStrings(r, 5)
		base := parseStrings([]byte("\x00"+strings.Join(append(randomStrings(r, 300), list[:2]...), "\x00")+"\x00"), nil)
		base.late = true
		s := NewStrings(base)
		s.Expect([]byte(strings.Join(list, "\x00") + "\x00"))
		for _, str := range list {
			if _, ok := s.Find([]byte(str)); !ok && slices.Contains(list[:2], str) {
				t.Errorf("%q was not found", str)
			}
		}
		other := slices.ContainsFunc(list, func(str string) bool { return strings.HasPrefix(str, "beginning") }) // may have the hash of another one
		if base.read.slots != nil && !other {
			t.Errorf("the base has an index, after lookups of %q", list)
		}
	}
}

// FuzzExpect is TestExpect for any section, list and string.
func FuzzExpect(f *testing.F) {
	f.Add([]byte("\x00int\x00u64\x00beginning\x00"+strings.Repeat("x\x00", 50)), []byte("beginning\x00int\x00"), []byte("int"))
	f.Add([]byte("\x00abcdefgh\x00abcdefghi\x00abc\x00"+strings.Repeat("xyzabc\x00", 20)), []byte("abcdefgh\x00xyzabc\x00"), []byte("abcdefgh"))
	f.Fuzz(func(t *testing.T, section, list, str []byte) {
		if len(section) == 0 || section[0] != 0 || section[len(section)-1] != 0 || slices.Contains(str, 0) {
			return
		}
		indexed := parseStrings(section, nil)
		indexed.Index()
		base := parseStrings(section, nil)
		base.late = true
		s := NewStrings(base)
		s.Expect(list)
		got, ok := s.Find(str)
		if want, wantOK := indexed.Find(str); ok != wantOK || ok && got != want {
			t.Fatalf("Find(%q): got %d (%t), want %d (%t)", str, got, ok, want, wantOK)
		}
	})
}

// TestScan: the search that this machine has finds the same strings as the one that every machine has, whatever the section and the
// place where it goes on, and never touches what is behind the section.
func TestScan(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 10))
	stored, full := 0, 0
	for range 300 {
		section := []byte("\x00" + strings.Join(randomStrings(r, r.IntN(4000)), "\x00") + "\x00")
		for range r.IntN(20) { // strings with other bytes, and none for a while
			section[1+r.IntN(len(section)-1)] = []byte{1, 0x80, 0xff}[r.IntN(3)]
		}
		var in filter
		for _, str := range randomStrings(r, r.IntN(30)) {
			if len(str) > shortLen {
				in.add([]byte(str))
			}
		}
		for c := (cut{}); c.i+block <= len(section); {
			var got, want [512]found
			n, to := scan(section, c, &in, &got)
			part := section
			if to.i < len(section)-block {
				part = section[:to.i]
			}
			wantN, wantTo := pass(part, c, &in, &want)
			if n != wantN || to != wantTo || got != want {
				t.Fatalf("from %v: got %d strings and %v, want %d and %v\n%v\n%v\n%q", c, n, to, wantN, wantTo, got[:n], want[:wantN], section)
			}
			if stored += n; n > len(got)-block {
				full++
			}
			c = to
		}
	}
	if stored < 10000 || full < 100 {
		t.Errorf("%d strings were found, and %d searches were full: the test says little", stored, full)
	}
}
