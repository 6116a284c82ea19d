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
	c.StartBar(100) // not on a terminal
	c.Advance(50)
	for _, row := range []report.Row{good, failed, differs} {
		c.Row(row)
	}
	c.Debug().Msg("not told")
	c.StopBar()
	want := "INF a: ok bytes=0 funcs=0 seconds=0.123 status=ok types=3 vars=0\n" +
		"ERR b: .debug_info+0x4: bad seconds=0 status=failed\n" +
		"WRN c: golden: missing bytes=0 funcs=0 golden=c.raw seconds=0 status=differs types=0 vars=0\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// On a terminal lines stand above the bar, and what is good has none.
func TestBar(t *testing.T) {
	var b bytes.Buffer
	c, err := New(&b, "human", "info")
	if err != nil {
		t.Fatal(err)
	}
	c.terminal = true
	c.StartBar(100)
	c.Advance(50)
	c.Row(good)
	c.Row(failed)
	c.Advance(50)
	c.Advance(50) // an image may be larger than it was
	c.StopBar()
	got := b.String()
	if strings.Contains(got, "a: ok") {
		t.Errorf("a good image has a line: %q", got)
	}
	i := strings.Index(got, "ERR b: ")
	if i < 1 || got[i-1] != '\r' {
		t.Errorf("the line does not start at the margin: %q", got)
	}
	if end := got[strings.LastIndexByte(strings.TrimRight(got, "\r"), '\r')+1:]; strings.Trim(end, " \r") != "" {
		t.Errorf("the bar stays: %q", got)
	}
	b.Reset()
	c.Advance(1) // an image that is finished late
	c.Row(failed)
	if got := b.String(); !strings.HasPrefix(got, "ERR b: ") || strings.Contains(got, "\r") {
		t.Errorf("the bar is back: %q", got)
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
