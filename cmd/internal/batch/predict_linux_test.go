package batch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/cmd/internal/settings/ofimage"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// kernelJob is a job for a kernel of the lab, without Rust or with it.
func kernelJob(t *testing.T, path string, exclude string) Job {
	t.Helper()
	s, err := ofimage.Settings(&config.Image{Features: feature.Default()}, "")
	if err != nil {
		t.Fatal(err)
	}
	if exclude != "" {
		if s.LangExclude, err = encoder.ParseLanguages([]string{exclude}); err != nil {
			t.Fatal(err)
		}
	}
	return Job{Name: filepath.Base(path), File: corpus.FileAt(path, corpus.Pins{}), Settings: s, Base: -1,
		Outputs: config.Outputs{BTF: filepath.Join(t.TempDir(), "out.btf")}}
}

// peak returns the largest resident memory that a process had, from its status. The resource usage that a parent gets is of no use: it
// begins with the memory of the parent.
func peak(t *testing.T, status string) (size int64) {
	t.Helper()
	text, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscanf(after, "%d kB", &size); err != nil {
		t.Fatalf("no VmHWM: %v", err)
	}
	return size << 10
}

// TestPrediction: the predicted peak of every kernel of the lab is within 20 % of the peak of a process that encodes it.
func TestPrediction(t *testing.T) {
	const variable = "BTFBATCH_TEST_KERNEL"
	if path := os.Getenv(variable); path != "" { // the process that is measured
		workers, err := strconv.Atoi(os.Getenv(variable + "_WORKERS"))
		if err != nil {
			t.Fatal(err)
		}
		jobs := []Job{kernelJob(t, path, os.Getenv(variable+"_EXCLUDE"))}
		debug.SetGCPercent(-1) // as the program does until the first progress
		var first sync.Once
		often := Events{Bytes: func(int64) { first.Do(func() { debug.SetGCPercent(50) }) }}
		if r := Run(context.Background(), jobs, Options{Encoding: Encoding{Workers: workers}, Lint: Lint{On: true}, Events: often}); r.Totals().OK != 1 {
			t.Fatalf("got %+v", r.Rows())
		}
		status, err := os.ReadFile("/proc/self/status")
		if err == nil {
			err = os.WriteFile(os.Getenv(variable+"_STATUS"), status, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("whole kernels take a while")
	}
	status := filepath.Join(t.TempDir(), "status")
	for _, name := range peer.Kernels(t) {
		path := peer.Kernel(t, name)
		for _, exclude := range []string{"rust", ""} {
			job := kernelJob(t, path, exclude)
			if _, factor, _ := job.debugInfo(); exclude == "" && factor == 1 {
				continue // the same again
			}
			for workers := 1; workers <= 2; workers++ {
				cmd := exec.Command(os.Args[0], "-test.run=^TestPrediction$")
				cmd.Env = append(os.Environ(), variable+"="+path, variable+"_WORKERS="+strconv.Itoa(workers), variable+"_EXCLUDE="+exclude, variable+"_STATUS="+status)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				measured := peak(t, status)
				p := job.predict()
				predicted := cost.ProgramMemory + p.Memory + int64(workers-1)*p.More
				ratio := float64(predicted) / float64(measured)
				t.Logf("%s, %d workers, without %q: predicted %d MB, measured %d MB: %.2f", job.Name, workers, exclude, predicted/1e6, measured/1e6, ratio)
				most := 1.2
				if exclude == "" { // the prediction also covers images whose languages cannot be kept apart
					most *= cost.RustFactor
				}
				if ratio < 0.8 || ratio > most {
					t.Errorf("%s, %d workers, without %q: predicted %d bytes, measured %d", job.Name, workers, exclude, predicted, measured)
				}
			}
		}
	}
}
