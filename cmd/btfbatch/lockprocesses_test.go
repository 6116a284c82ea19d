//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/locking"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// process returns a command line of the program, to be run in a process of its own.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "btfbatch" // by this name, TestMain runs the program
	return cmd
}

// lockable makes the working folder one with n images, one file each, and a manifest m.yaml.
func lockable(t *testing.T, n int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-based.elf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("BTFBATCH_CACHE", filepath.Join(t.TempDir(), "cache"))
	var names strings.Builder
	for i := range n {
		fmt.Fprintf(&names, "i%d, ", i)
		if err := os.WriteFile(fmt.Sprintf("i%d.elf", i), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "m.yaml", "version: 1\nmatrix: {i: ["+names.String()+"]}\nimages: [{name: \"${{ matrix.i }}\", path: \"${{ matrix.i }}.elf\", kind: any}]\n")
}

// grow changes a file without changing its DWARF.
func grow(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("x")
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func locked1(t *testing.T, args ...string) {
	t.Helper()
	var b bytes.Buffer
	if code := run(append([]string{"lock", "m.yaml"}, args...), &b, &b); code != exitcode.OK {
		t.Fatalf("lock: exit code %d\n%s", code, &b)
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestLockTogether: processes that update different images of one lock at the same time lose no update.
func TestLockTogether(t *testing.T) {
	const n = 6
	lockable(t, n)
	locked1(t)
	for i := range n {
		grow(t, fmt.Sprintf("i%d.elf", i))
	}
	var running []*exec.Cmd
	var outputs [n]bytes.Buffer
	for i := range n {
		cmd := process(t, "lock", "m.yaml", fmt.Sprintf("i%d", i), "--update")
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	done := 0
	for i, cmd := range running {
		_ = cmd.Wait()
		switch code := cmd.ProcessState.ExitCode(); code {
		case exitcode.OK:
			done++
		case exitcode.Failed: // the other images have changed, and nobody asked for them
			if !strings.Contains(outputs[i].String(), "changed: ") {
				t.Errorf("i%d: %s", i, outputs[i].String())
			}
		default:
			t.Errorf("i%d: exit code %d: %s", i, code, outputs[i].String())
		}
	}
	if done > 1 {
		t.Errorf("%d processes wrote a lock although other images had changed", done)
	}
	locked1(t, "--update")

	// All may update their image if nothing else has changed.
	before := readText(t, "m.yaml.lock")
	for round := range 3 {
		for i := range 2 {
			grow(t, fmt.Sprintf("i%d.elf", i))
		}
		first, second := process(t, "lock", "m.yaml", "i0", "i1", "--update"), process(t, "lock", "m.yaml", "i1", "i0", "--update")
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		if err := second.Start(); err != nil {
			t.Fatal(err)
		}
		if err := first.Wait(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if err := second.Wait(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		now := readText(t, "m.yaml.lock")
		if now == before {
			t.Errorf("round %d: the lock did not change", round)
		}
		locked1(t, "--check")
		before = now
	}
}

// TestLockWaits: a process waits until another one has finished its lock, and then sees it.
func TestLockWaits(t *testing.T) {
	lockable(t, 2)
	locked1(t)
	cmd := process(t, "lock", "m.yaml", "--check")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	release := holdManifest(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	grow(t, "i0.elf")
	release()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitcode.Differs || !strings.Contains(out.String(), "waiting for another process") {
		t.Errorf("got exit code %d: %s", code, &out)
	}
}

// TestLockKilled: a process that is killed at any moment leaves the old lock or the new one, and the next process leaves nothing behind.
func TestLockKilled(t *testing.T) {
	lockable(t, 60)
	locked1(t)
	old := readText(t, "m.yaml.lock")
	for i := range 60 {
		grow(t, fmt.Sprintf("i%d.elf", i))
	}
	start := time.Now()
	locked1(t, "--update")
	took := time.Since(start) + 30*time.Millisecond // and the start of a process
	fresh := readText(t, "m.yaml.lock")
	left := map[string]int{}
	for i := range 25 {
		write(t, "m.yaml.lock", old)
		cmd := process(t, "lock", "m.yaml", "--update")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(took * time.Duration(i) / 20)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		switch readText(t, "m.yaml.lock") {
		case old:
			left["old"]++
		case fresh:
			left["new"]++
		default:
			t.Fatalf("killed after %d/20: the lock is neither the old one nor the new one", i)
		}
	}
	write(t, "m.yaml.lock", old)
	locked1(t, "--update")
	if readText(t, "m.yaml.lock") != fresh {
		t.Error("after all, the lock is not the new one")
	}
	if found, _ := filepath.Glob(".btfbatch-*"); found != nil {
		t.Errorf("left behind: %v", found)
	}
	if left["old"] == 0 {
		t.Errorf("no process was killed in time: %v", left)
	}
}

// TestLockUnwritable: a lock that cannot be written is an error, and nothing else changes.
func TestLockUnwritable(t *testing.T) {
	lockable(t, 1)
	if err := os.Symlink("/proc/self/nowhere/m.lock", "m.yaml.lock"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if code := run([]string{"lock", "m.yaml"}, &b, &b); code != exitcode.Failed || !strings.Contains(b.String(), "m.yaml.lock: ") {
		t.Errorf("a place that cannot be written: exit code %d: %s", code, &b)
	}
	if err := os.Remove("m.yaml.lock"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("m.yaml.lock", 0o700); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if code := run([]string{"lock", "m.yaml"}, &b, &b); code == exitcode.OK {
		t.Errorf("a folder: exit code %d: %s", code, &b)
	}
	if err := os.Remove("m.yaml.lock"); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		return // root may write everywhere
	}
	if err := os.Chmod(".", 0o500); err != nil { //nolint:gosec // a folder
		t.Fatal(err)
	}
	defer os.Chmod(".", 0o700) //nolint:gosec // a folder
	b.Reset()
	if code := run([]string{"lock", "m.yaml"}, &b, &b); code != exitcode.Failed || !strings.Contains(b.String(), "permission denied") {
		t.Errorf("a folder that is read-only: exit code %d: %s", code, &b)
	}
}

// TestLockLarge: a lock of many images is read and written in bounded time, and stays small.
func TestLockLarge(t *testing.T) {
	f := &lock.File{Version: lock.Version, Manifest: strings.Repeat("a", 64)}
	const n = 20_000
	for i := range n {
		f.Images = append(f.Images, lock.Image{Name: fmt.Sprintf("debian/6.1.0-%d-amd64", i), Path: fmt.Sprintf("k/%d/vmlinux", i), Glob: "k/*/vmlinux",
			Size: 1, SHA256: strings.Repeat("b", 64), Release: fmt.Sprintf("6.1.0-%d-amd64", i), Arch: "x86_64"})
	}
	f.Sort()
	start := time.Now()
	text, err := f.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := lock.Parse("l", text)
	if err != nil || len(again.Images) != n {
		t.Fatal(err)
	}
	if d := lock.Compare(f, again); !d.None() || lock.Lost(f, again) != nil {
		t.Errorf("got %+v", d)
	}
	t.Logf("%d images: %d bytes, written and read in %v", n, len(text), time.Since(start))
	if len(text) > 300*n {
		t.Errorf("%d bytes for each image", len(text)/n)
	}
}

// holdManifest holds m.yaml as a process that makes a lock does.
func holdManifest(t *testing.T) (release func()) {
	t.Helper()
	release, err := locking.Hold(t.Context(), "m.yaml", func() { t.Error("somebody else holds it") })
	if err != nil {
		t.Fatal(err)
	}
	return release
}
