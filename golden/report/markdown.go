package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/columns"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/show"
)

// Bounds of a job summary, which nobody scrolls through: whatever the batch, it stays below maxMarkdown bytes. What concerns many images
// comes first, then images that are not good, and each part leaves room for those behind it.
const (
	maxMarkdown = 58 << 10
	maxGroups   = 14 << 10 // up to the end of what several images have in common
	maxTable    = 26 << 10 // up to the end of the table of images that are not good
	maxNotes    = 48 << 10 // up to the end of what there is to say of them
	maxDiff     = 8 << 10  // of one image
	maxCell     = 600      // bytes of one text
	maxSome     = 8        // images of a group
)

var signs = map[Status]string{OK: "✅", Differs: "⚠️", Failed: "❌", Skipped: "⏭️", Interrupted: "🛑"}

// WriteMarkdown writes the report as a GitHub job summary.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := page{limit: maxGroups}
	v := r.view()
	p.add("## %s btfbatch: %s\n\n", signs[r.Status()], cell(r.Verdict()))
	p.failures(v)
	p.causes(v)
	p.limit = maxTable
	if len(v.bad) > 0 {
		p.add("| | image | types | funcs | vars | kernels | golden | breaks | error or first cause |\n")
		p.add("|---|---|--:|--:|--:|---|---|--:|---|\n")
		p.left("images that are not ok in the table", len(v.bad)-p.badRows(v.bad))
	}
	p.limit = maxNotes
	if !r.Brief || r.Verbose {
		for i := range v.bad {
			if !p.details(&v.bad[i], r.Verbose) {
				p.left("details of images that are not ok", len(v.bad)-i)
				break
			}
		}
	}
	p.limit = maxMarkdown
	r.markdownRest(&p, v)
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

// failures writes the reasons of failures, if several images have one.
func (p *page) failures(v *view) {
	n := 0
	for _, g := range v.failures {
		n += len(g.images)
	}
	if n == len(v.failures) {
		return
	}
	p.add("| reason | images | error |\n|---|--:|---|\n")
	for i := range v.failures {
		g := &v.failures[i]
		also := ""
		if !g.same {
			also = " (and similar)"
		}
		if !p.add("| %s | %d: %s | %s%s |\n", g.kind, len(g.images), someCells(g.images), cell(g.text), also) {
			p.left("reasons of failures", len(v.failures)-i)
			break
		}
	}
	p.add("\n")
}

// causes writes the causes of differences, if several images have one.
func (p *page) causes(v *view) {
	shared := false
	for _, g := range v.causes {
		shared = shared || len(g.images) > 1
	}
	if !shared {
		return
	}
	p.add("| cause of a difference | images |\n|---|---|\n")
	for i := range v.causes {
		g := &v.causes[i]
		if !p.add("| %s | %d: %s |\n", cell(g.text), len(g.images), someCells(g.images)) {
			p.left("causes of differences", len(v.causes)-i+v.uncounted)
			break
		}
	}
	p.add("\n")
}

// someCells names the first images of a group.
func someCells(names []string) string {
	most := maxSome
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, cell(columns.Fit(name, mostName)))
	}
	if n := len(names) - most; n > 0 {
		list = append(list, fmt.Sprintf("%d more", n))
	}
	return strings.Join(list, ", ")
}

