//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/cmd/internal/pahole"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// These tests check a property of all commands: a command does not succeed if something is missing, and writes only the files that it was
// asked to write.
//
// The table has an entry for every input of every command: arguments, flags, keys of the manifest, and environment variables. The tests give
// each input every state of its kind (absent, empty, unreadable, of the wrong kind, ...). They also give each output the path of every other
// file of the command, in several spellings. The command must fail each time, or the entry must say why it may succeed and what it prints
// then. Inputs are found by reflection, so a new input without an entry fails the test.

// A kind of input has certain states.
type kind uint8

const (
	takesNothing kind = iota // has no states
	readsFile                // the name of a file that is read
	writesFile               // the name of a file that is written
	appendsFile              // the name of a file that is appended to
	readsFolder              // the name of a folder that is read
	takesWord                // one or more words of a fixed set
	takesText                // any text that is not empty
	takesNumber              // a number that is not negative
	takesYAML                // a key of the manifest whose value is not plain text
)

// A given describes one input of a command.
type given struct {
	kind  kind
	value string // a value with which the command succeeds; if empty, the input is left out
	// before is the text before a file name, as in --report json=FILE.
	before string
	// fine maps the names of states in which the command succeeds to what it prints then (a regular expression), or to the reason, in brackets,
	// why it prints nothing.
	fine map[string]string
	// waits is the name of a state in which the command waits for another process, as it should.
	waits string
}

// A state is a wrong value.
type state struct{ name, value string }

// unset is the value of an input that is left out.
const unset = "\x00unset"

var statesOf = map[kind][]state{
	readsFile: {{"absent", "nowhere"}, {"empty name", ""}, {"empty", "empty"}, {"folder", "folder"}, {"loop", "loop"}, {"below a file", "words/x"},
		{"device", "/dev/null"}, {"words", "words"}, {"zeros", "zeros"}, {"name too long", strings.Repeat("n", 256)}},
	writesFile: {{"empty name", ""}, {"folder", "folder"}, {"device", "/dev/null"}, {"full device", "/dev/full"}, {"loop", "loop"},
		{"below a file", "words/x"}, {"pipe", "pipe"}, {"name too long", strings.Repeat("n", 256)}, {"cannot be made", "/proc/nowhere/x"},
		{"temporary", ".btfbatch-x"}},
	appendsFile: {{"folder", "folder"}, {"full device", "/dev/full"}, {"loop", "loop"}, {"below a file", "words/x"}, {"cannot be made", "/proc/nowhere/x"}},
	readsFolder: {{"absent", "nowhere"}, {"empty name", ""}, {"file", "words"}, {"empty", "folder"}, {"loop", "loop"}, {"below a file", "words/x"}},
	takesWord:   {{"empty", ""}, {"comma", ","}, {"blank", " "}, {"unknown", "nonsense"}, {"unknown behind known", "%s,nonsense"}},
	takesText:   {{"empty", ""}},
	takesNumber: {{"empty", ""}, {"no number", "nonsense"}, {"negative", "-1"}},
	takesYAML: {{"null", "~"}, {"empty text", `""`}, {"empty list", "[]"}, {"empty mapping", "{}"}, {"list of nothing", "[~]"}, {"list of lists", "[[a]]"},
		{"words", "some words"}, {"fraction", "0.5"}},
}

// spellings lists ways to name a file differently. The first works without the file.
var spellings = []struct {
	name string
	make func(t *testing.T, path string) string
}{
	{"another spelling", func(_ *testing.T, path string) string { return "./folder/../" + path }},
	{"a link", func(t *testing.T, path string) string { return made(t, os.Symlink(path, "link-to-it"), "link-to-it") }},
	{"a hard link", func(t *testing.T, path string) string {
		if _, err := os.Stat(path); err != nil {
			return "" // there is no file yet
		}
		return made(t, os.Link(path, "hard-link"), "hard-link")
	}},
}

func made(t *testing.T, err error, name string) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// A trial is one call of a command.
type trial struct {
	command string
	more    []string // arguments that are not inputs
	inputs  map[string]given
	only    string            // the only input to test; empty for all
	makes   string            // a file that no input names and that the command writes
	values  map[string]string // values that replace those of the table
}

func (c *trial) value(name string) string {
	if v, ok := c.values[name]; ok {
		return v
	}
	if in := c.inputs[name]; in.value != "" {
		return in.before + in.value
	}
	return unset
}

