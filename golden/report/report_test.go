package report

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden"
)

// interrupted is a run that was told to stop.
func interrupted() *Report {
	r := New([]string{"done", "at it", "not begun"})
	r.Tool, r.Seconds = testTool, 1.5
	r.Add(Row{Name: "done", Types: 1, Bytes: 100, Seconds: 1})
	r.Add(Row{Name: "at it", Interrupted: true})
	r.Add(Row{Name: "not begun", Interrupted: true})
	return r
}

// refused says so in its error, and in the verdict of the kernel.
func refused() *Report {
	r := New([]string{"a", "b"})
	r.Tool = testTool
	r.Add(Row{
		Name: "a", Types: 1, Error: "kernel 6.1 refuses it: Invalid name; disk is full",
		Verify: []Verification{{Kernel: "6.1", Required: true, Problem: "Invalid name"}, {Kernel: "6.12", Required: true, Problem: "Invalid kind"}},
	})
	r.Add(Row{Name: "b", Types: 1, Verify: []Verification{{Kernel: "6.1", Required: true, Problem: "Invalid name"}}})
	return r
}

// verbose is sample with all that there is to tell.
func verbose() *Report {
	r := sample()
	r.Verbose = true
	return r
}

// sample has a row of every sort.
func sample() *Report {
	r := New([]string{"debian-6.12-amd64", "debian-6.1-s390x", "fedora|new_*", "broken", "skipped", "lost"})
	r.Tool, r.Manifest, r.Seconds = testTool, Manifest{Path: "kernels/btfbatch.yaml", SHA256: strings.Repeat("d4", 32)}, 4.5
	r.Stale = []string{"added FUNC __x64_*"}
	r.Add(Row{
		Name: "debian-6.12-amd64", Types: 107183, Bytes: 4698269, Vars: 385, Funcs: 47147, Seconds: 1.25,
		InputSHA256: strings.Repeat("a1", 32), OutputSHA256: strings.Repeat("b2", 32),
		Dropped: []Drop{{"var", "zero address", 2}, {"func", "inconsistent prototypes", 312}, {"func", "ambiguous address", 7}},
		Verify:  []Verification{{Kernel: "6.12", Accepted: true, Required: true}, {Kernel: "5.10", For: []string{"5.15", "v5.10"}, Problem: "Invalid kind 19"}},
		Golden:  &Comparison{Path: "golden/a.raw.zst", Verdict: golden.Equal},
		Warnings: []Warning{
			{"duplicate-struct", 3, []string{`type 9, "s": there is another STRUCT of this name`, `type 10, "t": there is another STRUCT of this name`}},
			{"layout-header", 1, []string{"there is a layout section"}},
		},
	})
	r.Add(Row{
		Name: "fedora|new_*", Types: 12, Bytes: 2048, Seconds: 0.5,
		Golden: &Comparison{Path: "golden/b.raw", Verdict: golden.Differs, Summary: "FUNC +1", Diff: "+ FUNC 'f'\n--- a\n+++ b\n@@ -1 +1,2 @@\n x\n+```\n"},
	})
	r.Add(Row{
		Name: "debian-6.1-s390x", Types: 90000, Bytes: 3345073, Vars: 300, Funcs: 38000, Seconds: 0.75,
		Golden: &Comparison{Path: "golden/c.raw", Verdict: golden.Accepted, Summary: "STRUCT ~1, 1 accepted"},
	})
	r.Add(Row{Name: "broken", Seconds: 0.01, Error: "CU 812: .debug_info+0x4a31f0: abbrev code 311 is not declared"})
	r.Add(Row{Name: "skipped", SkipReason: "its base failed"})
	return r
}

// packaged has images of packages and servers.
func packaged() *Report {
	r := New([]string{"kernel", "tun", "nfs", "ext4", "xfs", "btrfs", "lost", "odd", "file", "served"})
	r.Tool = testTool
	const url = "https://example.org/pool/linux-image-6.12-dbg.deb"
	for _, name := range []string{"tun", "nfs", "ext4", "xfs", "btrfs"} {
		r.Add(Row{Name: name, Types: 5, Source: &Source{URL: url, Package: "linux-image-6.12-dbg", Version: "6.12.3-1", Unpinned: true,
			Member: "usr/lib/debug/lib/modules/6.12/kernel/" + name + ".ko"}})
	}
	r.Add(Row{Name: "kernel", Types: 9, Source: &Source{Package: "linux-image-6.12-dbg", Version: "6.12.3-1", Member: "usr/lib/debug/boot/vmlinux-6.12"}})
	r.Add(Row{Name: "lost", Error: url + ": none of the 4 files in the package matches **/lost.ko", Source: &Source{URL: url, Member: "**/lost.ko"}})
	r.Add(Row{Name: "odd", Types: 1, Source: &Source{Package: "a|b_\x1b[31m", Version: "<1>", Member: "c\nd"}})
	r.Add(Row{Name: "file", Types: 1})
	r.Add(Row{Name: "served", Types: 1, Source: &Source{URL: "https://example.org/vmlinux.xz", Unpinned: true}})
	return r
}

