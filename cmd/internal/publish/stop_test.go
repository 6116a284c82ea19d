package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestStop: a program that stops in the middle leaves what was published before, and nothing else. It runs in a process of its own,
// because after Stop nothing is published.
func TestStop(t *testing.T) {
	const env = "PUBLISH_TEST_STOP"
	if dir := os.Getenv(env); dir != "" {
		stopInTheMiddle(t, dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStop$")
	cmd.Env = append(os.Environ(), env+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := names(t, dir), []string{"before"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func stopInTheMiddle(t *testing.T, dir string) {
	var p Publisher
	before, after := p.Set(), p.Set()
	if err := before.Add(filepath.Join(dir, "before"), text("b")); err != nil {
		t.Fatal(err)
	}
	if err := before.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := after.Add(filepath.Join(dir, "after"), text("a")); err != nil {
		t.Fatal(err)
	}
	if got := len(names(t, dir)); got != 2 {
		t.Errorf("before Stop: got %d files, want 2", got)
	}
	Stop()
	published := make(chan error, 2)
	go func() { published <- after.Commit() }()
	go func() { published <- p.Set().Add(filepath.Join(dir, "late"), text("l")) }()
	select {
	case err := <-published:
		t.Errorf("published after Stop (%v)", err)
	case <-time.After(50 * time.Millisecond):
	}
}
