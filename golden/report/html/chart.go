package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// The colours of parts and phases are classes p0 to p7 of the style sheet.
const colours = 8

// A slice is a part of a whole.
type slice struct {
	Class string // of its colour in a list
	Name  string
	Text  string // its size
	Share string
	n     int
}

// sizeBar draws the parts of a BTF as one bar, and lists them.
func sizeBar(s *measure.Sizes) (template.HTML, []slice) {
	parts := []slice{{Name: "types", n: s.Types}, {Name: "functions", n: s.Functions}, {Name: "variables", n: s.Variables}, {Name: "names (strings)", n: s.Strings},
		{Name: "header", n: s.Other}}
	whole := 0
	for _, p := range parts {
		whole += max(p.n, 0)
	}
	if whole == 0 {
		return "", nil
	}
	p := picture{height: 24}
	x, shown := 0.0, []string(nil)
	var list []slice
	for i, part := range parts {
		if part.n <= 0 {
			continue
		}
		w := 1000 * float64(part.n) / float64(whole)
		part.Class, part.Text, part.Share = fmt.Sprintf("k-p%d", i), size(part.n), percent(part.n, whole)
		p.rect(x, 0, w, 24, fmt.Sprintf("p%d edge", i), fmt.Sprintf("%s: %s, %s", part.Name, part.Text, part.Share))
		x += w
		shown = append(shown, part.Name+" "+part.Share)
		list = append(list, part)
	}
	return p.finish(1000, "Size of the BTF by part: "+strings.Join(shown, ", "), " bar1"), list
}

// totalsBar draws how many images have which status.
func totalsBar(t report.Totals) template.HTML {
	p := picture{height: 14}
	x := 0.0
	var words []string
	for _, s := range []struct {
		n     int
		class string
		word  string
	}{{t.Failed, "ffailed", "failed"}, {t.Differs, "fdiffers", "with a golden difference"}, {t.Skipped + t.Interrupted, "fskipped", "skipped or not done"}, {t.OK, "fok", "ok"}} {
		if s.n == 0 {
			continue
		}
		w := 1000 * float64(s.n) / float64(t.Images)
		p.rect(x, 0, w, 14, s.class+" edge", fmt.Sprintf("%d %s", s.n, s.word))
		x += w
		words = append(words, fmt.Sprintf("%d %s", s.n, s.word))
	}
	if words == nil {
		return ""
	}
	return p.finish(1000, "Images: "+strings.Join(words, ", "), " bar1")
}

// Measures of the chart of a run.
const (
	chartName  = 190.0 // for names of images
	chartWidth = 830.0
	chartRow   = 17.0
	chartBars  = 60 // images, at most
	memHeight  = 90.0
)

// A runChart is the picture of a run.
type runChart struct {
	Picture template.HTML
	Phases  []slice
	More    int // images that are not drawn
}

