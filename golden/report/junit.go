package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`

	Properties *junitProperties `xml:"properties"`
	Cases      []junitCase      `xml:"testcase"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure"`
	Error   *junitDetail `xml:"error"`
	Skipped *junitDetail `xml:"skipped"`
	Out     string       `xml:"system-out,omitempty"`
}

type junitDetail struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Bounds of the texts of differences, because readers of test results hold all of them.
const (
	maxJUnit     = 16 << 20 // of all images
	maxJUnitDiff = 16 << 10 // of one image
	maxMessage   = 4 << 10  // of one message
)

// WriteJUnit writes the report in the XML that CI systems read as test results: an image is a test case, which errs when
// it failed and fails when it differs from its golden.
func (r *Report) WriteJUnit(w io.Writer) error {
	const suite = "btfbatch"
	t := r.Totals()
	s := junitSuite{Name: suite, Tests: t.Images, Failures: t.Differs, Errors: t.Failed, Skipped: t.Skipped + t.Interrupted, Time: xmlTime(r.Seconds)}
	if r.Tool.Version != "" {
		s.Properties = &junitProperties{[]junitProperty{{"version", escape.XML(r.Tool.Version)}}}
		for _, p := range []junitProperty{{"commit", r.Tool.Commit}, {"manifest", r.Manifest.Path}, {"manifest.sha256", r.Manifest.SHA256}} {
			if p.Value != "" {
				s.Properties.List = append(s.Properties.List, junitProperty{p.Name, escape.XML(p.Value)})
			}
		}
	}
	rows := r.Rows()
	first := map[string]string{}
	most := min(maxJUnitDiff, maxJUnit/max(1, len(rows)))
	for i := range rows {
		row := &rows[i]
		c := junitCase{Class: suite, Name: escape.XML(row.Name), Time: xmlTime(row.Seconds), Out: junitNotes(row)}
		switch row.Status {
		case Failed:
			c.Error = &junitDetail{Type: string(row.Failure), Message: message(row.Error)}
		case Differs:
			g := *row.Golden
			g.sameAs(first, row.Name)
			text, more := head(g.Diff, most)
			if more > 0 {
				text += fmt.Sprintf("\n%d more lines; the report in JSON has more\n", more)
			}
			c.Failure = &junitDetail{Type: string(row.Failure), Message: message(string(g.Verdict) + ": " + g.Summary), Text: escape.XML(text)}
		case Skipped:
			c.Skipped = &junitDetail{Message: message(row.SkipReason)}
		case Interrupted:
			c.Skipped = &junitDetail{Message: "interrupted"}
		}
		s.Cases = append(s.Cases, c)
	}
	if r.ExitCode() != exitcode.OK && t.Failed+t.Differs == 0 {
		// Nothing was done, or not all, and a reader that counts errors must not take that for success.
		s.Tests, s.Errors = s.Tests+1, 1
		s.Cases = append(s.Cases, junitCase{Class: suite, Name: "batch", Time: xmlTime(0), Error: &junitDetail{Type: string(Other), Message: r.Verdict()}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitNotes is what there is to say of an image.
func junitNotes(row *Row) string {
	notes := row.notes(true)
	if row.Cached {
		notes = append([]string{"from the cache: nothing that its BTF depends on has changed"}, notes...)
	}
	text, more := head(strings.Join(notes, "\n"), maxJUnitDiff)
	if more > 0 {
		text += fmt.Sprintf("\n%d more lines; the report in JSON has more", more)
	}
	return escape.XML(text)
}

// message is a text for an attribute, in bounded length.
func message(s string) string {
	return escape.XML(cutBytes(oneLine(s), maxMessage))
}

// xmlTime is seconds as JUnit has them.
func xmlTime(s float64) string { return strings.TrimSuffix(seconds(s), "s") }
