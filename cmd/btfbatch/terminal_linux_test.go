package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// onTerminal runs the program with its standard output or standard error output on a terminal of this width, and returns the text on the
// terminal.
func onTerminal(t *testing.T, columns uint16, args string, errs bool) (code int, seen string) {
	t.Helper()
	near, far := terminal(t, columns)
	defer near.Close()
	var b bytes.Buffer
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(&b, near) // until the other end is closed, which is an error
		close(done)
	}()
	if errs {
		code = run(strings.Fields(args), io.Discard, far)
	} else {
		code = run(strings.Fields(args), far, io.Discard)
	}
	far.Close()
	<-done
	return code, b.String()
}

// terminal returns the two ends of a terminal of this width.
func terminal(t *testing.T, columns uint16) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	resize(t, far, columns)
	return near, far
}

func resize(t *testing.T, far *os.File, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(far.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

// TestReportOnTerminal: whoever looks at a terminal sees the table, even if the reports go to files. Nothing is added for other outputs.
func TestReportOnTerminal(t *testing.T) {
	place(t)
	if err := os.WriteFile("m.yaml", []byte("version: 1\nimages: [{name: one, path: a.elf, kind: any}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, shown := range map[string]int{"": 1, " --report html=r.html": 1, " --report json=r.json --report text=r.txt": 1, " --report html=r.html --report text": 1} {
		code, seen := onTerminal(t, 80, "run m.yaml --no-cache"+args, false)
		if code != exitcode.OK || strings.Count(seen, "1 of 1 images ok") != shown {
			t.Errorf("run%s: got exit code %d and %q", args, code, seen)
		}
	}
	var out bytes.Buffer
	if code := run(strings.Fields("run m.yaml --no-cache --report html=r.html"), &out, io.Discard); code != exitcode.OK || out.Len() > 0 {
		t.Errorf("without a terminal: got exit code %d and %q", code, out.String())
	}
}

// BTF is not written to a terminal.
func TestBytesForTerminal(t *testing.T) {
	place(t)
	if code, seen := onTerminal(t, 80, "encode a.elf -o -", false); code != exitcode.Usage || seen != "" {
		t.Errorf("got exit code %d and %q", code, seen)
	}
	if code, seen := onTerminal(t, 80, "dump a.btf", false); code != exitcode.OK || seen == "" {
		t.Errorf("text: got exit code %d and %q", code, seen)
	}
}

// On a terminal that is too narrow for progress, or cannot erase a line, lines are printed.
func TestNarrowTerminal(t *testing.T) {
	place(t)
	t.Setenv("NO_COLOR", "")
	t.Setenv("CI", "")
	for _, tt := range []struct {
		term    string
		columns uint16
		bar     bool
	}{{"xterm", 80, true}, {"xterm", 40, true}, {"xterm", 39, false}, {"xterm", 1, false}, {"dumb", 80, false}} {
		t.Setenv("TERM", tt.term)
		code, seen := onTerminal(t, tt.columns, "run m.yaml", true)
		if bar := strings.Contains(strings.ReplaceAll(seen, "\r\n", ""), "\r"); code != exitcode.OK || bar != tt.bar {
			t.Errorf("%s, %d columns: got exit code %d and %q, want a bar: %t", tt.term, tt.columns, code, seen, tt.bar)
		}
		if row := strings.Contains(seen, "ok"); row == tt.bar {
			t.Errorf("%s, %d columns: got %q, want a line for what is good: %t", tt.term, tt.columns, seen, !tt.bar)
		}
		if tt.term == "dumb" && strings.Contains(seen, "\x1b") {
			t.Errorf("colours for %s: %q", tt.term, seen)
		}
	}
}

// TestProgressModes checks what --progress shows on a terminal: a CI job draws nothing unless it is told to, and -v has lines for good images.
func TestProgressModes(t *testing.T) {
	place(t)
	t.Setenv("TERM", "xterm")
	for _, tt := range []struct {
		args, ci    string
		drawn, good bool
		code        int
	}{
		{"", "", true, false, 0}, {"", "true", false, true, 0}, {"", "false", true, false, 0}, {"--progress tty", "true", true, false, 0},
		{"--progress plain", "", false, true, 0}, {"--progress quiet", "", false, false, 0}, {"-v", "", true, true, 0}, {"-v --progress quiet", "", false, false, 0},
		{"--progress tty --log-format json", "", false, false, exitcode.Usage}, {"--log-format json", "", false, true, 0},
	} {
		t.Setenv("CI", tt.ci)
		code, seen := onTerminal(t, 80, "run m.yaml "+tt.args, true)
		if drawn := strings.Contains(seen, "\x1b[J"); code != tt.code || drawn != tt.drawn {
			t.Errorf("%q, CI=%s: got exit code %d and %q", tt.args, tt.ci, code, seen)
		}
		if good := strings.Contains(seen, "a: ok"); good != tt.good {
			t.Errorf("%q, CI=%s: got %q, want a line for what is good: %t", tt.args, tt.ci, seen, tt.good)
		}
		if end := seen[strings.LastIndex(seen, "\x1b[J")+1:]; tt.drawn && strings.Contains(end, "of 1 image") {
			t.Errorf("%q: the progress stays: %q", tt.args, seen)
		}
	}
}

// An interrupted run leaves nothing of its progress on the terminal, also if the terminal became narrower.
func TestInterruptedProgress(t *testing.T) {
	place(t)
	image, err := filepath.Abs("a.elf")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "many.yaml", "version: 1\nmatrix:\n  n: ["+numbers(3000)+"]\nimages:\n  - {name: \"i${{ matrix.n }}\", kind: any, path: "+image+"}\n")
	near, far := terminal(t, 100)
	defer near.Close()
	cmd := exec.Command("btfbatch", "run", "many.yaml", "--no-cache", "--report", "json=r.json")
	cmd.Stderr, cmd.Env = far, append(os.Environ(), "CI=", "TERM=xterm")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	began, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for first := true; ; {
			n, err := near.Read(buf)
			b.Write(buf[:n])
			if first && bytes.Contains(b.Bytes(), []byte(" of 3000 images")) && bytes.Contains(b.Bytes(), []byte("encoding")) {
				first = false
				close(began)
			}
			if err != nil { // the other end is closed
				return
			}
		}
	}()
	select {
	case <-began:
	case <-time.After(time.Minute):
		t.Error("no progress is drawn")
	}
	resize(t, far, 50)
	time.Sleep(250 * time.Millisecond) // some frames
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code is checked below
	far.Close()
	<-done
	seen := b.String()
	if code := cmd.ProcessState.ExitCode(); code != exitcode.Interrupted {
		t.Errorf("got exit code %d", code)
	}
	if end := seen[strings.LastIndex(seen, "\x1b[J")+len("\x1b[J"):]; end != "btfbatch: interrupted\r\n" {
		t.Errorf("after the progress there is %q", end)
	}
}

// numbers lists n numbers.
func numbers(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(i))
	}
	return strings.Join(list, ", ")
}
