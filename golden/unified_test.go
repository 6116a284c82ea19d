package golden

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"
)

// numbered is so many lines, each of which occurs once.
func numbered(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("line ", i+1)
	}
	return list
}

func text(lines []string) []byte {
	if len(lines) == 0 {
		return nil
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// cases are pairs of texts, by what happened to the first.
func cases() map[string][2][]byte {
	change := func(at int, with ...string) []string {
		list := numbered(30)
		return append(append(append([]string{}, list[:at]...), with...), list[at+1:]...)
	}
	old := numbered(30)
	repeated := strings.Split(strings.Repeat("same ", 20), " ")
	return map[string][2][]byte{
		"changed in the middle":  {text(old), text(change(14, "other"))},
		"changed at the start":   {text(old), text(change(0, "other"))},
		"changed at the end":     {text(old), text(change(29, "other"))},
		"removed":                {text(old), text(change(10))},
		"added":                  {text(old), text(change(10, "line 11", "one", "two"))},
		"two near":               {text(old), text(append(change(10, "other")[:13], append([]string{"more"}, old[14:]...)...))},
		"two far":                {text(old), text(append(change(5, "other")[:20], append([]string{"more"}, old[21:]...)...))},
		"from nothing":           {nil, text(old[:2])},
		"to nothing":             {text(old[:2]), nil},
		"moved":                  {text(old), text(append(append(append([]string{}, old[20:]...), old[5:20]...), old[:5]...))},
		"nothing in common":      {text(old[:3]), text([]string{"x", "y"})},
		"no line occurs once":    {text(repeated), text(append(append(append([]string{}, repeated[:8]...), "x"), repeated[12:]...))},
		"no newline at the end":  {text(old[:2]), bytes.TrimSuffix(text(old[:2]), []byte("\n"))},
		"few equal lines at end": {text(old), text(append(change(26, "other")[:28], "line 29", "line 30"))},
	}
}

// patch(1) makes the second text of the first.
func TestUnifiedApplies(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("no patch(1) to apply diffs with")
	}
	for name, tt := range cases() {
		if name == "no newline at the end" {
			continue // the note is ours, not patch's
		}
		for context := range 4 {
			dir := t.TempDir()
			file := filepath.Join(dir, "text")
			if err := os.WriteFile(file, tt[0], 0o600); err != nil {
				t.Fatal(err)
			}
			diff := appendUnified(nil, tt[0], tt[1], "text", "text", context, 1000)
			cmd := exec.Command("patch", "--posix", "-u", file)
			cmd.Stdin = bytes.NewReader(diff)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, context %d: %v: %s\n%s", name, context, err, out, diff)
				continue
			}
			got, err := os.ReadFile(file)
			if err != nil && len(tt[1]) > 0 {
				t.Fatal(err)
			}
			if !bytes.Equal(got, tt[1]) {
				t.Errorf("%s, context %d: got %q, want %q by\n%s", name, context, got, tt[1], diff)
			}
		}
	}
}

func TestUnified(t *testing.T) {
	var all []byte
	for _, name := range []string{"changed in the middle", "two near", "two far", "no newline at the end", "few equal lines at end"} {
		tt := cases()[name]
		all = fmt.Appendf(all, "# %s\n", name)
		all = appendUnified(all, tt[0], tt[1], "golden", "got", 3, 1000)
	}
	goldie.New(t).Assert(t, "unified", all)
}

func TestUnifiedBounded(t *testing.T) {
	old, shifted := numbered(3000), numbered(3000)
	for i := range shifted {
		if i%10 != 0 {
			shifted[i] = "shifted " + shifted[i]
		}
	}
	goldie.New(t).Assert(t, "unified-bounded", appendUnified(nil, text(old), text(shifted), "golden", "got", 3, 30))
	other := make([]string, 3000)
	for i := range other {
		other[i] = fmt.Sprint("other ", i)
	}
	goldie.New(t).Assert(t, "unified-replaced", appendUnified(nil, text(old), text(other), "golden", "got", 3, 10))
}

func TestUnifiedEqual(t *testing.T) {
	if got := string(appendUnified(nil, text(numbered(5)), text(numbered(5)), "a", "b", 3, 10)); got != "--- a\n+++ b\n" {
		t.Errorf("got %q for equal texts", got)
	}
}

func TestIncreasing(t *testing.T) {
	for _, tt := range []struct {
		values []int
		want   int
	}{{nil, 0}, {[]int{1}, 1}, {[]int{1, 2, 3}, 3}, {[]int{3, 2, 1}, 1}, {[]int{5, 1, 6, 2, 3, 7, 4}, 4}} {
		last, n := -1, 0
		for i, in := range increasing(tt.values) {
			if !in {
				continue
			}
			if tt.values[i] <= last {
				t.Errorf("%v: %d does not increase", tt.values, tt.values[i])
			}
			last, n = tt.values[i], n+1
		}
		if n != tt.want {
			t.Errorf("%v: got %d, want %d", tt.values, n, tt.want)
		}
	}
}
