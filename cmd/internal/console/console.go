// Package console writes what the program reports while it runs: log lines, and on a terminal the progress of a batch below them.
//
// Input: a writer, and events. Output: lines, for people or as JSON. Never: the package does not decide what is worth reporting.
package console

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/btfbatch/btfbatch/cmd/internal/timings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A Console writes log lines, and the progress of a batch below them.
type Console struct {
	zerolog.Logger
	out   io.Writer
	human bool // lines are for people

	mu       sync.Mutex
	progress *progress      // nil if none is shown
	warned   map[string]int // by rule: number of images with warnings

	told map[[sha256.Size]byte]string // by the digest of the text of a difference or warning: the first image that has it
}

func init() {
	zerolog.ErrorHandler = func(error) {} //nolint:reassign // a Stream remembers errors of writing
}

// New returns a console for a log format, human or json, and the lowest level that is logged.
func New(out io.Writer, format, level string) (*Console, error) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || l < zerolog.DebugLevel || l > zerolog.ErrorLevel {
		return nil, fmt.Errorf("unknown log level %q: use debug, info, warn or error", level)
	}
	c := &Console{out: out}
	switch format {
	case "json":
		c.Logger = zerolog.New(programs{c}).Level(l).With().Timestamp().Logger()
	case "human":
		c.human = true
		noColor := !IsTerminal(out) || os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != ""
		c.Logger = zerolog.New(zerolog.ConsoleWriter{Out: c, NoColor: noColor,
			PartsExclude: []string{zerolog.TimestampFieldName}, FormatPrepare: people}).Level(l)
	default:
		return nil, fmt.Errorf("unknown log format %q: use human or json", format)
	}
	return c, nil
}

// people makes the message of a line safe to print. zerolog quotes the other values if necessary.
func people(line map[string]any) error {
	if s, ok := line[zerolog.MessageFieldName].(string); ok {
		line[zerolog.MessageFieldName] = escape.Line(s)
	}
	return nil
}

// programs writes lines of JSON, which must be safe to print on a terminal too.
type programs struct{ c *Console }

func (p programs) Write(line []byte) (int, error) {
	if _, err := p.c.Write(escape.JSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Write writes above the lines of a progress that is drawn.
func (c *Console) Write(p []byte) (int, error) {
	if err := c.draw(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// failure returns the name of an image and why it failed. The name stands once: an image without one in a manifest has that of its source, with which
// the errors of sources begin.
func failure(row report.Row) string {
	if strings.HasPrefix(row.Error, row.Name+": ") {
		return row.Error
	}
	return row.Name + ": " + row.Error
}

// Row reports a finished image. Where progress is drawn, or nothing is wanted, only images that are not good get a line.
func (c *Console) Row(row report.Row) {
	switch row.Status {
	case report.Failed:
		c.Error().Str("status", string(row.Status)).Float64("seconds", round(row.Seconds)).Msg(failure(row))
	case report.Differs:
		c.counts(c.Warn(), row).Str("golden", row.Golden.Path).Msgf("%s: golden: %s", row.Name, strings.TrimSuffix(
			string(row.Golden.Verdict)+": "+row.Golden.Summary, ": "))
	default:
		if c.showsGood() {
			c.counts(c.Info(), row).Msgf("%s: %s", row.Name, row.Status)
		}
	}
}

// Warned writes the warnings of an image, one line for each finding and at most atMost lines for each rule. If a rule finds something in
// many images, only the first ones get lines, and the same text is written for one image; the report has them all.
func (c *Console) Warned(name string, warnings []report.Warning, atMost int) {
	for _, w := range warnings {
		if c.human && c.warnedOften(w.Rule) {
			continue
		}
		shown := w.Examples[:min(len(w.Examples), atMost)]
		fresh := func(text string) bool { return c.first(name, w.Rule+"\x00"+text) == name }
		if c.human && len(shown) > 0 && !slices.ContainsFunc(shown, fresh) {
			continue
		}
		for _, text := range shown {
			c.Warn().Str("rule", w.Rule).Msgf("%s: %s", name, text)
		}
		if more := w.Count - len(shown); more > 0 {
			c.Warn().Str("rule", w.Rule).Msgf("%s: and %d more", name, more)
		}
	}
}

// maxWarned is the number of images that get lines for one rule.
const maxWarned = 20

// warnedOften counts an image with a warning and reports whether the rule has reached its limit, which is logged once.
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

// Differ writes the differences from a golden. For people, the same text is written once: a batch whose images share a change would
// repeat it thousands of times.
func (c *Console) Differ(name string, d *report.Comparison) {
	if d.Diff == "" || c.GetLevel() > zerolog.WarnLevel {
		return
	}
	if !c.human {
		c.Warn().Str("image", name).Str("golden", d.Path).Str("diff", d.Diff).Msgf("%s differs from %s", name, d.Path)
		return
	}
	if first := c.first(name, d.Diff); first != name {
		fmt.Fprintf(c, "%s differs from %s in the same way as %s\n", escape.Line(name), escape.Line(d.Path), escape.Line(first))
		return
	}
	fmt.Fprintf(c, "%s differs from %s:\n%s\n", escape.Line(name), escape.Line(d.Path), escape.Text(strings.TrimSuffix(d.Diff, "\n")))
}

// first returns the image that a text was first written for: this one, if there was none.
func (c *Console) first(name, text string) string {
	key := sha256.Sum256([]byte(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.told[key]; ok {
		return first
	}
	if c.told == nil {
		c.told = map[[sha256.Size]byte]string{}
	}
	c.told[key] = name
	return name
}

// Phases writes what the passes of an encoding took: a table for people, or a line for each pass.
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
