package atonce

import "testing"

// TestAnswer: only a call by the name pahole that asks for the version and nothing else has an answer.
func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		argv []string
		want string
	}{
		{nil, ""},
		{[]string{"pahole"}, ""},
		{[]string{"pahole", "--version"}, "v1.32\n"},
		{[]string{"/usr/bin/pahole", "--version"}, "v1.32\n"},
		{[]string{"/usr/bin/pahole", "--numeric_version"}, "132\n"},
		{[]string{"pahole/btfbatch", "--version"}, ""},
		{[]string{"btfbatch", "--version"}, ""},
		{[]string{"nopahole", "--version"}, ""},
		{[]string{"pahole", "--version", "-J"}, ""},
		{[]string{"pahole", "--ver"}, ""},
	} {
		if got := answer(tc.argv); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.argv, got, tc.want)
		}
	}
}
