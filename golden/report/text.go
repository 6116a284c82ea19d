package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// WriteText writes a table for people, and below it what there is to say of single images.
func (r *Report) WriteText(w io.Writer) error {
	var b bytes.Buffer
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "IMAGE\tSTATUS\tTYPES\tFUNCS\tVARS\tDROPPED\tSIZE\tKERNELS\tGOLDEN\tTIME")
	rows := r.doneRows()
	for i := range rows {
		row := &rows[i]
		fmt.Fprintf(tab, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", row.Name, row.Status, row.Types, row.Funcs, row.Vars,
			row.dropped(""), size(row.Bytes), row.kernels(), row.goldenVerdict(), seconds(row.Seconds))
	}
	t := r.Totals()
	fmt.Fprintf(tab, "%d images\t%s\t%d\t%d\t%d\t%d\t%s\t\t\t%s\n", t.Images, r.Status(), t.Types, t.Funcs, t.Vars, t.Dropped,
		size(t.Bytes), seconds(r.Seconds))
	if err := tab.Flush(); err != nil {
		return err
	}
	var out bytes.Buffer
	for line := range bytes.Lines(b.Bytes()) {
		out.Write(append(bytes.TrimRight(line, " \n"), '\n'))
	}
	if kernels := r.kernels(); kernels != nil {
		fmt.Fprintf(&out, "\nkernels asked: %s\n", strings.Join(kernels, ", "))
	}
	for i := range rows {
		if notes := rows[i].notes(); len(notes) > 0 {
			fmt.Fprintf(&out, "\n%s:\n", rows[i].Name)
			for _, n := range notes {
				fmt.Fprintf(&out, "  %s\n", n)
			}
		}
	}
	if len(r.Stale) > 0 {
		fmt.Fprintf(&out, "\nexceptions that accepted nothing:\n")
		for _, s := range r.Stale {
			fmt.Fprintf(&out, "  %s\n", escape.Line(s))
		}
	}
	fmt.Fprintf(&out, "\n%s\n", r.Verdict())
	_, err := w.Write(out.Bytes())
	return err
}

// notes says what the table has no room for.
func (row *Row) notes() []string {
	var list []string
	if row.Error != "" {
		list = append(list, "error: "+row.Error)
	}
	if row.SkipReason != "" {
		list = append(list, "skipped: "+row.SkipReason)
	}
	if g := row.Golden; g != nil && (g.Summary != "" || !g.Verdict.OK()) {
		note := fmt.Sprintf("golden %s: %s", g.Path, g.Verdict)
		if g.Summary != "" {
			note += ": " + g.Summary
		}
		list = append(list, note)
	}
	for _, v := range row.Verify {
		note := fmt.Sprintf("kernel %s refuses it: %s", v.Kernel, v.Problem)
		if !v.Accepted && !strings.HasPrefix(row.Error, note) { // which the error may say already
			list = append(list, note)
		}
	}
	for _, w := range row.Warnings {
		note := fmt.Sprintf("warning %s: %s", w.Rule, w.Examples[0])
		if w.Count > 1 {
			note += fmt.Sprintf(" (and %d more)", w.Count-1)
		}
		list = append(list, note)
	}
	for _, d := range row.Dropped {
		list = append(list, fmt.Sprintf("dropped %d %s: %s", d.Count, d.What, d.Reason))
	}
	return list
}

// kernels is how many kernel generations accept the BTF, of how many asked.
func (row *Row) kernels() string {
	if len(row.Verify) == 0 {
		return "-"
	}
	n := 0
	for _, v := range row.Verify {
		if v.Accepted {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(row.Verify))
}

func (row *Row) goldenVerdict() string {
	if row.Golden == nil {
		return "-"
	}
	return string(row.Golden.Verdict)
}

func seconds(s float64) string { return fmt.Sprintf("%.2fs", s) }

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// oneLine keeps text from breaking the line it stands in.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