// brief is packaged, folded.
func brief() *Report {
	r := packaged()
	r.Brief = true
	return r
}

// packagedVerbose is packaged in full.
func packagedVerbose() *Report {
	r := packaged()
	r.Verbose = true
	return r
}

func TestWriters(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*Report, io.Writer) error
	}{
		{"text", (*Report).WriteText}, {"json", (*Report).WriteJSON}, {"junit", (*Report).WriteJUnit}, {"markdown", (*Report).WriteMarkdown},
	} {
		for suffix, r := range map[string]*Report{"": sample(), "-verbose": verbose(), "-none": all()["none"], "-interrupted": interrupted(), "-refused": refused(),
			"-packages": packaged(), "-packages-brief": brief(), "-packages-verbose": packagedVerbose()} {
			if r.Verbose && (tt.name == "json" || tt.name == "junit") || r.Brief && tt.name != "text" { // complete in any case
				continue
			}
			var b bytes.Buffer
			if err := tt.write(r, &b); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			goldie.New(t).Assert(t, tt.name+suffix, b.Bytes())
		}
		if err := tt.write(sample(), fullDisk{}); !errors.Is(err, errFull) {
			t.Errorf("%s: got error %v, want %v", tt.name, err, errFull)
		}
	}
}

var errFull = errors.New("disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestStatus(t *testing.T) {
	good := Row{Name: "a", Types: 1}
	with := func(change func(*Row)) Row {
		row := good
		change(&row)
		return row
	}
	differs := with(func(r *Row) { r.Name, r.Golden = "b", &Comparison{Verdict: golden.Differs} })
	for _, tt := range []struct {
		name    string
		planned []string
		rows    []Row
		want    Status
		code    int
	}{
		{"nothing", nil, nil, Failed, 1},
		{"good", []string{"a"}, []Row{good}, OK, 0},
		{"a status is not believed", []string{"a"}, []Row{with(func(r *Row) { r.Status, r.Error = OK, "e" })}, Failed, 1},
		{"no row", []string{"a", "b"}, []Row{good}, Failed, 1},
		{"not planned", []string{"b"}, []Row{good, with(func(r *Row) { r.Name = "b" })}, Failed, 1},
		{"twice", []string{"a"}, []Row{good, good}, Failed, 1},
		{"no types", []string{"a"}, []Row{{Name: "a"}}, Failed, 1},
		{"no types beside those of a base", []string{"a"}, []Row{{Name: "a", Split: true}}, OK, 0},
		{"error", []string{"a"}, []Row{with(func(r *Row) { r.Error = "e" })}, Failed, 1},
		{"error of a skipped one", []string{"a"}, []Row{{Name: "a", SkipReason: "s", Error: "e"}}, Failed, 1},
		{"all skipped", []string{"a"}, []Row{{Name: "a", SkipReason: "s"}}, Failed, 1},
		{"one skipped", []string{"a", "b"}, []Row{good, {Name: "b", SkipReason: "s"}}, OK, 0},
		{"differs", []string{"a", "b"}, []Row{good, differs}, Differs, 3},
		{"no golden", []string{"a"}, []Row{with(func(r *Row) { r.Golden = &Comparison{Verdict: golden.Missing} })}, Differs, 3},
		{"accepted", []string{"a"}, []Row{with(func(r *Row) { r.Golden = &Comparison{Verdict: golden.Accepted} })}, OK, 0},
		{"no verdict", []string{"a"}, []Row{with(func(r *Row) { r.Golden = &Comparison{} })}, Differs, 3},
		{"differs and failed", []string{"a", "b"}, []Row{with(func(r *Row) { r.Error = "e" }), differs}, Failed, 1},
		{"refused", []string{"a"}, []Row{with(func(r *Row) { r.Verify = []Verification{{Kernel: "6.1", Required: true}} })}, Failed, 1},
		{"interrupted", []string{"a", "b"}, []Row{good, {Name: "b", Interrupted: true}}, Interrupted, 130},
		{"interrupted and failed", []string{"a", "b"}, []Row{with(func(r *Row) { r.Error = "e" }), {Name: "b", Interrupted: true}}, Interrupted, 130},
		{"interrupted when nothing was done", []string{"b"}, []Row{{Name: "b", Interrupted: true}}, Interrupted, 130},
		{"refused by one not required", []string{"a"}, []Row{with(func(r *Row) { r.Verify = []Verification{{Kernel: "5.4"}} })}, OK, 0},
	} {
		r := New(tt.planned)
		for _, row := range tt.rows {
			r.Add(row)
		}
		if got, code := r.Status(), r.ExitCode(); got != tt.want || code != tt.code {
			t.Errorf("%s: got %s (%d), want %s (%d)", tt.name, got, code, tt.want, tt.code)
		}
		checkForms(t, tt.name, r)
	}
}

