package show

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Brief writes one line for each cause, and one for the verdict. It does not wrap lines, so that other programs can split them.
func Brief(w io.Writer, c *cause.Comparison, opt Options) error {
	var b bytes.Buffer
	most := min(len(c.Causes), opt.limit())
	for i := range c.Causes[:most] {
		b.WriteString(briefLine(&c.Causes[i]) + "\n")
	}
	if n := len(c.Causes) - most; n > 0 {
		fmt.Fprintf(&b, "… %d more (--limit 0 lists all)\n", n)
	}
	fmt.Fprintf(&b, "%s, %s: %s\n", count(len(c.Causes), "cause", "causes"), count(len(c.Consequences), "consequence", "consequences"), Verdict(c))
	_, err := w.Write(b.Bytes())
	return err
}

// briefLine returns the line of a cause.
func briefLine(x *cause.Cause) string {
	line := briefText(x) + " " + tags(x)
	if n := x.Impact.Total(); n > 0 {
		line += fmt.Sprintf(" impact %d", n)
	}
	return line
}

// briefText returns the line of a cause without its severity, rules and impact.
func briefText(x *cause.Cause) string {
	line := signs[x.Op] + " " + named(x.Kind, x.Name)
	if s := x.Size; s != nil && s.Old != s.New && sizeOp(x) == cause.Changed {
		line += fmt.Sprintf(" %d → %s", s.Old, bytesOf(s.New))
	}
	if x.RenamedTo != "" {
		line += ": renamed " + escape.Line(x.RenamedTo)
	}
	if x.RenamedFrom != "" {
		line += ": renamed from " + escape.Line(x.RenamedFrom)
	}
	if x.Op == cause.Changed {
		var parts []string
		for i := range x.Members[:min(len(x.Members), maxWords)] {
			m := &x.Members[i]
			switch {
			case m.Path == "":
				parts = append(parts, strings.TrimPrefix(changeLine(m, 0), "~ "))
			case m.Op == cause.Renamed:
				parts = append(parts, escape.Line(m.OldPath)+" renamed "+escape.Line(m.Path))
			default:
				parts = append(parts, signs[m.Op]+escape.Line(m.Path))
			}
		}
		line += ": " + strings.Join(parts, ", ")
		if n := len(x.Members) - len(parts); n > 0 {
			line += fmt.Sprintf(" and %d more", n)
		}
	}
	return line
}
