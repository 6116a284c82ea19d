package console

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/golden/columns"
)

// A screen shows what a terminal of some width would show. It knows what a Console writes: text, line ends, carriage returns, and the
// sequences that move the cursor up and erase to the end.
type screen struct {
	width    int
	rows     []string
	row, col int
}

func (s *screen) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			var n int
			end := strings.IndexAny(rest, "AJ")
			_, _ = fmt.Sscanf(rest[:end], "%d", &n)
			if rest[end] == 'A' {
				s.row = max(0, s.row-n)
			} else {
				s.rows = s.rows[:min(len(s.rows), s.row+1)]
				if s.row < len(s.rows) {
					s.rows[s.row] = columns.First(s.rows[s.row], s.col)
				}
			}
			text = rest[end+1:]
			continue
		}
		for len(s.rows) <= s.row {
			s.rows = append(s.rows, "")
		}
		switch c := text[0]; c {
		case '\r':
			s.col = 0
		case '\n':
			s.row, s.col = s.row+1, 0
		default:
			n := 1
			for n < len(text) && text[n]&0xc0 == 0x80 {
				n++
			}
			if s.col >= s.width { // a row is full
				s.row, s.col = s.row+1, 0
				for len(s.rows) <= s.row {
					s.rows = append(s.rows, "")
				}
			}
			s.rows[s.row] = columns.First(s.rows[s.row], s.col) + text[:n]
			s.col++
			text = text[n:]
			continue
		}
		text = text[1:]
	}
	return len(p), nil
}

