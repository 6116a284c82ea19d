package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// onTerminal runs the program with its standard output or standard error output on a terminal of this width, and returns the text on the
// terminal.
func onTerminal(t *testing.T, columns uint16, args string, errs bool) (code int, seen string) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer near.Close()
	n, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	far, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	if err := unix.IoctlSetWinsize(int(far.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns}); err != nil {
		t.Fatal(err)
	}
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

// On a terminal that is too narrow for a progress bar, or cannot erase a line, lines are printed.
func TestNarrowTerminal(t *testing.T) {
	place(t)
	t.Setenv("NO_COLOR", "")
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
