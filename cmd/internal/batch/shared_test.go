package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report"
)

// TestSharedGolden: a golden that images share is rewritten, or gets a proposal, only if one BTF suits all of them, each by its own policy.
// Otherwise it stays as it is, for any number of workers. An image that fails before the comparison does not count.
func TestSharedGolden(t *testing.T) {
	t.Setenv("CI", "") // in CI, goldens are not rewritten
	path := sample(t)
	dir := filepath.Dir(path)
	shared := filepath.Join(dir, "golden.raw")
	text := func(features string) string {
		t.Helper()
		place := filepath.Join(dir, features+".raw")
		r := Run(context.Background(), Jobs(manifest(t, fmt.Sprintf("  - {name: a, path: %s, features: %s, outputs: {dump: %s}}\n", path, features, place)), ""), Options{})
		data, err := os.ReadFile(place)
		if err != nil || r.Status() != report.OK {
			t.Fatal(err, r.Status())
		}
		return string(data)
	}
	float, byDefault := text("float"), text("default")
	if float == byDefault {
		t.Fatal("the two dumps are equal: the test would show nothing")
	}
	const differs = "another text\n"
	tests := []struct {
		name   string
		images []string // features, and keys of the golden
		old    string   // text of the golden before the run
		golden string   // after it
		status []report.Status
		says   string // the last row
	}{
		{"they agree", []string{"missing", "float", "float"}, differs, float,
			[]report.Status{report.Failed, report.OK, report.OK}, "rewritten"},
		{"a golden that does not exist", []string{"float", "float"}, "", float, []report.Status{report.OK, report.OK}, "created"},
		{"they differ", []string{"float", "default"}, differs, differs, []report.Status{report.Differs, report.Failed}, `"i0" and "i1" share this golden`},
		{"the golden is that of the second", []string{"float", "default"}, byDefault, byDefault,
			[]report.Status{report.Differs, report.Failed}, `"i0" and "i1" share this golden`},
		{"the golden is that of the first", []string{"float", "default"}, float, float,
			[]report.Status{report.OK, report.Failed}, `"i0" and "i1" share this golden`},
		{"the third differs", []string{"float", "float", "default"}, differs, differs,
			[]report.Status{report.Differs, report.Differs, report.Failed}, `"i0" and "i2" share this golden`},
		{"the second of three differs", []string{"float", "default", "float"}, differs, differs,
			[]report.Status{report.Differs, report.Failed, report.Differs}, "not rewritten"},
		{"a policy that accepts the other", []string{"float", "default; allow: [section-size, var-added, enum-value-changed, type-encoding]"}, differs, float,
			[]report.Status{report.OK, report.OK}, "rewritten"},
		{"a policy that accepts the other comes first", []string{"default; allow: [section-size, var-added, enum-value-changed, type-encoding]", "float"}, differs, float,
			[]report.Status{report.OK, report.OK}, "rewritten"},
	}
	for _, tt := range tests {
		var list strings.Builder
		for i, features := range tt.images {
			image := path
			if features == "missing" {
				image, features = path+".none", "float"
			}
			features, keys, _ := strings.Cut(features, ";")
			if keys != "" {
				keys = "," + keys
			}
			fmt.Fprintf(&list, "  - {name: i%d, path: %s, features: %s, golden: {path: %s%s}}\n", i, image, features, shared, keys)
		}
		for _, workers := range []int{1, 2, 7} {
			_ = os.Remove(shared)
			if tt.old != "" {
				if err := os.WriteFile(shared, []byte(tt.old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := Run(context.Background(), Jobs(manifest(t, list.String()), ""), Options{Encoding: Encoding{Workers: workers}, Goldens: Goldens{Update: true}})
			for i, want := range tt.status {
				if row := r.Rows()[i]; row.Status != want {
					t.Errorf("%s, %d workers: %s: got %s, error %q, want %s", tt.name, workers, row.Name, row.Status, row.Error, want)
				}
			}
			last := r.Rows()[len(tt.status)-1]
			says := last.Error
			if last.Golden != nil {
				says += last.Golden.Summary
			}
			if !strings.Contains(says, tt.says) {
				t.Errorf("%s, %d workers: got %q, want %q in it", tt.name, workers, says, tt.says)
			}
			if data, _ := os.ReadFile(shared); string(data) != tt.golden {
				t.Errorf("%s, %d workers: the golden has another text", tt.name, workers)
			}
		}
	}
}
