package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

var errFull = errors.New("no space left on device")

// A fullDisk is a writer that accepts a limited number of bytes.
type fullDisk struct {
	left int
	full bool // more bytes were written than fit
}

func (f *fullDisk) Write(p []byte) (int, error) {
	n := min(f.left, len(p))
	f.left -= n
	if n < len(p) {
		f.full = true
		return n, errFull
	}
	return n, nil
}

// writers lists command lines that write to the standard output, in addition to those of good. An empty command is the root.
var writers = []string{
	"--help", "--version", "help", "run --help", "completion zsh", "completion fish", "completion powershell", "completion",
	"encode a.elf -o out.btf --list-excluded", "explain a.elf --list-excluded", "stats a.elf --format json",
	"dump a.btf --format json", "dump a.btf --format json-pretty", "dump a.btf --format c", "dump a.btf --format c-unsorted",
	"dump a.btf --format selected --select *",
	"diff a.btf b.btf", "run m.yaml --report json", "run m.yaml --report junit", "run m.yaml --report markdown",
	"report show r.json --format json", "report show r.json --format junit", "report show r.json --format markdown", "report show --help",
	"plan m.yaml --format json", "plan m.yaml --format github-matrix",
	"report merge r.json", "report merge r.json --report json",
	"lock m.yaml --format json",
	"pahole --version", "pahole --help", "pahole --supported_btf_features", "__complete ver",
}

// silent lists the commands that write nothing to the standard output if they succeed.
var silent = []string{"encode", "embed", "man", "pahole"}

