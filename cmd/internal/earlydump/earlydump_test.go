package earlydump

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/dump"
)

var images = filepath.Join("..", "..", "..", "corpus", "images")

// TestImports: nothing that a dump does not need is initialised before it runs.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/btfbatch/btfbatch/golden/dump") {
		t.Fatalf("the list of %d packages lacks golden/dump", len(deps))
	}
	for _, heavy := range []string{
		"crypto/tls", "encoding/xml", "github.com/btfbatch/btfbatch/config", "github.com/btfbatch/btfbatch/encoder", "github.com/btfbatch/btfbatch/golden",
		"github.com/google/jsonschema-go/jsonschema", "github.com/rs/zerolog", "github.com/spf13/cobra", "gopkg.in/yaml.v3", "net/http",
	} {
		if slices.Contains(deps, heavy) {
			t.Errorf("package earlydump leads to %s", heavy)
		}
	}
}

// TestParse: only a format and the path of a file are an early dump.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args string
		want call
	}{
		{"btfbatch dump a", call{"raw", "a"}},
		{"/usr/bin/btfbatch dump a", call{"raw", "a"}},
		{"btfbatch dump --format c a", call{"c", "a"}},
		{"btfbatch dump --format=json a", call{"json", "a"}},
		{"btfbatch dump a --format json-pretty", call{"json-pretty", "a"}},
		{"btfbatch dump a --format=c-unsorted", call{"c-unsorted", "a"}},
		{"btfbatch", call{}},
		{"btfbatch dump", call{}},
		{"btfbatch dump a b", call{}},
		{"btfbatch verify a", call{}},
		{"btfbatch --log-format json dump a", call{}},
		{"btfbatch dump --help", call{}},
		{"btfbatch dump -h a", call{}},
		{"btfbatch dump -- a", call{}},
		{"btfbatch dump -", call{}},
		{"btfbatch dump --format a", call{}},
		{"btfbatch dump a --format", call{}},
		{"btfbatch dump --format yaml a", call{}},
		{"btfbatch dump --format selected a", call{}},
		{"btfbatch dump --format= a", call{}},
		{"btfbatch dump --format c --format json a", call{}},
		{"btfbatch dump --format c", call{}},
		{"btfbatch dump --base a b", call{}},
		{"btfbatch dump --pointer-size=4 a", call{}},
		{"btfbatch dump deb=a", call{}},
		{"pahole dump a", call{}},
		{"/usr/bin/pahole dump a", call{}},
	} {
		got, ok := parse(strings.Fields(tt.args))
		if !ok {
			got = call{}
		}
		if got != tt.want || ok != (tt.want != call{}) {
			t.Errorf("%s: got %v, %v, want %v", tt.args, got, ok, tt.want)
		}
	}
	if _, ok := parse([]string{"btfbatch", "dump", ""}); ok {
		t.Error("an empty path is a call")
	}
}

// TestRun: files without a base are printed as the package dump prints them, and of other files nothing is written.
func TestRun(t *testing.T) {
	wire, err := os.ReadFile(filepath.Join(images, "gcc12-s390x-dwarf5-based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := btf.Parse(wire, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range dump.Formats() {
		var want, got bytes.Buffer
		if err := dump.Write(&want, o, format, 0); err != nil {
			t.Fatal(err)
		}
		began, err := call{format, filepath.Join(images, "gcc12-s390x-dwarf5-based.btf.golden")}.run(&got)
		if !began || err != nil || got.String() != want.String() {
			t.Errorf("%s: got %v, %v, and %d bytes, want %d", format, began, err, got.Len(), want.Len())
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a folder": images, "no file": filepath.Join(images, "nothing"), "an empty file": empty, "a text": "earlydump_test.go",
		"an image without BTF": filepath.Join(images, "gcc12-x86_64-dwarf5-based.elf"),
		"split BTF":            filepath.Join(images, "gcc12-s390x-dwarf5-driver.distilled.golden"),
	} {
		var got bytes.Buffer
		if began, err := (call{"raw", path}).run(&got); began || err != nil || got.Len() > 0 {
			t.Errorf("%s: got %v, %v and %d bytes", name, began, err, got.Len())
		}
	}
}

// A writer that calls a function first.
type before struct {
	do func()
	io.Writer
}

func (b before) Write(p []byte) (int, error) {
	b.do()
	return b.Writer.Write(p)
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

// longBTF returns BTF whose dumps are written in several pieces.
func longBTF() []byte {
	o := btf.New(binary.LittleEndian, nil)
	for i := range 60_000 {
		o.Append(o.Strings.Add(fmt.Appendf(nil, "struct%d", i)), btf.Info(btf.KindStruct, 0, false), 0)
	}
	return o.AppendWire(nil)
}

// TestFailed: errors of the output and changes of the file are reported. A file that is cut short is no crash.
func TestFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.btf")
	write := func() {
		t.Helper()
		if err := os.WriteFile(path, longBTF(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	full := errors.New("the disk is full")
	if began, err := (call{"raw", path}).run(broken{full}); !began || !errors.Is(err, full) {
		t.Errorf("a full disk: got %v, %v", began, err)
	}
	for _, format := range dump.Formats() {
		write()
		cut := before{func() {
			if err := os.Truncate(path, 100); err != nil {
				t.Fatal(err)
			}
		}, io.Discard}
		if began, err := (call{format, path}).run(cut); !began || !errors.Is(err, input.ErrChanged) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s, a file that is cut short meanwhile: got %v, %v", format, began, err)
		}
	}
}

// TestChanged: a file that is written to is noticed while it is printed.
func TestChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "changing.btf")
	data, err := os.ReadFile(filepath.Join(images, "gcc12-s390x-dwarf5-based.btf.golden"))
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err := btffile.OpenView(path)
	if err != nil {
		t.Fatal(err)
	}
	defer v.In.Close()
	noticed := make(chan error)
	go func() { noticed <- changed(v.In, time.Millisecond, nil) }()
	select {
	case err := <-noticed:
		t.Fatalf("got %v before the file changed", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.WriteFile(path, data[:len(data)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-noticed; !errors.Is(err, input.ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
}