// markdownRest writes what is to say of good images, and of no image.
func (r *Report) markdownRest(p *page, v *view) {
	switch how := v.howTo(); {
	case !r.acceptable():
	case how == howToAllow:
		p.add("\nTo accept what differs from an image's own BTF: allow rules, or write exceptions, in the manifest.\n")
	case how == howToCreate:
		p.add("\nTo create the goldens that are missing: run %s, and commit them.\n", code("btfbatch run "+r.Manifest.Path+" --update"))
	default:
		p.add("\nTo accept what differs: run with `--new-goldens FOLDER`, and then %s.\n",
			code("btfbatch golden accept "+r.Manifest.Path+" --new-goldens FOLDER"))
	}
	if kernels := r.kernels(); kernels != nil {
		p.add("\nKernels asked: %s\n", cell(strings.Join(kernels, ", ")))
	}
	if published := r.published(); published != "" {
		p.add("\nPublished: %s\n", published)
	}
	p.sources(v)
	if len(r.Stale) > 0 {
		p.add("\n### Exceptions that accepted nothing\n\n")
		for i, s := range r.Stale {
			if !p.add("- %s\n", cell(s)) {
				p.left("exceptions that accepted nothing", len(r.Stale)-i)
				break
			}
		}
	}
	if warnings := v.warnings(); len(warnings) > 0 {
		p.add("\n### Warnings\n\n")
		for i, line := range warnings {
			if !p.add("- %s\n", cell(line)) {
				p.left("kinds of warnings", len(warnings)-i)
				break
			}
		}
	}
	if r.Verbose {
		for i := range v.good {
			if !p.details(&v.good[i], true) {
				p.left("notes on images that are ok", len(v.good)-i)
				break
			}
		}
	}
	p.good(v)
}

// good writes the table of good images, folded.
func (p *page) good(v *view) {
	const end = "\n</details>\n"
	n := len(v.good)
	if n == 0 {
		return
	}
	p.limit -= len(end)
	begun := p.add("\n<details%s><summary>%s ok%s</summary>\n\n%s", map[bool]string{true: " open"}[n <= 10], images(n), escape.HTML(v.goodVerdicts()),
		"| | image | types | funcs | vars | dropped | size | kernels | golden | time |\n|---|---|--:|--:|--:|--:|--:|---|---|--:|\n")
	done := 0
	if begun {
		done = p.goodRows(v.good)
		p.limit += len(end)
		p.add(end)
	}
	p.left("images that are ok", n-done)
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

// goodRows writes lines of the table of good images and returns how many there was room for.
func (p *page) goodRows(rows []Row) int {
	for i := range rows {
		row := &rows[i]
		if !p.add("| %s | %s | %d | %d | %d | %d | %s | %s | %s | %s |\n", signs[row.Status], cell(row.Name), row.Types, row.Funcs,
			row.Vars, row.LeftOut(), size(row.Bytes), row.kernels(), row.goldenVerdict(), row.took()) {
			return i
		}
	}
	return len(rows)
}

// badRows writes lines of the table of images that are not good and returns how many there was room for.
func (p *page) badRows(rows []Row) int {
	for i := range rows {
		row := &rows[i]
		breaks, why := "", cmp.Or(row.Error, row.SkipReason)
		if g := row.Golden; row.Status == Differs {
			breaks, why = fmt.Sprint(g.Breaks), g.Summary
			if g.Detail != nil && len(g.Detail.Causes) > 0 && g.SameAs == "" {
				why = show.Line(&g.Detail.Causes[0])
			}
		}
		if !p.add("| %s | %s | %d | %d | %d | %s | %s | %s | %s |\n", signs[row.Status], cell(row.Name), row.Types, row.Funcs, row.Vars,
			row.kernels(), row.goldenVerdict(), breaks, cell(why)) {
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
		room := min(maxDiff, max(0, p.limit-p.b.Len()-b.Len()-1<<10))
		diff, lines := head(row.Golden.Diff, room)
		diff, more := head(escape.Text(diff), room)
		lines += more
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
	return cutBytes(s, maxCell)
}

// cutBytes returns at most so many bytes of a text, and dots if that is not all.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// cell keeps text from being read as markup, also inside of a table, and short.
func cell(s string) string { return escape.Markdown(short(oneLine(s))) }

// code writes a short text as code.
func code(s string) string {
	s = escape.Line(short(oneLine(s)))
	mark := "`"
	for strings.Contains(s, mark) {
		mark += "`"
	}
	if len(mark) > 1 {
		s = " " + s + " "
	}
	return mark + s + mark
}

// fence is a mark for a block of code that the code itself does not hold.
func fence(code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}
