package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// completed returns what shells offer for the last argument, and the directive.
func completed(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	var out bytes.Buffer
	if code := run(append([]string{cobra.ShellCompNoDescRequestCmd}, args...), &out, io.Discard); code != exitcode.OK {
		t.Fatalf("%q: got exit code %d", args, code)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// TestCompletedValues: every flag with a value has completions that fit, and the program takes each word that they offer.
func TestCompletedValues(t *testing.T) {
	place(t)
	context := []string{"requires", "need each other", "none is given", "no image with a golden", "needs a terminal", "in CI", "no job array", "it was given as"} // what a call may lack beside the word
	unfinished := []string{"from", "report", "cache"}                                                                                                             // more follows the word
	root := newRoot(nil, new(interrupt.Interrupter))
	addCompletions(root)
	root.InitDefaultCompletionCmd()
	_, flags := commandsAndFlags(t)
	offered := 0
	for _, name := range flags {
		command, flag, _ := strings.Cut(name, "--")
		cmd, _, err := root.Find(strings.Fields(command))
		if err != nil {
			t.Fatal(err)
		}
		f := cmd.Flag(flag)
		if f.Value.Type() == "bool" {
			continue
		}
		complete, ok := cmd.GetFlagCompletionFunc(flag)
		_, folder := f.Annotations[cobra.BashCompSubdirsInDir]
		if what, _ := pflag.UnquoteUsage(f); !ok && !folder && what != "FILE" {
			t.Errorf("%s: the value is a %s, and nothing is offered", name, what)
		}
		if !ok {
			continue
		}
		if slices.Contains(unfinished, flag) {
			continue
		}
		line := strings.Fields(good[strings.TrimSpace(command)])
		words, _ := complete(cmd, line[min(len(line), len(strings.Fields(command))):], "")
		for _, w := range words {
			offered++
			args := append(slices.Clone(line), "--"+flag+"="+w)
			var stderr bytes.Buffer
			lacks := func(reason string) bool { return strings.Contains(stderr.String(), reason) }
			if code := run(args, io.Discard, &stderr); code == exitcode.Usage && !slices.ContainsFunc(context, lacks) {
				t.Errorf("%q: %s is offered, and refused: %s", args, w, stderr.String())
			}
		}
	}
	if offered < 100 {
		t.Errorf("%d words were tried, want more", offered)
	}
}

// TestCompleted has single completions as a shell asks for them.
func TestCompleted(t *testing.T) {
	place(t)
	if err := os.WriteFile(defaultManifest, []byte("version: 1\nimages: [{name: one, path: a.elf}, {name: two, path: a.elf}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, want string }{
		{"run ", "yaml yml :8"},
		{"run m.yaml ", ":4"},
		{"run --only ", "one two :4"},
		{"run --only one,", "one,two :4"},
		{"run m.yaml --only ", "a :4"},
		{"run --earlier ", ":16"},
		{"run --profile p", "pahole :36"},
		{"run --report j", "json junit json= junit= :34"},
		{"run --jobs ", ":4"},
		{"golden review --only t", "two :4"},
		{"dump ", ":0"},
		{"dump --base ", ":0"},
		{"dump --format c", "c c-unsorted :36"},
		{"verify --as 6.1", "6.1 6.12 6.18 :36"},
		{"verify --path ", "load vmlinux module base :36"},
		{"embed --as 6.1,6.1", "6.1,6.12 6.1,6.18 :38"},
		{"encode --btf-features +lay", "+layout :38"},
		{"encode --lang-exclude c,rus", "c,rust :38"},
		{"encode --from ", "deb= rpm= url= apt= debuginfod= :34"},
		{"diff --fail-on ", "any break :36"},
		{"schema ", ":4"},
		{"version ", ":4"},
	} {
		args := strings.Split(tt.line, " ")
		words, directive := completed(t, args...)
		if got := strings.Join(append(words, directive), " "); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.line, got, tt.want)
		}
	}
}

// TestFlagWordsAreUsed: the table has no flag that is gone.
func TestFlagWordsAreUsed(t *testing.T) {
	_, flags := commandsAndFlags(t)
	for name := range maps.Keys(flagWords) {
		if !slices.ContainsFunc(flags, func(f string) bool {
			return f == name || strings.HasSuffix(f, " "+name) && strings.HasPrefix(name, "--")
		}) {
			t.Errorf("flagWords has %s, which is no flag", name)
		}
	}
}

// TestExamples: every command has examples, and their arguments are right.
func TestExamples(t *testing.T) {
	root := newRoot(nil, new(interrupt.Interrupter))
	root.InitDefaultHelpCmd()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(defaultManifest, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), "btfbatch"))
		used[path] = true
		if cmd.Example == "" && !strings.HasPrefix(path, "completion") {
			t.Errorf("%q has no example", path)
		}
		for line := range strings.Lines(cmd.Example) {
			checkExample(t, root, path, line)
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
	for path := range examples {
		if !used[path] {
			t.Errorf("examples has %q, which is no command", path)
		}
	}
}