func (s *screen) String() string {
	var lines []string
	for _, l := range s.rows {
		lines = append(lines, strings.TrimRight(l, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// on returns a console that draws on a screen of 80 columns, and its progress with a clock that stands still.
func on(t *testing.T, b Batch) (*Console, *screen, func(time.Duration)) {
	t.Helper()
	s := &screen{width: 80}
	c, err := New(s, "human", "info")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(0, 0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show(Quiet, b, func() time.Time { return at }) // no ticker
	c.progress.mode = TTY
	return c, s, func(d time.Duration) {
		c.mu.Lock()
		at = at.Add(d)
		c.mu.Unlock()
		_ = c.draw(nil)
	}
}

func TestDrawn(t *testing.T) {
	c, s, after := on(t, Batch{Images: 1500, Bytes: 1000 << 20})
	after(0)
	want := func(text string) {
		t.Helper()
		if got := s.String(); got != text {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
	want("0 of 1500 images, 0%")
	c.Step("debian-6.12-amd64", "fetching")
	c.Step("debian-6.1-"+strings.Repeat("x", 100)+"-s390x", "encoding")
	c.Advance(100 << 20)
	after(10 * time.Second)
	want("fetching  debian-6.12-amd64  10s\n" +
		"encoding  debian-6.1-xxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxx-s390x  10s\n" +
		"0 of 1500 images, 10%, 10.0 MiB/s, 10s, 1m30s left")
	c.Row(failed)
	c.Step("debian-6.12-amd64", "verifying")
	c.Done("b", false)
	c.Row(good)
	after(time.Second)
	want("ERR b: .debug_info+0x4: bad seconds=0 status=failed\n" +
		"verifying debian-6.12-amd64  11s\n" +
		"encoding  debian-6.1-xxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxx-s390x  11s\n" +
		"1 of 1500 images, 1 not ok, 10%, 9.1 MiB/s, 11s, 1m39s left")
	for i := range 20 {
		c.Step(fmt.Sprint("image ", i, "\x1b[31m"), "opening")
	}
	after(time.Second)
	if got := s.String(); strings.Count(got, "\n") != maxWork+1 || !strings.Contains(got, "\nand 15 more images\n1 of 1500") || strings.Contains(got, "\x1b") {
		t.Errorf("got\n%s", got)
	}
	c.End()
	want("ERR b: .debug_info+0x4: bad seconds=0 status=failed")
	c.Step("late", "encoding")
	c.Done("late", true)
	c.Row(failed)
	want("ERR b: .debug_info+0x4: bad seconds=0 status=failed\nERR b: .debug_info+0x4: bad seconds=0 status=failed")
	c.End()
}

// TestReading: while a package is read, its line says how far, and so does the line about a batch.
func TestReading(t *testing.T) {
	c, s, after := on(t, Batch{Images: 2, Bytes: 1000 << 20})
	c.Step("a", "reading")
	c.Step("b", "fetching")
	c.Reading("nobody", 5<<20, 10<<20)
	c.Reading("a", 12<<20+300<<10, 88<<20)
	c.Reading("a", 1<<20, 88<<20) // its headers, again
	c.Reading("b", 3<<20, -1)
	after(10 * time.Second)
	want := "reading   a  12.3 of 88.0 MiB  10s\nfetching  b  3.0 MiB  10s\n0 of 2 images, 0%, 10s"
	if got := s.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := c.progress.reading(); got != ", reading a: 12.3 of 88.0 MiB" {
		t.Errorf("got %q", got)
	}
	c.Step("a", "encoding")
	c.Reading("a", 20<<20, 88<<20)
	c.Step("b", "encoding")
	after(0)
	if got, want := s.String(), "encoding  a  10s\nencoding  b  10s\n0 of 2 images, 0%, 10s"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := c.progress.reading(); got != "" {
		t.Errorf("got %q", got)
	}
}

// After a terminal became narrower, its lines take several rows, and all of them are erased.
func TestNarrowed(t *testing.T) {
	p := &progress{Batch: Batch{Images: 3}, mode: TTY, now: time.Now, began: time.Now()}
	p.work = []work{{name: strings.Repeat("n", 60), step: "encoding", began: time.Now()}, {name: "b", step: "encoding", began: time.Now()}}
	_ = p.frame(80, 24)
	wide, narrow := p.drawn[0], 40
	if wide <= narrow {
		t.Fatalf("the line has %d columns", wide)
	}
	if got := p.erase(narrow); got != "\r\x1b[3A\x1b[J" {
		t.Errorf("got %q, want 4 rows to be erased", got)
	}
	for _, width := range []int{1, 5, 20, 40, 200} {
		for _, height := range []int{1, 2, 5, 100} {
			text := p.frame(width, height)
			lines := strings.Split(text, "\r\n")
			if len(lines) > max(1, height-1) {
				t.Errorf("%d rows: got %d lines", height, len(lines))
			}
			for _, l := range lines {
				if columns.Of(l) >= max(2, width) {
					t.Errorf("%d columns: got %q", width, l)
				}
			}
			p.drawn = nil
		}
	}
}

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		mode Mode
		good bool // a good image has a line
		err  string
	}{{Auto, true, ""}, {Plain, true, ""}, {Quiet, false, ""}, {TTY, false, "needs a terminal"}, {"loud", false, "use auto, tty, plain, quiet"}} {
		var b bytes.Buffer
		c, err := New(&b, "human", "info")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Begin(tt.mode, Batch{Images: 2}); tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %q", tt.mode, err, tt.err)
			}
			continue
		} else if err != nil {
			t.Errorf("%s: %v", tt.mode, err)
		}
		c.Row(good)
		c.Row(failed)
		c.End()
		if got := b.String(); strings.Contains(got, "a: ok") != tt.good || !strings.Contains(got, "ERR b: ") {
			t.Errorf("%s: got %q", tt.mode, got)
		}
	}
}

// The line about a batch in mode Plain.
func TestRemind(t *testing.T) {
	var b bytes.Buffer
	c, err := New(&b, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Begin(Plain, Batch{Images: 2}); err != nil {
		t.Fatal(err)
	}
	c.Step("a", "encoding")
	c.Done("b", false)
	c.remindOf()
	c.End()
	c.remindOf()
	got := b.String()
	if strings.Count(got, "\n") != 1 || !strings.Contains(got, `"done":1,"images":2,"bad":1,"in_work":1`) || !strings.Contains(got, "progress: 1 of 2 images, 1 not ok") {
		t.Errorf("got %s", got)
	}
}
