package pairs_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// put creates a file.
func put(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return err
	}
	return f.Close()
}

// entries returns exceptions for all causes of a comparison: by their keys, or by kind, name and what became of them.
func entries(t *testing.T, c *cause.Comparison, byKey bool) *golden.Exceptions {
	t.Helper()
	var list []map[string]string
	literal := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)
	seen := map[string]bool{} // several types of one name can have the same difference
	for _, x := range c.Causes {
		e := map[string]string{"reason": "seen and accepted"}
		if byKey {
			e["key"] = x.Key
		} else {
			e["kind"], e["name"], e["what"] = string(x.Kind), literal.Replace(x.Name), string(x.Op)
		}
		if id := fmt.Sprint(e); !seen[id] {
			seen[id] = true
			list = append(list, e)
		}
	}
	text, err := yaml.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	exceptions, err := golden.ParseExceptions(text)
	if err != nil {
		t.Fatal(err)
	}
	return exceptions
}

// TestAcceptingLeavesNothing: whatever a pair's difference is, a golden that is replaced leaves no difference, and so do exceptions that are made
// from the report. None of these is stale.
func TestAcceptingLeavesNothing(t *testing.T) {
	t.Setenv("CI", "")
	differ := 0
	for _, name := range names(t) {
		for _, compiler := range compilers {
			old, new := encode(t, name, compiler, "old"), encode(t, name, compiler, "new")
			for _, semantic := range []bool{false, true} {
				what := fmt.Sprintf("%s, %s, semantic: %t", name, compiler, semantic)
				path := filepath.Join(t.TempDir(), "golden.raw")
				if err := golden.Update(path, golden.Form{}, old.Object, put); err != nil {
					t.Fatal(err)
				}
				compare := func(e *golden.Exceptions) *golden.Result {
					res, err := golden.Compare(new.Object, path, golden.Options{Image: "img", Semantic: semantic, Exceptions: e})
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					return res
				}
				before := compare(nil)
				if before.Verdict == golden.Equal {
					continue
				}
				differ++
				if before.Verdict != golden.Differs || before.Comparison == nil {
					t.Fatalf("%s: got %s, %s", what, before.Verdict, before.Problem)
				}
				for _, byKey := range []bool{true, false} {
					e := entries(t, before.Comparison, byKey)
					if after := compare(e); after.Verdict != golden.Accepted {
						t.Errorf("%s, by key: %t: got %s with exceptions for every cause; %s", what, byKey, after.Verdict, after.Problem)
					}
					if stale := e.Stale(); len(stale) > 0 {
						t.Errorf("%s, by key: %t: stale: %v", what, byKey, stale)
					}
				}
				if err := golden.Update(path, golden.Form{}, new.Object, put); err != nil {
					t.Fatal(err)
				}
				if after := compare(nil); after.Verdict != golden.Equal {
					t.Errorf("%s: got %s after the golden was accepted; %s", what, after.Verdict, after.Problem)
				}
			}
		}
	}
	if differ < 2*minPairs {
		t.Errorf("only %d comparisons differ", differ)
	}
}
