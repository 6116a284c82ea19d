package console

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/columns"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A Mode says how the progress of a batch is shown.
type Mode string

// The modes.
const (
	Auto  Mode = "auto"  // TTY if the output is a terminal that can draw, and this is no CI job; else Plain
	TTY   Mode = "tty"   // lines at the bottom of the terminal: one for each image in work, and a summary
	Plain Mode = "plain" // a line for each image that is done, and every half minute one for the batch
	Quiet Mode = "quiet" // lines for images that are not good, and nothing else
)

// Modes lists the modes.
var Modes = []string{string(Auto), string(TTY), string(Plain), string(Quiet)}

// Intervals of the modes.
const (
	redraw = 100 * time.Millisecond
	remind = 30 * time.Second
)

// A Batch is what is known of a batch before it runs.
type Batch struct {
	Images int
	Bytes  int64 // of all images; 0 if unknown
	Good   bool  // images that are good get a line in every mode but Quiet
}

// A progress is the state of a batch that runs. The lock of the console guards it.
type progress struct {
	Batch
	mode  Mode
	began time.Time
	now   func() time.Time

	bytes     int64
	done, bad int
	work      []work // images in work, in the order in which they were begun

	drawn []int // the columns of the lines on the screen
	stop  chan struct{}
}

// work is an image in work.
type work struct {
	name, step string
	began      time.Time
	read, size int64 // of what is read in this step, in bytes; 0 if it is unknown
}

// errDraw is the error of mode TTY where nothing can be drawn.
var errDraw = errors.New("--progress tty needs a terminal that can erase lines, and log lines for people: the standard error output is none")

// Begin starts to show the progress of a batch.
func (c *Console) Begin(m Mode, b Batch) error {
	switch draw := c.human && draws(c.out); {
	case !slices.Contains(Modes, string(m)):
		return fmt.Errorf("unknown mode %q: use %s", m, strings.Join(Modes, ", "))
	case m == TTY && !draw:
		return errDraw
	case m == Auto && draw && !golden.CI():
		m = TTY
	case m == Auto:
		m = Plain
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show(m, b, time.Now)
	return nil
}

// show starts a progress in a mode other than Auto.
func (c *Console) show(m Mode, b Batch, now func() time.Time) {
	p := &progress{Batch: b, mode: m, began: now(), now: now, stop: make(chan struct{})}
	c.progress = p
	interval, do := redraw, func() { _ = c.draw(nil) }
	switch m {
	case Quiet:
		return
	case Plain:
		interval, do = remind, c.remindOf
	default:
		_ = c.drawLocked(nil) // if this fails, so does the next line
	}
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				do()
			}
		}
	}()
}

// End stops showing progress and removes what is drawn.
func (c *Console) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.progress; p != nil {
		close(p.stop)
		width, _ := c.size()
		text := p.erase(width)
		c.progress = nil
		if text != "" {
			_, _ = io.WriteString(c.out, text) // if this fails, so does the next line
		}
	}
}

// Advance counts bytes of images.
func (c *Console) Advance(n int64) { c.change(func(p *progress) { p.bytes += n }) }

// Step reports what is done with an image: a word such as encoding. It may be called from several goroutines.
func (c *Console) Step(name, step string) {
	c.change(func(p *progress) {
		for i := range p.work {
			if p.work[i].name == name {
				p.work[i].step, p.work[i].read, p.work[i].size = step, 0, 0
				return
			}
		}
		p.work = append(p.work, work{name: name, step: step, began: p.now()})
	})
}

// Reading reports how far the package of an image, or its file on a server, was read, and its size, which is not positive if it is unknown.
func (c *Console) Reading(name string, read, size int64) {
	c.change(func(p *progress) {
		for i := range p.work {
			if w := &p.work[i]; w.name == name && (w.step == "reading" || w.step == "fetching") { // later the encoding reads on, which Advance counts
				w.read, w.size = max(w.read, read), size
			}
		}
	})
}

// amount says how far a package was read: "12.3 of 88.1 MiB".
func (w *work) amount() string {
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	switch {
	case w.read == 0:
		return ""
	case w.size <= 0:
		return fmt.Sprintf("%.1f MiB", mib(w.read))
	}
	return fmt.Sprintf("%.1f of %.1f MiB", mib(min(w.read, w.size)), mib(w.size))
}

// reading says what is read at the moment, if that is known of an image.
func (p *progress) reading() string {
	for i := range p.work {
		if w := &p.work[i]; w.read > 0 {
			return fmt.Sprintf(", %s %s: %s", w.step, w.name, w.amount())
		}
	}
	return ""
}

// Done reports that an image is done, and whether it is good.
func (c *Console) Done(name string, good bool) {
	c.change(func(p *progress) {
		p.work = slices.DeleteFunc(p.work, func(w work) bool { return w.name == name })
		if p.done++; !good {
			p.bad++
		}
	})
}

