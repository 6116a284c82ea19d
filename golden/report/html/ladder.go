package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// A struct is drawn as a ladder: rows of 64 bytes, which is a cache line of most machines, with each member at its bits. Two ladders side
// by side show a struct before and after. Members that moved by the same distance have one colour. Rows in which nothing else happened are
// folded, so a picture of task_struct shows the few places that matter.

const (
	rungBytes  = 64
	rungWidth  = 512.0 // a unit for a bit
	rungGutter = 44.0
	rungHeight = 18.0
	rungGap    = 3.0
	maxRungs   = 36 // on each side
	rungBase   = 12.6
	maxRuns    = 4 // colours of distances
)

// A ladder is the picture of a struct before and after.
type ladder struct {
	Old, New template.HTML
	Runs     []ladderRun
	Cut      bool // not everything is drawn
}

// A ladderRun is the meaning of a colour.
type ladderRun struct{ Class, Text string }

// A span is what is drawn at some bits: a member, or several that overlap because a union has them.
type span struct {
	from, to uint64 // bits
	label    string
	class    string
	title    string
	quiet    bool // nothing happened that the picture is about
	members  int
}

// drawLadder draws a layout. sizes are those of the struct.
func drawLadder(l *cause.Layout, what string, sizes *cause.Size) *ladder {
	runs := distances(l)
	out := &ladder{Cut: l.Cut}
	for i, d := range runs.order {
		if i == maxRuns {
			break
		}
		out.Runs = append(out.Runs, ladderRun{fmt.Sprintf("k-r%d", i), fmt.Sprintf("%s moved by %s", count(runs.count[d], "member", "members"), bitDistance(d))})
	}
	var before, after uint64
	if sizes != nil {
		before, after = sizes.Old, sizes.New
	}
	var cut [2]bool
	out.Old, cut[0] = drawSide(l.Old, l.New, before, runs, cause.Removed, what+" in the golden, "+count(int(before), "byte", "bytes"))
	out.New, cut[1] = drawSide(l.New, l.Old, after, runs, cause.Added, what+" in the image, "+count(int(after), "byte", "bytes"))
	out.Cut = out.Cut || cut[0] || cut[1]
	return out
}

// A runList has the distances by which members moved, the most frequent first.
type runList struct {
	order []int64
	count map[int64]int
}

func distances(l *cause.Layout) (r runList) {
	r.count = map[int64]int{}
	for _, p := range l.New {
		if p.Mate >= 0 && !p.Changed {
			if d := int64(p.Bit - l.Old[p.Mate].Bit); d != 0 {
				if r.count[d]++; r.count[d] == 1 {
					r.order = append(r.order, d)
				}
			}
		}
	}
	slices.SortStableFunc(r.order, func(a, b int64) int { return cmp.Compare(r.count[b], r.count[a]) })
	return r
}

func (r *runList) class(d int64) string {
	return fmt.Sprintf("r%d", min(slices.Index(r.order, d), maxRuns-1))
}

func bitDistance(d int64) string {
	if d%8 != 0 {
		return delta(d) + " bits"
	}
	if d == 8 || d == -8 {
		return delta(d/8) + " byte"
	}
	return delta(d/8) + " bytes"
}

