package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/columns"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Bounds of a text that is not verbose. Whatever the batch, it has at most maxLines lines of at most maxColumns columns.
const (
	maxLines   = 40
	maxColumns = 200 // where r.Width does not say

	maxReasons  = 4  // groups of failures, two lines each
	maxTold     = 7  // causes of differences
	maxKinds    = 4  // kinds of warnings
	maxNamed    = 5  // images of a group
	maxNamedEnd = 20 // images of a status, at the end
)

// WriteText writes the report for people. A small batch is written in full: what there is to say of images that are not good, a table of
// all images that starts with these, and what there is to say of the others. If that has more than maxLines lines, the report is folded: the
// reasons of failures and the causes of differences, each once with the images that have it, and counts of everything else. The names of
// images that are not good stand at the end in both, with how to accept what differs. Verbose writes everything in full, Brief folds in any case.
func (r *Report) WriteText(w io.Writer) error {
	v := r.view()
	var lines []string
	if !r.Brief || r.Verbose {
		lines = r.fullLines(v)
	}
	if !r.Verbose && (r.Brief || len(lines) > maxLines) {
		lines = r.foldedLines(v)
	}
	var out bytes.Buffer
	for _, l := range lines {
		out.WriteString(l)
		out.WriteByte('\n')
	}
	_, err := w.Write(out.Bytes())
	return err
}

// What to do in runs in which a golden differs, or in which goldens are only missing. The lines fit a terminal.
const (
	howToAccept = "to accept what differs: run with --new-goldens FOLDER, then see btfbatch golden"
	howToAllow  = "to accept what differs from an image's own BTF: allow rules, or write exceptions"
	howToCreate = "to create the goldens that are missing: run with --update, and commit them"
)

// acceptable reports whether a run can make goldens that accept its differences.
func (r *Report) acceptable() bool { return r.Totals().Differs > 0 && r.Manifest.Path != "" }

// howTo says how a later run can be good: as some goldens differ, as they do not exist yet, or as only the BTF of images themselves differs.
func (v *view) howTo() string {
	how := howToAllow
	for i := range v.bad {
		switch g := v.bad[i].Golden; {
		case v.bad[i].Status != Differs || g == nil || g.own():
		case g.Verdict != golden.Missing:
			return howToAccept
		default:
			how = howToCreate
		}
	}
	return how
}

// fullLines returns the report in full.
func (r *Report) fullLines(v *view) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	block := func(about string, notes []string) {
		add("%s", about)
		for _, n := range notes {
			add("  %s", n)
		}
		add("")
	}
	for i := range v.bad {
		row := &v.bad[i]
		block(row.Name+": "+string(row.Status), row.notes(r.Verbose))
		if !r.Verbose && len(lines) > maxLines { // it will be folded
			return lines
		}
	}
	lines = append(lines, r.tableLines(append(v.bad[:len(v.bad):len(v.bad)], v.good...), r.Width)...)
	add("")
	if kernels := r.kernels(); kernels != nil {
		add("kernels whose rules were checked: %s", strings.Join(kernels, ", "))
		add("")
	}
	if published := r.published(); published != "" {
		add("published: %s", published)
		add("")
	}
	if lines := v.sourceLines(); len(lines) > 0 && !r.Verbose {
		block("packages and servers:", lines)
	}
	for i := range v.good {
		if notes := v.good[i].notes(r.Verbose); len(notes) > 0 {
			block(v.good[i].Name+":", notes)
		}
	}
	if len(r.Stale) > 0 {
		var list []string
		for _, s := range r.Stale {
			list = append(list, escape.Line(s))
		}
		block("exceptions that accepted nothing:", list)
	}
	lines = append(lines, v.names(len(v.bad))...)
	if r.acceptable() {
		add("%s", v.howTo())
	}
	add("%s", r.Verdict())
	return lines
}

