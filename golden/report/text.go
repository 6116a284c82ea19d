package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// WriteText writes what there is to say of images that are not good, a table for people that starts with these, and below it what
// there is to say of others. The names of what is not good stand at the end again. A large batch is folded unless r.Verbose.
func (r *Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	v := r.view()
	details(&out, &v)
	r.table(&out, &v)
	if kernels := r.kernels(); kernels != nil {
		fmt.Fprintf(&out, "\nkernels asked: %s\n", strings.Join(kernels, ", "))
	}
	rows, counts := v.noted()
	for i := range rows {
		block(&out, rows[i].Name, rows[i].notes(v.verbose))
	}
	if len(counts) > 0 {
		block(&out, "of images that are ok", counts)
	}
	if len(r.Stale) > 0 {
		fmt.Fprintf(&out, "\nexceptions that accepted nothing:\n")
		for _, s := range r.Stale {
			fmt.Fprintf(&out, "  %s\n", escape.Line(s))
		}
	}
	out.WriteByte('\n')
	for _, line := range v.names() {
		fmt.Fprintln(&out, line)
	}
	fmt.Fprintln(&out, r.Verdict())
	_, err := w.Write(out.Bytes())
	return err
}

// details tells of images that are not good.
func details(out *bytes.Buffer, v *view) {
	most := v.most(maxDetails, len(v.bad))
	for i := range v.bad[:most] {
		row := &v.bad[i]
		fmt.Fprintf(out, "%s: %s\n", row.Name, row.Status)
		for _, n := range row.notes(v.verbose) {
			fmt.Fprintf(out, "  %s\n", n)
		}
		out.WriteByte('\n')
	}
	if n := len(v.bad) - most; n > 0 {
		fmt.Fprintf(out, "... and %d more that are not ok\n\n", n)
	}
}

// block writes notes below what they are about.
func block(out *bytes.Buffer, about string, notes []string) {
	fmt.Fprintf(out, "\n%s:\n", about)
	for _, n := range notes {
		fmt.Fprintf(out, "  %s\n", n)
	}
}

// table writes a line for each image, and their sum.
func (r *Report) table(out *bytes.Buffer, v *view) {
	var b bytes.Buffer
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "IMAGE\tSTATUS\tTYPES\tFUNCS\tVARS\tDROPPED\tSIZE\tKERNELS\tGOLDEN\tTIME")
	rows, left := v.table()
	for i := range rows {
		row := &rows[i]
		fmt.Fprintf(tab, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", row.Name, row.Status, row.Types, row.Funcs, row.Vars,
			row.dropped(""), size(row.Bytes), row.kernels(), row.goldenVerdict(), seconds(row.Seconds))
	}
	t := r.Totals()
	sum := fmt.Sprintf("%d images\t%s\t%d\t%d\t%d\t%d\t%s\t\t\t%s\n", t.Images, r.Status(), t.Types, t.Funcs, t.Vars, t.Dropped,
		size(t.Bytes), seconds(r.Seconds))
	fmt.Fprint(tab, sum)
	_ = tab.Flush() // a buffer takes all
	lines := bytes.SplitAfter(b.Bytes(), []byte{'\n'})
	for i, line := range lines[:len(lines)-1] { // the last one is empty
		if i == len(rows)+1 { // in front of the sum
			for _, l := range left {
				fmt.Fprintln(out, l)
			}
		}
		out.Write(append(bytes.TrimRight(line, " \n"), '\n'))
	}
}

// notes says what the table has no room for; what was left out, by reason, only where all is wanted.
func (row *Row) notes(all bool) []string {
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
	if !all {
		return list
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
