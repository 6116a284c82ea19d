//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

const (
	quickly  = 4 * time.Second // more than the grace of a batch; the machine may be busy
	imageELF = "gcc12-x86_64-dwarf5-based.elf"
)

// stuck lists commands that wait for something that never happens.
type stuck struct {
	name string
	args string                                // the command line
	make func(t *testing.T, dir string) func() // prepares the folder; the returned function waits until the command is stuck
	look func(t *testing.T, dir string)        // checks the files that are left
}

// pipe creates a named pipe. The returned function waits until a process reads from it.
func pipe(name string) func(t *testing.T, dir string) func() {
	return func(t *testing.T, dir string) func() {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skipf("no pipes here: %v", err)
		}
		return func() {
			w, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { w.Close() })
		}
	}
}

// text writes a file and then creates a named pipe.
func text(file, content, pipeName string) func(t *testing.T, dir string) func() {
	return func(t *testing.T, dir string) func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return pipe(pipeName)(t, dir)
	}
}

// unopened creates a named pipe without a writer, so that the command waits in open(2).
func unopened(name string) func(t *testing.T, dir string) func() {
	return func(t *testing.T, dir string) func() {
		pipe(name)(t, dir)
		return nil
	}
}

// huge writes an image that takes days to hash, and a manifest that pins its digest.
func huge(t *testing.T, dir string) func() {
	data, err := os.ReadFile(filepath.Join(dir, "image"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "huge")
	manifest := fmt.Sprintf("version: 1\nimages: [{path: huge, name: i, sha256: %064d}]\n", 0)
	if err := errors.Join(os.WriteFile(file, data, 0o600), os.WriteFile(filepath.Join(dir, "m.yaml"), []byte(manifest), 0o600), os.Truncate(file, 1<<42)); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	return nil
}

// slowPackage writes a manifest with a local image and one in a package on a server that sends the beginning of the package only.
func slowPackage(t *testing.T, dir string) func() {
	t.Helper()
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, "!<arch>\ndebian-binary")
		_ = http.NewResponseController(w).Flush()
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	manifest := fmt.Sprintf("version: 1\nimages:\n- {path: image, kind: any, name: a, outputs: {btf: out/a.btf}}\n"+
		"- {name: b, kind: any, from: {deb: %q, member: lib/b.ko}}\n- {name: \"c-${{ image.file }}\", kind: any, from: {deb: %[1]q, member: lib/*.ko}}\n", server.URL+"/p.deb")
	if err := os.WriteFile(filepath.Join(dir, "m.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		select {
		case <-asked:
		case <-time.After(quickly):
			t.Error("the server is not asked")
		}
	}
}