// foldedLines returns the report in at most maxLines lines.
func (r *Report) foldedLines(v *view) (lines []string) {
	width := maxColumns
	if r.Width > 0 {
		width = r.Width
	}
	add := func(format string, args ...any) {
		lines = append(lines, columns.Cut(fmt.Sprintf(format, args...), width))
	}
	t := r.Totals()
	if n := t.Failed + t.Skipped; n > 0 {
		add("%s", failedHead(&t))
		for _, g := range v.failures[:min(maxReasons, len(v.failures))] {
			add("  %s", tail(fmt.Sprintf("%s, %s: ", g.kind, images(len(g.images))), some(g.images, maxNamed), "", width-2))
			also := ""
			if !g.same {
				also = " (and similar)"
			}
			add("    %s", tail("", g.text, also, width-4))
		}
		if rest := v.failures[min(maxReasons, len(v.failures)):]; len(rest) > 0 {
			n := 0
			for _, g := range rest {
				n += len(g.images)
			}
			add("  %d more reasons in %s (-v)", len(rest), images(n))
		}
		add("")
	}
	if t.Differs > 0 {
		add("differ from their goldens: %s, %s", images(t.Differs), causes(len(v.causes)+v.uncounted))
		for _, g := range v.causes[:min(maxTold, len(v.causes))] {
			who := fmt.Sprintf(", in %s: %s", images(len(g.images)), some(g.images, maxNamed))
			add("  %s", tail("", g.text, columns.Cut(who, width/2), width-2))
		}
		if n := len(v.causes) + v.uncounted - min(maxTold, len(v.causes)); n > 0 {
			add("  %d more (-v, or --report json)", n)
		}
		add("")
	}
	r.foldedGood(v, &t, add)
	for _, name := range v.names(maxNamedEnd) {
		add("%s", name)
	}
	if r.acceptable() {
		add("%s", v.howTo())
	}
	add("%s", r.Verdict())
	return lines
}

// foldedGood writes counts of what is good, and of what is said about all images.
func (r *Report) foldedGood(v *view, t *Totals, add func(format string, args ...any)) {
	if t.OK > 0 {
		add("ok: %s%s", images(t.OK), v.goodVerdicts())
	}
	add("%d types, %d functions, %d variables, %s of BTF in %s", t.Types, t.Funcs, t.Vars, size(t.Bytes), seconds(r.Seconds))
	cached := 0
	for i := range v.good {
		if v.good[i].Cached {
			cached++
		}
	}
	if cached > 0 {
		add("from the cache: %s", images(cached))
	}
	if left := v.left(); left != "" {
		add("left out: %s", left)
	}
	if kernels := r.kernels(); kernels != nil {
		add("kernels whose rules were checked: %s", strings.Join(kernels, ", "))
	}
	if published := r.published(); published != "" {
		add("published: %s", published)
	}
	if line := v.sourceLine(); line != "" {
		add("%s", line)
	}
	warnings := v.warnings()
	for _, line := range warnings[:min(maxKinds, len(warnings))] {
		add("%s", line)
	}
	if n := len(warnings) - maxKinds; n > 0 {
		add("%d more kinds of warnings (-v)", n)
	}
	if n := len(r.Stale); n > 0 {
		add("exceptions that accepted nothing: %d, first %s", n, escape.Line(r.Stale[0]))
	}
	add("")
}

// failedHead counts what failed and was skipped.
func failedHead(t *Totals) string {
	switch {
	case t.Skipped == 0:
		return "failed: " + images(t.Failed)
	case t.Failed == 0:
		return "skipped: " + images(t.Skipped)
	}
	return fmt.Sprintf("failed: %s, skipped: %d", images(t.Failed), t.Skipped)
}

// causes is a number of causes in words.
func causes(n int) string {
	if n == 1 {
		return "1 cause"
	}
	return fmt.Sprintf("%d causes", n)
}

// tail puts a text between two others, and cuts it so that all fit a line.
func tail(before, text, after string, width int) string {
	room := max(20, width-columns.Of(before)-columns.Of(after))
	return before + columns.Cut(text, room) + after
}

// notes says what the table has no room for; what was left out, by reason, only where all is wanted.
func (row *Row) notes(all bool) []string {
	var list []string
	if row.Error != "" {
		list = append(list, "error: "+row.Error)
	}
	if row.Source != nil && (all || row.Status != OK) {
		list = append(list, row.Source.note())
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
	if row.Series != nil {
		list = append(list, row.Series.note())
	}
	for _, p := range row.Published {
		list = append(list, fmt.Sprintf("published (%s): %s, sha256 %s", p.State, escape.Line(p.To), p.SHA256))
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
	return fmt.Sprintf("%d/%d", row.Accepting(), len(row.Verify))
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
