//go:build unix

// Package actions tests the GitHub action, its scripts and the workflows, as far as that is possible without GitHub.
package actions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// top is the top of the repository.
func top(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// need skips a test without a program, or fails if everything is required.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("BTFBATCH_REQUIRE_ACTIONS") == "1" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("needs %s", program)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// copied copies a file or a folder with its modes and links, to a path or into a folder.
func copied(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// built is the folder with a btfbatch of this tree.
func built(t *testing.T) string {
	t.Helper()
	need(t, "go")
	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-pgo=off", "-o", bin, "./cmd/btfbatch")
	cmd.Dir = top(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// A step runs a script of the action as GitHub would.
type step struct {
	dir  string            // working folder
	path string            // put before PATH
	env  map[string]string // in addition to what the runner sets
}

// A result is what a step printed and set.
type result struct {
	code    int
	log     string
	outputs map[string]string
	paths   string // what was put on PATH
}

func (s *step) run(t *testing.T, script string, args ...string) result {
	t.Helper()
	need(t, "bash")
	temp := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(top(t), ".github", "action", script), args...)
	cmd.Dir = s.dir
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": temp, "RUNNER_TEMP": temp, "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "CI": "true", "GITHUB_ACTIONS": "true",
		"GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_PATH": filepath.Join(temp, "path"), "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
		"GOCACHE": os.Getenv("GOCACHE"), "GOFLAGS": "-pgo=off",
	}
	if env["GOCACHE"] == "" {
		dir, _ := os.UserCacheDir()
		env["GOCACHE"] = filepath.Join(dir, "go-build")
	}
	if out, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE").Output(); err == nil {
		env["GOMODCACHE"] = strings.TrimSpace(string(out))
	}
	if s.path != "" {
		env["PATH"] = s.path + ":" + env["PATH"]
	}
	maps.Copy(env, s.env)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	r := result{log: string(out), outputs: outputsOf(t, read(t, env["GITHUB_OUTPUT"])), paths: read(t, env["GITHUB_PATH"])}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return r
}

// outputsOf reads the file GITHUB_OUTPUT. Only the form with a delimiter is allowed.
func outputsOf(t *testing.T, text string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for text != "" {
		head, rest, _ := strings.Cut(text, "\n")
		name, end, ok := strings.Cut(head, "<<btfbatch-")
		if !ok || len(end) != 32 {
			t.Fatalf("%q is not the start of an output with a random delimiter", head)
		}
		value, after, ok := strings.Cut(rest, "\nbtfbatch-"+end+"\n")
		if !ok {
			t.Fatalf("the output %s has no end", name)
		}
		values[name], text = value, after
	}
	return values
}

// files lists the action and the workflows.
func files(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(top(t), ".github", "workflows", "*.yml"))
	if err != nil || len(list) == 0 {
		t.Fatalf("there are no workflows: %v", err)
	}
	return append(list, filepath.Join(top(t), "action.yml"))
}

// TestPins: actions of others are pinned by commit, with the version in a comment, and each action has one pin.
func TestPins(t *testing.T) {
	uses := regexp.MustCompile(`(?m)uses: *(\S+)(.*)$`)
	pin := regexp.MustCompile(`^([\w.-]+/[\w.-]+)[\w./-]*@([0-9a-f]{40})$`)
	version := regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)
	pins := map[string]string{}
	for _, path := range files(t) {
		for _, m := range uses.FindAllStringSubmatch(read(t, path), -1) {
			if strings.HasPrefix(m[1], "./") || strings.HasPrefix(m[1], "btfbatch/") {
				continue
			}
			p := pin.FindStringSubmatch(m[1])
			if p == nil || !version.MatchString(m[2]) {
				t.Errorf("%s: %q is not pinned by commit with the version in a comment", filepath.Base(path), m[0])
				continue
			}
			if had := pins[p[1]]; had != "" && had != p[2]+m[2] {
				t.Errorf("%s: %s has two pins: %s and %s", filepath.Base(path), p[1], had, p[2]+m[2])
			}
			pins[p[1]] = p[2] + m[2]
		}
	}
	if len(pins) < 4 {
		t.Errorf("got %d actions of others: %v", len(pins), pins)
	}
}

