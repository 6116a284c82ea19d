package batch

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// sample writes a small image.
func sample(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.elf")
	target := synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5}
	if err := os.WriteFile(path, synth.Sample(target).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// manifest parses a manifest and finds its images.
func manifest(t *testing.T, text string) []corpus.Item {
	t.Helper()
	m, err := config.Parse("m.yaml", []byte("version: 1\nimages:\n"+text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Images {
		m.Images[i].Kind = config.AnyKind // one image is the kernel, the module and the program of these tests
	}
	return corpus.Resolve(context.Background(), m, corpus.Sources{})
}

func itemNames(items []corpus.Item) string {
	var list []string
	for i := range items {
		list = append(list, items[i].Image.Name)
	}
	return strings.Join(list, " ")
}

func TestOrder(t *testing.T) {
	path := sample(t)
	var text strings.Builder
	for _, s := range []string{"m1 v1", "a", "m2 v2", "v2", "b", "v1", "m3 v1"} {
		name, base, _ := strings.Cut(s, " ")
		if base != "" {
			base = ", base: " + base
		}
		fmt.Fprintf(&text, "  - {name: %s, path: %s%s}\n", name, path, base)
	}
	items := manifest(t, text.String())
	if got, want := itemNames(items), "v1 m1 a v2 m2 b m3"; got != want {
		t.Fatalf("items: got %s, want %s", got, want)
	}
	want := []string{"m1", "a", "m2", "v2", "b", "v1", "m3"}
	if got := names(Jobs(items, "")); !slices.Equal(got, want) {
		t.Errorf("Names: got %v, want %v", got, want)
	}
	for _, workers := range []int{1, 2, 7} {
		var reported []string
		bytes := make(chan int64, 1000)
		r := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: workers}, Events: Events{
			Row: func(row report.Row) { reported = append(reported, row.Name) }, Bytes: func(n int64) { bytes <- n }}})
		if got := strings.Join(reported, " "); got != itemNames(items) {
			t.Errorf("%d workers: got rows of %s, want %s", workers, got, itemNames(items))
		}
		var got []string
		for _, row := range r.Rows() {
			got = append(got, row.Name)
		}
		if !slices.Equal(got, want) || r.ExitCode() != 0 {
			t.Errorf("%d workers: rows %v, exit code %d, want %v and 0", workers, got, r.ExitCode(), want)
		}
		close(bytes)
		sum := int64(0)
		for n := range bytes {
			sum += n
		}
		if want := int64(len(items)) * items[0].Size; sum != want {
			t.Errorf("%d workers: progress %d, want %d", workers, sum, want)
		}
	}
}

