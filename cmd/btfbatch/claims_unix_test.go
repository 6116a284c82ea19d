//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// claimable makes the working folder one with an image a, whose golden is a pipe: a run of m.yaml waits for it when it has begun. other.yaml writes
// another file into the same folder, and same.yaml the same file under another name.
func claimable(t *testing.T) {
	t.Helper()
	image, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("BTFBATCH_CACHE", filepath.Join(t.TempDir(), "cache"))
	if err := errors.Join(os.Symlink(image, "image"), os.Symlink("out", "link"), os.Mkdir("out", 0o700)); err != nil {
		t.Fatal(err)
	}
	const entry = "version: 1\nimages: [{path: image, kind: any, name: a, outputs: {btf: %s}%s}]\n"
	write(t, "m.yaml", fmt.Sprintf(entry, "out/a.btf", ", golden: p"))
	write(t, "same.yaml", fmt.Sprintf(entry, "link/../out/./a.btf", ""))
	write(t, "other.yaml", fmt.Sprintf(entry, "out/b.btf", ""))
	write(t, "both.yaml", "version: 1\nimages:\n- {path: image, kind: any, name: a, outputs: {btf: out/a.btf}}\n- {path: image, kind: any, name: c, outputs: {btf: out/c.btf}}\n")
}

// holder starts a run of m.yaml and returns when it waits for its golden.
func holder(t *testing.T) *exec.Cmd {
	t.Helper()
	ready := pipe("p")(t, ".")
	cmd := process(t, "run", "m.yaml")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ready()
	return cmd
}

// A follower is a process whose output can be read while it runs.
type follower struct {
	*exec.Cmd
	file string
	end  chan error
}

func follow(t *testing.T, name string, args ...string) *follower {
	t.Helper()
	f := &follower{Cmd: process(t, args...), file: filepath.Join(t.TempDir(), name), end: make(chan error, 1)}
	out, err := os.Create(f.file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f.Stdout, f.Stderr = out, out
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Process.Kill() })
	go func() { f.end <- f.Wait() }()
	return f
}

func (f *follower) says(t *testing.T, text string) {
	t.Helper()
	for range 600 {
		if strings.Contains(readText(t, f.file), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it does not say %q: %s", text, readText(t, f.file))
}

func (f *follower) ends(t *testing.T, code int) {
	t.Helper()
	select {
	case <-f.end:
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not end: %s", readText(t, f.file))
	}
	if got := f.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, readText(t, f.file))
	}
}

// TestRunsWait: a run waits for another one that writes the same file, says for which, and starts when that is killed. Runs of other files do not wait.
func TestRunsWait(t *testing.T) {
	claimable(t)
	first := holder(t)
	who := fmt.Sprintf("process %d (run of %s)", first.Process.Pid, abs(t, "m.yaml"))

	follow(t, "other", "run", "other.yaml").ends(t, exitcode.OK)
	follow(t, "only", "run", "both.yaml", "--only", "c").ends(t, exitcode.OK)
	hurried := follow(t, "hurried", "run", "same.yaml", "--no-wait")
	hurried.ends(t, exitcode.TryAgain)
	if got, want := readText(t, hurried.file), "out/a.btf: "+who+" writes it"; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	second := follow(t, "second", "run", "same.yaml", "--no-cache")
	second.says(t, "waiting for "+who)
	stopped := follow(t, "stopped", "run", "both.yaml")
	stopped.says(t, "waiting for "+who)
	if err := stopped.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	stopped.ends(t, exitcode.Interrupted)
	if _, err := os.Stat("out/a.btf"); err == nil {
		t.Error("the file is written although another run has it")
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if len(second.end) > 0 {
		t.Error("a stopped run has lost its claim")
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	second.ends(t, exitcode.OK)
	t.Logf("done %v after the other one was killed", time.Since(killed))
	if n := strings.Count(readText(t, second.file), "waiting for"); n != 1 {
		t.Errorf("it says %d times that it waits: %s", n, readText(t, second.file))
	}
	nothingLeft(t, "a.btf", "b.btf", "c.btf")
}

// TestFiveRuns: of five runs of the same files, one at a time writes them. One is killed while the others wait for it.
func TestFiveRuns(t *testing.T) {
	claimable(t)
	first := holder(t)
	var others []*follower
	for i := range 4 {
		others = append(others, follow(t, fmt.Sprint(i), "run", "both.yaml", "--no-cache"))
	}
	for _, f := range others {
		f.says(t, "waiting for")
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, f := range others {
		f.ends(t, exitcode.OK)
	}
	nothingLeft(t, "a.btf", "c.btf")
}

// TestNoClaims: a run whose folder of claims cannot be used says so and goes on, or fails if it may not wait.
func TestNoClaims(t *testing.T) {
	claimable(t)
	write(t, "cache", "")
	t.Setenv("BTFBATCH_CACHE", abs(t, "cache"))
	var b bytes.Buffer
	if code := run([]string{"run", "same.yaml", "--no-cache"}, &b, &b); code != exitcode.OK || !strings.Contains(b.String(), "cannot be told apart") {
		t.Errorf("exit code %d: %s", code, &b)
	}
	b.Reset()
	if code := run([]string{"run", "same.yaml", "--no-cache", "--no-wait"}, &b, &b); code != exitcode.Failed || !strings.Contains(b.String(), "--no-wait: ") {
		t.Errorf("exit code %d: %s", code, &b)
	}
}

func abs(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// nothingLeft checks that the folder of outputs has these files only, and that no claims are left.
func nothingLeft(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir("out")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
	if claims, _ := filepath.Glob(filepath.Join(os.Getenv("BTFBATCH_CACHE"), "runs", "*.run")); claims != nil {
		t.Errorf("claims are left: %q", claims)
	}
}
