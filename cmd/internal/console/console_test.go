package console

import (
	"bytes"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

var (
	good    = report.Row{Name: "a", Status: report.OK, Types: 3, Seconds: 0.12345}
	failed  = report.Row{Name: "b", Status: report.Failed, Error: ".debug_info+0x4: bad"}
	differs = report.Row{Name: "c", Status: report.Differs, Golden: &report.Comparison{Path: "c.raw", Verdict: golden.Missing}}
)

func TestLines(t *testing.T) {
	var b bytes.Buffer
	c, err := New(&b, "human", "info")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Begin(Auto, Batch{Images: 3, Bytes: 100}); err != nil { // not on a terminal
		t.Fatal(err)
	}
	c.Advance(50)
	for _, row := range []report.Row{good, failed, differs} {
		c.Row(row)
	}
	c.Debug().Msg("not told")
	c.End()
	want := "INF a: ok bytes=0 funcs=0 seconds=0.123 status=ok types=3 vars=0\n" +
		"ERR b: .debug_info+0x4: bad seconds=0 status=failed\n" +
		"WRN c: golden: missing bytes=0 funcs=0 golden=c.raw seconds=0 status=differs types=0 vars=0\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct{ format, level string }{{"xml", "info"}, {"human", "loud"}, {"json", "fatal"}, {"json", ""}} {
		if _, err := New(&bytes.Buffer{}, tt.format, tt.level); err == nil {
			t.Errorf("format %q, level %q: no error", tt.format, tt.level)
		}
	}
}

// A rule that warns of every image of a large batch gets some lines, and one that says so.
func TestManyWarned(t *testing.T) {
	var b bytes.Buffer
	c, err := New(&b, "human", "info")
	if err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		c.Warned("image", []report.Warning{{Rule: "often", Count: 3, Examples: []string{"one", "two", "three"}}}, 1)
	}
	c.Warned("image", []report.Warning{{Rule: "once", Count: 1, Examples: []string{"a"}}}, 1)
	if n := strings.Count(b.String(), "\n"); n != 2*maxWarned+2 || strings.Count(b.String(), "more images have such warnings") != 1 {
		t.Errorf("got %d lines", n)
	}
}

// TestSameWarning: a warning that is the same for many images, as for those of one package, is written once for people, and each time for
// programs.
func TestSameWarning(t *testing.T) {
	for format, times := range map[string]int{"human": 3, "json": 5} {
		var b bytes.Buffer
		c, err := New(&b, format, "info")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []struct{ image, text string }{{"a", "x"}, {"b", "x"}, {"a", "x"}, {"c", "x"}, {"c", "y"}} {
			c.Warned(w.image, []report.Warning{{Rule: "unpinned", Count: 1, Examples: []string{w.text}}}, 1)
		}
		if n := strings.Count(b.String(), "\n"); n != times {
			t.Errorf("%s: got %d lines, want %d:\n%s", format, n, times, b.String())
		}
	}
}

// TestSameDifference: a difference that many images have is written once for people, and each time for programs.
func TestSameDifference(t *testing.T) {
	for format, times := range map[string]int{"human": 2, "json": 5} {
		var b bytes.Buffer
		c, err := New(&b, format, "info")
		if err != nil {
			t.Fatal(err)
		}
		for i, diff := range []string{"one\n", "one\n", "two\n", "one\n", "two\n"} {
			c.Differ(string(rune('a'+i)), &report.Comparison{Path: "g.raw", Diff: diff})
		}
		got := b.String()
		if n := strings.Count(got, "one") + strings.Count(got, "two"); n != times {
			t.Errorf("%s: %d differences, want %d:\n%s", format, n, times, got)
		}
		if want := "d differs from g.raw in the same way as a\ne differs from g.raw in the same way as c\n"; format == "human" && !strings.HasSuffix(got, want) {
			t.Errorf("got\n%swant at its end\n%s", got, want)
		}
	}
}

// TestNameOnce: an image that has the name of its source is named once, and one whose name the error only begins with is named as well.
func TestNameOnce(t *testing.T) {
	for _, tc := range []struct{ name, err, want string }{
		{"no.ko", "no.ko: no such file or directory", "ERR no.ko: no such file or directory seconds=0 status=failed\n"},
		{"no", "no.ko: no such file or directory", "ERR no: no.ko: no such file or directory seconds=0 status=failed\n"},
		{"no", "no: no: bad", "ERR no: no: bad seconds=0 status=failed\n"},
	} {
		var b bytes.Buffer
		c, err := New(&b, "human", "info")
		if err != nil {
			t.Fatal(err)
		}
		if c.Row(report.Row{Name: tc.name, Status: report.Failed, Error: tc.err}); b.String() != tc.want {
			t.Errorf("got %qwant %q", b.String(), tc.want)
		}
	}
}