// spans sorts the members of a side and joins those that overlap.
func spans(side, other []cause.Placed, runs runList, alone cause.Op) []span {
	list := make([]span, 0, len(side))
	for i := range side {
		p := &side[i]
		bits := p.Bits
		if bits == 0 {
			bits = p.Bytes * 8
		}
		s := span{from: p.Bit, to: p.Bit + bits, label: name(p.Path), class: "same", quiet: true, members: 1}
		s.title = fmt.Sprintf("%s %s · %s", name(p.Type), s.label, place(p))
		switch {
		case p.Mate < 0 && alone == cause.Added:
			s.class, s.quiet, s.label, s.title = "added", false, "+ "+s.label, s.title+" · added"
		case p.Mate < 0:
			s.class, s.quiet, s.label, s.title = "gone", false, "− "+s.label, s.title+" · removed"
		case p.Changed:
			s.class, s.quiet, s.label, s.title = "changed", false, "~ "+s.label, s.title+" · changed: "+name(other[p.Mate].Type)+" on the other side"
		case p.Bit != other[p.Mate].Bit:
			d := int64(p.Bit - other[p.Mate].Bit)
			if alone == cause.Removed {
				d = -d
			}
			s.class, s.title = runs.class(d), s.title+" · moved by "+bitDistance(d)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out []span
	for _, s := range list {
		if s.to == s.from { // a flexible array, or an empty struct
			continue
		}
		if n := len(out) - 1; n >= 0 && s.from < out[n].to {
			u := &out[n]
			u.to, u.members = max(u.to, s.to), u.members+1
			if u.members <= 4 {
				u.label += " | " + s.label
			}
			if u.members <= 12 {
				u.title += "\n" + s.title
			}
			if u.quiet && (!s.quiet || u.class == "same") {
				u.class, u.quiet = s.class, s.quiet
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

func place(p *cause.Placed) string {
	if p.Bits > 0 {
		return fmt.Sprintf("%s at bit %s", count(int(p.Bits), "bit", "bits"), thousands(int(p.Bit)))
	}
	return fmt.Sprintf("%s at byte %s", count(int(p.Bytes), "byte", "bytes"), thousands(int(p.Bit/8)))
}

// A rung is a row of a ladder, or several that are folded.
type rung struct {
	row    uint64
	folded uint64 // rows; 0 if the row is drawn
}

// rungs says which rows are drawn: those in which something begins that is not quiet, or in which the distance changes, and the rows around
// them.
func rungs(list []span, size uint64) []rung {
	rows := (size + rungBytes - 1) / rungBytes
	show := map[uint64]bool{0: true}
	class := ""
	for i := range list {
		s := &list[i]
		row := s.from / 8 / rungBytes
		if !s.quiet || s.class != class && class != "" {
			show[row] = true
			if row > 0 {
				show[row-1] = true
			}
			show[row+1] = true
		}
		class = s.class
	}
	if rows > 0 {
		show[rows-1] = true
	}
	var out []rung
	for row := range rows {
		n := len(out)
		switch {
		case show[row]:
			out = append(out, rung{row: row})
		case n > 0 && out[n-1].folded > 0:
			out[n-1].folded++
		default:
			out = append(out, rung{row: row, folded: 1})
		}
	}
	for i := range out {
		if out[i].folded == 1 { // as high as what it hides
			out[i].folded = 0
		}
	}
	return out
}

// drawSide draws one side. cut says that rows are left out at the end.
func drawSide(side, other []cause.Placed, size uint64, runs runList, alone cause.Op, title string) (_ template.HTML, cut bool) {
	const largest = 1 << 24
	var p picture
	if size == 0 || size > largest {
		p.height = rungHeight
		p.label(rungGutter, rungBase, "dim", "", "not drawn")
		return p.finish(rungGutter+rungWidth+2, title, ""), true
	}
	list := spans(side, other, runs, alone)
	rows := rungs(list, size)
	if len(rows) > maxRungs {
		rows, cut = rows[:maxRungs], true
	}
	y := rungGap
	next := 0 // first span that may reach into the row
	for _, r := range rows {
		from, to := r.row*rungBytes*8, min((r.row+max(1, r.folded))*rungBytes, size)*8
		p.label(rungGutter-5, y+rungBase, "dim", "end", thousands(int(r.row*rungBytes)))
		for next < len(list) && list[next].to <= from {
			next++
		}
		if r.folded > 0 {
			p.fold(list[next:], from, to, r.folded, y)
		} else {
			p.rect(rungGutter, y, float64(to-from), rungHeight, "row", "")
			p.rung(list[next:], from, to, y)
		}
		y += rungHeight + rungGap
	}
	p.height = y
	return p.finish(rungGutter+rungWidth+2, title, ""), cut
}

// fold writes what a folded part of a ladder has.
func (p *picture) fold(list []span, from, to, rows uint64, y float64) {
	n, class, mixed := 0, "", false
	for i := range list {
		s := &list[i]
		if s.from >= to {
			break
		}
		if s.from >= from {
			n += s.members
		}
		mixed = mixed || class != "" && class != s.class
		class = s.class
	}
	if class == "" || mixed {
		class = "same"
	}
	p.rect(rungGutter, y+3, rungWidth, rungHeight-6, class, fmt.Sprintf("%s from byte %s on: nothing else changed", count(n, "member", "members"), thousands(int(from/8))))
	p.label(rungGutter+rungWidth/2, y+rungBase, "", "middle", fmt.Sprintf("⋯ %s: %s ⋯", count(int(rows), "row", "rows"), count(n, "member", "members")))
}

// rung draws the members in a row.
func (p *picture) rung(list []span, from, to uint64, y float64) {
	for i := range list {
		s := &list[i]
		if s.from >= to {
			break
		}
		a, b := max(s.from, from), min(s.to, to)
		if a >= b {
			continue
		}
		x, w := rungGutter+float64(a-from), float64(b-a)
		p.rect(x, y, w, rungHeight, s.class+" edge", s.title)
		if a == s.from || a == from {
			if label := fit(strings.ReplaceAll(s.label, "\n", " "), w); label != "" {
				p.label(x+3, y+rungBase, "", "", label)
			}
		}
	}
}
