// Package show writes a comparison by cause (cause.Comparison): as text, as one line per cause and as Markdown for people, and as JSON for
// programs.
//
// Input: a comparison. Output: text. Never: the package does not compare, does not decide what fails, and does not write files. Names come
// from untrusted images; each form escapes them in its own way.
package show

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Options of the forms for people. The zero value means plain text, 100 columns wide, with DefaultLimit causes.
type Options struct {
	Width   int  // columns; 0 means 100
	Color   bool // use the escape sequences of a terminal
	Verbose bool // write all changes of each cause, and the consequences with their causes
	Limit   int  // number of causes in each part; 0 means DefaultLimit, a negative number means all
}

// DefaultLimit is the number of causes in each part of a text.
const DefaultLimit = 20

func (o Options) limit() int {
	switch {
	case o.Limit == 0:
		return DefaultLimit
	case o.Limit < 0:
		return 1 << 30
	}
	return o.Limit
}

func (o Options) width() int {
	if o.Width <= 0 {
		return 100
	}
	return max(o.Width, 40)
}

// JSON writes a comparison as the JSON object that package cause documents.
func JSON(w io.Writer, c *cause.Comparison) error {
	return escape.WriteJSON(w, c, "  ")
}

// signs are the marks for the operations.
var signs = map[cause.Op]string{cause.Added: "+", cause.Removed: "-", cause.Changed: "~", cause.Renamed: "~", cause.Moved: "~"}

// count returns a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// delta returns a difference with its sign.
func delta(n int64) string {
	if n < 0 {
		return "−" + strconv.FormatUint(uint64(-n), 10)
	}
	return "+" + strconv.FormatInt(n, 10)
}

// sizes returns the text for a change of size: "1920 → 1984 bytes  +64".
func sizes(s *cause.Size, op cause.Op) string {
	switch {
	case s == nil:
		return ""
	case op == cause.Added:
		return bytesOf(s.New)
	case op == cause.Removed:
		return bytesOf(s.Old)
	case s.Old == s.New:
		return "size unchanged"
	}
	return fmt.Sprintf("%d → %s  %s", s.Old, bytesOf(s.New), delta(s.Delta()))
}

func bytesOf(n uint64) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatUint(n, 10) + " bytes"
}

// at returns the text for a place: "at byte 52", or for a bit field "at bit 419".
func at(e *cause.Extent) string {
	if e.Bits != 0 || e.Bit%8 != 0 {
		return "at bit " + strconv.FormatUint(e.Bit, 10)
	}
	return "at byte " + strconv.FormatUint(e.Bit/8, 10)
}

// distance returns the text for the distance of a shift.
func distance(s cause.Shift) string {
	if s.Bits == 1 || s.Bits == -1 {
		return delta(s.Bits) + " bit"
	}
	if s.Bits%8 != 0 {
		return delta(s.Bits) + " bits"
	}
	if s.Bytes == 1 || s.Bytes == -1 {
		return delta(s.Bytes) + " byte"
	}
	return delta(s.Bytes) + " bytes"
}

// Summary returns a comparison on one line: "2 structs, 1 function: breaks 1 · adds 2".
func Summary(c *cause.Comparison) string {
	if c.Verdict.Equal {
		return "equal"
	}
	var parts []string
	for _, n := range c.Counts {
		text := string(n.Kind)
		for _, p := range []struct {
			sign string
			n    int
		}{{"+", n.Added}, {"−", n.Removed}, {"~", n.Changed}, {"→", n.Followed}} {
			if p.n > 0 {
				text += fmt.Sprintf(" %s%d", p.sign, p.n)
			}
		}
		parts = append(parts, text)
	}
	line := strings.Join(parts, ", ")
	if c.Accepted > 0 {
		line += fmt.Sprintf(", %d accepted", c.Accepted)
	}
	return line
}

// Verdict returns the severity of a comparison in words.
func Verdict(c *cause.Comparison) string {
	if c.Verdict.Equal {
		return "equal"
	}
	text := fmt.Sprintf("breaks %d · neutral %d · adds %d", c.Verdict.Break, c.Verdict.Neutral, c.Verdict.Add)
	if c.Accepted > 0 {
		text += fmt.Sprintf(" · accepted %d", c.Accepted)
	}
	return text
}

// named returns a kind and a name as C writes them.
func named(kind cause.Kind, name string) string {
	name = escape.Line(name)
	if strings.HasPrefix(name, string(kind)+" {") || kind == cause.Pointer {
		if kind == cause.Pointer {
			return "pointers"
		}
		return name
	}
	return string(kind) + " " + name
}

// refs returns a list of declarations, up to a number of them, each with its change of size.
func refs(list []cause.Ref, most int) string {
	var names []string
	for _, r := range list[:min(len(list), most)] {
		text := named(r.Kind, r.Name)
		switch {
		case r.Op == cause.Added || r.Op == cause.Removed:
			text += " " + string(r.Op)
		case r.Size.Delta() != 0:
			text += " " + delta(r.Size.Delta())
		}
		names = append(names, text)
	}
	if n := len(list) - most; n > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// severityWord are the words for a severity, before its rules.
var severityWord = map[cause.Severity]string{cause.Break: "breaks", cause.Neutral: "neutral", cause.Add: "adds"}

// tags returns the severity and the rules of a cause.
func tags(x *cause.Cause) string {
	text := severityWord[x.Severity] + ": " + words(x.Rules)
	if x.Accepted != "" {
		text = "accepted: " + escape.Line(x.Accepted)
	}
	return "[" + text + "]"
}

// words returns a list of rules.
func words(rules []cause.Rule) string {
	list := make([]string, len(rules))
	for i, r := range rules {
		list[i] = string(r)
	}
	return strings.Join(list, ", ")
}
