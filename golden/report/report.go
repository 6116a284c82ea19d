// Package report is the report of a batch: a row for each image, totals, and the exit code.
//
// Input: the names of the images of a batch, and a Row for each finished image; or a stored report (Read), or several (Merge). Output: a
// table for people, JSON, JUnit XML and Markdown. The status of a row is derived from its content, so a row with an error is never ok. A
// batch without images, or with an image that has no row, never succeeds. Never: the package knows nothing about encoding.
package report

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// A Status is the outcome for one image, or for the batch.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Differs Status = "differs" // encoded and verified, and not equal to the golden
	Failed  Status = "failed"
	Skipped Status = "skipped"
	// Interrupted is an image that was not done when the run was told to stop, and a batch with such an image.
	Interrupted Status = "interrupted"
)

// A Report is the outcome of a batch.
type Report struct {
	Tool     Tool
	Manifest Manifest
	Seconds  float64 // from start to end
	Shard    *Shard  // the share of the batch that the report is about; nil: all of it
	// Stale are the exceptions that accepted nothing although an image that they are for was compared. Used are those that accepted
	// something.
	Stale, Used []string
	Strict      bool // an exception that accepted nothing fails the batch

	// Setup is what the run was asked to do; not part of the stored report.
	Setup Setup

	// How the forms for people are written; not part of the stored report.
	Verbose bool // they fold nothing, and list what was left out of each image
	Brief   bool // they are folded even if the batch is small
	Width   int  // columns of a line of text; 0 if nothing bounds it

	rows  []Row          // in the order in which images were planned
	done  []bool         // by row: it was added
	place map[string]int // by name: the row

	layouts map[string]bool // keys of the causes of which a row has the layout
	shared  shared          // what rows have in common
}

// A Tool is the program that made a report.
type Tool struct {
	Name     string `json:"name"` // btfbatch
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built with changes on top of the commit
	SHA256   string `json:"sha256,omitempty"`   // of the program's file
}

// A Shard says which share of a batch a report is about. Whether the batch is good is decided when the reports of all shards are merged.
type Shard struct {
	Index  int    `json:"index"` // from 0
	Count  int    `json:"count"`
	Images int    `json:"images"` // of the whole batch
	SHA256 string `json:"sha256"` // of their names, one per line, in the order of the batch
	// Flags are the other flags of the run that results depend on, for the command that runs a shard again.
	Flags []string `json:"flags,omitempty"`
}

// A Manifest is the file that planned a batch. Both fields are empty for a command that encodes a single image.
type Manifest struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	// LockSHA256 is the digest of the lock of the manifest, if the run took only what the lock has.
	LockSHA256 string `json:"lock_sha256,omitempty"`
}

// New starts the report of a batch of the named images.
func New(planned []string) *Report {
	r := &Report{place: make(map[string]int, len(planned)), layouts: map[string]bool{}, shared: newShared()}
	for _, name := range planned {
		r.plan(escape.UTF8(name))
	}
	return r
}

// plan returns the place of the row of an image. A new one says that there is no result.
func (r *Report) plan(name string) (i int, planned bool) {
	if i, planned = r.place[name]; planned {
		return i, true
	}
	i = len(r.rows)
	r.place[name] = i
	r.rows = append(r.rows, Row{Name: name, Status: Failed, Failure: NoResult, Error: "has no result"})
	r.done = append(r.done, false)
	return i, false
}

// Add takes the row of an image, derives its status and returns the row with it. A row that was not planned, or comes twice, fails.
func (r *Report) Add(row Row) Row {
	row.valid()
	i, planned := r.plan(row.Name)
	switch {
	case r.done[i]:
		row.fail(Conflict, "has two results")
	case !planned:
		row.fail(Unplanned, "was not planned")
	}
	row.settle()
	row.Details.once(r.layouts)
	r.shared.share(&row)
	r.rows[i], r.done[i] = row, true
	return row
}

// fail sets the error of a row that has none.
func (row *Row) fail(kind Failure, text string) {
	if row.Error == "" {
		row.Error, row.Failure = text, kind
	}
}

// Rows returns the rows in the order in which images were planned. An image without a row has failed.
func (r *Report) Rows() []Row { return slices.Clone(r.rows) }

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

// sortStale orders the lists of exceptions and removes repetitions.
func (r *Report) sortStale() {
	for _, list := range []*[]string{&r.Stale, &r.Used} {
		*list = slices.Clone(*list)
		slices.SortFunc(*list, cmp.Compare[string])
		*list = slices.Compact(*list)
	}
}
