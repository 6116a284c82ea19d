package kernel

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	const (
		itself = ""
		same   = "is judged as"
		older  = "the generation before it"
		newer  = "the newest generation that is known"
	)
	for _, tt := range []struct{ text, want, note string }{
		{"5.10", "5.10", itself}, {"6.1", "6.1", itself}, {"6.12", "6.12", itself}, {"6.18", "6.18", itself}, {"7.2", "7.2", itself},
		{"newest", "7.2", itself},
		{"v5.10", "5.10", same}, {"V6.1", "6.1", same}, {"5.10.0-28-amd64", "5.10", same}, {"5.10.247", "5.10", same},
		{"6.12.107+deb13-cloud-amd64", "6.12", same}, {"6.1-rc3", "6.1", same}, {"6.1.y", "6.1", same}, {"v7.2~rc1", "7.2", same},
		{"6.6.0_custom", "6.1", older}, {"6.18.3-arch1-1", "6.18", same},
		{"5.11", "5.10", older}, {"5.15", "5.10", older}, {"5.15.0-1070-aws", "5.10", older}, {"6.0", "5.10", older},
		{"6.2", "6.1", older}, {"6.8", "6.1", older}, {"6.11", "6.1", older}, {"6.13", "6.12", older}, {"6.17", "6.12", older},
		{"6.19", "6.18", older}, {"7.0", "6.18", older}, {"7.1", "6.18", older}, {"6.100", "6.18", older},
		{"7.3", "7.2", newer}, {"7.20", "7.2", newer}, {"8.0-rc1", "7.2", newer},
	} {
		got, err := Find(tt.text)
		if err != nil || got.Generation != tt.want || got.Text != tt.text {
			t.Errorf("%s: got %+v (%v), want %s", tt.text, got, err, tt.want)
		}
		switch {
		case (got.Note == "") != (tt.note == ""), !strings.Contains(got.Note, tt.note):
			t.Errorf("%s: got note %q, want one with %q", tt.text, got.Note, tt.note)
		case tt.note == same && (strings.Contains(got.Note, older) || strings.Contains(got.Note, newer)):
			t.Errorf("%s: got note %q", tt.text, got.Note)
		case got.Note != "" && !strings.Contains(got.Note, "kernel "+tt.text+" is judged as "+tt.want):
			t.Errorf("%s: got note %q, which does not say what it was taken for", tt.text, got.Note)
		}
	}
}

// Texts that are no kernel, and kernels that are not known, give an error that lists the generations.
func TestFindNothing(t *testing.T) {
	for _, text := range []string{"", " ", "6", "v6", "6.", ".1", "six.one", "6.1 ", "6.1a", "latest", "Newest", "vmlinux", "-1.5", "6,1",
		"6.1.\n", "6.1-\x1b[31m", "6.1-ä", "1234.5", "6.12345", "6.1-" + strings.Repeat("x", 65), "4.18", "v5.4", "5.9.16", "2.6.32-754.el6", "0.1"} {
		_, err := Find(text)
		if _, ok := errors.AsType[*UnknownError](err); !ok {
			t.Errorf("%q: got error %v", text, err)
			continue
		}
		for _, name := range Words() {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q: the error does not list %s: %v", text, name, err)
			}
		}
		if strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: the error is not quoted: %v", text, err)
		}
	}
}

// The generations are in ascending order, so the last one that is not newer is the nearest.
func TestGenerationsAscend(t *testing.T) {
	if !slices.IsSortedFunc(Generations(), func(a, b string) int {
		if parse(a).before(parse(b)) {
			return -1
		}
		return 1
	}) {
		t.Errorf("got %v", Generations())
	}
}
