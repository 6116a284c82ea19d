// Package report tells the outcome of a batch: a row for each image, totals, and the exit code.
//
// Input: the names of the images of a batch, and a Row for each finished image. Output: a table for people, JSON, JUnit XML and
// Markdown. The status of a row is derived from its content, so a row with an error is never ok. A batch without images, or with an
// image that has no row, never succeeds. Never: the package knows nothing about encoding.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A Status is the outcome for one image, or for the batch.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Differs Status = "differs" // encoded and verified, and not what the golden has
	Failed  Status = "failed"
	Skipped Status = "skipped"
	// Interrupted is an image that was not done when the run was told to stop, and a batch with such an image.
	Interrupted Status = "interrupted"
)

// A Row is what became of one image.
type Row struct {
	Name   string `json:"name"`
	Status Status `json:"status"` // set by Report.Add

	Arch     string   `json:"arch,omitempty"`
	Profile  string   `json:"profile,omitempty"`
	Features []string `json:"features,omitempty"`
	BuildID  string   `json:"build_id,omitempty"`
	Kind     string   `json:"kind,omitempty"`    // what the image says that it is: kernel or module
	Release  string   `json:"release,omitempty"` // of the kernel that it is, or is for

	// Split says that the BTF continues a base. Then all its types may be those of the base.
	Split bool `json:"split,omitempty"`
	Types int  `json:"types"`
	Bytes int  `json:"bytes"` // of the BTF
	// BaseBytes is the size of the distilled base.
	BaseBytes int `json:"distilled_base_bytes,omitempty"`
	Vars      int `json:"vars"`
	Funcs     int `json:"funcs"`
	// Dropped counts what was left out on purpose.
	Dropped []Drop `json:"dropped,omitempty"`
	// Verify has what each kernel generation would say.
	Verify []Verification `json:"verify,omitempty"`
	// Warnings has what no kernel minds and a publisher may.
	Warnings []Warning `json:"warnings,omitempty"`
	// Golden is nil when there was nothing to compare with.
	Golden *Comparison `json:"golden,omitempty"`

	Seconds      float64 `json:"seconds"`
	InputSHA256  string  `json:"input_sha256,omitempty"`
	BaseSHA256   string  `json:"base_sha256,omitempty"` // of the file that the base comes from
	OutputSHA256 string  `json:"output_sha256,omitempty"`
	Error        string  `json:"error,omitempty"` // one line
	SkipReason   string  `json:"skip_reason,omitempty"`
	Interrupted  bool    `json:"-"` // not done; the status says so
}

