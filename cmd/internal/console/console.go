// Package console talks to whoever started the program: log lines, and on a terminal a progress bar that keeps out of their way.
//
// In come a writer and what happens; out come lines for people or JSON. It never decides what is worth telling.
package console

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"

	"github.com/btfbatch/btfbatch/cmd/internal/timings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A Console writes log lines, and a progress bar below them.
type Console struct {
	zerolog.Logger
	out      io.Writer
	human    bool // lines are for people
	terminal bool // and out is a terminal that takes a bar

	mu     sync.Mutex
	bar    *progressbar.ProgressBar
	warned map[string]int // by rule: images
}

func init() {
	zerolog.ErrorHandler = func(error) {} //nolint:reassign // a Stream remembers what cannot be written; a line about it would not be a log line
}

// New makes a console for a log format, human or json, and the least level to be told.
func New(out io.Writer, format, level string) (*Console, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || l < zerolog.DebugLevel || l > zerolog.ErrorLevel {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	c := &Console{out: out}
	switch format {
	case "json":
		c.Logger = zerolog.New(programs{c}).Level(l).With().Timestamp().Logger()
	case "human":
		c.human, c.terminal = true, draws(out)
		noColor := !IsTerminal(out) || os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != ""
		c.Logger = zerolog.New(zerolog.ConsoleWriter{Out: c, NoColor: noColor,
			PartsExclude: []string{zerolog.TimestampFieldName}, FormatPrepare: people}).Level(l)
	default:
		return nil, fmt.Errorf("log format %q is none of human, json", format)
	}
	return c, nil
}

// people writes the text of a line so that it stays text. Other values are quoted where that is needed.
func people(line map[string]any) error {
	if s, ok := line[zerolog.MessageFieldName].(string); ok {
		line[zerolog.MessageFieldName] = escape.Line(s)
	}
	return nil
}

// programs writes lines of JSON, which people may look at as well.
type programs struct{ c *Console }

func (p programs) Write(line []byte) (int, error) {
	if _, err := p.c.Write(escape.JSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Write writes above the bar.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Clear() // the terminal is gone if this fails, and so does the next line
		defer func() { _ = c.bar.RenderBlank() }()
	}
	return c.out.Write(p)
}

// StartBar shows progress towards a number of bytes, on a terminal.
func (c *Console) StartBar(total int64) {
	if !c.terminal {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(c.out), progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
}

// Advance moves the bar by some bytes.
func (c *Console) Advance(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Add64(n) // a bar that is full takes no more
	}
}

// StopBar takes the bar away.
func (c *Console) StopBar() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Clear()
		c.bar = nil
	}
}

// Row tells of a finished image. On a terminal, where the bar shows how far things are, only what is not good gets a line.
func (c *Console) Row(row report.Row) {
	switch row.Status {
	case report.Failed:
		c.Error().Str("status", string(row.Status)).Float64("seconds", round(row.Seconds)).Msgf("%s: %s", row.Name, row.Error)
	case report.Differs:
		c.counts(c.Warn(), row).Str("golden", row.Golden.Path).Msgf("%s: golden: %s", row.Name, strings.TrimSuffix(
			string(row.Golden.Verdict)+": "+row.Golden.Summary, ": "))
	default:
		if !c.terminal {
			c.counts(c.Info(), row).Msgf("%s: %s", row.Name, row.Status)
		}
	}
}

// Warned tells of the warnings of an image, with at most so many findings of a rule, a line each.
// Of a rule that many images are warned by, only the first images get lines: the report counts them all.
func (c *Console) Warned(name string, warnings []report.Warning, atMost int) {
	for _, w := range warnings {
		if c.human && c.warnedOften(w.Rule) {
			continue
		}
		shown := w.Examples[:min(len(w.Examples), atMost)]
		for _, text := range shown {
			c.Warn().Str("rule", w.Rule).Msgf("%s: %s", name, text)
		}
		if more := w.Count - len(shown); more > 0 {
			c.Warn().Str("rule", w.Rule).Msgf("%s: and %d more", name, more)
		}
	}
}

// maxWarned is how many images get lines by one rule.
const maxWarned = 20

// warnedOften counts an image that a rule warns of, and tells whether there were enough. The last one is told as such.
func (c *Console) warnedOften(rule string) bool {
	c.mu.Lock()
	if c.warned == nil {
		c.warned = map[string]int{}
	}
	c.warned[rule]++
	n := c.warned[rule]
	c.mu.Unlock()
	if n == maxWarned+1 {
		c.Warn().Str("rule", rule).Msg("more images have such warnings; the report counts them")
	}
	return n > maxWarned
}

func (c *Console) counts(e *zerolog.Event, row report.Row) *zerolog.Event {
	return e.Str("status", string(row.Status)).Int("types", row.Types).Int("funcs", row.Funcs).Int("vars", row.Vars).
		Int("bytes", row.Bytes).Float64("seconds", round(row.Seconds))
}

func round(seconds float64) float64 { return float64(int64(seconds*1000+0.5)) / 1000 }

// Differ shows what differs from a golden.
func (c *Console) Differ(name string, d *report.Comparison) {
	if d.Diff == "" || c.GetLevel() > zerolog.WarnLevel {
		return
	}
	if !c.human {
		c.Warn().Str("image", name).Str("golden", d.Path).Str("diff", d.Diff).Msgf("%s differs from %s", name, d.Path)
		return
	}
	fmt.Fprintf(c, "%s differs from %s:\n%s\n", escape.Line(name), escape.Line(d.Path), escape.Text(strings.TrimSuffix(d.Diff, "\n")))
}

// Phases shows what the passes of an encoding took: a table, or a line each for programs.
func (c *Console) Phases(phases []encoder.Phase) error {
	if len(phases) == 0 {
		return nil
	}
	if c.human {
		return timings.WriteTable(c, phases)
	}
	for _, p := range append(phases[:len(phases):len(phases)], timings.Total(phases)) {
		c.Log().Str("pass", p.Name).Dur("wall_ms", p.Wall).Dur("cpu_ms", p.CPU).Uint64("bytes", p.Bytes).Uint64("items", p.Items).
			Str("unit", p.Unit).Uint64("allocs", p.Allocs).Uint64("peak_bytes", p.PeakRSS).Send()
	}
	return nil
}
