package main

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// runWithin runs btfbatch run with a manifest and a budget of memory, and compares the peak of the process with it.
func runWithin(t *testing.T, text string, mib, workers int, want string) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("BTFBATCH_CACHE", filepath.Join(t.TempDir(), "cache"))
	if err := os.WriteFile("m.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("btfbatch", "run", "m.yaml", "--no-cache", "--progress", "quiet", "--memory", fmt.Sprintf("%dMiB", mib), "--jobs", fmt.Sprint(workers))
	stdout, stderr, most, err := runMeasured(t, cmd)
	t.Logf("%d workers, a budget of %d MiB: a peak of %d MiB", workers, mib, most)
	if err != nil || !strings.Contains(stdout, want) {
		t.Errorf("got %v, want %q: %.1000s%.1000s", err, want, stdout, stderr)
	}
	if most == 0 || most > mib {
		t.Errorf("the process took %d MiB, and the budget is %d", most, mib)
	}
}

// TestBudget: a process stays within its budget of memory with 300 images, of which several fit into it at once and all do not, and with a kernel
// and its modules: all those of a package if the lab has one, or else some modules many times.
func TestBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("the bounds are those of a program without the race detector")
	}
	target := synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5}
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("version: 1\ndefaults: {kind: any}\nimages:\n")
	for i := range 3 {
		data := synth.Kernel(target, uint64(i), synth.KernelSize{CUs: 24 << i, Headers: 40, Funcs: 10})
		if err := os.WriteFile(fmt.Sprintf("%s/%d.elf", dir, i), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 {
		fmt.Fprintf(&text, "  - {name: k%d, path: %s/%d.elf, outputs: {btf: out/%d.btf}}\n", i, dir, i%3, i)
	}
	runWithin(t, text.String(), 128, 8, "300 of 300 images ok")
	lab := peer.Lab(t)
	packages, _ := filepath.Glob(filepath.Join(lab, "debs", "6.12-cloud-amd64", "linux-image-*-dbg_*.deb"))
	if len(packages) > 0 {
		runWithin(t, fmt.Sprintf(`version: 1
defaults: {profile: pahole, lang_exclude: [rust]}
images:
  - {name: kernel, from: {deb: %[1]s}}
  - {name: "${{ image.file }}", base: kernel, from: {deb: %[1]s, member: "usr/lib/debug/lib/modules/*/kernel/**/*.ko*"}}
`, packages[0]), 512, 2, "images ok")
		return
	}
	const times = 10 // each module
	modules := 0
	text.Reset()
	fmt.Fprintf(&text, "version: 1\ndefaults: {profile: pahole, lang_exclude: [rust]}\nimages:\n  - {name: kernel, path: %s}\n", peer.Kernel(t, "6.12-cloud-amd64"))
	err := filepath.WalkDir(filepath.Join(lab, "modules", "6.12-cloud-amd64"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".ko") {
			for range times {
				fmt.Fprintf(&text, "  - {name: m%d, base: kernel, path: %s}\n", modules, path)
				modules++
			}
		}
		return err
	})
	if err != nil || modules == 0 {
		peer.Missing(t, "the lab has no modules of 6.12-cloud-amd64: %v", err)
	}
	runWithin(t, text.String(), 256, 2, fmt.Sprintf("%[1]d of %[1]d images ok", modules+1))
}