// checkExample checks each call of the program in a line of an example.
func checkExample(t *testing.T, root *cobra.Command, path, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, "#")
	shows := false
	for call := range strings.SplitSeq(line, "|") {
		call, _, _ = strings.Cut(call, ">")
		words := strings.Fields(strings.ReplaceAll(call, "'", ""))
		if len(words) == 0 || words[0] != "btfbatch" {
			continue
		}
		cmd, _, err := root.Find(words[1:])
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		shows = shows || strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), "btfbatch")) == path || path == "" || strings.HasPrefix(cmd.CommandPath(), "btfbatch "+path)
		if cmd.DisableFlagParsing {
			continue
		}
		fresh := newRoot(nil, new(interrupt.Interrupter))
		fresh.InitDefaultHelpCmd()
		cmd, args, err := fresh.Find(words[1:])
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		if err := cmd.ParseFlags(args); err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	if !shows && strings.TrimSpace(line) != "" && path != "golden" {
		t.Errorf("%s: the example does not call it: %s", path, line)
	}
}

// shells complete a command line as the shell would after the user typed it and pressed the tabulator key. $1 is the folder of the program.
var shells = []struct{ name, script string }{
	{"bash", `
PATH=$1:$PATH
[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
. <(btfbatch completion bash)
compopt() { :; }
ask() { COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; read -ra COMP_WORDS <<< "$COMP_LINE"
	[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); __start_btfbatch; printf '%s\n' "${COMPREPLY[@]}" | sed 's/ .*//'; }
`},
	{"zsh", `
PATH=$1:$PATH
compdef() { }
_describe() { print -l -- ${completions%%:*} }
eval "$(btfbatch completion zsh)"
ask() { words=(${(z)1}); [[ $1 == *' ' ]] && words+=(''); CURRENT=$#words; _btfbatch; }
`},
	{"fish", `
set -x PATH $argv[1] $PATH
btfbatch completion fish | source
function ask; complete -C $argv[1] | cut -f1; end
`},
}

// TestShells loads the completions in the shells that are installed.
func TestShells(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	place(t)
	if err := os.Symlink(self, "btfbatch"); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			peer.Installed(t, shell.name)
			for _, tt := range []struct{ line, want string }{
				{"btfbatch ver", "verify version"},
				{"btfbatch dump --format js", "json json-pretty"},
				{"btfbatch golden sh", "show"},
				{"btfbatch verify --as 6.1", "6.1 6.12 6.18"},
			} {
				script := filepath.Join(dir, "ask")
				if err := os.WriteFile(script, []byte(shell.script+"ask '"+tt.line+"'\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(shell.name, script, dir).CombinedOutput()
				if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != tt.want {
					t.Errorf("%s: got %q (%v), want %q", tt.line, got, err, tt.want)
				}
			}
		})
	}
}
