package dwarf

import "testing"

func TestLanguage(t *testing.T) {
	for _, tt := range []struct {
		name string
		code uint64
		ok   bool
	}{
		{"c89", 1, true}, {"c", 2, true}, {"c++", 4, true}, {"c99", 12, true}, {"upc", 18, true}, {"d", 19, true}, {"go", 22, true},
		{"rust", 28, true}, {"Rust", 28, true}, {"c11", 29, true}, {"c++14", 33, true}, {"bliss", 37, true}, {"asm", 0x8001, true},
		{"", 0, false}, {"c17", 0, false},
	} {
		if code, ok := Language(tt.name); code != tt.code || ok != tt.ok {
			t.Errorf("%q: got %d, %t, want %d, %t", tt.name, code, ok, tt.code, tt.ok)
		}
	}
	for _, name := range LanguageNames() {
		if _, ok := Language(name); !ok {
			t.Errorf("%q is listed and not known", name)
		}
	}
}