// TestOneSignalEndsIt: whatever a command waits for, one signal ends it with exit code 130, or 75 if it is a shard, and no temporary files are
// left.
func TestOneSignalEndsIt(t *testing.T) {
	image, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	const batch = "version: 1\nimages:\n- {path: image, kind: any, name: a, outputs: {btf: out/a.btf}}\n- {path: image, kind: any, name: b, outputs: {btf: out/b.btf}, golden: p}\n"
	reportedAs := func(code int) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			r, err := os.ReadFile(filepath.Join(dir, "r.json"))
			for _, want := range []string{fmt.Sprintf(`"exit_code": %d`, code), `"name": "a",`, `"status": "interrupted"`} {
				if err != nil || !bytes.Contains(r, []byte(want)) {
					t.Errorf("report: got %s, %v, want %s in it", r, err, want)
				}
			}
		}
	}
	reported := reportedAs(exitcode.Interrupted)
	for _, tt := range []stuck{
		{"dump of a pipe", "dump p", pipe("p"), nil},
		{"dump of a pipe that nobody opens", "dump p", unopened("p"), nil},
		{"dump as C", "dump --format c p", pipe("p"), nil},
		{"dump, pipe as base", "dump --base p image.btf", pipe("p"), nil},
		{"verify", "verify p", pipe("p"), nil},
		{"verify, pipe of an earlier build", "verify --lint --earlier p image.btf", pipe("p"), nil},
		{"diff", "diff image.btf p", pipe("p"), nil},
		{"validate", "validate p", pipe("p"), nil},
		{"plan of a pipe that nobody opens", "plan p", unopened("p"), nil},
		{"embed", "embed image --btf p -o out", pipe("p"), nil},
		{"exceptions", "run m.yaml --exceptions p", text("m.yaml", batch, "p"), nil},
		{"golden", "run m.yaml --report json=r.json", text("m.yaml", batch, "p"), reported},
		{"golden that nobody opens", "run m.yaml -j 1 --report json=r.json", func(t *testing.T, dir string) func() { text("m.yaml", batch, "p")(t, dir); return nil }, reported},
		{"package on a slow server", "run m.yaml --report json=r.json", slowPackage, func(t *testing.T, dir string) {
			t.Helper()
			reported(t, dir)
			r, err := os.ReadFile(filepath.Join(dir, "r.json"))
			if n := bytes.Count(r, []byte(`"status": "interrupted"`)); err != nil || n != 4 || !bytes.Contains(r, []byte(`"name": "b",`)) { // three images, and the run
				t.Errorf("report: got %s, %v, want three images that were interrupted", r, err)
			}
		}},
		{"package on a slow server, one image", "run m.yaml --only b --report json=r.json", slowPackage, func(t *testing.T, dir string) {
			t.Helper()
			if r, err := os.ReadFile(filepath.Join(dir, "r.json")); err != nil || !bytes.Contains(r, []byte(`"interrupted": 1,`)) || !bytes.Contains(r, []byte(`"name": "b",`)) {
				t.Errorf("report: got %s, %v, want one image", r, err)
			}
		}},
		{"package on a slow server, shard", "run m.yaml --shard 0/1 --report json=r.json", slowPackage, func(t *testing.T, dir string) {
			t.Helper()
			if r, err := os.ReadFile(filepath.Join(dir, "r.json")); err == nil {
				t.Errorf("report of a share that is not known: %s", r)
			}
		}},
		{"shard", "run m.yaml --shard 0/1 --report json=r.json", text("m.yaml", batch, "p"), reportedAs(exitcode.TryAgain)},
		{"manifest of a shard", "run p --shard 0/1", unopened("p"), nil},
		{"sums", "validate m.yaml", huge, nil},
		{"sums of a run", "run m.yaml", huge, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for wait := 300 * time.Millisecond; ; wait *= 3 {
				dir := t.TempDir()
				if err := errors.Join(os.Symlink(image, filepath.Join(dir, "image")),
					os.Symlink(strings.TrimSuffix(image, ".elf")+".btf.golden", filepath.Join(dir, "image.btf"))); err != nil {
					t.Fatal(err)
				}
				ready := tt.make(t, dir)
				var stderr bytes.Buffer
				cmd := exec.Command("btfbatch", strings.Fields(tt.args)...)
				cmd.Dir, cmd.Stderr, cmd.Env = dir, &stderr, append(os.Environ(), "CI=")
				code, took := sendSignal(t, cmd, ready, wait)
				if code == -1 && wait < 10*time.Second {
					continue // it had not begun yet
				}
				want := exitcode.Interrupted
				if strings.Contains(tt.args, "--shard") {
					want = exitcode.TryAgain
				}
				if code != want || took > quickly || stderr.String() != "btfbatch: interrupted\n" && tt.look == nil {
					t.Errorf("got exit code %d after %v, want %d; %s", code, took, want, &stderr)
				}
				nothingHalfDone(t, dir)
				if tt.look != nil {
					tt.look(t, dir)
				}
				return
			}
		})
	}
}

