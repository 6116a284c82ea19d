package html

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A pageView is the page as the template takes it.
type pageView struct {
	Style                 template.CSS
	Script                template.JS
	Policy                string
	Title                 string
	Class                 string
	Verdict               string
	Bar                   template.HTML
	Facts                 []fact
	Lists                 []imageList // of images that are not ok
	Again                 string      // command
	Kernels               []string    // columns of the matrix; nil if there are too many
	Matrix                []matrixRow
	Hidden                int // rows that the matrix leaves out
	Findings              []*finding
	MoreFindings          []*finding // that are folded once more
	Others                []fact     // findings that are only counted
	Images                template.HTML
	Short                 int // images with less than everything
	Chart                 *runChart
	Setup                 report.Setup
	Stale                 []string
	Used                  []string
	Manifest, ManifestSum string
	Version               string
}

// A fact is a number or text, and what it is.
type fact struct{ Name, Text string }

// An imageList names images of one status.
type imageList struct {
	Class, Word string
	Count       int
	Images      []imageRef
}

// A matrixRow is an image in the matrix.
type matrixRow struct {
	ID            string
	Image         imageRef
	Plain         string // name, for the filter
	Status        report.Status
	Encoded       check
	Kernels       []check
	Golden        check
	Warnings      check
	Types         string
	Funcs         string
	Vars          string
	Dropped       string
	Bytes         int
	WarningCount  int
	Size, Seconds string
	Time          float64
}

// A check is a cell of the matrix: a sign, a word and a colour.
type check struct{ Class, Sign, Text string }

var (
	notAsked = check{"is-none", "–", "not asked"}
	noResult = check{"is-none", "–", "no BTF"}
)

// maxKernels is how many kernels have a column each.
const maxKernels = 6

// statusWords are the words for images of a status.
var statusWords = map[report.Status]string{report.Failed: "failed", report.Differs: "differ from their golden", report.Skipped: "skipped", report.Interrupted: "not done"}

// page returns the view. The parts about single images have been written.
func (b *builder) page(images template.HTML) *pageView {
	r, t := b.r, b.r.Totals()
	v := &pageView{Style: template.CSS(style), Script: template.JS(script), Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src '" + scriptSum() + "'", //nolint:gosec // files of this package
		Class: "is-" + string(r.Status()), Verdict: r.Verdict(), Bar: totalsBar(t), Images: images, Chart: drawRun(b.rows, r.Seconds), Setup: shownSetup(r.Setup),
		Version: name(r.Tool.Version), Manifest: name(r.Manifest.Path), ManifestSum: name(r.Manifest.SHA256)}
	v.Title = "btfbatch: " + v.Verdict
	v.Facts = []fact{{"images", thousands(t.Images)}, {"types", thousands(t.Types)}, {"functions", thousands(t.Funcs)}, {"variables", thousands(t.Vars)},
		{"BTF", size(t.Bytes)}, {"time", seconds(r.Seconds)}}
	for _, s := range r.Stale {
		v.Stale = append(v.Stale, message(s))
	}
	for _, s := range r.Used {
		v.Used = append(v.Used, message(s))
	}
	b.lists(v)
	v.Kernels = kernelColumns(b.rows)
	for n, i := range b.order {
		if n >= maxRows {
			v.Hidden = len(b.order) - n
			break
		}
		v.Matrix = append(v.Matrix, b.matrixRow(i, v.Kernels))
	}
	for i := range b.rows {
		if b.levels[i] < full {
			v.Short++
		}
	}
	v.Findings = b.findings[:min(len(b.findings), maxCauses)]
	for _, f := range v.Findings {
		f.refer(b.ref)
	}
	if len(v.Findings) > 0 {
		v.Findings[0].First = true
	}
	if n := len(v.Findings); n > shownCauses+shownCauses/4 {
		v.Findings, v.MoreFindings = v.Findings[:shownCauses], v.Findings[shownCauses:]
	}
	v.Others = countOthers(b.findings[min(len(b.findings), maxCauses):])
	return v
}

// lists fills in the names of images that are not ok, and the command that repeats them.
func (b *builder) lists(v *pageView) {
	const most = 24
	var again []string
	for _, s := range []report.Status{report.Failed, report.Differs, report.Interrupted, report.Skipped} {
		list := imageList{Class: "is-" + string(s), Word: statusWords[s]}
		for i := range b.rows {
			if b.rows[i].Status != s {
				continue
			}
			if list.Count++; list.Count <= most {
				list.Images = append(list.Images, b.ref(i))
				again = append(again, b.rows[i].Name)
			}
		}
		if list.Count == 1 && s == report.Differs {
			list.Word = "differs from its golden"
		}
		if list.Count > 0 {
			v.Lists = append(v.Lists, list)
		}
	}
	if v.Again = message(b.r.Setup.Command); v.Again == "" {
		return
	}
	const few = 4
	if n := len(again); n > 0 && n <= few && n < len(b.rows) {
		for _, image := range again {
			v.Again += " --only " + escape.Shell(shorten(image, maxName))
		}
	}
}