// args returns the arguments of the call. It also writes the manifest and sets the environment.
func (c *trial) args(t *testing.T) []string {
	t.Helper()
	args := append(strings.Fields(c.command), c.more...)
	var last []string
	for _, name := range slices.Sorted(maps.Keys(c.inputs)) {
		v := c.value(name)
		env, isEnv := strings.CutPrefix(name, "$")
		switch {
		case isEnv:
			t.Setenv(env, strings.TrimPrefix(v, unset))
		case v == unset, isKey(name):
		case strings.HasPrefix(name, "-"):
			args = append(args, name+"="+v)
		case name == "NEW" || name == "SYMBOL" || name == "NAME...":
			last = append(last, v)
		default:
			last = append([]string{v}, last...)
		}
	}
	args = append(args, last...)
	if c.value("MANIFEST") == "m.yaml" {
		write(t, "m.yaml", manifestOf(c))
	}
	return args
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// call runs the command in a fresh folder, after prepare, and returns its exit code and its output. The command must not change files that it
// was not asked to write, and must not write any file if its usage is wrong.
func (c *trial) call(t *testing.T, prepare func()) (code int, out string) {
	t.Helper()
	fixtures(t)
	if prepare != nil {
		prepare()
	}
	args := c.args(t)
	before := snapshot(t)
	var b bytes.Buffer
	code = run(args, &b, &b)
	asked := map[string]bool{c.makes: code != exitcode.Usage}
	for name, in := range c.inputs {
		if v := c.value(name); in.kind == writesFile || in.kind == appendsFile {
			asked[filepath.Clean(strings.TrimPrefix(v, in.before))] = code != exitcode.Usage
		}
	}
	after := snapshot(t)
	for name := range maps.All(before) {
		if after[name] != before[name] && !asked[name] {
			t.Errorf("btfbatch %q changed %s", args, name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok && !asked[name] {
			t.Errorf("btfbatch %q, exit code %d, made %s", args, code, name)
		}
	}
	return code, strings.Join(args, " ") + "\n" + b.String()
}

// snapshot returns the digest of each regular file below the working folder.
func snapshot(t *testing.T) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		sums[path] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestNothingMissing(t *testing.T) {
	prepareFixtures(t)
	covered := map[string][]string{}
	commands := map[string]*cobra.Command{}
	for _, cmd := range newRoot(nil, new(interrupt.Interrupter)).Commands() {
		commands[cmd.Name()] = cmd
		for _, sub := range cmd.Commands() {
			commands[cmd.Name()+" "+sub.Name()] = sub
		}
	}
	for i, c := range table() {
		covered[c.command] = slices.AppendSeq(covered[c.command], maps.Keys(c.inputs))
		found := inputsOf(t, commands[c.command])
		for in := range c.inputs {
			if !slices.Contains(found, in) {
				t.Errorf("%s: the table has %s, which does not exist", c.command, in)
			}
		}
		t.Run(fmt.Sprint(c.command, " ", i), func(t *testing.T) {
			t.Chdir(t.TempDir())
			if code, out := c.call(t, nil); code != exitcode.OK {
				t.Fatalf("got exit code %d with good values\n%s", code, out)
			}
			inputs := slices.Sorted(maps.Keys(c.inputs))
			if testing.Short() {
				inputs = inputs[:min(1, len(inputs))] // the race detector finds no more in the others
			}
			for _, in := range inputs {
				if c.only != "" && c.only != in {
					continue
				}
				c.states(t, in)
				if k := c.inputs[in].kind; k == writesFile || k == appendsFile {
					c.contradictions(t, in)
				}
			}
		})
	}
	for name, cmd := range commands {
		if name == "help" || name == "completion" || name == "man" { // man makes many files
			continue
		}
		for _, in := range inputsOf(t, cmd) {
			if !slices.Contains(covered[name], in) {
				t.Errorf("%s: %s has no entry in the table", name, in)
			}
		}
	}
}

// states tests all states of one input.
func (c *trial) states(t *testing.T, name string) {
	t.Helper()
	in := c.inputs[name]
	used := map[string]bool{}
	for _, s := range statesOf[in.kind] {
		if used[s.name] = true; s.name == in.waits {
			continue
		}
		if strings.Contains(s.value, "%s") {
			s.value = fmt.Sprintf(s.value, in.value)
		}
		one := trial{command: c.command, more: c.more, makes: c.makes, inputs: c.inputs, values: map[string]string{name: in.before + s.value}}
		code, out := one.call(t, nil)
		prints, fine := in.fine[s.name]
		switch {
		case fine && code != exitcode.OK:
			t.Errorf("%s, %s: got exit code %d, want 0 as the table says\n%s", name, s.name, code, out)
		case fine && !strings.HasPrefix(prints, "(") && !regexp.MustCompile(prints).MatchString(out):
			t.Errorf("%s, %s: got exit code 0 without the output %q\n%s", name, s.name, prints, out)
		case !fine && code == exitcode.OK:
			t.Errorf("%s, %s: got exit code 0\n%s", name, s.name, out)
		case code != exitcode.OK && strings.TrimSpace(strings.SplitN(out, "\n", 2)[1]) == "":
			t.Errorf("%s, %s: got exit code %d and no error", name, s.name, code)
		}
	}
	for s := range in.fine {
		if !used[s] {
			t.Errorf("%s: the table has a state %q, which does not exist", name, s)
		}
	}
}

// contradictions tests an output with the path of every other file.
func (c *trial) contradictions(t *testing.T, name string) {
	t.Helper()
	for other, in := range c.inputs {
		written := in.kind == writesFile || in.kind == appendsFile
		if in.value == "" || !written && in.kind != readsFile || other == name || written && other < name && c.only == "" { // the pair is tested once
			continue
		}
		for _, s := range spellings {
			one := trial{command: c.command, more: c.more, makes: c.makes, inputs: c.inputs, values: map[string]string{}}
			spelt := true
			code, out := one.call(t, func() {
				path := s.make(t, in.value)
				one.values[name] = c.inputs[name].before + path
				spelt = path != ""
			})
			if spelt && code == exitcode.OK {
				t.Errorf("%s is %s of %s: got exit code 0\n%s", name, s.name, other, out)
			}
		}
	}
}

// inputsOf finds the inputs of a command.
func inputsOf(t *testing.T, cmd *cobra.Command) (list []string) {
	t.Helper()
	flag := false
	for _, word := range strings.Fields(cmd.Use)[1:] { // IMAGE, OLD NEW, {IMAGE | --from deb=PACKAGE}, [MANIFEST]
		word = strings.Trim(word, "{}[]|")
		if name := strings.TrimSuffix(word, "..."); !flag && cmd.Name() != "pahole" && name != "" && name == strings.ToUpper(name) && name[0] >= 'A' {
			list = append(list, word)
		}
		flag = strings.HasPrefix(word, "-")
	}
	add := func(f *pflag.Flag) {
		if f.Value.Type() != "bool" && f.Name != "help" {
			list = append(list, "--"+f.Name)
		}
	}
	cmd.NonInheritedFlags().VisitAll(add)
	if cmd.Name() == "pahole" {
		return append(list, paholeInputs(t)...)
	}
	cmd.InheritedFlags().VisitAll(add)
	if cmd.Name() == "run" {
		list = append(append(list, environment(t)...), manifestKeys(t)...)
	}
	return list
}

// paholeInputs returns the options of btfbatch pahole that take a value, according to its help.
func paholeInputs(t *testing.T) (list []string) {
	t.Helper()
	var b bytes.Buffer
	pahole.Run(pahole.Signals{}, "pahole", []string{"--help"}, &b, &b)
	for _, m := range regexp.MustCompile(`(--\w+)\[?=`).FindAllStringSubmatch(b.String(), -1) {
		list = append(list, m[1])
	}
	return append(list, "FILE")
}

// environment lists the variables that the program reads.
func environment(t *testing.T) (list []string) {
	t.Helper()
	read := regexp.MustCompile(`os\.(?:Getenv|LookupEnv)\("(\w+)"\)`)
	for _, dir := range []string{".", "../internal", "../../config", "../../golden", "../../corpus", "../../encoder"} {
		err := filepath.WalkDir(filepath.Join(sourceDir, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "corpus/peer") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range read.FindAllSubmatch(text, -1) {
				if name := "$" + string(m[1]); !slices.Contains(list, name) {
					list = append(list, name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// fixtures restores what a call has changed in the working folder.
func fixtures(t *testing.T) {
	t.Helper()
	for name, data := range goodFiles {
		restored(t, name, data)
	}
	folder := func(name string, want ...string) {
		if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !slices.Contains(want, e.Name()) {
				err = errors.Join(err, os.RemoveAll(filepath.Join(name, e.Name())))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if link, err := os.Readlink("loop"); err != nil || link != "loop" {
		made(t, errors.Join(os.RemoveAll("loop"), os.Symlink("loop", "loop")), "loop")
	}
	if st, err := os.Lstat("pipe"); err != nil || st.Mode().Type() != fs.ModeNamedPipe {
		made(t, errors.Join(os.RemoveAll("pipe"), syscall.Mkfifo("pipe", 0o600)), "pipe")
	}
	folder("folder")
	folder("before", "m.btf")
	restored(t, "before/m.btf", goodFiles["base.btf"])
	folder(".", slices.AppendSeq([]string{"folder", "before", "loop", "pipe"}, maps.Keys(goodFiles))...)
}

// restored writes a file unless it is unchanged.
func restored(t *testing.T, name string, data []byte) {
	t.Helper()
	if st, err := os.Lstat(name); err == nil && st.Mode() == 0o600 {
		if got, err := os.ReadFile(name); err == nil && bytes.Equal(got, data) {
			return
		}
	}
	made(t, errors.Join(os.RemoveAll(name), os.WriteFile(name, data, 0o600)), name)
}
