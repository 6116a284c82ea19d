package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// maxMarkdown is where a job summary stops showing differences: GitHub takes no more than 1 MiB.
const maxMarkdown = 900 << 10

var signs = map[Status]string{OK: "✅", Differs: "⚠️", Failed: "❌", Skipped: "⏭️", Interrupted: "🛑"}

// WriteMarkdown writes the report as a GitHub job summary.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s btfbatch: %s\n\n", signs[r.Status()], r.Verdict())
	rows := r.doneRows()
	if len(rows) > 0 {
		b.WriteString("| | image | types | funcs | vars | dropped | size | kernels | golden | time |\n")
		b.WriteString("|---|---|--:|--:|--:|--:|--:|---|---|--:|\n")
	}
	for i := range rows {
		row := &rows[i]
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %s | %s | %s | %s |\n", signs[row.Status], cell(row.Name), row.Types, row.Funcs,
			row.Vars, row.dropped(""), size(row.Bytes), row.kernels(), row.goldenVerdict(), seconds(row.Seconds))
	}
	if kernels := r.kernels(); kernels != nil {
		fmt.Fprintf(&b, "\nKernels asked: %s\n", cell(strings.Join(kernels, ", ")))
	}
	for i := range rows {
		rows[i].markdown(&b)
	}
	if len(r.Stale) > 0 {
		b.WriteString("\n### Exceptions that accepted nothing\n\n")
		for _, s := range r.Stale {
			fmt.Fprintf(&b, "- %s\n", cell(s))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// markdown appends what the table has no room for.
func (row *Row) markdown(b *bytes.Buffer) {
	notes := row.notes()
	if len(notes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details%s><summary>%s</summary>\n\n", map[bool]string{true: " open"}[row.Status == Failed], escape.HTML(row.Name))
	for _, n := range notes {
		fmt.Fprintf(b, "- %s\n", cell(n))
	}
	if row.Golden != nil && row.Golden.Diff != "" {
		if diff := row.Golden.Diff; b.Len()+len(diff) < maxMarkdown {
			mark := fence(diff)
			fmt.Fprintf(b, "\n%sdiff\n%s\n%s\n", mark, strings.TrimSuffix(diff, "\n"), mark)
		} else {
			b.WriteString("\nThe difference is too long for this page.\n")
		}
	}
	b.WriteString("\n</details>\n")
}

// cell keeps text from being read as markup, also inside of a table.
func cell(s string) string { return escape.Markdown(oneLine(s)) }

// fence is a mark for a block of code that the code itself does not hold.
func fence(code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}
