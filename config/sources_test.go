package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFromOfQuery: two queries are two sources, the text of none is in a lock, and what gives access to a file is not part of its name.
func TestFromOfQuery(t *testing.T) {
	name := func(where string) (from, sum string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "m.yaml")
		if err := os.WriteFile(file, []byte("version: 1\nimages: [{name: a, from: {url: '"+where+"'}}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return m.FromOf(&m.Images[0]), m.SourcesSHA256()
	}
	const plain = "https://example.org/vmlinux"
	bare, bareSum := name(plain)
	one, oneSum := name(plain + "?build=1")
	two, twoSum := name(plain + "?build=2")
	if bare != "url="+plain || one == two || one == bare || oneSum == twoSum || oneSum == bareSum || strings.Contains(one, "build") {
		t.Errorf("got %s, %s and %s; digests %s, %s and %s", bare, one, two, bareSum, oneSum, twoSum)
	}
	for _, query := range []string{"?", "?X-Amz-Signature=abc&X-Amz-Date=1", "?Signature=abc&Expires=2", "?sig=abc&se=2026", "?access_token=abc", "?&"} {
		if from, sum := name(plain + query); from != bare || sum != bareSum {
			t.Errorf("%s: got %s", query, from)
		}
	}
	if from, _ := name(plain + "?build=1&Signature=abc"); from != one {
		t.Errorf("a signature: got %s, want %s", from, one)
	}
}
