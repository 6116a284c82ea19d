package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/show"
)

// A Comparison is the outcome of comparing the BTF with its golden.
type Comparison struct {
	Path    string         `json:"path"`
	Verdict golden.Verdict `json:"verdict"`
	Summary string         `json:"summary,omitempty"` // one line
	// Breaks, Neutral and Adds count the causes by severity, without those that are accepted. CauseCount counts all causes.
	Breaks     int `json:"breaks,omitempty"`
	Neutral    int `json:"neutral,omitempty"`
	Adds       int `json:"adds,omitempty"`
	CauseCount int `json:"cause_count,omitempty"`
	// Fingerprint is the same for comparisons that have the same causes.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Diff is the comparison as bounded text for people.
	Diff string `json:"diff,omitempty"`
	// Detail is the comparison as `btfbatch diff --format json` has it, with the golden as the old side, and cut to a size that a report
	// of many images has room for: the causes with most impact come first. It is nil if there is nothing to compare.
	Detail *cause.Comparison `json:"comparison,omitempty"`
	// SameAs is only in the stored form. It names an image that has the same diff and, except for the sides, the same comparison, which
	// are not repeated. Read fills them in.
	SameAs string `json:"same_as,omitempty"`
}

// OwnBTF ends the path of a comparison with the BTF that the image itself has.
const OwnBTF = " (.BTF)"

// own reports whether the comparison is with the BTF of the image, which no run replaces.
func (c *Comparison) own() bool { return strings.HasSuffix(c.Path, OwnBTF) }

// Limits of what a comparison in a report contains.
type Limits struct {
	Text  int // causes in each part of the text; 0 means that the text fits two screens
	Bytes int // of the detail, as JSON
}

// Bounds on the size of the details of a batch, and of each of its images.
const (
	maxDetail    = 96 << 20
	mostOfImage  = 256 << 10
	leastOfImage = 8 << 10
	maxListed    = 100 // elements in each list of a detail
)

// LimitsFor returns the limits for a batch of n images. Whatever differs, the details of all images together have at most maxDetail bytes,
// or leastOfImage for each image.
func LimitsFor(n int) Limits {
	return Limits{Bytes: max(leastOfImage, min(mostOfImage, maxDetail/max(1, n)))}
}

// Compared takes over the result of a comparison.
func Compared(path string, res *golden.Result, limits Limits) *Comparison {
	c := &Comparison{Path: path, Verdict: res.Verdict, Summary: res.Problem, Diff: res.Lines}
	d := res.Comparison
	if d == nil {
		return c
	}
	var text bytes.Buffer
	_ = show.Text(&text, d, show.Options{Limit: limits.Text}) // a buffer takes all
	c.Diff = text.String() + c.Diff
	line := show.Summary(d) + "; " + show.Verdict(d)
	if c.Summary != "" {
		line = c.Summary + "; " + line
	}
	c.Summary = line
	c.Breaks, c.Neutral, c.Adds, c.CauseCount = d.Verdict.Break, d.Verdict.Neutral, d.Verdict.Add, len(d.Causes)
	h := sha256.New()
	for i := range d.Causes {
		fmt.Fprintln(h, d.Causes[i].Key)
	}
	c.Fingerprint = hex.EncodeToString(h.Sum(nil)[:8])
	c.Detail = detail(d, limits.Bytes)
	return c
}

// detail cuts a comparison until its JSON has at most so many bytes. It returns nil if even the shortest form is longer, as with names of
// absurd length.
func detail(d *cause.Comparison, most int) *cause.Comparison {
	for n := maxListed; n > 0; n /= 2 {
		cut := d.Cut(n)
		if text, err := json.Marshal(cut); err == nil && len(text) <= most {
			return cut
		}
	}
	return nil
}

// content is the digest of what two comparisons with the same diff and the same detail share.
func (c *Comparison) content() [sha256.Size]byte {
	d := *c.Detail
	d.Old, d.New = cause.Side{}, cause.Side{}
	text, _ := json.Marshal(&d) // plain data
	h := sha256.New()
	h.Write(text)
	h.Write([]byte{0})
	h.Write([]byte(c.Diff))
	return [sha256.Size]byte(h.Sum(nil))
}

// sameAs replaces the text of a comparison by the name of the first image that has the same causes. first has these by fingerprint.
func (c *Comparison) sameAs(first map[string]string, name string) {
	if c == nil || c.Fingerprint == "" || c.Verdict.OK() {
		return
	}
	if as, again := first[c.Fingerprint]; again {
		c.Diff, c.SameAs = "", as
		c.Summary += "; same causes as " + as
		return
	}
	first[c.Fingerprint] = name
}
