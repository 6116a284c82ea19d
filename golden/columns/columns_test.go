package columns

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		text     string
		n        int
		fit, cut string
	}{
		{"", 0, "", ""}, {"a", 1, "a", "a"}, {"ab", 1, "…", "…"}, {"ab", 0, "", ""},
		{"debian-6.12-amd64", 17, "debian-6.12-amd64", "debian-6.12-amd64"}, {"debian-6.12-amd64", 16, "debian-6…2-amd64", "debian-6.12-amd…"},
		{"debian-6.12-amd64", 5, "de…64", "debi…"}, {"核核核核", 8, "核核核核", "核核核核"}, {"核核核核", 7, "核…核", "核核核…"}, {"核核核核", 6, "核…核", "核核…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…", "e\u0301…"},
	} {
		if got := Fit(tt.text, tt.n); got != tt.fit {
			t.Errorf("Fit(%q, %d): got %q, want %q", tt.text, tt.n, got, tt.fit)
		}
		if got := Cut(tt.text, tt.n); got != tt.cut {
			t.Errorf("Cut(%q, %d): got %q, want %q", tt.text, tt.n, got, tt.cut)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add("debian-6.12-amd64", 5)
	f.Add("核e\u0301👩‍👩‍👧", 3)
	f.Add(strings.Repeat("\u0301", 300), 4)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 0), 200)
		for _, got := range []string{Fit(s, n), Cut(s, n)} {
			if Of(got) > n && n > 0 {
				t.Errorf("%q takes %d columns, more than %d", got, Of(got), n)
			}
			if utf8.ValidString(s) && !utf8.ValidString(got) {
				t.Errorf("%q is cut within a character", got)
			}
		}
	})
}
