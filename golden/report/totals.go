package report

import (
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

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
	for i := range r.rows {
		row := &r.rows[i]
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
		t.Dropped += row.LeftOut()
	}
	return t
}

// Status is the outcome of the batch: good only if at least one image is, none failed or differs, and all were done. A shard is also good if
// it has no images, or if all of them were skipped, and exceptions that accepted nothing in it may accept something in another one.
func (r *Report) Status() Status {
	switch t := r.Totals(); {
	case t.Interrupted > 0:
		return Interrupted
	case t.Failed > 0, r.Shard == nil && (t.OK+t.Differs == 0 || r.Strict && len(r.Stale) > 0):
		return Failed
	case t.Differs > 0:
		return Differs
	}
	return OK
}

// ExitCode is what the program ends with. A shard that can succeed when it runs again ends with a code of its own, so that a scheduler
// repeats it, and does not repeat one with a verdict.
func (r *Report) ExitCode() int {
	status := r.Status()
	if r.Shard != nil && (status == Interrupted || slices.ContainsFunc(r.rows, func(row Row) bool { return row.Transient })) {
		return exitcode.TryAgain
	}
	switch status {
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
	case t.Images == 0 && r.Shard != nil:
		return fmt.Sprintf("no images in shard %d of %d", r.Shard.Index, r.Shard.Count)
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
