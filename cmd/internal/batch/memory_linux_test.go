package batch

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/golden/report"
)

// resident is the memory of the process, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		if fields := strings.Fields(string(line)); fields[0] == "VmRSS:" {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestMemoryIsFlat: the memory of an image is released while the batch runs, for kernels, modules and images that fail.
func TestMemoryIsFlat(t *testing.T) {
	target := synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5}
	dir := t.TempDir()
	image, cut := filepath.Join(dir, "image.elf"), filepath.Join(dir, "cut.elf")
	data := synth.Kernel(target, 1, synth.KernelSize{CUs: 24, Headers: 40, Funcs: 10})
	for path, data := range map[string][]byte{image: data, cut: data[:len(data)/2]} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	for i := range 31 { // the last module keeps the base in use
		path, base := image, ""
		switch i % 5 {
		case 4:
			path = cut
		case 0, 2:
			if i > 0 {
				base = ", base: i0"
			}
		}
		fmt.Fprintf(&text, "  - {name: i%d, path: %s%s, outputs: {btf: %s/i%d.btf, dump: %s/i%d.raw}}\n", i, path, base, dir, i, dir, i)
	}
	var heap, rss []int
	r := Run(context.Background(), Jobs(manifest(t, text.String()), ""), Options{Encoding: Encoding{Workers: 1}, Hash: true, Lint: Lint{On: true}, Events: Events{Row: func(report.Row) {
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap, rss = append(heap, int(m.HeapAlloc)), append(rss, resident(t))
	}}})
	kernel := r.Rows()[0]
	if kernel.Error != "" || len(heap) != 31 || r.Totals().OK != 25 {
		t.Fatalf("%d rows, %d of them ok, the first one: %+v", len(heap), r.Totals().OK, kernel)
	}
	// If each of the twenty images in between kept a quarter of the size of its BTF, the difference would exceed this bound.
	if more := heap[29] - heap[9]; more > 20*kernel.Bytes/4 {
		t.Errorf("heap: %d bytes more after image 30 than after image 10; BTF of a kernel has %d", more, kernel.Bytes)
	}
	// Free memory that the runtime has not yet returned to the system varies by megabytes between rows, so the minimum of several rows counts.
	early, late := slices.Min(rss[5:10]), slices.Min(rss[25:30])
	if late > early+early/10+1<<20 {
		t.Errorf("resident memory: at least %d bytes after images 26 to 30, %d after images 6 to 10", late, early)
	}
	t.Logf("heap %d and %d bytes after images 10 and 30, resident at least %d and %d before each; BTF of %d", heap[9], heap[29], early, late, kernel.Bytes)
}
