package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/show"
)

// A Comparison is the outcome of comparing the BTF with its golden.
type Comparison struct {
	Path    string         `json:"path"`
	Verdict golden.Verdict `json:"verdict"`
	Summary string         `json:"summary,omitempty"` // one line
	Diff    string         `json:"diff,omitempty"`    // bounded text for people
	// Breaks, Neutral and Adds count the causes by severity, without those that are accepted.
	Breaks  int `json:"breaks,omitempty"`
	Neutral int `json:"neutral,omitempty"`
	Adds    int `json:"adds,omitempty"`
	// Causes are the first causes, those with most impact on top; CauseCount is how many there are.
	Causes     []CauseLine `json:"causes,omitempty"`
	CauseCount int         `json:"cause_count,omitempty"`
	// Fingerprint is the same for comparisons that have the same causes.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// A CauseLine is what a report for programs says of a cause. The same cause has the same key in all images.
type CauseLine struct {
	Key      string         `json:"key"`
	Kind     cause.Kind     `json:"kind"`
	Name     string         `json:"name"`
	Op       cause.Op       `json:"op"`
	Severity cause.Severity `json:"severity"`
	Rules    []cause.Rule   `json:"rules"`
	Accepted string         `json:"accepted,omitempty"`
}

// maxCauses is how many causes of a comparison a report for programs has.
const maxCauses = 100

// Compared takes over the result of a comparison, with at most so many causes listed in each part of the text.
func Compared(path string, res *golden.Result, limit int) *Comparison {
	c := &Comparison{Path: path, Verdict: res.Verdict, Summary: res.Problem, Diff: res.Lines}
	d := res.Comparison
	if d == nil {
		return c
	}
	var text bytes.Buffer
	_ = show.Text(&text, d, show.Options{Limit: limit}) // a buffer takes all
	c.Diff = text.String() + c.Diff
	line := show.Summary(d) + "; " + show.Verdict(d)
	if c.Summary != "" {
		line = c.Summary + "; " + line
	}
	c.Summary = line
	c.Breaks, c.Neutral, c.Adds, c.CauseCount = d.Verdict.Break, d.Verdict.Neutral, d.Verdict.Add, len(d.Causes)
	h := sha256.New()
	for i := range d.Causes {
		x := &d.Causes[i]
		fmt.Fprintln(h, x.Key)
		if i < maxCauses {
			c.Causes = append(c.Causes, CauseLine{x.Key, x.Kind, x.Name, x.Op, x.Severity, x.Rules, x.Accepted})
		}
	}
	c.Fingerprint = hex.EncodeToString(h.Sum(nil)[:8])
	return c
}

// sameAs replaces the text of a comparison by the name of the first image that has the same causes. first has these by fingerprint.
func (c *Comparison) sameAs(first map[string]string, name string) {
	if c == nil || c.Fingerprint == "" || c.Verdict.OK() {
		return
	}
	if as, again := first[c.Fingerprint]; again {
		c.Diff = ""
		c.Summary += "; same causes as " + as
		return
	}
	first[c.Fingerprint] = name
}