// TestNoExpressionsInScripts: a value in a script could contain commands. Values reach scripts as environment variables.
func TestNoExpressionsInScripts(t *testing.T) {
	for _, path := range files(t) {
		indent := -1 // of the block of a run: key
		for n, line := range strings.Split(read(t, path), "\n") {
			at := len(line) - len(strings.TrimLeft(line, " -"))
			if indent >= 0 && strings.TrimSpace(line) != "" && at <= indent {
				indent = -1
			}
			if strings.HasPrefix(strings.TrimLeft(line, " -"), "run:") {
				indent = at
			}
			if indent >= 0 && strings.Contains(line, "${{") {
				t.Errorf("%s:%d: an expression in a script: %s", filepath.Base(path), n+1, strings.TrimSpace(line))
			}
		}
	}
}

// TestPermissions: workflows have no more rights than they name, and none runs code of a pull request with the rights of the repository.
func TestPermissions(t *testing.T) {
	for _, path := range files(t) {
		text := read(t, path)
		if filepath.Base(path) != "action.yml" && !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s: the permissions at the top are not contents: read", filepath.Base(path))
		}
		// The code of a pull request must not find a token in .git/config.
		if n := strings.Count(text, "actions/checkout@"); n != strings.Count(text, "persist-credentials: false") {
			t.Errorf("%s: not all of %d checkouts have persist-credentials: false", filepath.Base(path), n)
		}
		if strings.Contains(text, "pull_request_target") {
			t.Errorf("%s: pull_request_target", filepath.Base(path))
		}
	}
}

// TestShellcheck: the scripts of the action are free of findings.
func TestShellcheck(t *testing.T) {
	need(t, "shellcheck")
	scripts, err := filepath.Glob(filepath.Join(top(t), ".github", "action", "*.sh"))
	if err != nil || len(scripts) < 5 {
		t.Fatalf("got %d scripts: %v", len(scripts), err)
	}
	out, err := exec.CommandContext(t.Context(), "shellcheck", append([]string{"-x"}, scripts...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInputsReachScripts: every input of the action is used, and every variable that a step sets is used by its script.
func TestInputsReachScripts(t *testing.T) {
	text := read(t, filepath.Join(top(t), "action.yml"))
	head, steps, _ := strings.Cut(text, "\nruns:\n")
	_, head, _ = strings.Cut(head, "\ninputs:\n")
	head, _, _ = strings.Cut(head, "\noutputs:\n")
	var inputs []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+):$`).FindAllStringSubmatch(head, -1) {
		inputs = append(inputs, m[1])
		if !regexp.MustCompile(`inputs\.` + m[1] + `\b`).MatchString(steps) {
			t.Errorf("the input %s is not used", m[1])
		}
	}
	if len(inputs) < 20 {
		t.Errorf("got inputs %q", inputs)
	}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(steps, -1) {
		if !slices.Contains(inputs, m[1]) {
			t.Errorf("a step uses the input %s, which does not exist", m[1])
		}
	}
	var scripts bytes.Buffer
	for _, name := range []string{"choose.sh", "install.sh", "run.sh", "finish.sh"} {
		scripts.WriteString(read(t, filepath.Join(top(t), ".github", "action", name)))
	}
	for _, m := range regexp.MustCompile(`(?m)^        ([A-Z_]+): `).FindAllStringSubmatch(steps, -1) {
		if m[1] != "SCRIPTS" && !regexp.MustCompile(fmt.Sprintf(`\$\{?%s\b`, m[1])).Match(scripts.Bytes()) {
			t.Errorf("no script uses %s", m[1])
		}
	}
}