// drawRun draws when each image was in work, and the memory of the process. It returns nil if there are no measurements.
func drawRun(rows []report.Row, total float64) *runChart {
	var timed []*report.Row
	for i := range rows {
		if d := rows[i].Details; d != nil && len(d.Phases) > 0 {
			timed = append(timed, &rows[i])
			total = max(total, d.Start+rows[i].Seconds)
		}
	}
	if len(timed) == 0 || total <= 0 {
		return nil
	}
	slices.SortStableFunc(timed, func(a, b *report.Row) int { return cmp.Compare(b.Seconds, a.Seconds) })
	drawn := slices.Clone(timed[:min(len(timed), chartBars)])
	slices.SortStableFunc(drawn, func(a, b *report.Row) int { return cmp.Compare(a.Details.Start, b.Details.Start) })
	order, sums := phaseTotals(timed)
	c := &runChart{More: len(timed) - len(drawn)}
	sum := 0.0
	for _, n := range order {
		sum += sums[n]
	}
	other := 0.0
	for i, n := range order {
		if i >= colours-1 && len(order) > colours {
			other += sums[n]
			continue
		}
		c.Phases = append(c.Phases, slice{Class: fmt.Sprintf("k-p%d", i), Name: name(n), Text: seconds(sums[n]), Share: percent(int(1e6*sums[n]), int(1e6*sum))})
	}
	if len(order) > colours {
		c.Phases = append(c.Phases, slice{Class: fmt.Sprintf("k-p%d", colours-1), Name: name("others: " + strings.Join(order[colours-1:], ", ")), Text: seconds(other),
			Share: percent(int(1e6*other), int(1e6*sum))})
	}
	var p picture
	scale := chartWidth / total
	for i, row := range drawn {
		y := float64(i)*chartRow + 2
		p.label(chartName-6, y+10.5, "", "end", fit(name(row.Name), chartName-6))
		x := chartName + row.Details.Start*scale
		for _, ph := range row.Details.Phases {
			w := ph.Seconds * scale
			p.rect(x, y, max(w, 0.3), chartRow-4, fmt.Sprintf("p%d", min(slices.Index(order, ph.Name), colours-1)), fmt.Sprintf("%s · %s: %s", name(row.Name), name(ph.Name), seconds(ph.Seconds)))
			x += w
		}
	}
	y := float64(len(drawn))*chartRow + 6
	y = p.axis(y, total, scale)
	peak := p.memory(timed, y, scale)
	p.height = y + memHeight + 24
	title := fmt.Sprintf("Time of the run: %s in %s", count(len(timed), "image", "images"), seconds(total))
	if peak > 0 {
		title += ", with at most " + size(int(peak)) + " of memory"
	} else {
		p.height = y
	}
	c.Picture = p.finish(chartName+chartWidth+16, title, "")
	return c
}

// phaseTotals adds up the phases of all images, the longest first.
func phaseTotals(rows []*report.Row) (order []string, sums map[string]float64) {
	sums = map[string]float64{}
	for _, row := range rows {
		for _, ph := range row.Details.Phases {
			if _, ok := sums[ph.Name]; !ok {
				order = append(order, ph.Name)
			}
			sums[ph.Name] += ph.Seconds
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(sums[b], sums[a]) })
	return order, sums
}

// axis draws the axis of time.
func (p *picture) axis(y, total, scale float64) float64 {
	const steps = 5
	p.path(fmt.Sprintf("M%s %sh%s", num(chartName), num(y), num(chartWidth)), "axis")
	for i := range steps + 1 {
		t := total * float64(i) / steps
		anchor := "middle"
		if i == steps {
			anchor = "end"
		}
		p.label(chartName+t*scale, y+13, "dim", anchor, seconds(t))
	}
	return y + 26
}

// memory draws the largest memory of the process so far, over time.
func (p *picture) memory(rows []*report.Row, y, scale float64) uint64 {
	type point struct {
		at   float64
		peak uint64
	}
	var points []point
	most := uint64(0)
	for _, row := range rows {
		at := row.Details.Start
		for _, ph := range row.Details.Phases {
			at += ph.Seconds
			points = append(points, point{at, ph.PeakRSS})
			most = max(most, ph.PeakRSS)
		}
	}
	if most == 0 {
		return 0
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.peak, b.peak)) })
	var path strings.Builder
	base := y + memHeight
	fmt.Fprintf(&path, "M%s %s", num(chartName), num(base))
	last := uint64(0)
	for _, q := range points {
		if q.peak <= last { // only what raises the peak
			continue
		}
		last = q.peak
		fmt.Fprintf(&path, "L%s %s", num(chartName+q.at*scale), num(base-memHeight*float64(q.peak)/float64(most)))
	}
	fmt.Fprintf(&path, "H%s", num(chartName+chartWidth))
	p.path(fmt.Sprintf("M%s %sh%s", num(chartName), num(base), num(chartWidth)), "axis")
	p.path(path.String(), "line")
	p.label(chartName-6, y+9, "", "end", size(int(most)))
	p.label(chartName-6, y+22, "dim", "end", "peak memory so far")
	p.label(chartName-6, base, "dim", "end", "0")
	return most
}
