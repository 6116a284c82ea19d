package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/columns"
)

// large is a batch of n images of which every one for which bad says so has failed or differs.
func large(n int, change func(i int, row *Row)) *Report {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("image-%04d", i)
	}
	r := New(names)
	r.Tool = testTool
	for i, name := range names {
		row := Row{
			Name: name, Types: 90000, Funcs: 40000, Bytes: 4 << 20, Seconds: 1,
			Dropped: []Drop{{"func", "ambiguous address", 3}, {"func", "inconsistent prototype", 5}, {"var", "zero address", 1}},
			Verify:  []Verification{{Kernel: "6.12", Accepted: true, Required: true}},
			Warnings: []Warning{
				{Rule: "duplicate-struct", Count: 7, Examples: []string{`type 9, "s": there is another STRUCT of this name`}}},
			Golden: &Comparison{Path: "goldens/" + name, Verdict: golden.Equal},
		}
		if change != nil {
			change(i, &row)
		}
		r.Add(row)
	}
	return r
}

// fails makes four images of a batch fail and two differ.
func fails(i int, row *Row) {
	switch i {
	case 3, 700, 701, 1499:
		row.Error = fmt.Sprintf("CU %d: .debug_info+0x4: bad", i)
	case 5, 800:
		row.Golden = &Comparison{Path: "goldens/x", Verdict: golden.Differs, Summary: "FUNC +1", Diff: strings.Repeat("+ FUNC 'f'\n", 2000)}
	}
}

// Of a large batch the text has at most 40 lines: each reason of failures once with the images that have it, and counts of the rest.
func TestLargeText(t *testing.T) {
	r := large(1500, fails)
	text := textOf(t, r)
	if n := strings.Count(text, "\n"); n > maxLines {
		t.Errorf("got %d lines", n)
	}
	if want := "failed: 4 images\n  other, 4 images: image-0003, image-0700, image-0701, image-1499\n    CU 3: .debug_info+0x4: bad (and similar)\n\n" +
		"differ from their goldens: 2 images, 1 cause\n  golden differs: FUNC +1, in 2 images: image-0005, image-0800\n"; !strings.HasPrefix(text, want) {
		t.Errorf("it does not start with\n%s", want)
	}
	for _, want := range []string{
		"\nok: 1494 images, goldens: 1494 equal\n",
		"\nwarning duplicate-struct: 10500 in 1500 images, first image-0003: type 9, \"s\": there is another STRUCT of this name\n",
		"\nleft out: 7500 func: inconsistent prototype, 4500 func: ambiguous address, 1500 var: zero address\n",
		"\nkernels whose rules were checked: 6.12\n",
		"\nfailed: image-0003, image-0700, image-0701, image-1499\ndiffers: image-0005, image-0800\n" +
			"1494 of 1500 images ok, 2 with a golden difference, 4 failed\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if t.Failed() {
		t.Logf("got\n%s", text)
	}
	r.Verbose = true
	text = textOf(t, r)
	if got := strings.Count(text, "dropped 3 func: ambiguous address"); got != 1500 {
		t.Errorf("-v: %d images have all their notes, want 1500", got)
	}
	if got := strings.Count(text, "\nimage-"); got < 1500 {
		t.Errorf("-v: %d images are in the table", got)
	}
}