// A Drop counts symbols that were left out for one reason.
type Drop struct {
	What   string `json:"what"` // "func", "var"
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// A Verification is the verdict of one kernel generation on the BTF.
type Verification struct {
	Kernel   string   `json:"kernel"`
	For      []string `json:"for,omitempty"` // the releases that were asked for and are judged as this one
	Accepted bool     `json:"accepted"`
	Required bool     `json:"required"`          // a refusal fails the image; otherwise it is only told
	Problem  string   `json:"problem,omitempty"` // what the kernel would log
}

// A Warning is what one rule found.
type Warning struct {
	Rule     string   `json:"rule"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // the first of them
}

// A Report is the outcome of a batch.
type Report struct {
	Version string   // of the program
	Seconds float64  // from start to end
	Stale   []string // exceptions that accepted nothing
	Strict  bool     // an exception that accepted nothing fails the batch
	Verbose bool     // the forms for people fold nothing, and tell what was left out of each image

	planned []string
	rows    map[string]Row
}

// New starts the report of a batch of the named images.
func New(planned []string) *Report {
	return &Report{planned: slices.Clone(planned), rows: make(map[string]Row, len(planned))}
}

// Add takes the row of an image, derives its status and returns the row with it. A row that was not planned, or comes twice, fails.
func (r *Report) Add(row Row) Row {
	_, twice := r.rows[row.Name]
	switch {
	case twice:
		row.Error = cmp.Or(row.Error, "has two results")
	case !slices.Contains(r.planned, row.Name):
		r.planned = append(r.planned, row.Name)
		row.Error = cmp.Or(row.Error, "was not planned")
	}
	row.deriveStatus()
	r.rows[row.Name] = row
	return row
}

// deriveStatus derives the status from what the row says; the worst counts.
func (row *Row) deriveStatus() {
	slices.SortStableFunc(row.Dropped, func(a, b Drop) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Reason, b.Reason))
	})
	switch {
	case row.Error != "":
	case row.Interrupted:
		row.Status = Interrupted
		return
	case row.SkipReason != "":
		row.Status = Skipped
		return
	}
	for _, v := range row.Verify {
		if v.Required && !v.Accepted {
			row.Error = cmp.Or(row.Error, fmt.Sprintf("kernel %s refuses it: %s", v.Kernel, v.Problem))
		}
	}
	if row.Types == 0 && !row.Split {
		row.Error = cmp.Or(row.Error, "there are no types")
	}
	switch {
	case row.Error != "":
		row.Status = Failed
	case row.Golden != nil && !row.Golden.Verdict.OK():
		row.Status = Differs
	default:
		row.Status = OK
	}
}

// Rows are the rows in the order in which images were planned. An image without a row has failed.
func (r *Report) Rows() []Row {
	rows := make([]Row, 0, len(r.planned))
	for _, name := range r.planned {
		row, ok := r.rows[name]
		if !ok {
			row = Row{Name: name, Status: Failed, Error: "has no result"}
		}
		rows = append(rows, row)
	}
	return rows
}

// doneRows are the rows without those of images that were not done, as people are shown them.
func (r *Report) doneRows() []Row {
	rows := slices.DeleteFunc(r.Rows(), func(row Row) bool { return row.Status == Interrupted })
	first := map[string]string{} // the first image with these causes
	for i := range rows {
		rows[i] = rows[i].shown()
		if !r.Verbose {
			rows[i].Golden.sameAs(first, rows[i].Name)
		}
	}
	return rows
}

// shown is the row with everything that comes from outside written so that it stays text.
func (row Row) shown() Row {
	row.Name, row.Error, row.SkipReason = escape.Line(row.Name), escape.Line(row.Error), escape.Line(row.SkipReason)
	if row.Golden != nil {
		g := *row.Golden
		g.Path, g.Summary, g.Diff = escape.Line(g.Path), escape.Line(g.Summary), escape.Text(g.Diff)
		row.Golden = &g
	}
	row.Verify, row.Warnings = slices.Clone(row.Verify), slices.Clone(row.Warnings)
	for i := range row.Verify {
		row.Verify[i].Problem = escape.Line(row.Verify[i].Problem)
	}
	for i := range row.Warnings {
		w := &row.Warnings[i]
		w.Examples = slices.Clone(w.Examples)
		for j := range w.Examples {
			w.Examples[j] = escape.Line(w.Examples[j])
		}
	}
	return row
}

// Totals sums up a batch.
type Totals struct {
	Images  int `json:"images"`
	OK      int `json:"ok"`
	Differs int `json:"differs"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// Interrupted counts images that were not done.
	Interrupted int `json:"interrupted,omitempty"`

	Types   int `json:"types"`
	Bytes   int `json:"bytes"`
	Vars    int `json:"vars"`
	Funcs   int `json:"funcs"`
	Dropped int `json:"dropped"`
}

// Totals sums up the rows.
func (r *Report) Totals() Totals {
	var t Totals
	for _, row := range r.Rows() {
		t.Images++
		switch row.Status {
		case OK:
			t.OK++
		case Differs:
			t.Differs++
		case Skipped:
			t.Skipped++
		case Interrupted:
			t.Interrupted++
		default:
			t.Failed++
		}
		t.Types += row.Types
		t.Bytes += row.Bytes
		t.Vars += row.Vars
		t.Funcs += row.Funcs
		t.Dropped += row.dropped("")
	}
	return t
}

// kernels are the generations that any row was verified for, in the order in which they first appear, each with the releases that
// it stood for.
func (r *Report) kernels() []string {
	var list []string
	releases := map[string][]string{}
	for _, row := range r.Rows() {
		for _, v := range row.Verify {
			if !slices.Contains(list, v.Kernel) {
				list = append(list, v.Kernel)
			}
			for _, name := range v.For {
				if !slices.Contains(releases[v.Kernel], name) {
					releases[v.Kernel] = append(releases[v.Kernel], name)
				}
			}
		}
	}
	for i, k := range list {
		if names := releases[k]; len(names) > 0 {
			list[i] += fmt.Sprintf(" (for %s)", strings.Join(bounded(names, maxReleases), ", "))
		}
	}
	return list
}

// maxReleases is how many releases a list of kernels names.
const maxReleases = 8

// bounded is a list that names no more than some, and says how many more there are.
func bounded(list []string, most int) []string {
	if n := len(list) - most; n > 0 {
		return append(slices.Clone(list[:most]), fmt.Sprintf("%d more", n))
	}
	return list
}

// dropped counts the symbols that were left out, of one sort or of all.
func (row *Row) dropped(what string) int {
	n := 0
	for _, d := range row.Dropped {
		if what == "" || d.What == what {
			n += d.Count
		}
	}
	return n
}

// Status is the outcome of the batch: good only if at least one image is, none failed or differs, and all were done.
func (r *Report) Status() Status {
	switch t := r.Totals(); {
	case t.Interrupted > 0:
		return Interrupted
	case t.Failed > 0, t.OK+t.Differs == 0, r.Strict && len(r.Stale) > 0:
		return Failed
	case t.Differs > 0:
		return Differs
	}
	return OK
}

// ExitCode is what the program ends with.
func (r *Report) ExitCode() int {
	switch r.Status() {
	case OK:
		return exitcode.OK
	case Differs:
		return exitcode.Differs
	case Interrupted:
		return exitcode.Interrupted
	}
	return exitcode.Failed
}

// Verdict says in a few words how the batch went.
func (r *Report) Verdict() string {
	t := r.Totals()
	switch {
	case t.Images == 0:
		return "no images"
	case t.Images == t.Skipped:
		return "every image was skipped"
	}
	s := fmt.Sprintf("%d of %d images ok", t.OK, t.Images)
	stale, nothing := 0, "exceptions that accepted nothing (--strict)"
	if r.Strict {
		stale = len(r.Stale)
	}
	if stale == 1 {
		nothing = "exception that accepted nothing (--strict)"
	}
	for _, n := range []struct {
		count int
		what  string
	}{{t.Differs, "with a golden difference"}, {t.Failed, "failed"}, {t.Skipped, "skipped"}, {t.Interrupted, "not done: interrupted"},
		{stale, nothing}} {
		if n.count > 0 {
			s += fmt.Sprintf(", %d %s", n.count, n.what)
		}
	}
	return s
}
