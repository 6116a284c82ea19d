package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// How much a report for people shows of a large batch. What is folded is counted; Verbose folds nothing, and the forms for programs
// are always complete.
const (
	maxDetails = 100 // images that are not good, with what there is to say of each
	maxBadRows = 500 // of them in the table
	maxRows    = 60  // good images in the table
	maxNoted   = 8   // good images with notes of their own; of more, notes are counted by kind
	maxNames   = 50  // of images, at the end
)

// A view is the rows of a report as people read them: what is not good comes first.
type view struct {
	bad, good []Row
	verbose   bool
}

func (r *Report) view() view {
	v := view{verbose: r.Verbose}
	for _, row := range r.doneRows() {
		if row.Status == OK {
			v.good = append(v.good, row)
		} else {
			v.bad = append(v.bad, row)
		}
	}
	slices.SortStableFunc(v.bad, func(a, b Row) int { return cmp.Compare(badness(a.Status), badness(b.Status)) })
	return v
}

func badness(s Status) int { return slices.Index([]Status{Failed, Differs, Skipped}, s) }

// most is the bound, or what there is.
func (v *view) most(bound, n int) int {
	if v.verbose {
		return n
	}
	return min(bound, n)
}

// table tells which rows the table has, and in a line each what it leaves out.
func (v *view) table() (rows []Row, left []string) {
	bad, good := v.most(maxBadRows, len(v.bad)), v.most(maxRows, len(v.good))
	rows = slices.Concat(v.bad[:bad], v.good[:good])
	if n := len(v.bad) - bad; n > 0 {
		left = append(left, fmt.Sprintf("... and %d more that are not ok", n))
	}
	if n := len(v.good) - good; n > 0 {
		left = append(left, fmt.Sprintf("... and %d more ok%s", n, verdicts(v.good[good:])))
	}
	return rows, left
}

// verdicts counts the verdicts on goldens.
func verdicts(rows []Row) string {
	var c counter
	for i := range rows {
		if g := rows[i].Golden; g != nil {
			c.add(string(g.Verdict), 1, "")
		}
	}
	if len(c.keys) == 0 {
		return ""
	}
	var list []string
	for _, k := range c.keys {
		list = append(list, fmt.Sprintf("%d %s", c.at[k].n, k))
	}
	return ", goldens: " + strings.Join(list, ", ")
}

// A counter counts by kind, in the order in which kinds appear.
type counter struct {
	keys []string
	at   map[string]*count
}

type count struct {
	n, images int
	first     string // what it was first
}

func (c *counter) add(key string, n int, first string) {
	if c.at == nil {
		c.at = map[string]*count{}
	}
	if c.at[key] == nil {
		c.keys = append(c.keys, key)
		c.at[key] = &count{first: first}
	}
	c.at[key].n += n
	c.at[key].images++
}

// noted are the good images that have notes of their own, unless they are many: then the notes are counted by kind.
func (v *view) noted() (rows []Row, counts []string) {
	var c counter
	for i := range v.good {
		row := &v.good[i]
		if len(row.notes(v.verbose)) == 0 {
			continue
		}
		rows = append(rows, *row)
		for _, w := range row.Warnings {
			c.add("warning "+w.Rule, w.Count, row.Name+": "+w.Examples[0])
		}
		for _, k := range row.Verify {
			if !k.Accepted {
				c.add("kernel "+k.Kernel+" refuses it", 1, row.Name+": "+k.Problem)
			}
		}
		if g := row.Golden; g != nil && g.Summary != "" {
			c.add("golden "+string(g.Verdict), 1, row.Name+": "+g.Summary)
		}
	}
	if v.most(maxNoted, len(rows)) == len(rows) {
		return rows, nil
	}
	for _, k := range c.keys {
		n := c.at[k]
		counts = append(counts, fmt.Sprintf("%s: %d in %d images, first %s", k, n.n, n.images, n.first))
	}
	return nil, counts
}

// names lists the images that are not good, by status.
func (v *view) names() []string {
	var lines []string
	for _, s := range []Status{Failed, Differs, Skipped} {
		var names []string
		for i := range v.bad {
			if v.bad[i].Status == s {
				names = append(names, v.bad[i].Name)
			}
		}
		if len(names) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", s, strings.Join(bounded(names, v.most(maxNames, len(names))), ", ")))
		}
	}
	return lines
}

// kernels are the generations that any row was verified for, in the order in which they first appear, each with the releases that
// it stood for.
func (r *Report) kernels() []string {
	var list []string
	releases := map[string][]string{}
	for i := range r.rows {
		for _, v := range r.rows[i].Verify {
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
