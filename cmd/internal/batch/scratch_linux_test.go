package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// diskUse samples the space that this process takes on disks below a folder, until the returned function is called, which returns the largest sample:
// named files, and open ones that have no name any more.
func diskUse(dir string) func() int64 {
	stop, most := make(chan struct{}), int64(0)
	var wg sync.WaitGroup
	sample := func() {
		seen, sum := map[uint64]bool{}, int64(0)
		add := func(path string) {
			var st syscall.Stat_t
			if syscall.Stat(path, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG && !seen[st.Ino] {
				seen[st.Ino] = true
				sum += st.Blocks * 512
			}
		}
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
			add(path)
			return nil
		})
		fds, _ := os.ReadDir("/proc/self/fd")
		for _, fd := range fds {
			path := "/proc/self/fd/" + fd.Name()
			if to, err := os.Readlink(path); err == nil && strings.HasPrefix(to, dir) {
				add(path)
			}
		}
		most = max(most, sum)
	}
	wg.Go(func() {
		for {
			sample()
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	return func() int64 {
		close(stop)
		wg.Wait()
		return most
	}
}

// measureDisk encodes an image with all outputs, and returns the disk space that it needed and that was predicted.
// The budget of memory is that of the run.
func measureDisk(t *testing.T, j Job, memory int64) (measured, predicted int64) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	j.Outputs = config.Outputs{BTF: dir + "/a.btf", Dump: dir + "/a.raw", JSON: dir + "/a.json", C: dir + "/a.h", Archive: dir + "/a.btf.tar.xz"}
	opt := Options{Encoding: Encoding{Workers: 2, Memory: memory}}
	if predicted = j.predict().Disk; j.arrives() {
		b := newBatch([]Job{j}, opt)
		b.planned = b.plan()
		_, b.room = b.packageRoom()
		predicted = b.arriveAhead(context.Background(), 0).Disk
		b.discardArrivals()
	}
	end := diskUse(dir)
	r := Run(context.Background(), []Job{j}, opt)
	if measured = end(); r.Totals().OK != 1 {
		t.Fatalf("got %+v", r.Rows())
	}
	return measured, predicted
}

// TestScratchPrediction: the disk space of outputs is predicted within 20 % for every kernel of the lab. So is that of kernels in
// packages, once they are open, if what is unpacked goes to a temporary file. If there is room for it in memory, what still goes to a file depends on
// how far the decoder is ahead of the encoder at times; then the prediction may be above what was measured, by less than the room.
func TestScratchPrediction(t *testing.T) {
	if testing.Short() {
		t.Skip("whole kernels take a while")
	}
	for _, name := range peer.Kernels(t) {
		job := kernelJob(t, peer.Kernel(t, name), "rust")
		measured, predicted := measureDisk(t, job, DefaultMemory)
		ratio := float64(predicted) / float64(measured)
		t.Logf("%s: predicted %d kB, measured %d kB: %.2f", name, predicted/1e3, measured/1e3, ratio)
		if ratio < 0.8 || ratio > 1.2 {
			t.Errorf("%s: predicted %d bytes, measured %d", name, predicted, measured)
		}
	}
	packages, err := filepath.Glob(filepath.Join(peer.Lab(t), "debs", "*", "linux-image-*-dbg_*.deb"))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) == 0 {
		t.Log("no packages in the lab: nothing to compare")
	}
	for _, path := range packages {
		for _, memory := range []int64{DefaultMemory, leastBudget} { // with room in memory for what is unpacked, and without
			f, err := corpus.FileFrom(context.Background(), source.Ref{Kind: source.KindDeb, Where: path}, "", corpus.Sources{
				Limits: source.Limits{Most: 8 << 30, Scratch: source.DefaultScratch, Room: source.NewRoom(PackageRoom(memory))}})
			if err != nil {
				t.Fatal(err)
			}
			job := kernelJob(t, path, "rust")
			job.File = f
			measured, predicted := measureDisk(t, job, memory)
			ratio := float64(predicted) / float64(measured)
			t.Logf("%s, %d MB of memory: predicted %d kB, measured %d kB: %.2f", filepath.Base(path), memory/1e6, predicted/1e3, measured/1e3, ratio)
			if room := PackageRoom(memory); ratio < 0.8 || ratio > 1.2 && predicted-measured > room {
				t.Errorf("%s, %d bytes of memory: predicted %d bytes, measured %d", path, memory, predicted, measured)
			}
		}
	}
}

// TestScratchOf: what an image needs on disks depends on its outputs and where it is from. What is fetched is charged once for all images of a package.
func TestScratchOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kernel")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	job := func(out config.Outputs) Job {
		return Job{Name: "k", File: corpus.FileAt(path, corpus.Pins{}), Base: -1, Outputs: out}
	}
	none, btf, all, packed, elf := job(config.Outputs{}), job(config.Outputs{BTF: "a"}), job(config.Outputs{BTF: "a", Dump: "b", JSON: "c", C: "d", Archive: "e.tar.xz"}),
		job(config.Outputs{Dump: "b.zst"}), job(config.Outputs{ELF: "a"})
	one := btf.predict().Disk
	if none.predict().Disk != 0 || one <= 0 {
		t.Errorf("without outputs %d, with BTF %d", none.predict().Disk, one)
	}
	if got := fmt.Sprintf("%.2f", float64(all.predict().Disk)/float64(one)); got != "7.25" {
		t.Errorf("all outputs: got %s times the BTF", got)
	}
	if got := packed.predict().Disk; got <= 0 || got >= one {
		t.Errorf("a compressed dump: got %d, the BTF %d", got, one)
	}
	if got := elf.predict().Disk; got != 64<<20+one {
		t.Errorf("a copy: got %d, want %d", got, 64<<20+one)
	}
	jobs := []Job{none, none, none}
	for i := range jobs {
		jobs[i].File.Path, jobs[i].File.Origin.Network, jobs[i].File.Origin.URL, jobs[i].File.Origin.Size = "", true, "http://h/a.deb", 1000
	}
	jobs[2].File.Origin.URL = "http://h/b.deb"
	list := newBatch(jobs, Options{}).plan()
	if list[0].Disk != 1000 || list[1].Disk != 0 || list[2].Disk != 1000 {
		t.Errorf("two packages: got %+v", list)
	}
}

// TestDiskBudget: images whose outputs do not fit into the budget together are encoded one after the other.
func TestDiskBudget(t *testing.T) {
	path, dir := sample(t), t.TempDir()
	list := ""
	for i := range 12 {
		list += fmt.Sprintf("  - {name: a%d, path: %s, outputs: {btf: %s/a%d.btf}}\n", i, path, dir, i)
	}
	most := func(disk int64) int {
		var mu sync.Mutex
		open, most := map[string]bool{}, 0
		events := Events{
			Step: func(name string, _ Step) {
				mu.Lock()
				defer mu.Unlock()
				open[name] = true
				most = max(most, len(open))
				time.Sleep(time.Millisecond)
			},
			Done: func(name string, _ bool) {
				mu.Lock()
				defer mu.Unlock()
				delete(open, name)
			},
		}
		if r := Run(context.Background(), Jobs(manifest(t, list), ""), Options{Encoding: Encoding{Workers: 4, Disk: disk}, Events: events}); r.Totals().OK != 12 {
			t.Fatalf("got %+v", r.Rows())
		}
		return most
	}
	if n := most(1); n != 1 {
		t.Errorf("with room for none: got %d at once, want 1", n)
	}
	if n := most(0); n < 2 {
		t.Errorf("with the default: got %d at once", n)
	}
}
