package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/show"
)

// This file decides what the forms for people show of a batch. The problem: of 1,500 images, hundreds can fail for one reason, and hundreds
// can have the same difference. A reader wants each reason once, with the images that have it. Therefore failures are grouped by kind and
// error, differences by cause, and good images are only counted. All texts are escaped for a terminal.

// A view is a report as people read it: what is not good comes first.
type view struct {
	bad, good []Row
	failures  []group // of images that failed or were skipped, the most frequent first
	causes    []group // of differences, the most frequent first
	uncounted int     // causes that are in no group, because the details of their images are cut
}

// A group is something that several images have in common.
type group struct {
	kind   Failure  // empty for causes
	text   string   // of the first image
	same   bool     // it is the text of all images; otherwise theirs differ in numbers or names
	images []string // in the order of the report
}

func (r *Report) view() *view {
	v := new(view)
	for _, row := range r.doneRows() {
		if row.Status == OK {
			v.good = append(v.good, row)
		} else {
			v.bad = append(v.bad, row)
		}
	}
	slices.SortStableFunc(v.bad, func(a, b Row) int { return cmp.Compare(badness(a.Status), badness(b.Status)) })
	v.failures, v.causes = v.groupFailures(), v.groupCauses()
	return v
}

func badness(s Status) int { return slices.Index([]Status{Failed, Differs, Skipped}, s) }

// A grouper collects groups by key, in the order in which keys appear.
type grouper struct {
	groups []*group
	at     map[string]*group
}

func (g *grouper) add(key string, kind Failure, text, image string) {
	if g.at == nil {
		g.at = map[string]*group{}
	}
	have := g.at[key]
	if have == nil {
		have = &group{kind: kind, text: text, same: true}
		g.at[key] = have
		g.groups = append(g.groups, have)
	}
	have.same = have.same && have.text == text
	if n := len(have.images); n == 0 || have.images[n-1] != image { // a cause may be listed twice
		have.images = append(have.images, image)
	}
}

// list returns the groups, those with most images first.
func (g *grouper) list() []group {
	slices.SortStableFunc(g.groups, func(a, b *group) int { return cmp.Compare(len(b.images), len(a.images)) })
	list := make([]group, len(g.groups))
	for i := range g.groups {
		list[i] = *g.groups[i]
	}
	return list
}

// groupFailures groups images that failed or were skipped by kind and error.
func (v *view) groupFailures() []group {
	var g grouper
	for i := range v.bad {
		row := &v.bad[i]
		if row.Status == Differs {
			continue
		}
		text := cmp.Or(row.Error, row.SkipReason)
		g.add(string(row.Failure)+"\x00"+pattern(row, text), row.Failure, text, row.Name)
	}
	return g.list()
}

// pattern is the text of an error without what differs from image to image: its name, its path, and numbers.
func pattern(row *Row, text string) string {
	const most = 1000 // bytes that count
	text = text[:min(len(text), most)]
	for _, own := range []string{row.Path, row.Name} {
		if own != "" {
			text = strings.ReplaceAll(text, own, "\x01")
		}
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c < '0' || c > '9' {
			b = append(b, c)
			continue
		}
		for i+1 < len(text) && strings.IndexByte("0123456789abcdefx", text[i+1]) >= 0 {
			i++
		}
		b = append(b, '#')
	}
	return string(b)
}

// groupCauses groups images that differ by the causes of their differences. An image whose comparison has no causes is grouped by its
// summary.
func (v *view) groupCauses() []group {
	var g grouper
	for i := range v.bad {
		row := &v.bad[i]
		c := row.Golden
		if row.Status != Differs {
			continue
		}
		if c.Detail == nil || len(c.Detail.Causes) == 0 {
			text := "golden " + string(c.Verdict)
			if c.Summary != "" {
				text += ": " + c.Summary
			}
			g.add(string(c.Verdict)+"\x00"+pattern(row, c.Summary), row.Failure, text, row.Name)
			continue
		}
		for j := range c.Detail.Causes {
			x := &c.Detail.Causes[j]
			if x.Accepted == "" {
				g.add(x.Key, row.Failure, show.Line(x), row.Name)
			}
		}
		if o := c.Detail.Omitted; o != nil {
			v.uncounted += o.Causes
		}
	}
	return g.list()
}