// TestIgnored: when its terminal is closed, or on Ctrl-C, the program ends as on any other signal, unless it was started with SIGHUP or SIGINT ignored,
// as nohup does, and scripts do with what they run in the background.
func TestIgnored(t *testing.T) {
	for _, tc := range []struct {
		sig     syscall.Signal
		command string
		want    int
	}{
		{syscall.SIGHUP, "exec btfbatch dump p", exitcode.Interrupted},
		{syscall.SIGHUP, "trap '' HUP; exec btfbatch dump p", exitcode.Failed},
		{syscall.SIGINT, "exec btfbatch dump p", exitcode.Interrupted},
		{syscall.SIGINT, "trap '' INT; exec btfbatch dump p", exitcode.Failed},
	} {
		dir := t.TempDir()
		if err := syscall.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
			t.Skipf("no pipes here: %v", err)
		}
		cmd := exec.Command("sh", "-c", tc.command)
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(filepath.Join(dir, "p"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(tc.sig); err != nil {
			t.Fatal(err)
		}
		if tc.want == exitcode.Failed {
			time.Sleep(100 * time.Millisecond)
			w.Close() // and so there is nothing to print
		}
		_ = cmd.Wait() // the test checks the exit code below
		w.Close()
		if got := cmd.ProcessState.ExitCode(); got != tc.want {
			t.Errorf("%v, %s: got exit code %d, want %d", tc.sig, tc.command, got, tc.want)
		}
	}
}

// TestBriefRun: a call of pahole for a small module, which does not listen for signals, leaves the module as it was or complete, and no temporary files,
// whenever a signal comes.
func TestBriefRun(t *testing.T) {
	images, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(images, "gcc12-x86_64-dwarf5-driver.ko"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	run := func(wait time.Duration) (killed bool, m []byte) {
		write(t, "m.ko", string(before))
		cmd := exec.Command("pahole", "-J", "--btf_features=default", "--btf_base="+filepath.Join(images, "gcc12-x86_64-dwarf5-based.btf.golden"), "m.ko")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if wait > 0 {
			time.Sleep(wait)
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
		err := cmd.Wait()
		st, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if killed = st.Signaled() && st.Signal() == syscall.SIGTERM; err != nil && !killed {
			t.Fatal(err)
		}
		if m, err = os.ReadFile("m.ko"); err != nil {
			t.Fatal(err)
		}
		return killed, m
	}
	start := time.Now()
	_, after := run(0)
	took := time.Since(start)
	if bytes.Equal(after, before) {
		t.Fatal("the module has no BTF")
	}
	const rounds = 60
	kills := 0
	for i := range rounds {
		killed, m := run(took*time.Duration(i+1)/rounds + time.Microsecond)
		if killed {
			kills++
		}
		if done := bytes.Equal(m, after); !done && !(killed && bytes.Equal(m, before)) {
			t.Errorf("after %d of %d parts of its time, killed: %v: the module has %d bytes, want %d or %d", i+1, rounds, killed, len(m), len(before), len(after))
		}
		nothingHalfDone(t, dir)
	}
	if kills == 0 {
		t.Error("no signal came in time")
	}
}

// TestBriefRunWaits: a signal also ends a call for a small module whose output is a pipe that nobody reads.
func TestBriefRunWaits(t *testing.T) {
	images, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("p", 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	cmd := exec.Command("pahole", "-J", "--btf_base="+filepath.Join(images, "gcc12-x86_64-dwarf5-based.btf.golden"), "--btf_encode_detached=p",
		filepath.Join(images, "gcc12-x86_64-dwarf5-driver.ko"))
	sendSignal(t, cmd, nil, 300*time.Millisecond)
}

// sendSignal starts a command, waits until it is at work, and sends it a signal. It returns the exit code and how long the command took to end.
func sendSignal(t *testing.T, cmd *exec.Cmd, ready func(), wait time.Duration) (code int, took time.Duration) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the test checks the exit code below
		close(ended)
	}()
	if ready != nil {
		ready()
		wait /= 6 // there is no way to know that it has started to read, so wait a little
	}
	time.Sleep(wait)
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("the command does not wait: %v", err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("one signal does not end the command")
		_ = cmd.Process.Kill()
		<-ended
	}
	return cmd.ProcessState.ExitCode(), time.Since(start)
}

// nothingHalfDone checks that there are no temporary files.
func nothingHalfDone(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if name := filepath.Base(path); strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNobodyReads: one signal also ends a command that writes to a full pipe.
func TestNobodyReads(t *testing.T) {
	btf, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images", strings.TrimSuffix(imageELF, ".elf")+".btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"dump", btf}, {"dump", "--format", "c", btf}, {"dump", "--format", "json", btf}, {"run", "--help"}, {"nonsense"}} {
		t.Run(strings.Join(args[:len(args)-1], " "), func(t *testing.T) {
			t.Parallel()
			for wait := 300 * time.Millisecond; ; wait *= 3 {
				cmd := exec.Command("btfbatch", args...)
				cmd.Stdout, cmd.Stderr = full(t), full(t)
				code, took := sendSignal(t, cmd, nil, wait)
				if code == -1 && wait < 10*time.Second {
					continue
				}
				if code != exitcode.Interrupted || took > quickly {
					t.Errorf("got exit code %d after %v, want %d", code, took, exitcode.Interrupted)
				}
				return
			}
		})
	}
}

// full returns the writing end of a pipe that is full.
func full(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if err := w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Skipf("no deadlines for pipes here: %v", err)
	}
	if _, err := io.Copy(w, forever{}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return w
}

type forever struct{}

func (forever) Read(b []byte) (int, error) { return len(b), nil }
