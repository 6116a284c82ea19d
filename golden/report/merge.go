package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// A Part is a report of some of the images of a run, and the name of its file for messages.
type Part struct {
	Name   string
	Report *Report
}

// Merge joins the reports of the parts of one run. planned are the names of all images, in order; nil stands for the images of the parts,
// in their order. An image without a result fails, and so does one that was not planned. If several parts have a result for an image, the
// results must be equal apart from times, paths and whether they come from the cache; a result that is not there, because a part was
// interrupted or lost the image, gives way to one that is, and so does one that another attempt could change. It is an error if the parts are not of one run: other versions of the program, or other manifests.
func Merge(parts []Part, planned []string) (*Report, error) {
	all := New(planned)
	from := map[string]string{} // by image: the part that has its result
	for n, p := range parts {
		if err := sameRun(parts[0], p); err != nil {
			return nil, err
		}
		if n == 0 {
			all.Tool, all.Manifest = p.Report.Tool, p.Report.Manifest
		}
		if all.Tool.SHA256 != p.Report.Tool.SHA256 { // builds of one version for several machines
			all.Tool.SHA256 = ""
		}
		all.Seconds, all.Strict = max(all.Seconds, p.Report.Seconds), all.Strict || p.Report.Strict
		all.Stale, all.Used = append(all.Stale, p.Report.Stale...), append(all.Used, p.Report.Used...)
		for i := range p.Report.rows {
			all.mergeRow(&p.Report.rows[i], p.Name, from, planned == nil)
		}
	}
	all.sortStale()
	all.Stale = slices.DeleteFunc(all.Stale, func(s string) bool { return slices.Contains(all.Used, s) })
	return all, nil
}

// sameRun returns an error if two reports are not of parts of one run.
func sameRun(a, b Part) error {
	x, y := a.Report, b.Report
	switch {
	case x.Tool.Name != y.Tool.Name || x.Tool.Version != y.Tool.Version || x.Tool.Commit != y.Tool.Commit:
		return fmt.Errorf("%s is by %s, and %s is by %s: one run has one version", a.Name, x.Tool, b.Name, y.Tool)
	case x.Manifest.SHA256 != y.Manifest.SHA256:
		return fmt.Errorf("%s and %s are about two different manifests, or two versions of one (%s, %s)", a.Name, b.Name,
			x.Manifest.Path, y.Manifest.Path)
	case x.Manifest.LockSHA256 != y.Manifest.LockSHA256:
		return fmt.Errorf("%s and %s ran with two different locks, or one of them without a lock", a.Name, b.Name)
	case x.Shard != nil && y.Shard != nil && x.Shard.SHA256 != y.Shard.SHA256:
		return fmt.Errorf("%s and %s are shards of different lists of images (%d, %d): files came or went while the shards ran", a.Name, b.Name,
			x.Shard.Images, y.Shard.Images)
	case x.Shard != nil && y.Shard != nil && !slices.Equal(x.Shard.settings(), y.Shard.settings()):
		return fmt.Errorf("%s and %s ran with different flags (%s; %s): one run has the same for all images", a.Name, b.Name, x.Shard.said(), y.Shard.said())
	}
	return nil
}

// deciding are the flags that decide what the results of images are, or what becomes of them, without another sign of it in a report.
var deciding = []string{"--profile", "--publish", "--strict-lint", "--loss"}

// settings returns the flags of a shard that must be those of all shards, sorted.
func (s *Shard) settings() (list []string) {
	for _, flag := range s.Flags {
		if name, value, _ := strings.Cut(flag, "="); slices.Contains(deciding, name) && value != "false" {
			list = append(list, flag)
		}
	}
	slices.Sort(list)
	return list
}

// said writes the settings of a shard for an error.
func (s *Shard) said() string { return cmp.Or(strings.Join(s.settings(), " "), "without such") }

// mergeRow adds the row of a part.
func (r *Report) mergeRow(row *Row, part string, from map[string]string, unplanned bool) {
	before, again := from[row.Name]
	i, planned := r.plan(row.Name)
	old := &r.rows[i]
	switch {
	case again && absent(row):
		return
	case again && !absent(old):
		if !equal(old, row) {
			*old = Row{Name: row.Name, Line: old.Line, Manifest: old.Manifest, Path: old.Path, Arch: old.Arch, Status: Failed, Failure: Conflict,
				Error: fmt.Sprintf("has two results that differ, in %s and %s", before, part)}
		}
		return
	}
	from[row.Name], r.done[i] = part, true
	*old = *row
	if !planned && !unplanned {
		old.fail(Unplanned, "was not planned")
		old.settle()
	}
}

// absent reports whether a row has no result that counts if there is another one.
func absent(row *Row) bool {
	return row.Status == Interrupted || row.Failure == NoResult || row.Transient
}

// Undone lists the images that have no result, or one that another attempt can change.
func (r *Report) Undone() (names []string) {
	for i := range r.rows {
		if absent(&r.rows[i]) {
			names = append(names, r.rows[i].Name)
		}
	}
	return names
}

// equal reports whether two results say the same of an image, apart from times and paths, which are those of a machine.
func equal(a, b *Row) bool {
	return string(essence(a)) == string(essence(b))
}

// essence is what two results for one image must have in common, as text.
func essence(row *Row) []byte {
	x := *row
	x.Seconds, x.Path, x.Base, x.Details, x.Cached = 0, "", "", nil, false
	x.Outputs = slices.Clone(x.Outputs)
	for i := range x.Outputs {
		x.Outputs[i].Path = ""
	}
	x.Published = slices.Clone(x.Published)
	for i := range x.Published {
		x.Published[i].State = "" // what one run published is there for the next one
	}
	if g := x.Golden; g != nil {
		c := *g
		c.Path = ""
		if c.Detail != nil {
			d := *c.Detail
			d.Old.Name, d.New.Name = "", ""
			c.Detail = &d
		}
		x.Golden = &c
	}
	text, _ := escape.Marshal(&x, "", "  ") // plain data
	return text
}

// String names the program and its version.
func (t Tool) String() string {
	s := t.Name + " " + t.Version
	if t.Commit != "" {
		s += " (" + t.Commit + ")"
	}
	return s
}