// goodVerdicts counts the verdicts on goldens of good images.
func (v *view) goodVerdicts() string {
	var c counter
	for i := range v.good {
		if g := v.good[i].Golden; g != nil {
			word := string(g.Verdict)
			if what, _, _ := strings.Cut(g.Summary, ","); what == "created" || what == "rewritten" { // by --update
				word = what
			}
			c.add(word, 1, "")
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

// warnings counts warnings by rule in all images, and refusals that fail no image: "warning duplicate-struct: 10458 in 1494 images, first
// NAME: ...".
func (v *view) warnings() (lines []string) {
	var c counter
	for _, rows := range [][]Row{v.bad, v.good} {
		for i := range rows {
			row := &rows[i]
			for _, w := range row.Warnings {
				c.add("warning "+w.Rule, w.Count, row.Name+": "+w.Examples[0])
			}
			for _, k := range row.Verify {
				if !k.Accepted && !k.Required {
					c.add("kernel "+k.Kernel+" would refuse it", 1, row.Name+": "+k.Problem)
				}
			}
		}
	}
	slices.SortStableFunc(c.keys, func(a, b string) int { return cmp.Compare(c.at[b].images, c.at[a].images) })
	for _, k := range c.keys {
		n := c.at[k]
		lines = append(lines, fmt.Sprintf("%s: %d in %s, first %s", k, n.n, images(n.images), n.first))
	}
	return lines
}

// left counts what was left out on purpose, by reason, in all images.
func (v *view) left() string {
	var c counter
	for _, rows := range [][]Row{v.bad, v.good} {
		for i := range rows {
			for _, d := range rows[i].Dropped {
				c.add(d.What+": "+d.Reason, d.Count, "")
			}
		}
	}
	slices.SortStableFunc(c.keys, func(a, b string) int { return cmp.Compare(c.at[b].n, c.at[a].n) })
	var list []string
	for _, k := range c.keys {
		list = append(list, fmt.Sprintf("%d %s", c.at[k].n, k))
	}
	return strings.Join(list, ", ")
}

// names lists the images that are not good, by status, with at most so many names of each.
func (v *view) names(most int) []string {
	var lines []string
	for _, s := range []Status{Failed, Differs, Skipped} {
		var names []string
		for i := range v.bad {
			if v.bad[i].Status == s {
				names = append(names, v.bad[i].Name)
			}
		}
		if len(names) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", s, some(names, most)))
		}
	}
	return lines
}

// some returns the first names of a list, and how many more there are.
func some(names []string, most int) string { return strings.Join(bounded(names, most), ", ") }

// images is a number of images in words.
func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// kernels are the generations that any row was verified for, in the order in which they first appear, each with the releases that
// it stood for.
func (r *Report) kernels() []string {
	var list []string
	releases := map[string][]string{}
	seen := map[[2]string]bool{}
	for i := range r.rows {
		for _, v := range r.rows[i].Verify {
			if !seen[[2]string{v.Kernel}] {
				seen[[2]string{v.Kernel}] = true
				list = append(list, v.Kernel)
			}
			for _, name := range v.For {
				if key := [2]string{v.Kernel, name}; name != "" && !seen[key] {
					seen[key] = true
					releases[v.Kernel] = append(releases[v.Kernel], escape.Line(name))
				}
			}
		}
	}
	for i, k := range list {
		list[i] = escape.Line(k)
		if names := releases[k]; len(names) > 0 {
			list[i] += fmt.Sprintf(" (for %s)", some(names, maxReleases))
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
