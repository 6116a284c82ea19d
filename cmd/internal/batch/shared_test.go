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

// TestSharedGolden: if images share a golden and differ, the golden gets the BTF of the first, for any number of workers. An image that fails
// before the comparison does not count as the first.
func TestSharedGolden(t *testing.T) {
	t.Setenv("CI", "") // in CI, goldens are not rewritten
	path := sample(t)
	golden := filepath.Join(filepath.Dir(path), "golden.raw")
	var text strings.Builder
	for i, features := range []string{"missing", "float", "float", "default", "float", "default"} {
		image := path
		if features == "missing" {
			image, features = path+".none", "float"
		}
		fmt.Fprintf(&text, "  - {name: i%d, path: %s, features: %s, golden: %s}\n", i, image, features, golden)
	}
	for _, workers := range []int{1, 2, 7} {
		for _, old := range []string{"", "another text\n"} {
			if err := os.WriteFile(golden, []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
			r := Run(context.Background(), Jobs(manifest(t, text.String()), ""), Options{Encoding: Encoding{Workers: workers}, Goldens: Goldens{Update: true}})
			for i, want := range []report.Status{report.Failed, report.OK, report.OK, report.Failed, report.OK, report.Failed} {
				row := r.Rows()[i]
				if row.Status != want || i > 0 && want == report.Failed && !strings.Contains(row.Error, `it is also the golden of "i1"`) {
					t.Errorf("%d workers: %s: got %s, error %q, want %s", workers, row.Name, row.Status, row.Error, want)
				}
			}
			data, err := os.ReadFile(golden)
			if err != nil || strings.Contains(string(data), "VAR") || !strings.Contains(string(data), "FUNC") {
				t.Errorf("%d workers: the golden differs from the BTF of i1 (error %v)", workers, err)
			}
		}
	}
}
