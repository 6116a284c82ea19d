package show

import (
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Why writes what accepts the causes of a comparison, and which causes remain. The comparison may have only the first of all causes.
func Why(w io.Writer, c *cause.Comparison, all int, opt Options) error {
	t := texter{page: page{width: opt.width(), color: opt.Color}, c: c, opt: opt}
	for i := range c.Acceptances {
		if i == 0 {
			t.line(0, bold, "accepted by")
		}
		t.acceptance(&c.Acceptances[i])
	}
	shown := 0
	for i := range c.Causes {
		x := &c.Causes[i]
		if x.Accepted != "" {
			continue
		}
		if shown == 0 {
			t.line(0, bold, "not accepted")
		}
		if shown++; shown <= opt.limit() {
			t.line(2, signColor[signs[x.Op]], briefText(x)+" ["+severityWord[x.Severity]+": "+words(x.Rules)+"]")
			t.line(6, dim, "key "+escape.Line(x.Key))
			if x.NotAccepted != "" {
				t.line(6, yellow, escape.Line(x.NotAccepted))
			}
		}
	}
	remain := c.Verdict.Break + c.Verdict.Neutral + c.Verdict.Add
	if n := remain - min(shown, opt.limit()); n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more; btfbatch golden show, or the report, has them", n))
	}
	t.line(0, plain, fmt.Sprintf("%s: %d accepted, %d not accepted", count(all, "cause", "causes"), c.Accepted, remain))
	_, err := io.WriteString(w, t.b.String())
	return err
}

// acceptance writes an entry and what it accepts.
func (t *texter) acceptance(a *cause.Acceptance) {
	t.line(2, green, escape.Line(a.By))
	if a.Reason != "" {
		t.line(6, dim, escape.Line(a.Reason))
	}
	if a.Count > 0 {
		text := count(a.Count, "cause", "causes") + ": "
		for i, name := range a.Sample {
			if i > 0 {
				text += ", "
			}
			text += escape.Line(name)
		}
		if n := a.Count - len(a.Sample); n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		t.line(6, plain, text)
	}
	if a.Consequences > 0 {
		t.line(6, plain, count(a.Consequences, "consequence", "consequences")+", which follow their causes in any case")
	}
}
