package pahole

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A call is a row of testdata/calls.txt.
type call struct {
	name string
	args []string
}

// calls reads the table. Names of files are relative to corpus.
func calls(t *testing.T) (all []call) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "calls.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, rest, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		c := call{name, words(rest)}
		for i, arg := range c.args {
			if file := filepath.Join("..", "..", "..", "corpus", arg); !strings.HasPrefix(arg, "-") && strings.Contains(arg, "/") {
				if _, err := os.Stat(file); err == nil {
					c.args[i] = file
				}
			}
		}
		all = append(all, c)
	}
	if len(all) < 20 {
		t.Fatalf("got %d calls", len(all))
	}
	return all
}

// golden returns pahole's output for the call.
func (c *call) golden(t *testing.T, what string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", c.name+"."+what+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// skipped returns the lines about functions that are left out.
func skipped(text string) string { return linesWith(text, " : skipping BTF encoding of function ") }

// linesWith returns the lines that contain mark.
func linesWith(text, mark string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, mark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestCalls: every call of the table gives the bytes and the lines that pahole gave for it.
func TestCalls(t *testing.T) {
	for _, c := range calls(t) {
		for _, jobs := range []string{"-j1", "-j2", "-j7"} {
			o := detached(t, ours, "-V "+jobs, c.args...)
			// pahole does not verify BTF. The warning about a refusal is btfbatch's own.
			if o.code != exitcode.OK || o.err != linesWith(o.err, "pahole: warning: a kernel would refuse the BTF: ") {
				t.Errorf("%s: got exit code %d, %q", c.name, o.code, o.err)
			}
			if want := c.golden(t, "btf"); !bytes.Equal(o.btf, want) {
				t.Errorf("%s %s: got %d bytes of BTF, want %d, or their bytes differ", c.name, jobs, len(o.btf), len(want))
			}
			if want := c.golden(t, "skipped"); o.out != string(want) {
				t.Errorf("%s %s: got\n%swant\n%s", c.name, jobs, o.out, want)
			}
		}
	}
}

// TestCallsShowRules: without a rule of pahole, or without its option, a call gives another output.
func TestCallsShowRules(t *testing.T) {
	for _, row := range []struct {
		call    string
		shows   rules.Set
		without string // of the arguments
	}{
		{call: "twice", shows: rules.PeerRuns},
		{call: "first-only", shows: rules.PeerReason},
		{call: "fields", without: "--fixup_silly_bitfields"},
	} {
		i := slices.IndexFunc(calls(t), func(c call) bool { return c.name == row.call })
		c := calls(t)[i]
		c.args = slices.DeleteFunc(c.args, func(arg string) bool { return arg == row.without })
		o := detached(t, oursBy(rules.Pahole&^row.shows), "-V", c.args...)
		if o.code != exitcode.OK || bytes.Equal(o.btf, c.golden(t, "btf")) && o.out == string(c.golden(t, "skipped")) {
			t.Errorf("%s: got exit code %d, and the same output as with the rule", row.call, o.code)
		}
	}
}

// TestCallsAreThePeers: the goldens are the output of pahole.
func TestCallsAreThePeers(t *testing.T) {
	for _, c := range calls(t) {
		o := detached(t, theirs, "-V", c.args...)
		if o.code != exitcode.OK || !bytes.Equal(o.btf, c.golden(t, "btf")) || skipped(o.out) != string(c.golden(t, "skipped")) {
			t.Errorf("%s: the golden is not the output of pahole; run scripts/calls.sh", c.name)
		}
	}
}

// TestKernelSkipped: -V prints the same lines about the functions of a kernel as pahole.
func TestKernelSkipped(t *testing.T) {
	const name = "6.1-cloud-amd64"
	const line = "-V -J --btf_features=default --lang_exclude=rust"
	want := peer.Kept(t, name, line, "skipped", func(path string) []byte {
		cmd := exec.Command(peer.Program(t, "pahole"), append(words(line), "-j2", "--btf_encode_detached="+filepath.Join(t.TempDir(), "btf"), path)...)
		var lines filter
		if cmd.Stdout = &lines; cmd.Run() != nil {
			return nil
		}
		return lines.kept
	})
	o := detached(t, ours, line+" -j2", peer.Kernel(t, name))
	if o.code != exitcode.OK || o.out != string(want) {
		t.Errorf("%s: got exit code %d, %d bytes about functions, want %d, or they differ", line, o.code, len(o.out), len(want))
	}
}

// A filter is a writer that keeps only the lines about functions that are left out. pahole's whole output would be half a gigabyte.
type filter struct{ rest, kept []byte }

func (f *filter) Write(text []byte) (int, error) {
	f.rest = append(f.rest, text...)
	i := bytes.LastIndexByte(f.rest, '\n') + 1
	f.kept = append(f.kept, skipped(string(f.rest[:i]))...)
	f.rest = append(f.rest[:0], f.rest[i:]...)
	return len(text), nil
}
