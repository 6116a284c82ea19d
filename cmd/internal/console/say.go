package console

import (
	"errors"
	"fmt"
	"maps"

	"github.com/rs/zerolog"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Fields are what a line contains in addition to its message; only JSON shows them.
type Fields map[string]any

// Human reports whether lines are for people.
func (c *Console) Human() bool { return c.human }

// Note writes something that the user should know and need not act on.
func (c *Console) Note(text string) {
	c.say(zerolog.InfoLevel, "note: "+escape.Line(text), text, Fields{"kind": "note"})
}

// Warning writes what a rule has found.
func (c *Console) Warning(rule, text string, fields Fields) {
	all := Fields{"kind": "warning", "rule": rule}
	maps.Copy(all, fields)
	c.say(zerolog.WarnLevel, "warning: "+rule+": "+escape.Line(text), text, all)
}

// Problem writes an error about one thing of many.
func (c *Console) Problem(text string, fields Fields) {
	c.say(zerolog.ErrorLevel, escape.Line(text), text, fields)
}

// Verbatim writes a line of another program, such as a kernel: unchanged for people, with a kind in JSON.
func (c *Console) Verbatim(key, line string) {
	c.say(zerolog.ErrorLevel, escape.Line(line), line, Fields{"kind": key})
}

// Complain writes the error with which the program ends: one line, or one for each problem of a manifest.
func (c *Console) Complain(err error, code int) {
	var manifest *config.Problems
	if !errors.As(err, &manifest) {
		c.say(zerolog.ErrorLevel, fmt.Sprintf("btfbatch: %v", err), err.Error(), Fields{"exit_code": code})
		return
	}
	for _, p := range manifest.List {
		f := Fields{"kind": "manifest", "exit_code": code}
		if p.Line > 0 { // otherwise it is not about the text
			f["file"], f["line"], f["column"] = p.File, p.Line, p.Column
		}
		if p.Path != "" {
			f["path"] = p.Path
		}
		if p.Suggestion != "" {
			f["suggestion"] = p.Suggestion
		}
		c.say(zerolog.ErrorLevel, escape.Line(p.String()), p.Message, f) // for people the place comes first
	}
	if manifest.More > 0 {
		text := manifest.Rest()
		c.say(zerolog.ErrorLevel, text, text, Fields{"kind": "manifest", "exit_code": code})
	}
}

// Verdict writes the result of a batch, in JSON only. People read it in the report.
func (c *Console) Verdict(text, status string, code int) {
	if c.human {
		return
	}
	l := zerolog.InfoLevel
	if code != 0 {
		l = zerolog.ErrorLevel
	}
	c.say(l, "", text, Fields{"kind": "verdict", "status": status, "exit_code": code})
}

// say writes a line whatever the lowest level of log lines is.
func (c *Console) say(l zerolog.Level, human, message string, fields Fields) {
	if c.human {
		fmt.Fprintln(c, escape.Text(human))
		return
	}
	every := c.Level(zerolog.DebugLevel)
	every.WithLevel(l).Fields(map[string]any(fields)).Msg(message)
}