// The text says how to accept a golden that differs or is missing, before the verdict, in the full form and in the folded one. It does not
// where there is nothing to accept, or no manifest, as with the commands for one image.
func TestTextSaysHowToAccept(t *testing.T) {
	for _, line := range []string{howToAccept, howToAllow, howToCreate} {
		if w := columns.Of(line); w > 80 {
			t.Errorf("%q has %d columns", line, w)
		}
	}
	for _, tt := range []struct {
		verdict  golden.Verdict
		path     string
		manifest string
		want     string
	}{
		{golden.Differs, "a.raw", "m.yaml", howToAccept}, {golden.Missing, "a.raw", "m.yaml", howToCreate},
		{golden.Differs, "vmlinux" + OwnBTF, "m.yaml", howToAllow}, {golden.Equal, "a.raw", "m.yaml", ""},
		{golden.Accepted, "a.raw", "m.yaml", ""}, {golden.Differs, "a.raw", "", ""},
	} {
		r := large(2, func(_ int, row *Row) { row.Golden.Verdict, row.Golden.Path = tt.verdict, tt.path })
		r.Manifest.Path, r.Width = tt.manifest, 80
		for _, r.Brief = range []bool{false, true} {
			text := textOf(t, r)
			told := strings.HasSuffix(text, "\n"+tt.want+"\n"+r.Verdict()+"\n")
			if tt.want == "" {
				told = !strings.Contains(text, "to accept") && !strings.Contains(text, "to create")
			}
			if !told {
				t.Errorf("%s, manifest %q, brief %t: got\n%s", tt.verdict, tt.manifest, r.Brief, text)
			}
		}
	}
}

// The folded text says which goldens a run with --update has written.
func TestFoldedUpdate(t *testing.T) {
	for i, tt := range []struct{ summary, want string }{{"", "2 equal"}, {"created", "2 created"}, {"rewritten, was: var +1; breaks 0", "2 rewritten"}} {
		r := large(2, func(_ int, row *Row) { row.Golden.Verdict, row.Golden.Summary = golden.Equal, tt.summary })
		r.Brief = true
		if text := textOf(t, r); !strings.Contains(text, "ok: 2 images, goldens: "+tt.want+"\n") {
			t.Errorf("%d: want %q in\n%s", i, tt.want, text)
		}
	}
}

