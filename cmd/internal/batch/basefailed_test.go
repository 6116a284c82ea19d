package batch

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report"
)

// TestFailedBase: an image whose base has failed is not opened. If it cannot be opened either, its error is still that of the base.
func TestFailedBase(t *testing.T) {
	path := sample(t)
	items := manifest(t, fmt.Sprintf("  - {name: k, path: %s}\n  - {name: m, path: %s, base: k}\n  - {name: n, path: %s, base: k}\n",
		filepath.Join(t.TempDir(), "none.elf"), path, filepath.Join(t.TempDir(), "neither.elf")))
	var m *meddler
	for i := range items {
		if items[i].Image.Name == "m" {
			m = &meddler{Source: items[i].Source, meddle: func() {}}
			items[i].Source = m
		}
	}
	rows := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}}).Rows()
	if m.opened != 0 {
		t.Errorf("m was opened %d times", m.opened)
	}
	for _, row := range rows[1:] {
		if row.Failure != report.BaseFailed || !strings.HasPrefix(row.Error, `base "k": `) {
			t.Errorf("%s: got %s, %q", row.Name, row.Failure, row.Error)
		}
	}
}
