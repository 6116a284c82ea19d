package batch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/schedule"
	"github.com/btfbatch/btfbatch/corpus"
)

// TestPlan: images of a manifest as jobs of a schedule: bases, images that must start in their order, and the sizes that decide.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	files := map[string]int{"kernel": 64 << 20, "other": 40 << 20, "module": 100_000}
	for name, size := range files {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	job := func(name string) Job {
		return Job{Name: name, File: corpus.FileAt(filepath.Join(dir, name), corpus.Pins{}), Base: -1}
	}
	jobs := []Job{job("kernel"), job("module"), job("other"), job("module")}
	jobs[1].Base = 0
	jobs[2].Golden, jobs[3].Golden = "shared", "shared"
	list := newBatch(jobs, Options{Goldens: Goldens{Update: true}}).plan()
	if list[0].Continues != -1 || list[1].Continues != 0 || list[2].Continues != -1 {
		t.Errorf("bases: got %+v", list)
	}
	if list[1].Follows != -1 || list[2].Follows != -1 || list[3].Follows != 2 {
		t.Errorf("images that take turns: got %+v", list)
	}
	if list[0].Memory <= list[2].Memory || list[2].Memory <= list[1].Memory || list[0].Work <= list[1].Work {
		t.Errorf("sizes: got %+v", list)
	}
	jobs[1].Err = os.ErrNotExist
	if got := jobs[1].predict(); got != (schedule.Job{}) {
		t.Errorf("an image that cannot be encoded: got %+v, want nothing", got)
	}
	jobs[0].File.Path = ""
	jobs[3].File.Path = ""
	if list := newBatch(jobs, Options{}).plan(); list[3].Follows != 0 {
		t.Errorf("images of packages: got %+v", list)
	}
}

// TestRounded: similar sizes are equal, so that the order of the manifest decides.
func TestRounded(t *testing.T) {
	for n, want := range map[int64]int64{-1: 0, 0: 0, 1: 0, 130 << 20: 128 << 20, 250 << 20: 128 << 20, 256 << 20: 256 << 20} {
		if got := rounded(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}
