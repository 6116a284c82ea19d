//go:build unix

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// hostileNames lists names of files, symbols and types that have a special meaning in an output format.
var hostileNames = []string{
	"x\n::warning file=a,line=1::INJECTED\ny", "::error::INJECTED", "r\r::error::INJECTED", "a##[error]INJECTED", "\x1b[31mred", "\u009b31m", "nul\x01\x7f",
	"\u202egnp", "\u2066i\u2069", "bad\xff\xfe", "line\u2028end", "a|b", "`code`", "<script>", "]]>", "[l](javascript:1)", "t,line=9", "tab\tv\v", "100%0A",
}

// clean checks that text is safe to print: it has no invisible characters, and the expected number of workflow commands.
func clean(t *testing.T, what string, text []byte, commands int) {
	t.Helper()
	got := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		for i, r := range line {
			_, n := utf8.DecodeRuneInString(line[i:])
			if (!unicode.IsPrint(r) && r != '\t') || r == utf8.RuneError && n == 1 {
				t.Errorf("%s: %q in %q", what, r, line)
				break
			}
		}
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			if !strings.HasPrefix(line, "::error file=m.yaml,line=2,title=btfbatch%3A ") {
				t.Errorf("%s: a command: %q", what, line)
			}
			got++
		}
	}
	if got != commands {
		t.Errorf("%s: got %d commands, want %d", what, got, commands)
	}
}

// TestHostileNamesEverywhere: names from files are printed as names, whatever characters they contain.
func TestHostileNamesEverywhere(t *testing.T) {
	image, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write := func(path string, data []byte) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Skipf("no such names here: %v", err)
		}
	}
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range hostileNames {
		write("k/"+name+".elf", data)
		write("none/"+name, nil)
	}
	write("m.yaml", []byte("version: 1\nimages: [{path: \"k/*\", kind: any}]\n"))
	write("types.btf", hostileBTF(t, 4))
	write("other.btf", hostileBTF(t, 8))
	write("symbols.elf", hostileSymbols())
	t.Setenv("CI", "")
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", filepath.Join(t.TempDir(), "summary.md"))
	annotated := 0
	call := func(t *testing.T, commands int, args ...string) (stdout []byte) {
		t.Helper()
		var out, errs bytes.Buffer
		run(args, &out, &errs)
		what := strings.Join(args[:1], " ")
		clean(t, what+": stdout", out.Bytes(), 0)
		if commands < 0 { // as many as there are failures
			commands = bytes.Count(errs.Bytes(), []byte("::error file="))
			annotated = commands
		}
		clean(t, what+": stderr", errs.Bytes(), commands)
		return out.Bytes()
	}
	call(t, -1, "run", "m.yaml", "--log-level", "debug", "--report", "text", "--report", "json=r.json", "--report", "junit=r.xml", "--report", "markdown=r.md")
	if annotated < 10 {
		t.Errorf("got %d annotations, want one for every name that no image can have", annotated)
	}
	for _, file := range []string{"r.json", "r.xml", "r.md"} {
		r, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, file, r, 0)
		checkReport(t, file, r)
	}
	for line := range bytes.Lines(call(t, 0, "plan", "m.yaml")) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("::")) {
			t.Errorf("plan: %s", line)
		}
	}
	call(t, 0, "validate", "m.yaml")
	call(t, 0, "diff", "types.btf", "other.btf")
	call(t, 0, "verify", "types.btf")
	call(t, 0, "verify", "--lint", "types.btf")
	call(t, 0, "stats", "symbols.elf")
	call(t, 0, "explain", "--list-excluded", "symbols.elf")
	for _, name := range hostileNames {
		call(t, 0, "explain", "symbols.elf", name)
		file := "k/" + name + ".elf"
		call(t, 0, "explain", file, "nothing")
		call(t, 0, "stats", file)
		for _, path := range []string{"none/" + name, "nowhere/" + name} {
			for _, args := range []string{"dump", "verify", "stats", "validate", "encode -o out", "embed -o out", "diff types.btf", "dump --format", "run --exceptions", "run m.yaml --only", "verify --as", "pahole -J", "run --"} {
				call(t, -1, append(strings.Fields(args), path)...)
			}
		}
		for _, args := range []string{"dump types.btf --format", "run m.yaml --exceptions", "run m.yaml --only", "verify types.btf --as", "run m.yaml --report", "--"} {
			call(t, -1, append(strings.Fields(args), name)...)
		}
	}
}

// TestInitUnwritableName: init does not write a path that YAML cannot hold, which would name another file.
func TestInitUnwritableName(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", imageELF))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"good.elf", "bad\xff\xfe.elf"} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Skipf("the file system refuses the name: %v", err)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"init", "."}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), `bad\xff\xfe.elf: left out: a manifest cannot name this path`) {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
	stdout.Reset()
	if code := run([]string{"validate"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "1 image") {
		t.Errorf("validate: exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
}

// checkReport parses a report and checks that its names are complete.
func checkReport(t *testing.T, file string, r []byte) {
	t.Helper()
	switch filepath.Ext(file) {
	case ".json":
		if !json.Valid(r) {
			t.Errorf("%s is not valid JSON", file)
		}
	case ".xml":
		dec := xml.NewDecoder(bytes.NewReader(r))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", file, err)
				break
			}
		}
		if bytes.ContainsRune(r, utf8.RuneError) {
			t.Errorf("%s: characters are lost", file)
		}
	case ".md":
		if bytes.Contains(r, []byte("<script>")) {
			t.Errorf("%s: markup of a name", file)
		}
	}
}

// hostileBTF returns BTF with types that have hostile names and this size.
func hostileBTF(t *testing.T, size uint32) []byte {
	t.Helper()
	o := btf.New(binary.LittleEndian, nil)
	for _, name := range hostileNames {
		o.Append(o.Strings.Add([]byte(name)), btf.Info(btf.KindFloat, 0, false), size)
	}
	return o.AppendWire(nil)
}

// hostileSymbols returns an image with symbols of functions and variables that have hostile names and are in no CU.
func hostileSymbols() []byte {
	b := synth.Sample(synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5})
	text := b.Text(".text2\x1b", 0x400000, 4096)
	for i, name := range hostileNames {
		b.Symbol(name, text.At(uint64(16*i)), 16, elf.STT_FUNC)
		b.Symbol(name, text.At(uint64(16*i)), 16, elf.STT_OBJECT)
	}
	return b.Bytes()
}