// kernelColumns returns the kernels that images were checked for, or nil if they are too many for columns.
func kernelColumns(rows []report.Row) (list []string) {
	for i := range rows {
		for _, k := range rows[i].Verify {
			if !slices.Contains(list, k.Kernel) {
				list = append(list, k.Kernel)
			}
		}
	}
	if len(list) > maxKernels {
		return nil
	}
	return list
}

// matrixRow returns the row of an image.
func (b *builder) matrixRow(i int, kernels []string) matrixRow {
	row := &b.rows[i]
	m := matrixRow{ID: fmt.Sprintf("m%d", i+1), Image: b.ref(i), Plain: name(row.Name), Status: row.Status, Encoded: encoded(row), Golden: goldenCheck(row),
		Types: "–", Funcs: "–", Vars: "–", Dropped: "–", Size: "–", Seconds: seconds(row.Seconds), Time: row.Seconds}
	m.Warnings = check{"is-none", "", "none"}
	if n := warnings(row); n > 0 {
		m.WarningCount = n
		m.Warnings = check{"is-differs", "!", thousands(n)}
	}
	if hasBTF(row) {
		m.Types, m.Funcs, m.Vars, m.Dropped = thousands(row.Types), thousands(row.Funcs), thousands(row.Vars), thousands(row.LeftOut())
		m.Bytes, m.Size = row.Bytes, size(row.Bytes)
	} else {
		m.Warnings = noResult
	}
	if row.Status == report.Skipped || row.Status == report.Interrupted {
		m.Seconds = "–"
	}
	if kernels == nil {
		m.Kernels = []check{kernelSum(row)}
		return m
	}
	for _, k := range kernels {
		m.Kernels = append(m.Kernels, kernelCheck(row, k))
	}
	return m
}

// hasBTF reports whether there is BTF of an image, good or bad.
func hasBTF(row *report.Row) bool { return row.Bytes > 0 || row.Types > 0 }

func encoded(row *report.Row) check {
	switch {
	case row.Status == report.Interrupted:
		return check{"is-interrupted", "◌", "not done"}
	case row.Status == report.Skipped:
		return check{"is-skipped", "–", "skipped"}
	case hasBTF(row) || row.Status == report.OK || row.Status == report.Differs:
		return check{"is-ok", "✓", "encoded"}
	case row.Failure == report.NoResult:
		return check{"is-failed", "✗", "lost"}
	}
	return check{"is-failed", "✗", "failed"}
}

func kernelCheck(row *report.Row, kernel string) check {
	for _, k := range row.Verify {
		switch {
		case k.Kernel != kernel:
		case k.Accepted:
			return check{"is-ok", "✓", "accepts"}
		case k.Required:
			return check{"is-failed", "✗", "refuses"}
		default:
			return check{"is-differs", "✗", "refuses"}
		}
	}
	if !hasBTF(row) {
		return noResult
	}
	return notAsked
}

func kernelSum(row *report.Row) check {
	switch n, all := row.Accepting(), len(row.Verify); {
	case all == 0 && !hasBTF(row):
		return noResult
	case all == 0:
		return notAsked
	case n == all:
		return check{"is-ok", "✓", fmt.Sprintf("%d of %d", n, all)}
	default:
		return check{"is-failed", "✗", fmt.Sprintf("%d of %d", n, all)}
	}
}

func goldenCheck(row *report.Row) check {
	if row.Golden == nil {
		if !hasBTF(row) {
			return noResult
		}
		return check{"is-none", "–", "none"}
	}
	switch row.Golden.Verdict {
	case golden.Equal:
		return check{"is-ok", "✓", "equal"}
	case golden.Accepted:
		return check{"is-ok", "✓", "accepted"}
	case golden.Missing:
		return check{"is-differs", "?", "missing"}
	}
	return check{"is-differs", "≠", "differs"}
}

func warnings(row *report.Row) (n int) {
	for _, w := range row.Warnings {
		n += w.Count
	}
	return n
}

// countOthers counts findings that are not described.
func countOthers(list []*finding) (facts []fact) {
	n := map[string]int{}
	var order []string
	for _, f := range list {
		if n[f.Tag]++; n[f.Tag] == 1 {
			order = append(order, f.Tag)
		}
	}
	for _, tag := range order {
		facts = append(facts, fact{tag, thousands(n[tag])})
	}
	return facts
}

// shownSetup is the setup with text that is safe to show.
func shownSetup(s report.Setup) report.Setup {
	const mostBytes = 1 << 20
	settings := func(list []report.Setting) (out []report.Setting) {
		for _, x := range list {
			out = append(out, report.Setting{Key: name(x.Key), Value: message(x.Value)})
		}
		return out
	}
	out := report.Setup{Command: message(s.Command), Common: settings(s.Common)}
	n := 0
	for _, im := range s.Images {
		x := report.ImageSetup{Name: name(im.Name), Settings: settings(im.Settings)}
		for _, y := range x.Settings {
			n += len(y.Key) + len(y.Value) + 40
		}
		if n > mostBytes {
			break
		}
		out.Images = append(out.Images, x)
	}
	return out
}
