package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"}}}
	for _, tt := range []struct {
		name string
		set  build
		want string
	}{
		{"nothing set", build{}, "btfbatch v0.1.0\ncommit 0123, modified\ndate 2026-01-02T03:04:05Z\n"},
		{"version set", build{version: "v9"}, "btfbatch v9\ncommit 0123, modified\ndate 2026-01-02T03:04:05Z\n"},
		{"commit set", build{version: "v9", commit: "abcd"}, "btfbatch v9\ncommit abcd\n"},
		{"all set", build{version: "v9", commit: "abcd", date: "today"}, "btfbatch v9\ncommit abcd\ndate today\n"},
	} {
		tt.set.complete(info)
		if got := tt.set.text(); !strings.HasPrefix(got, tt.want+"go1.") || !strings.HasSuffix(got, "\nprofile pahole: as pahole 1.32\n") {
			t.Errorf("%s: got\n%swant\n%s...", tt.name, got, tt.want)
		}
	}
	if got := thisBuild(); got.version == "" {
		t.Error("this build has no version")
	}
}

// TestLinkedVersion builds the program as a packager does, with the flags from the documentation.
func TestLinkedVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	t.Parallel()
	program := filepath.Join(t.TempDir(), "btfbatch.exe")
	cmd := exec.Command("go", "build", "-pgo=off", "-ldflags", "-X main.version=v1.2.3 -X main.commit=0123abc -X main.date=2026-01-02", "-o", program, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := regexp.MustCompile(`^btfbatch v1\.2\.3\ncommit 0123abc\ndate 2026-01-02\ngo1.*\nprofile pahole: as pahole 1\.32\n$`)
	for _, arg := range []string{"version", "--version"} {
		out, err := exec.Command(program, arg).CombinedOutput()
		if err != nil || !want.Match(out) {
			t.Errorf("%s: got %s(%v)", arg, out, err)
		}
	}
	if out, err := exec.Command(program, "pahole", "--version").CombinedOutput(); err != nil || string(out) != "v1.32\n" {
		t.Errorf("pahole --version: got %s(%v)", out, err)
	}
}
