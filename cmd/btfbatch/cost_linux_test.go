package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/corpus/peer"
)

// A measured is a run, and what was predicted for it, in seconds of a processor.
type measured struct {
	name          string
	predicted, is float64
}

// cpuOf returns the time of a processor that a run of a manifest takes: the lower one of two, if they are short, because a
// busy machine only adds to it.
func cpuOf(t *testing.T, dir, images string) float64 {
	t.Helper()
	manifest := filepath.Join(dir, "m.yaml")
	if err := os.WriteFile(manifest, []byte("version: 1\ndefaults: {kind: any, lang_exclude: [rust]}\nimages:\n"+images), 0o600); err != nil {
		t.Fatal(err)
	}
	least := 0.0
	for range 2 {
		cmd := exec.Command("btfbatch", "run", "m.yaml", "-j1", "--no-cache", "--report=json=r.json")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		time := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if least == 0 || time < least {
			least = time
		}
		if time > 3 {
			break
		}
	}
	return least
}

// infoOf returns the size of a kernel, and that of its .debug_info.
func infoOf(t *testing.T, path string) (stored, info int64) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size(), int64(f.Section(".debug_info").Size)
}

// TestCost measures what the model of package cost predicts: kernels, packages, and many small images. It prints both. Another machine is faster or
// slower by one factor, which is the median. A kernel that differs from those of all kernels by more than a factor of 1.5 does not fit the model, and
// its constants must be measured again. The same is true of anything that differs from the median of all by more than 2.5: kernels wait for memory, and
// small images and packages do not, so that machines treat them differently. The table in docs/scale.md is what it prints, as it was on one machine.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("whole kernels take a while")
	}
	var list []measured
	dir := t.TempDir()
	entry := func(name, path string) string {
		return fmt.Sprintf("  - {name: %s, path: %s, outputs: {btf: out/%s.btf}}\n", name, path, name)
	}
	for _, name := range peer.Kernels(t) {
		path := peer.Kernel(t, name)
		stored, info := infoOf(t, path)
		im := cost.Image{Stored: stored, Info: info}
		list = append(list, measured{name, cost.Program().CPU + im.Cost().CPU, cpuOf(t, dir, entry("a", path))})
	}
	checkCosts(t, list, 1.5)
	small, err := filepath.Abs("../../corpus/images/gcc12-x86_64-dwarf5-based.elf")
	if err != nil {
		t.Fatal(err)
	}
	const many = 500
	var images strings.Builder
	for i := range many {
		images.WriteString(entry(fmt.Sprint("a", i), small))
	}
	tiny := cost.Image{Stored: 20_000}
	list = append(list, measured{fmt.Sprint(many, " small images"), cost.Program().CPU + many*tiny.Cost().CPU, cpuOf(t, dir, images.String())})
	packages, err := filepath.Glob(filepath.Join(peer.Dir(t), "debs", "*", "*-dbg_*.deb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range packages {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		p, im := cost.Package{Size: st.Size()}, cost.Image{Inside: true}
		name := filepath.Base(filepath.Dir(path)) + ", package"
		list = append(list, measured{name, cost.Program().CPU + p.Cost().CPU + im.Cost().CPU, cpuOf(t, dir, fmt.Sprintf("  - {name: a, from: {deb: %s}, outputs: {btf: out/a.btf}}\n", path))})
	}
	checkCosts(t, list, 2.5)
	for _, m := range list {
		t.Logf("| %s | %.2f | %.2f |", m.name, m.predicted, m.is)
	}
}

// checkCosts compares what was measured with what was predicted. most is the factor by which one may differ from the median.
func checkCosts(t *testing.T, list []measured, most float64) {
	t.Helper()
	if len(list) == 0 {
		return
	}
	ratios := make([]float64, len(list))
	for i, m := range list {
		ratios[i] = m.is / m.predicted
	}
	factor := slices.Sorted(slices.Values(ratios))[len(ratios)/2]
	t.Logf("this machine takes %.2f times as long as that of the model, for %d measurements", factor, len(list))
	for i, m := range list {
		if off := ratios[i] / factor; off < 1/most || off > most {
			t.Errorf("%s: predicted %.2f s, measured %.2f s, which is %.2f times as much as for most", m.name, m.predicted, m.is, off)
		}
	}
}
