package show

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// MaxMarkdown is the largest size of a Markdown text in bytes. GitHub silently drops job summaries that are much longer.
const MaxMarkdown = 60 << 10

// roomAtEnd is reserved for the lists of removed and added names, and for the count of omitted causes.
const roomAtEnd = 8 << 10

// Markdown writes a comparison as Markdown for GitHub: a table of counts, the verdict, and a collapsed block for each cause.
func Markdown(w io.Writer, c *cause.Comparison, opt Options) error {
	var b bytes.Buffer
	sign := map[bool]string{true: "✅", false: "⚠️"}[c.Verdict.Equal]
	title := "BTF"
	if c.Old.Name != "" && c.New.Name != "" {
		title = cell(c.Old.Name) + " → " + cell(c.New.Name)
	}
	fmt.Fprintf(&b, "## %s %s: %s\n\n%d types → %d types, %s, %s\n", sign, title, cell(Verdict(c)), c.Old.Types, c.New.Types,
		count(len(c.Causes), "cause", "causes"), count(len(c.Consequences), "consequence", "consequences"))
	if len(c.Counts) > 0 {
		b.WriteString("\n| | added | removed | changed | only followed |\n|---|--:|--:|--:|--:|\n")
		for _, n := range c.Counts {
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", n.Kind, n.Added, n.Removed, n.Changed, n.Followed)
		}
	}
	left := 0
	listed := 0
	for i := range c.Causes {
		x := &c.Causes[i]
		if x.Op != cause.Changed || x.Substitution != 0 {
			continue
		}
		text := details(c, x)
		if listed >= opt.limit() || b.Len()+len(text) > MaxMarkdown-roomAtEnd {
			left++
			continue
		}
		listed++
		b.WriteString(text)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more causes are not on this page; `--format json` has all.\n", left)
	}
	markdownLists(&b, c)
	_, err := w.Write(b.Bytes())
	return err
}

// details returns the collapsed block of a cause.
func details(c *cause.Comparison, x *cause.Cause) string {
	var text bytes.Buffer
	t := texter{page: page{width: 100}, c: c}
	if x.Kind == cause.Func {
		for _, line := range functionLines(x) {
			t.line(0, plain, line)
		}
	} else {
		t.cause(x)
	}
	body := strings.TrimSuffix(t.b.String(), "\n")
	mark := fence(body)
	fmt.Fprintf(&text, "\n<details><summary>%s <code>%s</code> %s</summary>\n\n%s\n%s\n%s\n\n</details>\n", escape.HTML(severityWord[x.Severity]),
		escape.HTML(named(x.Kind, x.Name)), escape.HTML(sizes(x.Size, sizeOp(x))), mark, body, mark)
	return text.String()
}

// markdownLists writes substitutions, and names that were removed and added, as long as there is space.
func markdownLists(b *bytes.Buffer, c *cause.Comparison) {
	const room = 400 // reserved for the last line
	cut := 0
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); b.Len()+len(text) < MaxMarkdown-room {
			b.WriteString(text)
		} else {
			cut++
		}
	}
	if len(c.Substitutions) > 0 {
		add("\n**The same change in many places**\n\n")
	}
	for _, s := range c.Substitutions[:min(len(c.Substitutions), DefaultLimit)] {
		var names []string
		for _, id := range s.Causes[:min(len(s.Causes), maxWords)] {
			names = append(names, cell(c.Causes[id-1].Name))
		}
		if n := len(s.Causes) - len(names); n > 0 {
			names = append(names, fmt.Sprintf("and %d more", n))
		}
		add("- %s %s → %s in %d places: %s\n", partWords[s.Part][0], cell(s.Old), cell(s.New), s.Count, strings.Join(names, ", "))
	}
	if n := len(c.Substitutions) - DefaultLimit; n > 0 {
		add("- %d more\n", n)
	}
	for i := range c.Sections {
		s := &c.Sections[i]
		text := sectionSizes(s)
		if moved, more := onlyMoved(s, maxDistances); more > 0 {
			text += fmt.Sprintf(", %s and by %s", moved, count(more, "other distance", "other distances"))
		} else if moved != "" {
			text += ", " + moved
		}
		add("\n**section %s**: %s\n", cell(s.Name), text)
	}
	var renames []string
	all := 0
	for i := range c.Causes {
		if x := &c.Causes[i]; x.RenamedTo != "" {
			if all++; all <= maxNames {
				renames = append(renames, cell(named(x.Kind, x.Name))+" → "+cell(x.RenamedTo))
			}
		}
	}
	if all > 0 {
		add("\n**renamed, with the same content**: %s\n", andMore(renames, all))
	}
	for _, op := range []cause.Op{cause.Removed, cause.Added} {
		for _, kind := range cause.Kinds {
			var names []string
			all := 0
			for i := range c.Causes {
				if x := &c.Causes[i]; x.Op == op && x.Kind == kind && !isRenamed(x) {
					if all++; all <= maxNames {
						names = append(names, listed(x))
					}
				}
			}
			if all == 0 {
				continue
			}
			add("\n**%s %s**: %s\n", kindCount(kind, all), op, andMore(names, all))
		}
	}
	if cut > 0 {
		fmt.Fprintf(b, "\n%d more lines are not on this page; `--format json` has all.\n", cut)
	}
}

// maxNames is the number of names in a line of Markdown.
const maxNames = 20

// andMore joins names, and says how many of all are not among them.
func andMore(names []string, all int) string {
	text := strings.Join(names, ", ")
	if n := all - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// listed returns the text for a declaration that was added or removed: a variable with its type, an ambiguous name with its content.
func listed(x *cause.Cause) string {
	switch {
	case max(x.OldCopies, x.NewCopies) > 0:
		return cell(oneOfSeveral(x))
	case x.Kind == cause.Var && x.Declaration != "":
		return cell(x.Declaration)
	}
	return cell(x.Name)
}

// maxCell is the largest size of a name in a line of Markdown, in bytes.
const maxCell = 200

func cell(s string) string {
	if len(s) > maxCell {
		s = strings.ToValidUTF8(s[:maxCell], "") + "…"
	}
	return escape.Markdown(s)
}

// fence returns the mark before and after a block of code. The code does not contain it.
func fence(code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}
