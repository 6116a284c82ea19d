package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// peakOf follows a process that has been started, and returns what stops that and says how much memory the process has had at most, in MiB.
// The resource usage that the system reports at the end is no use: it begins with the memory of the process that started this one.
func peakOf(t *testing.T, cmd *exec.Cmd) (stop func() int) {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)
	end, peak := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for {
			if status, err := os.ReadFile(path); err == nil {
				if _, text, ok := strings.Cut(string(status), "\nVmHWM:"); ok { // a process that has ended has none
					kib := 0
					if _, err := fmt.Sscan(text, &kib); err == nil {
						most = max(most, kib>>10)
					}
				}
			}
			select {
			case <-end:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() int {
		close(end)
		return <-peak
	}
}

// runMeasured runs a command, and returns what it printed, its peak in MiB, and its error.
func runMeasured(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, mib int, err error) {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := peakOf(t, cmd)
	err = cmd.Wait()
	return out.String(), errs.String(), peak(), err
}
