package pahole

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// TestBaseChanges: a base that is cut short or written to while a module is encoded is an error.
func TestBaseChanges(t *testing.T) {
	images := filepath.Join("..", "..", "..", "corpus", "images")
	wire, err := os.ReadFile(filepath.Join(images, "gcc12-x86_64-dwarf5-based.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(images, "gcc12-x86_64-dwarf5-driver.ko")
	for name, change := range map[string]func(path string) error{
		"cut":      func(path string) error { return os.Truncate(path, 4) },
		"longer":   func(path string) error { return os.WriteFile(path, append(wire, 0), 0o600) },
		"the same": func(string) error { return nil },
	} {
		base := filepath.Join(t.TempDir(), "base.btf")
		if err := os.WriteFile(base, wire, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := parseBy(rules.Pahole, "pahole", []string{"-J", "--btf_base=" + base, "--btf_encode_detached=" + filepath.Join(t.TempDir(), "out"), module}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{commandLine: s, stdout: io.Discard, stderr: io.Discard}
		enc := encoder.Encoder{Workers: r.workers, Options: r.want.Options}
		var file *input.File
		if enc.Base, file, err = r.openBase(); err != nil {
			t.Fatal(err)
		}
		f, err := elf.Open(module)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(base); err != nil {
			t.Fatal(err)
		}
		res, err := r.encodeWith(t.Context(), file, []*elf.File{f}, &enc)
		if same := name == "the same"; (err == nil) != same || (res != nil) != same || !same && !errors.Is(err, input.ErrChanged) {
			t.Errorf("%s: got error %v", name, err)
		}
		f.Close()
		file.Close()
	}
}

// TestBegin: small modules are encoded by one worker, and everything else by as many as were asked for. The smallest ones do not listen for signals,
// unless the program cannot hold them, or a file is a pipe.
func TestBegin(t *testing.T) {
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	dir := t.TempDir()
	small, medium, large, base := filepath.Join(dir, "small"), filepath.Join(dir, "medium"), filepath.Join(dir, "large"), ""
	for path, size := range map[string]int64{small: 1, medium: brief, large: undivided} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		base    *string
		files   []string
		asked   int
		want    int
		listens bool
	}{
		{&base, []string{small}, 2, 1, false}, {&base, []string{medium}, 2, 1, true}, {&base, []string{small, large}, 2, 2, true},
		{&base, []string{large}, 2, 2, true}, {&base, []string{large}, 1, 1, true}, {nil, []string{small}, 2, 2, true}, {nil, []string{small}, 1, 1, true},
		{&base, []string{os.DevNull}, 1, 1, true},
	} {
		runtime.GOMAXPROCS(1)
		listens, held := false, 0
		listen := func() context.Context {
			listens = true
			return t.Context()
		}
		r := &run{commandLine: &commandLine{base: tc.base, files: tc.files, workers: tc.asked}, signals: Signals{Listen: listen, Hold: func() { held++ }}}
		if r.begin(r.look()); r.workers != tc.want || runtime.GOMAXPROCS(0) != tc.want || listens != tc.listens {
			t.Errorf("%+v: got %d workers on %d processors, listens: %v", tc, r.workers, runtime.GOMAXPROCS(0), listens)
		}
		if r.hold(); held == 1 == listens {
			t.Errorf("%+v: held signals %d times", tc, held)
		}
	}
	listens := false
	r := &run{commandLine: &commandLine{base: &base, files: []string{small}}, signals: Signals{Listen: func() context.Context {
		listens = true
		return t.Context()
	}}}
	if r.begin(r.look()); !listens {
		t.Error("a program that cannot hold signals does not listen for them")
	}
}
