package btfbatch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// withoutExample are public packages that a user of the library seldom calls.
var withoutExample = []string{"encoder/implicit", "encoder/input", "encoder/kernel", "encoder/rules"}

// TestPublicPackages: what go doc says of a public package names its input and output, what it never does, and how stable it is, all in
// doc.go; an example shows how to begin.
func TestPublicPackages(t *testing.T) {
	rooms := map[string]bool{}
	examples := map[string]bool{}
	for _, s := range sources(t) {
		public := s.room == "encoder" || strings.HasPrefix(s.room, "encoder/") && !strings.HasPrefix(s.room, "encoder/internal/")
		if !public {
			continue
		}
		rooms[s.room] = rooms[s.room] || !s.test
		text, err := os.ReadFile(filepath.FromSlash(s.path))
		if err != nil {
			t.Fatal(err)
		}
		if s.test {
			examples[s.room] = examples[s.room] || strings.Contains(string(text), "\nfunc Example") && strings.Contains(string(text), "// Output:")
			continue
		}
		if strings.HasPrefix(string(text), "// Package ") != strings.HasSuffix(s.path, "/doc.go") {
			t.Errorf("%s: the comment of a public package stands in doc.go, and nowhere else", s.path)
		}
	}
	for room, product := range rooms {
		if !product {
			continue
		}
		doc, err := os.ReadFile(filepath.Join(filepath.FromSlash(room), "doc.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, word := range []string{"Input:", "Output:", "Never:", "Stability:"} {
			if !strings.Contains(string(doc), word) {
				t.Errorf("%s/doc.go has no %s", room, word)
			}
		}
		if slices.Contains(withoutExample, room) == examples[room] {
			t.Errorf("%s: has an example that runs: %t", room, examples[room])
		}
	}
	if len(rooms) < 10 {
		t.Errorf("looked at %d packages, want all", len(rooms))
	}
}
