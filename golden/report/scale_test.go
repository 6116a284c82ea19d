package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden"
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

// Of a large batch the text shows what is not good, first and named at the end, and counts the rest.
func TestLargeText(t *testing.T) {
	r := large(1500, fails)
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	lines := strings.Split(text, "\n")
	if len(lines) > 150 {
		t.Errorf("got %d lines", len(lines))
	}
	if lines[0] != "image-0003: failed" || lines[1] != "  error: CU 3: .debug_info+0x4: bad" {
		t.Errorf("it starts with %q", lines[:2])
	}
	for _, want := range []string{
		"\n... and 1434 more ok, goldens: 1434 equal\n",
		"\n  warning duplicate-struct: 10458 in 1494 images, first image-0000: type 9, \"s\": there is another STRUCT of this name\n",
		"\nfailed: image-0003, image-0700, image-0701, image-1499\ndiffers: image-0005, image-0800\n" +
			"1494 of 1500 images ok, 2 with a golden difference, 4 failed\n",
		"\n1500 images  failed ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(text, "dropped ") || strings.Index(text, "image-0800: differs") > strings.Index(text, "IMAGE ") {
		t.Errorf("got\n%s", text)
	}
	b.Reset()
	r.Verbose = true
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "dropped 3 func: ambiguous address"); got != 1500 || strings.Contains(b.String(), " more ok") {
		t.Errorf("all is told of %d images, want 1500", got)
	}
}

// The text is bounded where nothing is good, too.
func TestAllFail(t *testing.T) {
	r := large(4000, func(i int, row *Row) { row.Error = "CU 0: bad" })
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n > 1200 || !strings.Contains(b.String(), "... and 3900 more that are not ok") ||
		!strings.Contains(b.String(), "image-0049, 3950 more\n0 of 4000 images ok, 4000 failed\n") {
		t.Errorf("got %d lines:\n%.3000s", n, b.String())
	}
}

// Markdown stays below 60 KiB whatever the batch, and says how much it leaves out.
func TestLargeMarkdown(t *testing.T) {
	long := strings.Repeat(`<&*_|\`, 2000)
	for name, tt := range map[string]struct {
		r    *Report
		want []string
	}{
		"some fail": {large(1500, fails), []string{"1494 of 1500 images ok", "CU 1499:", "image-0800", " images that are ok\n"}},
		"all fail": {large(4000, func(i int, row *Row) { row.Error = "CU 0: bad" }),
			[]string{" images that are not ok in the table\n", " details of images that are not ok\n", "0 of 4000 images ok"}},
		"all differ": {large(300, func(i int, row *Row) {
			row.Golden = &Comparison{Verdict: golden.Differs, Summary: "x", Diff: strings.Repeat("+ FUNC 'f'\n", 2000)}
		}), []string{"more lines are too long for this page", " details of images that are not ok\n"}},
		"all good":   {large(4000, nil), []string{"4000 of 4000 images ok", " images that are ok\n"}},
		"long texts": {large(300, func(i int, row *Row) { row.Name += long; row.Error = long }), []string{" details of images that are not ok\n"}},
		"many exceptions": {func() *Report {
			r := large(1, nil)
			for range 5000 {
				r.Stale = append(r.Stale, "added FUNC __x64_*")
			}
			return r
		}(), []string{" exceptions that accepted nothing\n"}},
	} {
		for _, tt.r.Verbose = range []bool{false, true} {
			var b bytes.Buffer
			if err := tt.r.WriteMarkdown(&b); err != nil {
				t.Fatal(err)
			}
			if b.Len() >= 60<<10 {
				t.Errorf("%s: got %d bytes", name, b.Len())
			}
			for _, want := range tt.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("%s: %q is missing", name, want)
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
