//go:build unix

package actions

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// archive is a release archive: a folder with a program that prints its version.
func archive(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "btfbatch-v1.2.3-linux-amd64/btfbatch", Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestInstallRelease: only the archive that the action has the digest of is installed.
func TestInstallRelease(t *testing.T) {
	need(t, "curl")
	const name = "btfbatch-v1.2.3-linux-amd64.tar.gz"
	right := archive(t, "#!/bin/sh\necho this is the release\n")
	sum := sha256.Sum256(right)
	digests := filepath.Join(t.TempDir(), "digests.txt")
	write(t, digests, fmt.Sprintf("# a comment\nrelease v1.2.3\nsource %s\n%s  %s\n%s  btfbatch-v1.2.3-linux-arm64.tar.gz\n", sourceOf(t, top(t)),
		hex.EncodeToString(sum[:]), name, strings.Repeat("0", 64)))
	releases := t.TempDir()
	for _, tt := range []struct {
		name, version, arch string
		served              []byte
		choose, install     string // what the log contains; empty if it succeeds
	}{
		{"the release of the action", "", "X64", right, "", ""},
		{"its version", "v1.2.3", "X64", right, "", ""},
		{"another version", "v1.2.2", "X64", right, "adds the digests of v1.2.2", ""},
		{"a changed archive", "", "X64", archive(t, "#!/bin/sh\necho this is another\n"), "", "the download is damaged, or the release was changed"},
		{"a cut archive", "", "X64", right[:len(right)/2], "", "the download is damaged"},
		{"no archive", "", "X64", nil, "", "cannot be downloaded"},
		{"an archive of another name", "", "ARM64", right, "", "cannot be downloaded"},
		{"an unknown processor", "", "PPC", right, "", "unknown processor"},
	} {
		write(t, filepath.Join(releases, "v1.2.3", name), string(tt.served))
		if tt.served == nil {
			if err := os.Remove(filepath.Join(releases, "v1.2.3", name)); err != nil {
				t.Fatal(err)
			}
		}
		s := step{env: map[string]string{"VERSION": tt.version, "DIGESTS": digests, "ACTION_PATH": top(t), "RELEASES": "file://" + releases, "RUNNER_ARCH": tt.arch, "RETRIES": "0"}}
		chosen := s.run(t, "choose.sh")
		if tt.choose != "" {
			if chosen.code == 0 || !strings.Contains(chosen.log, tt.choose) {
				t.Errorf("%s: got exit code %d and %q, want %q", tt.name, chosen.code, chosen.log, tt.choose)
			}
			continue
		}
		if chosen.code != 0 || chosen.outputs["mode"] != "release" {
			t.Errorf("%s: got exit code %d, %q and %q", tt.name, chosen.code, chosen.outputs, chosen.log)
		}
		s.env["MODE"] = chosen.outputs["mode"]
		got := s.run(t, "install.sh")
		switch {
		case tt.install != "":
			if got.code == 0 || got.paths != "" || !strings.Contains(got.log, tt.install) || strings.Contains(got.log, "this is another") {
				t.Errorf("%s: got exit code %d, PATH %q and %q, want %q", tt.name, got.code, got.paths, got.log, tt.install)
			}
		case got.code != 0 || !strings.Contains(got.log, "this is the release") || !strings.HasSuffix(strings.TrimSpace(got.paths), "btfbatch-bin"):
			t.Errorf("%s: got exit code %d, PATH %q and %q", tt.name, got.code, got.paths, got.log)
		}
	}
}

// sourceOf is the digest of the source of a tree.
func sourceOf(t *testing.T, tree string) string {
	t.Helper()
	s := step{}
	got := s.run(t, "source.sh", tree)
	if got.code != 0 || len(strings.TrimSpace(got.log)) != 64 {
		t.Fatalf("source.sh: exit code %d, %q", got.code, got.log)
	}
	return strings.TrimSpace(got.log)
}

// TestInstallNone: a program that is there is used, and a missing one is an error.
func TestInstallNone(t *testing.T) {
	bin, tools := t.TempDir(), t.TempDir() // a btfbatch may be installed on this machine
	for _, name := range []string{"bash", "dirname", "mkdir"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("needs %s", name)
		}
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := step{env: map[string]string{"MODE": "none", "ACTION_PATH": top(t), "PATH": tools}}
	if got := s.run(t, "install.sh"); got.code == 0 || !strings.Contains(got.log, "version none needs btfbatch on the PATH") {
		t.Errorf("got exit code %d and %q", got.code, got.log)
	}
	write(t, filepath.Join(bin, "btfbatch"), "#!/bin/sh\necho my own\n")
	if err := os.Chmod(filepath.Join(bin, "btfbatch"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.env["PATH"] = bin + ":" + tools
	if got := s.run(t, "install.sh"); got.code != 0 || got.paths != "" || got.log != "my own\n" {
		t.Errorf("got exit code %d, PATH %q and %q", got.code, got.paths, got.log)
	}
}

// TestInstallSource: without a release, the source of the action is built. The key of the cache changes with the source, but not with tests.
func TestInstallSource(t *testing.T) {
	need(t, "go")
	tree := t.TempDir()
	write(t, filepath.Join(tree, "go.mod"), "module example.org/small\n\ngo 1.26\n")
	main := filepath.Join(tree, "cmd", "btfbatch", "main.go")
	write(t, main, "package main\n\nfunc main() { println(\"built\") }\n")
	digests := filepath.Join(t.TempDir(), "digests.txt")
	write(t, digests, "# no release\n")
	s := step{env: map[string]string{"VERSION": "", "DIGESTS": digests, "ACTION_PATH": tree, "MODE": "source"}}
	first := s.run(t, "choose.sh")
	if first.code != 0 || first.outputs["mode"] != "source" || !strings.HasPrefix(first.outputs["key"], "btfbatch-linux-amd64-") || first.outputs["folder"] == "" {
		t.Errorf("got exit code %d, %q and %q", first.code, first.outputs, first.log)
	}
	runner := t.TempDir() // of one job
	s.env["RUNNER_TEMP"] = runner
	install := func() result {
		t.Helper()
		s.env["FOLDER"] = s.run(t, "choose.sh").outputs["folder"]
		return s.run(t, "install.sh")
	}
	if got := install(); got.code != 0 || !strings.Contains(got.log, "built") || got.paths == "" {
		t.Errorf("got exit code %d, PATH %q and %q", got.code, got.paths, got.log)
	}
	write(t, filepath.Join(tree, "cmd", "btfbatch", "main_test.go"), "package main\n")
	if again := s.run(t, "choose.sh"); again.outputs["key"] != first.outputs["key"] {
		t.Errorf("the key changed with a test: %s, %s", first.outputs["key"], again.outputs["key"])
	}
	write(t, main, "package main\n\nfunc main() { println(\"another\") }\n")
	if again := s.run(t, "choose.sh"); again.outputs["key"] == first.outputs["key"] {
		t.Errorf("the key did not change with the source")
	}
	// The job uses another version of the action: the program that is there is not that of its source.
	if got := install(); got.code != 0 || !strings.Contains(got.log, "another") {
		t.Errorf("another source: got exit code %d and %q", got.code, got.log)
	}
	// The source of the release is not built, and any other is.
	for source, want := range map[string]string{sourceOf(t, tree): "release", first.outputs["key"]: "source"} {
		write(t, digests, "release v1.2.3\nsource "+source+"\n")
		if got := s.run(t, "choose.sh"); got.outputs["mode"] != want {
			t.Errorf("the source %s: got mode %q, want %s", source, got.outputs["mode"], want)
		}
	}
	write(t, main, "package main\n\nfunc main() { broken }\n")
	if got := install(); got.code == 0 || !strings.Contains(got.log, "cannot be built") {
		t.Errorf("got exit code %d, PATH %q and %q", got.code, got.paths, got.log)
	}
	s.env["ACTION_PATH"] = t.TempDir()
	if got := s.run(t, "choose.sh"); got.code == 0 || !strings.Contains(got.log, "there is no source") {
		t.Errorf("without source: got exit code %d and %q", got.code, got.log)
	}
}

// TestSourceEmbedded: a file that the program embeds is part of its source.
func TestSourceEmbedded(t *testing.T) {
	need(t, "go")
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{$dir := .Dir}}{{range .EmbedFiles}}{{$dir}}/{{.}}\n{{end}}", "./...")
	list.Dir = top(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	embedded := strings.Fields(string(out))
	if len(embedded) == 0 {
		t.Fatal("the program embeds nothing")
	}
	tree := t.TempDir()
	write(t, filepath.Join(tree, "go.mod"), "module example.org/small\n")
	before := sourceOf(t, tree)
	for _, path := range embedded {
		rel, err := filepath.Rel(top(t), path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(tree, rel), "x\n")
		after := sourceOf(t, tree)
		if after == before {
			t.Errorf("%s is embedded, but source.sh leaves it out", rel)
		}
		before = after
	}
}

// TestDigests: the file that the release script writes has the form that the action reads.
func TestDigests(t *testing.T) {
	lines, releases, sources := 0, 0, 0
	for line := range strings.Lines(read(t, filepath.Join(top(t), ".github", "action", "digests.txt"))) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "release" && len(words) == 2 && strings.HasPrefix(words[1], "v"):
			releases++
		case words[0] == "source" && len(words) == 2 && len(words[1]) == 64:
			sources++
		case len(words) == 2 && len(words[0]) == 64 && strings.HasPrefix(words[1], "btfbatch"):
			lines++
		default:
			t.Errorf("line %q", line)
		}
	}
	if releases > 1 || releases == 0 != (lines == 0) || releases != sources {
		t.Errorf("got %d releases and %d digests", releases, lines)
	}
}