// change changes the state, if progress is shown.
func (c *Console) change(do func(p *progress)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.progress != nil {
		do(c.progress)
	}
}

// showsGood reports whether an image that is good gets a line.
func (c *Console) showsGood() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.progress
	return p == nil || p.mode == Plain || p.mode == TTY && p.Good
}

// remindOf writes a line about the batch.
func (c *Console) remindOf() {
	c.mu.Lock()
	p := c.progress
	if p == nil {
		c.mu.Unlock()
		return
	}
	done, bad, images, working, text := p.done, p.bad, p.Images, len(p.work), p.summary()+p.reading()
	c.mu.Unlock()
	c.Info().Int("done", done).Int("images", images).Int("bad", bad).Int("in_work", working).Msg("progress: " + text)
}

// draw writes lines above what is drawn, and draws again.
func (c *Console) draw(lines []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drawLocked(lines)
}

func (c *Console) drawLocked(lines []byte) error {
	p := c.progress
	if p == nil || p.mode != TTY {
		if len(lines) == 0 {
			return nil
		}
		_, err := c.out.Write(lines)
		return err
	}
	width, height := c.size()
	text := p.erase(width) + string(lines) + p.frame(width, height)
	_, err := io.WriteString(c.out, text) // in one piece, so that nothing flickers
	return err
}

// size is the size of the terminal.
func (c *Console) size() (width, height int) {
	if f, ok := c.out.(interface{ Fd() uintptr }); ok && f.Fd() != math.MaxUint {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}

// erase returns what removes the drawn lines. The terminal may have become narrower since, so that a line takes several rows.
func (p *progress) erase(width int) string {
	if len(p.drawn) == 0 {
		return ""
	}
	rows := 0
	for _, n := range p.drawn {
		rows += max(1, (n+width-1)/width)
	}
	p.drawn = p.drawn[:0]
	up := ""
	if rows > 1 {
		up = fmt.Sprintf("\x1b[%dA", rows-1)
	}
	return "\r" + up + "\x1b[J"
}

// maxWork is the largest number of lines for images in work.
const maxWork = 8

// frame returns the lines to draw: a line for each image in work, and the summary. The cursor stays at the end of the last one. Lines leave
// the last column free, because some terminals begin a new row when it is written.
func (p *progress) frame(width, height int) string {
	room := max(0, min(maxWork, height-2))
	var lines []string
	for i := range p.work[:min(room, len(p.work))] {
		w := &p.work[i]
		after := "  " + clock(p.now().Sub(w.began))
		if amount := w.amount(); amount != "" {
			after = "  " + amount + after
		}
		before := columns.Pad(w.step, 10)
		name := columns.Fit(escape.Line(w.name), max(8, width-1-columns.Of(before)-columns.Of(after)))
		lines = append(lines, before+name+after)
	}
	if n := len(p.work) - room; n > 0 && room > 0 {
		lines[room-1] = fmt.Sprintf("and %d more images", n+1)
	}
	lines = append(lines, p.summary())
	for i, l := range lines {
		lines[i] = columns.Cut(l, width-1)
		p.drawn = append(p.drawn, columns.Of(lines[i]))
	}
	return strings.Join(lines, "\r\n")
}

// summary says how far the batch is: "12 of 1500 images, 2 not ok, 35.2 MiB/s, 12m30s left".
func (p *progress) summary() string {
	text := fmt.Sprintf("%d of %d images", p.done, p.Images)
	if p.Images == 1 {
		text = fmt.Sprintf("%d of 1 image", p.done)
	}
	if p.bad > 0 {
		text += fmt.Sprintf(", %d not ok", p.bad)
	}
	elapsed := p.now().Sub(p.began)
	if p.Bytes > 0 {
		text += fmt.Sprintf(", %d%%", min(100, 100*p.bytes/p.Bytes))
	}
	if elapsed < time.Second {
		return text
	}
	if rate := float64(p.bytes) / elapsed.Seconds(); rate > 0 {
		text += fmt.Sprintf(", %.1f MiB/s", rate/(1<<20))
	}
	text += ", " + clock(elapsed)
	if left := p.left(elapsed); left > 0 {
		text += ", " + clock(left) + " left"
	}
	return text
}

// left estimates the remaining time: by bytes, or by images if their sizes are not known. It is 0 if nothing is known yet.
func (p *progress) left(elapsed time.Duration) time.Duration {
	done, all := float64(p.done), float64(p.Images)
	if p.Bytes > 0 {
		done, all = float64(p.bytes), float64(p.Bytes)
	}
	if done <= 0 || done >= all || elapsed < 3*time.Second {
		return 0
	}
	left := float64(elapsed) * (all - done) / done
	return time.Duration(min(left, float64(99*time.Hour)))
}

// clock is a time in seconds, or in minutes and hours.
func clock(d time.Duration) string { return d.Round(time.Second).String() }