func TestSelect(t *testing.T) {
	path := sample(t)
	items := manifest(t, fmt.Sprintf("  - {name: a, path: %[1]s}\n  - {name: m1, path: %[1]s, base: v}\n  - {name: v, path: %[1]s}\n"+
		"  - {name: m2, path: %[1]s, base: v}\n", path))
	for _, tt := range []struct {
		patterns []string
		want     string
		err      bool
	}{
		{[]string{"a"}, "a", false},
		{[]string{"m2"}, "v m2", false},
		{[]string{"m*", "a"}, "a v m1 m2", false},
		{[]string{"a", "x*"}, "", true},
		{[]string{"["}, "", true},
	} {
		got, err := Select(items, tt.patterns)
		if (err != nil) != tt.err || itemNames(got) != tt.want {
			t.Errorf("%v: got %q, %v, want %q", tt.patterns, itemNames(got), err, tt.want)
		}
		for i := range got {
			if b := got[i].Base; got[i].Image.Base != "" && got[b].Image.Name != got[i].Image.Base {
				t.Errorf("%v: the base of %s is item %d", tt.patterns, got[i].Image.Name, b)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	items := manifest(t, fmt.Sprintf("  - {name: v, path: %[1]s}\n  - {name: m, path: %[1]s, base: v}\n", sample(t)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := Run(ctx, Jobs(items, ""), Options{Events: Events{Row: func(row report.Row) { t.Errorf("got the row of %s", row.Name) }}})
	for _, row := range r.Rows() {
		if row.Status != report.Interrupted || row.Error != "" {
			t.Errorf("%s: got %s, error %q, want %s", row.Name, row.Status, row.Error, report.Interrupted)
		}
	}
	if r.ExitCode() != exitcode.Interrupted {
		t.Errorf("got exit code %d, want %d", r.ExitCode(), exitcode.Interrupted)
	}
}

// TestBaseIsReleased: a base is read once, and released when its last user is done.
func TestBaseIsReleased(t *testing.T) {
	path := sample(t)
	dir := filepath.Dir(path)
	items := manifest(t, fmt.Sprintf("  - {name: v, path: %s, outputs: {btf: %s/v.btf}}\n", path, dir))
	if r := Run(context.Background(), Jobs(items, ""), Options{}); r.ExitCode() != 0 {
		t.Fatalf("base: %+v", r.Rows())
	}
	items = manifest(t, fmt.Sprintf("  - {name: v, path: %[1]s}\n  - {name: m1, path: %[1]s, base: v}\n  - {name: m2, path: %[1]s, base: v}\n"+
		"  - {name: f1, path: %[1]s, base_path: %[2]s/v.btf}\n  - {name: f2, path: %[1]s, base_path: %[2]s/v.btf}\n", path, dir))
	b := newBatch(Jobs(items, ""), Options{})
	if b.bases[1] != b.own[0] || b.bases[1] != b.bases[2] || b.bases[3] != b.bases[4] || b.bases[3] == b.bases[1] {
		t.Fatalf("bases are not shared: %v, %v", b.bases, b.own)
	}
	for i := range items {
		if s := b.bases[i]; s != nil && i%2 == 0 && s.btf == nil {
			t.Errorf("%s: its base is gone", items[i].Image.Name)
		}
		row := b.image(context.Background(), i, 1)
		// Image and base are the same file, so the split BTF adds only functions and variables.
		if row.Error != "" || row.Types == 0 {
			t.Errorf("%s: got %+v", row.Name, row)
		}
	}
	for _, i := range []int{1, 3} {
		if s := b.bases[i]; s.btf != nil || s.wire != nil || s.checks != nil {
			t.Errorf("the base of %s was not released", items[i].Image.Name)
		}
	}
}

// TestLoneBase: an image that is alone with its base gets the BTF that it gets with another one beside it, and damage of the base that it does
// not reach is an error in both cases.
func TestLoneBase(t *testing.T) {
	path := sample(t)
	dir := filepath.Dir(path)
	file := filepath.Join(dir, "v.btf")
	items := manifest(t, fmt.Sprintf("  - {name: v, path: %s, outputs: {btf: %s}}\n", path, file))
	if r := Run(context.Background(), Jobs(items, ""), Options{}); r.ExitCode() != 0 {
		t.Fatalf("base: %+v", r.Rows())
	}
	one := fmt.Sprintf("  - {name: m1, path: %s, base_path: %s, outputs: {btf: %s/m1.btf}}\n", path, file, dir)
	two := one + fmt.Sprintf("  - {name: m2, path: %s, base_path: %s}\n", path, file)
	var got [2][]byte
	for i, text := range []string{one, two} {
		items := manifest(t, text)
		if b := newBatch(Jobs(items, ""), Options{}); b.bases[0].lone != (i == 0) {
			t.Errorf("%d images: the base has lone %t", i+1, b.bases[0].lone)
		}
		if r := Run(context.Background(), Jobs(items, ""), Options{}); r.ExitCode() != 0 {
			t.Fatalf("%d images: %+v", i+1, r.Rows())
		}
		var err error
		if got[i], err = os.ReadFile(filepath.Join(dir, "m1.btf")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got[0], got[1]) {
		t.Errorf("alone, the image has %d bytes of BTF, and %d beside another", len(got[0]), len(got[1]))
	}
	wire, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o, err := btf.Parse(wire, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Append(0, btf.Info(btf.KindPtr, 0, false), 99999)
	if err := os.WriteFile(file, o.AppendWire(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{one, two} {
		row := Run(context.Background(), Jobs(manifest(t, text), ""), Options{}).Rows()[0]
		if !strings.Contains(row.Error, "refers to type 99999 of") {
			t.Errorf("%d images: got error %q, want one about the damaged type", i+1, row.Error)
		}
	}
}

func TestOneLine(t *testing.T) {
	_, noFile := os.Stat("no-such-file")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("CU 1: .debug_info+0x2: bad"), "CU 1: .debug_info+0x2: bad"},
		{errors.Join(errors.New("refused"), errors.New("disk is full")), "refused; disk is full"},
		{errors.New("internal error: index out of range\ngoroutine 1 [running]:\nmain.main()"), "internal error: index out of range"},
		{noFile, "no-such-file: no such file or directory"},
		{fmt.Errorf("outputs.btf: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}), "outputs.btf: open x: permission denied"},
	} {
		if got := oneLine(tt.err); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestPanic: a panic fails only its image.
func TestPanic(t *testing.T) {
	items := manifest(t, fmt.Sprintf("  - {name: v, path: %s}\n", sample(t)))
	var whole error
	r := Run(context.Background(), Jobs(items, ""), Options{Events: Events{Error: func(_ string, err error) { whole = err }, Bytes: func(int64) { panic("bad day") }}})
	row := r.Rows()[0]
	if !strings.HasSuffix(row.Error, "internal error: bad day") || row.Status != report.Failed {
		t.Errorf("got %q, %s", row.Error, row.Status)
	}
	if whole == nil || !strings.Contains(whole.Error(), "TestPanic") {
		t.Errorf("got error %v, want one with the stack", whole)
	}
}

// Every language that a manifest may name is one that the encoder knows, and the other way round.
func TestLanguages(t *testing.T) {
	for _, name := range encoder.LanguageNames() {
		m, err := config.Parse("m.yaml", []byte("version: 1\nimages:\n  - {path: a, lang_exclude: ["+name+"]}\n"), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := encoder.ParseLanguages(m.Images[0].LangExclude); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, want := len(config.Languages()), len(encoder.LanguageNames()); got != want {
		t.Errorf("a manifest knows %d languages, the encoder %d", got, want)
	}
}