// An error of writing to the standard output is an error of the program, wherever in the output it occurs.
func TestFullDisk(t *testing.T) {
	place(t)
	commands, _ := commandsAndFlags(t)
	lines := slices.Clone(writers)
	for _, c := range commands {
		line, ok := good[c]
		if !ok {
			t.Errorf("%s: the table has no command line that works", c)
		}
		if !slices.Contains(silent, c) {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		args := strings.Fields(line)
		var all bytes.Buffer
		code := run(args, &all, io.Discard)
		if want := map[bool]int{true: exitcode.Differs, false: exitcode.OK}[line == "diff a.btf b.btf"]; code != want || all.Len() == 0 {
			t.Errorf("%q: got exit code %d and %d bytes, want %d and some", line, code, all.Len(), want)
			continue
		}
		almost := all.Len() - 1 - all.Len()/64 // reports have times, which are not always written with as many digits
		for _, room := range []int{0, all.Len() / 2, almost} {
			var stderr bytes.Buffer
			disk := fullDisk{left: room}
			code := run(args, &disk, &stderr)
			for try := 0; !disk.full && disk.left < room && try < 100; try++ { // reports have times, so they differ in length
				stderr.Reset()
				room -= disk.left + 1
				disk = fullDisk{left: room}
				code = run(args, &disk, &stderr)
			}
			if code != exitcode.Failed || !strings.Contains(stderr.String(), errFull.Error()) {
				t.Errorf("%q, room for %d bytes: got exit code %d and error %q", line, room, code, stderr.String())
			}
		}
		var stderr bytes.Buffer
		if code := run(args, brokenPipe{}, &stderr); code != exitcode.Failed || strings.Contains(stderr.String(), "pipe") || strings.Contains(stderr.String(), "btfbatch:") {
			t.Errorf("%q into a closed pipe: got exit code %d and error %q", line, code, stderr.String())
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

// An error of writing to the standard error output is an error of the program as well.
func TestFullDiskForErrors(t *testing.T) {
	place(t)
	for _, line := range []string{"run m.yaml", "encode a.elf -o out.btf --timings", "verify a.btf --as 5.15 --path vmlinux", "verify a.btf --as 6.8"} {
		if code := run(strings.Fields(line), io.Discard, &fullDisk{}); code != exitcode.Failed {
			t.Errorf("%q: got exit code %d, want 1", line, code)
		}
	}
}

// A program whose output goes to head ends without a message, and writes the other outputs.
func TestHead(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	place(t)
	for _, line := range []string{"dump a.btf", "encode a.elf -o out.btf --list-excluded", "run m.yaml --log-level error", "--help"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd := exec.Command(self, strings.Fields(line)...)
		cmd.Args[0] = "btfbatch" // by this name, TestMain runs the program
		cmd.Stdout, cmd.Stderr = write, &stderr
		read.Close() // the reader ends
		err = cmd.Run()
		write.Close()
		if got := cmd.ProcessState.ExitCode(); got != exitcode.Failed || strings.Contains(stderr.String(), "btfbatch:") || strings.Contains(stderr.String(), "pipe") {
			t.Errorf("%s: got %v and error %q", line, err, stderr.String())
		}
	}
	if got, err := os.ReadFile("out.btf"); err != nil || len(got) == 0 {
		t.Errorf("the output of encode is missing: %v", err)
	}
}

// bad lists command lines that fail or warn, at least one for every command, with the exit code.
var bad = []struct {
	line string
	code int
}{
	{"rum", exitcode.Usage}, {"--no-such-flag", exitcode.Usage}, {"--log-level loud", exitcode.Usage}, {"help nothing", exitcode.Usage}, {"completion tcsh", exitcode.Usage},
	{"version it", exitcode.Usage}, {"schema it", exitcode.Usage}, {"man", exitcode.Usage}, {"man folder/a.btf --date 2026-11-30", exitcode.Failed}, {"version --no", exitcode.Usage},
	{"submit", exitcode.Usage}, {"submit nowhere.yaml --engine slurm --shards 2 --dry-run", exitcode.Usage},
	{"run", exitcode.Usage}, {"run nowhere.yaml", exitcode.Usage}, {"run wrong.yaml", exitcode.Usage}, {"run m.yaml --report pdf", exitcode.Usage},
	{"run m.yaml --only nothing", exitcode.Usage}, {"run failing.yaml", exitcode.Failed}, {"run differs.yaml", exitcode.Differs}, {"run notes.yaml", exitcode.Failed},
	{"run notes.yaml --earlier folder --report json=folder", exitcode.Usage},
	{"run m.yaml", exitcode.OK}, {"run m.yaml --log-level debug", exitcode.OK}, {"run differs.yaml --log-level error", exitcode.Differs},
	{"run broken.yaml --log-level debug", exitcode.Failed},
	{"encode a.elf", exitcode.Usage}, {"encode nowhere.elf -o out.btf", exitcode.Failed}, {"encode m.yaml -o out.btf", exitcode.Failed},
	{"encode a.elf -o out.btf --timings", exitcode.OK}, {"encode a.elf -o folder", exitcode.Usage},
	{"embed a.elf", exitcode.Usage}, {"embed nowhere.elf -o out.elf", exitcode.Failed}, {"embed a.elf -o out.elf --btf m.yaml", exitcode.Failed},
	{"embed a.elf -o out.elf --btf a.btf --as 6.8", exitcode.OK}, {"embed a.elf -o out.elf --as 5.10", exitcode.Failed},
	{"dump", exitcode.Usage}, {"dump nowhere", exitcode.Failed}, {"dump m.yaml", exitcode.Failed}, {"dump a.btf --format xml", exitcode.Usage},
	{"diff a.btf", exitcode.Usage}, {"diff a.btf nowhere", exitcode.Failed}, {"diff a.btf b.btf", exitcode.Differs},
	{"history task_struct", exitcode.Usage}, {"history task_struct nowhere", exitcode.Failed}, {"history task_struct m.yaml", exitcode.Failed},
	{"history no_such_type a.btf", exitcode.Failed}, {"history bpf_file_get a.btf --format xml", exitcode.Usage},
	{"golden status", exitcode.Usage}, {"golden status nowhere.yaml", exitcode.Usage}, {"golden status wrong.yaml", exitcode.Usage},
	{"golden accept m.yaml", exitcode.Usage}, {"golden show m.yaml --new-goldens nowhere", exitcode.Failed}, {"golden nothing", exitcode.Usage},
	{"golden why a", exitcode.Usage}, {"golden why a --report nowhere", exitcode.Failed}, {"golden why nothing --report r.json", exitcode.Usage},
	{"report show", exitcode.Usage}, {"report show nowhere", exitcode.Failed}, {"report show m.yaml", exitcode.Failed},
	{"report show r.json --format xml", exitcode.Usage}, {"report nothing", exitcode.Usage},
	{"init nowhere", exitcode.Failed}, {"init folder -o x.yaml", exitcode.Failed}, {"init . -o m.yaml", exitcode.Usage},
	{"validate wrong.yaml", exitcode.Usage}, {"validate failing.yaml", exitcode.Failed}, {"validate notes.yaml", exitcode.OK},
	{"sources wrong.yaml", exitcode.Usage}, {"sources failing.yaml", exitcode.Failed}, {"sources notes.yaml", exitcode.OK},
	{"sources m.yaml --format xml", exitcode.Usage},
	{"lock wrong.yaml", exitcode.Usage}, {"lock failing.yaml", exitcode.Failed}, {"lock m.yaml a", exitcode.Usage}, {"lock m.yaml b --update", exitcode.Usage},
	{"lock nowhere.yaml", exitcode.Usage}, {"lock m.yaml --check", exitcode.Usage}, {"run m.yaml --locked", exitcode.Usage},
	{"plan wrong.yaml", exitcode.Usage}, {"plan nowhere.yaml", exitcode.Usage}, {"plan failing.yaml", exitcode.Failed},
	{"cache gc --max-size x", exitcode.Usage}, {"cache nothing", exitcode.Usage}, {"cache info a", exitcode.Usage},
	{"report merge", exitcode.Usage}, {"report merge nowhere.json", exitcode.Failed}, {"report merge m.yaml", exitcode.Failed},
	{"report merge r.json --plan m.yaml", exitcode.Usage},
	{"plan failing.yaml --format json", exitcode.OK}, {"plan m.yaml --format xml", exitcode.Usage}, {"run m.yaml --only-from nowhere", exitcode.Usage},
	{"explain a.elf", exitcode.Usage}, {"explain a.elf nothing", exitcode.Failed}, {"explain nowhere x", exitcode.Failed},
	{"stats nowhere", exitcode.Failed}, {"stats a.elf --format xml", exitcode.Usage},
	{"verify a.btf --as 5.15 --path vmlinux", exitcode.Failed}, {"verify a.btf --as latest", exitcode.Usage}, {"verify nowhere", exitcode.Usage},
	{"verify a.btf --lint --earlier b.btf --loss 0", exitcode.OK}, {"verify a.btf --strict-lint --as 7.2", exitcode.Failed}, {"verify m.yaml", exitcode.Usage},
}

// TestEveryLineIsJSON: with --log-format json, every line of the standard error output is JSON, whatever goes wrong.
func TestEveryLineIsJSON(t *testing.T) {
	place(t)
	for name, text := range map[string]string{
		"wrong.yaml":   "version: 1\nimages:\n  - {name: a, path: a.elf, profil: x}\n  - {path: '', verify: [latest]}\n",
		"failing.yaml": "version: 1\nimages: [{name: a, path: nowhere.elf}, {name: b, path: m.yaml}]\n",
		"broken.yaml":  "version: 1\nimages: [{name: b, path: broken.elf}]\n",
		"differs.yaml": "version: 1\nimages: [{name: a, path: a.elf, kind: any, golden: a.raw}, {name: b, path: a.elf, kind: any, golden: none.raw}]\n",
		"notes.yaml": "version: 1\ndefaults: {verify: [5.15, '9.9'], profile: pahole, sections: [{section: x}]}\n" +
			"images: [{name: a, path: a.elf, kind: any}]\n",
		"a.raw":      "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n",
		"broken.elf": "\x7fELF nothing else",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GITHUB_ACTIONS", "true")
	commands, _ := commandsAndFlags(t)
	seen := map[string]bool{"": true, "pahole": true} // pahole has no --log-format
	for _, tt := range bad {
		args := strings.Fields(tt.line)
		seen[args[0]] = true
		var stderr bytes.Buffer
		code := run(append(args, "--log-format", "json"), io.Discard, &stderr)
		if code != tt.code {
			t.Errorf("%s: got exit code %d, want %d: %s", tt.line, code, tt.code, stderr.String())
		}
		levels := checkJSON(t, tt.line, &stderr)
		if code != exitcode.OK && !slices.Contains(levels, "error") {
			t.Errorf("%s: got exit code %d and no line with an error", tt.line, code)
		}
	}
	for _, c := range commands {
		if !seen[c] {
			t.Errorf("%s: the table has no command line that fails", c)
		}
	}
}

// checkJSON parses every line and returns the levels.
func checkJSON(t *testing.T, what string, r io.Reader) (levels []string) {
	t.Helper()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var line struct {
			Level   string
			Message *string
			Time    string
			Pass    string
		}
		if err := json.Unmarshal(s.Bytes(), &line); err != nil || line.Time == "" || line.Message == nil && line.Pass == "" {
			t.Errorf("%s: got line %q (%v)", what, s.Text(), err)
		}
		levels = append(levels, line.Level)
	}
	return levels
}

// TestManifestProblemsInJSON: errors in a manifest have fields for file, line and column.
func TestManifestProblemsInJSON(t *testing.T) {
	place(t)
	const text = "version: 1\nimages:\n  - {name: a, path: a.elf, fetures: [default]}\n"
	if err := os.WriteFile("w.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	run([]string{"validate", "w.yaml", "--log-format=json"}, io.Discard, &stderr)
	var line struct {
		File, Path, Message, Suggestion, Level string
		Line, Column                           int
		Code                                   int `json:"exit_code"`
	}
	if err := json.Unmarshal(stderr.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if line.File != "w.yaml" || line.Line != 3 || line.Column != 28 || line.Path != "images[0]" || line.Suggestion != `"features"` ||
		line.Code != exitcode.Usage || line.Level != "error" || line.Message != `unknown key "fetures" in an image` {
		t.Errorf("got %+v", line)
	}
}

// TestPanic: a broken invariant is reported like any other error.
func TestPanic(t *testing.T) {
	for _, format := range []string{"human", "json"} {
		var stderr bytes.Buffer
		voice, err := console.New(&stderr, format, "info")
		if err != nil {
			t.Fatal(err)
		}
		code := guarded(voice, func() int { panic("no such kind") })
		if code != exitcode.Failed || !strings.Contains(stderr.String(), "internal error: no such kind") || !strings.Contains(stderr.String(), "goroutine ") {
			t.Errorf("%s: got exit code %d and %q", format, code, stderr.String())
		}
		if format == "json" {
			checkJSON(t, "panic", &stderr)
		}
	}
}
