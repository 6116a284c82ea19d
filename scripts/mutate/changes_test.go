package main

import (
	"slices"
	"strings"
	"testing"
)

// TestChanges: what can be changed in a file, and what comes of it.
func TestChanges(t *testing.T) {
	const text = `package p

import "fmt"

func f(a, b int) bool {
	a = b + 1
	fmt.Println(a)
	if a <= 0x10 && b != 0 {
		return true
	}
	return false
}
`
	all, err := changesIn("p.go", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, c.String())
		changed := string(c.apply([]byte(text)))
		if changed == text || len(changed) != len(text)-len(c.old)+len(c.new) || !strings.Contains(changed, c.new) {
			t.Errorf("%s: got\n%s", c, changed)
		}
	}
	want := []string{
		"p.go:6:2  a = b + 1 -> nothing",
		"p.go:7:2  fmt.Println(a) -> nothing",
		"p.go:6:8  + -> -",
		"p.go:6:10  1 -> 2",
		"p.go:8:5  a <= 0x10 && b != 0 -> !(a <= 0x10 && b != 0)",
		"p.go:8:15  && -> ||",
		"p.go:8:7  <= -> <",
		"p.go:8:10  0x10 -> 17",
		"p.go:8:20  != -> ==",
		"p.go:8:23  0 -> 1",
		"p.go:9:10  true -> false",
		"p.go:11:9  false -> true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDependents: the tests of a room are asked, and those of the rooms that use it.
func TestDependents(t *testing.T) {
	low := &pkg{ImportPath: "m/low"}
	mid := &pkg{ImportPath: "m/mid", Imports: []string{"m/low"}, TestGoFiles: []string{"mid_test.go"}}
	top := &pkg{ImportPath: "m/top", Imports: []string{"m/mid"}}
	tests := &pkg{ImportPath: "m/tests", XTestImports: []string{"m/top"}, XTestGoFiles: []string{"tests_test.go"}}
	other := &pkg{ImportPath: "m/other", TestGoFiles: []string{"other_test.go"}}
	tr := &tree{all: []*pkg{other, tests, top, mid, low}}
	if got, want := tr.dependents(low), []*pkg{mid, tests}; !slices.Equal(got, want) {
		t.Errorf("got %d packages, want mid and tests", len(got))
	}
}
