package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// Bounds of a job summary, which nobody scrolls through: whatever the batch, it stays below maxMarkdown bytes. Images that are not
// good come first, and each part leaves room for those behind it.
const (
	maxMarkdown = 58 << 10
	maxTable    = 20 << 10 // of images that are not good
	maxNotes    = 50 << 10 // up to the end of what there is to say of them
	maxDiff     = 8 << 10  // of one image
	maxCell     = 600      // bytes of one text
)

var signs = map[Status]string{OK: "✅", Differs: "⚠️", Failed: "❌", Skipped: "⏭️", Interrupted: "🛑"}

// WriteMarkdown writes the report as a GitHub job summary.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := page{limit: maxMarkdown}
	v := r.view()
	p.add("## %s btfbatch: %s\n\n", signs[r.Status()], r.Verdict())
	if len(v.bad)+len(v.good) > 0 {
		p.add("| | image | types | funcs | vars | dropped | size | kernels | golden | time |\n")
		p.add("|---|---|--:|--:|--:|--:|--:|---|---|--:|\n")
	}
	p.limit = maxTable
	badRows := p.rows(v.bad)
	if len(v.bad) == 0 { // else these come after what is to say of the others
		p.limit = maxNotes
		p.left("images that are ok", len(v.good)-p.rows(v.good))
	}
	p.left("images that are not ok in the table", len(v.bad)-badRows)
	p.limit = maxNotes
	if kernels := r.kernels(); kernels != nil {
		p.add("\nKernels asked: %s\n", cell(strings.Join(kernels, ", ")))
	}
	for i := range v.bad {
		if !p.details(&v.bad[i], v.verbose) {
			p.left("details of images that are not ok", len(v.bad)-i)
			break
		}
	}
	p.limit = maxMarkdown
	r.markdownRest(&p, &v)
	for i, what := range p.cut {
		if i == 0 {
			p.b.WriteString("\nNot on this page, which is bounded; the other forms of the report have it:\n\n")
		}
		fmt.Fprintf(&p.b, "- %s\n", what)
	}
	if r.Tool.Version != "" {
		fmt.Fprintf(&p.b, "\nbtfbatch %s\n", cell(r.Tool.Version))
	}
	_, err := w.Write(p.b.Bytes())
	return err
}

// markdownRest writes what is to say of good images, and of no image.
func (r *Report) markdownRest(p *page, v *view) {
	if len(r.Stale) > 0 {
		p.add("\n### Exceptions that accepted nothing\n\n")
		for i, s := range r.Stale {
			if !p.add("- %s\n", cell(s)) {
				p.left("exceptions that accepted nothing", len(r.Stale)-i)
				break
			}
		}
	}
	rows, counts := v.noted()
	if len(counts) > 0 {
		p.add("\n### Of images that are ok\n\n")
		for i, c := range counts {
			if !p.add("- %s\n", cell(c)) {
				p.left("kinds of notes on images that are ok", len(counts)-i)
				break
			}
		}
	}
	for i := range rows {
		if !p.details(&rows[i], v.verbose) {
			p.left("notes on images that are ok", len(rows)-i)
			break
		}
	}
	if len(v.bad) > 0 && len(v.good) > 0 {
		p.add("\n| | image | types | funcs | vars | dropped | size | kernels | golden | time |\n|---|---|--:|--:|--:|--:|--:|---|---|--:|\n")
		p.left("images that are ok", len(v.good)-p.rows(v.good))
	}
}

// A page is Markdown that stays below a limit. What does not fit is left out whole and counted.
type page struct {
	b     bytes.Buffer
	limit int
	cut   []string
}

// add writes text, if it fits.
func (p *page) add(format string, args ...any) bool {
	text := fmt.Sprintf(format, args...)
	if p.b.Len()+len(text) > p.limit {
		return false
	}
	p.b.WriteString(text)
	return true
}

// left counts what was left out.
func (p *page) left(what string, n int) {
	if n > 0 {
		p.cut = append(p.cut, fmt.Sprintf("%d %s", n, what))
	}
}

// rows writes lines of the table and tells how many there was room for.
func (p *page) rows(rows []Row) int {
	for i := range rows {
		row := &rows[i]
		if !p.add("| %s | %s | %d | %d | %d | %d | %s | %s | %s | %s |\n", signs[row.Status], cell(row.Name), row.Types, row.Funcs,
			row.Vars, row.dropped(""), size(row.Bytes), row.kernels(), row.goldenVerdict(), seconds(row.Seconds)) {
			return i
		}
	}
	return len(rows)
}

// details writes what the table has no room for, and tells whether there was room for it here.
func (p *page) details(row *Row, all bool) bool {
	notes := row.notes(all)
	if len(notes) == 0 {
		return true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details%s><summary>%s</summary>\n\n", map[bool]string{true: " open"}[row.Status == Failed], escape.HTML(short(row.Name)))
	for _, n := range notes {
		fmt.Fprintf(&b, "- %s\n", cell(n))
	}
	if row.Golden != nil && row.Golden.Diff != "" {
		diff, lines := head(row.Golden.Diff, min(maxDiff, max(0, p.limit-p.b.Len()-b.Len()-1<<10)))
		if diff != "" {
			mark := fence(diff)
			fmt.Fprintf(&b, "\n%sdiff\n%s\n%s\n", mark, diff, mark)
		}
		if lines > 0 {
			fmt.Fprintf(&b, "\n%d more lines are too long for this page.\n", lines)
		}
	}
	return p.add("%s\n</details>\n", b.String())
}

// head is the first lines of a text, at most so many bytes, and how many lines follow.
func head(text string, most int) (first string, more int) {
	text = strings.TrimSuffix(text, "\n")
	if len(text) <= most {
		return text, 0
	}
	end := strings.LastIndexByte(text[:most], '\n')
	if end < 0 {
		return "", strings.Count(text, "\n") + 1
	}
	return text[:end], strings.Count(text[end:], "\n")
}

// short is a text of bounded length.
func short(s string) string {
	if len(s) <= maxCell {
		return s
	}
	s = s[:maxCell]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// cell keeps text from being read as markup, also inside of a table, and short.
func cell(s string) string { return escape.Markdown(short(oneLine(s))) }

// fence is a mark for a block of code that the code itself does not hold.
func fence(code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}