func textOf(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// batches are large batches of every sort.
func batches(n int) map[string]*Report {
	long := strings.Repeat(`<&*_|\`, 2_000_000/n) + "\u202e\x1b[31m"
	comparison := func(i, causes int) *Comparison {
		c := detailed().rows[0].Golden
		x := c.Detail.Causes[0]
		c.Detail = &cause.Comparison{Schema: cause.Schema, Verdict: cause.Verdict{Break: causes}}
		for j := range causes {
			x.ID, x.Key, x.Name, x.Substitution, x.Members = j+1, fmt.Sprint("struct/", i, "/", j), fmt.Sprint("s", i, "_", j), 0, nil
			c.Detail.Causes = append(c.Detail.Causes, x)
		}
		c.Fingerprint = fmt.Sprintf("%016x", i*1000+causes)
		return c
	}
	stale := large(n, nil)
	for range 5000 {
		stale.Stale = append(stale.Stale, "added FUNC __x64_*")
	}
	all := map[string]*Report{
		"all good":    large(n, nil),
		"some fail":   large(max(n, 1500), fails),
		"all fail":    large(n, func(i int, row *Row) { row.Error = "CU 0: bad" }),
		"all reasons": large(n, func(i int, row *Row) { row.Error = fmt.Sprintf("reason %c%c%c", 'g'+i%17, 'g'+i/17%17, 'g'+i/289%17) }),
		"one cause":   large(n, func(i int, row *Row) { row.Golden = comparison(1, 1) }),
		"all differ":  large(n, func(i int, row *Row) { row.Golden = comparison(i, 20) }),
		"long diffs": large(n, func(i int, row *Row) {
			row.Golden = &Comparison{Verdict: golden.Differs, Summary: "x", Diff: strings.Repeat("+ FUNC 'f'\n", 2000)}
		}),
		"long texts": large(n, func(i int, row *Row) {
			row.Name += long
			switch i % 3 {
			case 0:
				row.Error = long
			case 1:
				row.Golden = &Comparison{Path: long, Verdict: golden.Differs, Summary: long, Diff: long}
			default:
				row.Warnings, row.Verify[0].Kernel = []Warning{{Rule: long, Count: 1, Examples: []string{long}}}, long
			}
		}),
		"many packages": large(n, func(i int, row *Row) {
			row.Source = &Source{URL: fmt.Sprint("https://example.org/", i/2), Package: "linux", Version: fmt.Sprint(i / 2), Member: long, Unpinned: true}
		}),
		"many rules": large(n, func(i int, row *Row) {
			row.Warnings = []Warning{{Rule: fmt.Sprint("rule-", i), Count: 1, Examples: []string{"x"}}}
		}),
		"stale": stale,
	}
	for _, r := range all {
		r.Manifest.Path = "m.yaml"
	}
	return all
}

// Whatever the batch, a text has at most 40 lines of bounded length, Markdown is below 60 KiB, and both are written in little time.
func TestFoldedForms(t *testing.T) {
	sizes := []int{1500, 10_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		for name, r := range batches(n) {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				for _, width := range []int{0, 80} {
					r.Width = width
					began := time.Now()
					text := textOf(t, r)
					took := time.Since(began)
					if lines := strings.Count(text, "\n"); lines > maxLines || lines < 3 {
						t.Errorf("got %d lines:\n%.5000s", lines, text)
					}
					for line := range strings.Lines(text) {
						if w := columns.Of(strings.TrimSuffix(line, "\n")); width > 0 && w > width || w > maxColumns {
							t.Errorf("a line has %d columns: %s", w, line)
						}
					}
					if !strings.HasSuffix(text, "\n"+r.Verdict()+"\n") && columns.Of(r.Verdict()) <= 80 {
						t.Errorf("the verdict is not at the end")
					}
					if took > time.Minute/2 {
						t.Errorf("the text took %v", took)
					}
				}
				began := time.Now()
				var page bytes.Buffer
				if err := r.WriteMarkdown(&page); err != nil {
					t.Fatal(err)
				}
				if page.Len() >= 60<<10 || !strings.Contains(page.String(), cell(r.Verdict())) {
					t.Errorf("Markdown has %d bytes", page.Len())
				}
				if took := time.Since(began); took > time.Minute/2 {
					t.Errorf("Markdown took %v", took)
				}
			})
		}
	}
}

// One reason is shown once, with the images that have it.
func TestSharedReasons(t *testing.T) {
	r := batches(1500)["one cause"]
	text := textOf(t, r)
	if n := strings.Count(text, "~ struct s1_0"); n != 1 || !strings.Contains(text, "in 1500 images: image-0000, image-0001,") {
		t.Errorf("the cause is there %d times:\n%s", n, text)
	}
	var page bytes.Buffer
	if err := r.WriteMarkdown(&page); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), "| 1500: image-0000, image-0001,"); n != 1 {
		t.Errorf("Markdown has the cause with its images %d times, want once:\n%.2000s", n, page.String())
	}
	text = textOf(t, batches(1500)["all fail"])
	if !strings.Contains(text, "failed: 1500 images\n  other, 1500 images: image-0000, image-0001, image-0002, image-0003, image-0004, 1495 more\n    CU 0: bad\n") {
		t.Errorf("got\n%s", text)
	}
}

// A table fits the width of a terminal: names are shortened, and then columns are left out.
func TestTableFits(t *testing.T) {
	names := []string{"image-0000-with-a-name-that-goes-on-and-on", "核核核核核核核核核核核核核核核核核核"}
	r := New(names)
	for _, name := range names {
		r.Add(Row{Name: name, Types: 90000, Funcs: 40000, Bytes: 4 << 20, Seconds: 1})
	}
	for width, want := range map[int][2]string{
		0:   {"IMAGE                                       STATUS  TYPES   FUNCS  VARS  DROPPED  SIZE     KERNELS  GOLDEN  TIME", "image-0000-with-a-name-that-goes-on-and-on"},
		100: {"IMAGE                      STATUS  TYPES   FUNCS   VARS  DROPPED  SIZE      KERNELS  GOLDEN  TIME", "image-0000-wi…t-goes-on-and-on"},
		60:  {"", "image-0"}, 40: {"", ""}, 20: {"", ""}, 1: {"", ""},
	} {
		lines := r.tableLines(r.view().good, width)
		for _, l := range lines {
			if w := columns.Of(l); width > 30 && w > width {
				t.Errorf("width %d: a line has %d columns: %s", width, w, l)
			}
		}
		if want[0] != "" && width == 0 && lines[0] != want[0] || !strings.HasPrefix(lines[1], want[1][:min(12, len(want[1]))]) {
			t.Errorf("width %d: got\n%s", width, strings.Join(lines, "\n"))
		}
		if width == 0 || width == 100 {
			for _, c := range []string{"TYPES", "GOLDEN", "TIME"} {
				if !strings.Contains(lines[0], c) {
					t.Errorf("width %d: column %s is missing", width, c)
				}
			}
		}
		if width == 40 && !strings.Contains(lines[0], "STATUS") {
			t.Errorf("width %d: got %q", width, lines[0])
		}
	}
}

// Markdown stays below 60 KiB whatever the batch, and says how much it leaves out.
func TestLargeMarkdown(t *testing.T) {
	reports := batches(1500)
	for name, want := range map[string][]string{
		"some fail":   {"1494 of 1500 images ok", "CU 3:", "image-0800", " images that are ok\n"},
		"all fail":    {" images that are not ok in the table\n", " details of images that are not ok\n", "0 of 1500 images ok"},
		"long diffs":  {"more lines are too long for this page", " details of images that are not ok\n"},
		"all good":    {"1500 of 1500 images ok", " images that are ok\n"},
		"long texts":  {" images that are not ok in the table\n"},
		"all reasons": {" images that are not ok in the table\n"},
		"all differ":  {" images that are not ok in the table\n"},
		"many rules":  {" kinds of warnings\n"},
		"stale":       {" exceptions that accepted nothing\n"},
	} {
		r := reports[name]
		if name == "some fail" {
			r = large(1500, fails)
		}
		for _, r.Verbose = range []bool{false, true} {
			var b bytes.Buffer
			if err := r.WriteMarkdown(&b); err != nil {
				t.Fatal(err)
			}
			if b.Len() >= 60<<10 {
				t.Errorf("%s: got %d bytes", name, b.Len())
			}
			for _, w := range want {
				if !strings.Contains(b.String(), w) {
					t.Errorf("%s: %q is missing:\n%.3000s", name, w, b.String())
				}
			}
			if n := strings.Count(b.String(), "<details"); n != strings.Count(b.String(), "</details>") {
				t.Errorf("%s: a part is cut in the middle", name)
			}
		}
	}
	// What is left out and what is there add up.
	var b bytes.Buffer
	if err := large(1500, fails).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	shown, cut := strings.Count(b.String(), "| ✅ |"), 0
	for line := range strings.Lines(b.String()) {
		var n int
		if _, err := fmt.Sscanf(line, "- %d images that are ok", &n); err == nil {
			cut = n
		}
	}
	if shown == 0 || shown+cut != 1494 {
		t.Errorf("%d good images are shown and %d left out, of 1494", shown, cut)
	}
}

// The forms for programs are complete.
func TestLargeForPrograms(t *testing.T) {
	r := large(1500, fails)
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || len(doc.Images) != 1500 || len(doc.Images[1].Dropped) != 3 || doc.Tool.Version != "1.0.0" {
		t.Errorf("JSON: got %d images (%v)", len(doc.Images), err)
	}
	b.Reset()
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	cases := suites.Suites[0].Cases
	if len(cases) != 1500 || !strings.Contains(cases[1].Out, "dropped 3 func: ambiguous address") || cases[3].Error == nil || cases[5].Failure.Text == "" {
		t.Errorf("JUnit: got %d cases", len(cases))
	}
}
