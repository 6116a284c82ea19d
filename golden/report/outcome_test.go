package report

import (
	"bytes"
	"io"
	"regexp"
	"testing"
)

// TestOutcomes: every form says of an image whether it was made, came from the cache, was skipped and why, or failed and why.
func TestOutcomes(t *testing.T) {
	r := New([]string{"made", "known", "left", "broken"})
	r.Verbose = true
	r.Add(Row{Name: "made", Types: 3, Seconds: 1.25})
	r.Add(Row{Name: "known", Types: 3, Cached: true, Seconds: 0.5})
	r.Add(Row{Name: "left", SkipReason: "enough others failed"})
	r.Add(Row{Name: "broken", Error: "no DWARF", Failure: NoDWARF})
	for _, form := range []struct {
		name  string
		write func(io.Writer) error
		want  []string
	}{
		{"text", r.WriteText, []string{`(?m)^made .*1\.2`, `(?m)^known .*cached$`, `left .*skipped`, `enough others failed`, `broken .*failed`, `no DWARF`}},
		{"Markdown", r.WriteMarkdown, []string{`made.*1\.2`, `known.*cached`, `left.*enough others failed`, `broken.*no DWARF`}},
		{"JSON", r.WriteJSON, []string{`(?s)"name": "known".*"from_cache": true`, `"skip_reason": "enough others failed"`, `"error": "no DWARF"`}},
		{"JUnit", r.WriteJUnit, []string{`(?s)name="known"[^/]*<system-out>from the cache: `, `skipped message="enough others failed"`, `error type="[^"]+" message="no DWARF"`}},
	} {
		var b bytes.Buffer
		if err := form.write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range form.want {
			if !regexp.MustCompile(want).Match(b.Bytes()) {
				t.Errorf("%s: nothing matches %s:\n%s", form.name, want, &b)
			}
		}
	}
}