// checkForms reads the forms for machines back: both say what the exit code says.
func checkForms(t *testing.T, name string, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || doc.ExitCode != r.ExitCode() || len(doc.Images) != doc.Totals.Images {
		t.Errorf("%s: JSON: got exit code %d, %d images of %d (%v)", name, doc.ExitCode, len(doc.Images), doc.Totals.Images, err)
	}
	b.Reset()
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil || len(suites.Suites) != 1 {
		t.Fatalf("%s: JUnit: %v", name, err)
	}
	s := suites.Suites[0]
	if bad := s.Errors+s.Failures > 0; bad != (r.ExitCode() != 0) || len(s.Cases) != s.Tests {
		t.Errorf("%s: JUnit: got %d errors, %d failures, %d of %d cases", name, s.Errors, s.Failures, len(s.Cases), s.Tests)
	}
}

func TestCompared(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	o.Append(o.Strings.Add([]byte("f")), btf.Info(btf.KindFloat, 0, false), 4)
	path := filepath.Join(t.TempDir(), "golden")
	for _, tt := range []struct {
		text, summary, diff string
	}{
		{"[1] FLOAT 'f' size=4\n", "", ""},
		{"[1] FLOAT 'f' size=8\n", "float ~1; breaks 1 · neutral 0 · adds 0", "    ~ size 8 bytes → 4 bytes\n"},
		{"nonsense\n", "line 1: is not a type", "-nonsense\n"},
	} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := golden.Compare(o, path, golden.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := Compared(path, res, LimitsFor(1))
		if got.Verdict != res.Verdict || got.Path != path || got.Summary != tt.summary || !strings.Contains(got.Diff, tt.diff) {
			t.Errorf("%q: got %+v, want %q and %q", tt.text, got, tt.summary, tt.diff)
		}
	}
}

func TestMarkdownStaysShort(t *testing.T) {
	r := New(nil)
	for i := range 20 {
		r.Add(Row{Name: fmt.Sprint("image ", i), Types: 1, Golden: &Comparison{Verdict: golden.Differs, Diff: strings.Repeat("+ line\n", 15_000)}})
	}
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() >= 60<<10 || !strings.Contains(b.String(), "too long for this page") {
		t.Errorf("got %d bytes", b.Len())
	}
}

// Images with the same causes name the first one that has them; a verbose report repeats them.
func TestSameCauses(t *testing.T) {
	compared := func(fingerprint string) *Comparison {
		return &Comparison{Path: "g", Verdict: golden.Differs, Summary: "struct ~1", Diff: "~ struct s\n", Fingerprint: fingerprint}
	}
	r := New(nil)
	for i, fingerprint := range []string{"1", "2", "1", "1"} {
		r.Add(Row{Name: fmt.Sprint("image", i), Types: 1, Golden: compared(fingerprint)})
	}
	for verbose, want := range map[bool]int{false: 2, true: 0} {
		r.Verbose = verbose
		var text, page bytes.Buffer
		if err := errors.Join(r.WriteText(&text), r.WriteMarkdown(&page)); err != nil {
			t.Fatal(err)
		}
		const same = "struct ~1; same causes as image0"
		if got := strings.Count(text.String(), same); got != want {
			t.Errorf("verbose %t: the text says so %d times, want %d", verbose, got, want)
		}
		if got := strings.Count(page.String(), "~ struct s"); got != 4-want {
			t.Errorf("verbose %t: Markdown has the causes %d times, want %d", verbose, got, 4-want)
		}
	}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil || strings.Count(b.String(), `"diff": "~ struct s`) != 4 {
		t.Errorf("JSON is not complete (%v)", err)
	}
}

// TestShardExitCode: a shard without images is good, one that can succeed when it runs again ends with 75, and a verdict is not repeated.
func TestShardExitCode(t *testing.T) {
	failed := Row{Name: "b", Error: "there are no types"}
	transient := Row{Name: "c", Error: "503 Service Unavailable", Failure: Fetch, Transient: true}
	for _, tt := range []struct {
		name           string
		rows           []Row
		shard, without int // exit codes
	}{
		{"no images", nil, 0, 1},
		{"skipped", []Row{{Name: "a", SkipReason: "enough failed"}}, 0, 1},
		{"ok", []Row{{Name: "a", Types: 1}}, 0, 0},
		{"failed", []Row{{Name: "a", Types: 1}, failed}, 1, 1},
		{"transient", []Row{{Name: "a", Types: 1}, failed, transient}, 75, 1},
		{"interrupted", []Row{{Name: "a", Types: 1}, {Name: "b", Interrupted: true}}, 75, 130},
	} {
		r := planned(tt.rows...)
		if got := r.ExitCode(); got != tt.without {
			t.Errorf("%s: got exit code %d, want %d", tt.name, got, tt.without)
		}
		r.Shard = &Shard{Count: 3}
		if got := r.ExitCode(); got != tt.shard {
			t.Errorf("%s: the shard has exit code %d, want %d", tt.name, got, tt.shard)
		}
	}
}

// planned returns a report of these rows.
func planned(rows ...Row) *Report {
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	r := New(names)
	r.Tool = testTool
	for _, row := range rows {
		r.Add(row)
	}
	return r
}
