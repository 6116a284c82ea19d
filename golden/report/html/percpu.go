package html

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/btfbatch/btfbatch/golden/measure"
)

// The map of a section is drawn to scale, in rows of a fixed number of bytes, like a page of memory. A variable that is wide enough for its
// name is a box of its own. The many small ones between are drawn at their places too, but share one mark, whose title lists their names;
// so the size of the picture depends on the rows, not on the variables. What differs from the golden, and what was left out, is always a
// mark of its own.

const (
	mapWidth  = 1024.0 // of a row
	mapGutter = 62.0   // for offsets
	mapRow    = 15.0
	mapGap    = 6.0
	mapRows   = 64      // at most
	minRow    = 256     // bytes in a row, at least
	line      = 64      // bytes of a cache line
	namedFrom = 30.0    // width from which a variable is a box of its own
	maxMarks  = 1500    // that differ from the golden, or are left out
	maxListed = 16      // names in the title of small variables
	minTick   = 7.0     // width of a cache line that is drawn
	minSize   = 1.6     // width of a mark that differs
	textAt    = 11.2    // base line of text in a row
	page      = 4096    // bytes
	maxMapped = 1 << 31 // bytes of a section that is drawn
)

// A sectionMap is the picture of a section, and what the page says around it.
type sectionMap struct {
	Picture template.HTML
	Row     string // what a row is
	Lines   bool   // cache lines are drawn
	States  []string
}

// classOf maps states to the classes of the style sheet.
var classOf = map[measure.State]string{measure.Same: "same", measure.Added: "added", measure.Moved: "moved", measure.Changed: "changed",
	measure.LeftOut: "left", measure.Removed: "ghost"}

// A drawing is a map in the making.
type drawing struct {
	picture
	per   uint64 // bytes in a row
	scale float64
	size  uint64
	marks int
	small []box // of the current row, which have one state
	state measure.State
	names []string
	count int
}

// drawSection draws a section.
func drawSection(s *measure.Section) *sectionMap {
	d := &drawing{per: minRow, size: max(s.Size, s.Old)}
	for i := range s.Variables {
		if v := &s.Variables[i]; v.State == measure.Removed {
			d.size = max(d.size, v.Offset+v.Size)
		}
	}
	if d.size == 0 || d.size > maxMapped {
		return nil
	}
	for d.size > d.per*mapRows {
		d.per *= 2
	}
	d.scale = mapWidth / float64(d.per)
	rows := int((d.size + d.per - 1) / d.per)
	d.height = float64(rows)*(mapRow+mapGap) + mapGap
	for i := range rows {
		from := uint64(i) * d.per
		d.label(mapGutter-6, d.y(from)+textAt, "dim", "end", hex(from))
		if from < s.Size {
			d.rect(mapGutter, d.y(from), float64(min(d.per, s.Size-from))*d.scale, mapRow, "row", "")
		}
	}
	d.layer(s, func(v *measure.Variable) bool { return v.State == measure.LeftOut })
	d.layer(s, func(v *measure.Variable) bool { return v.State != measure.LeftOut && v.State != measure.Removed })
	d.layer(s, func(v *measure.Variable) bool { return v.State == measure.Removed })
	m := &sectionMap{Row: size(int(d.per)), Lines: line*d.scale >= minTick, States: states(s)}
	d.ticks(m.Lines, rows)
	m.Picture = d.finish(mapGutter+mapWidth+2, mapTitle(s), "")
	return m
}

// mapTitle says in a sentence what there is to see.
func mapTitle(s *measure.Section) string {
	text := fmt.Sprintf("Map of section %s: %s, %s, %s of %s in all", name(s.Name), count(int(s.Size), "byte", "bytes"), count(s.Count, "variable", "variables"),
		count(s.Holes, "hole", "holes"), size(int(s.HoleBytes)))
	if list := states(s); len(list) > 0 {
		text += "; " + strings.Join(list, ", ")
	}
	return text
}

// states counts the variables that are not as in the golden.
func states(s *measure.Section) (list []string) {
	for _, state := range []measure.State{measure.Added, measure.Removed, measure.Changed, measure.Moved, measure.LeftOut} {
		n := 0
		for i := range s.Variables {
			if s.Variables[i].State == state {
				n++
			}
		}
		if n > 0 {
			list = append(list, thousands(n)+" "+string(state))
		}
	}
	return list
}

func (d *drawing) y(off uint64) float64 { return float64(off/d.per)*(mapRow+mapGap) + mapGap/2 }

func (d *drawing) x(off uint64) float64 { return mapGutter + float64(off%d.per)*d.scale }

// layer draws some of the variables.
func (d *drawing) layer(s *measure.Section, which func(*measure.Variable) bool) {
	row := uint64(0)
	for i := range s.Variables {
		v := &s.Variables[i]
		if !which(v) || v.Offset >= d.size {
			continue
		}
		if at := v.Offset / d.per; at != row {
			d.flush()
			row = at
		}
		d.variable(v)
	}
	d.flush()
}

// variable draws one variable, in as many rows as it covers.
func (d *drawing) variable(v *measure.Variable) {
	end := min(v.Offset+max(v.Size, 1), d.size)
	width := float64(end-v.Offset) * d.scale
	if (v.State == measure.Same || v.State == measure.Moved) && width < namedFrom && v.Offset/d.per == (end-1)/d.per {
		if v.State != d.state {
			d.flush()
			d.state = v.State
		}
		d.small = append(d.small, box{d.x(v.Offset), d.y(v.Offset), width, mapRow})
		if d.count++; len(d.names) < maxListed {
			d.names = append(d.names, name(v.Name))
		}
		return
	}
	if d.marks++; v.State != measure.Same && d.marks > maxMarks {
		return
	}
	d.flush()
	title, labelled := variableTitle(v), false
	class := classOf[v.State]
	if v.Offset/d.per == (end-1)/d.per { // a block of several rows has no lines between them
		class += " edge"
	}
	for at := v.Offset; at < end; {
		stop := min(end, (at/d.per+1)*d.per)
		x, y, w := d.x(at), d.y(at), float64(stop-at)*d.scale
		if v.State == measure.Removed { // below the row, where it hides nothing
			d.rect(x, y+mapRow+1, max(w, 4), mapGap-2, "ghost", title)
		} else {
			if left, right := x, d.x(at)+min(w, float64(end-min(end, stop))*d.scale-(x-mapGutter)); stop < end && right > left {
				d.rect(left, y+mapRow-0.5, right-left, mapGap+1, classOf[v.State], "") // joins it with the next row
			}
			if v.State != measure.Same {
				w = max(w, minSize)
			}
			d.rect(x, y, w, mapRow, class, title)
			if at == v.Offset {
				d.sign(v, x, y, w)
			}
			if label := fit(name(v.Name), w-signWidth(v)); label != "" && !labelled {
				d.label(x+3+signWidth(v), y+textAt, "", "", label)
				labelled = true
			}
		}
		at = stop
	}
}

func signWidth(v *measure.Variable) float64 {
	if v.State == measure.Added || v.State == measure.Changed {
		return 7
	}
	return 0
}

// sign marks what is added or changed by more than colour.
func (d *drawing) sign(v *measure.Variable, x, y, w float64) {
	switch {
	case w < 6:
	case v.State == measure.Added:
		d.path(fmt.Sprintf("M%s %sh5m-2.5-2.5v5", num(x+1), num(y+mapRow/2)), "mk")
	case v.State == measure.Changed:
		d.path(fmt.Sprintf("M%s %sq1.5-3 2.5 0t2.5 0", num(x+1), num(y+mapRow/2)), "mk")
	}
}

// flush draws the small variables since the last other mark.
func (d *drawing) flush() {
	if len(d.small) == 0 {
		return
	}
	title := strings.Join(d.names, ", ")
	if n := d.count - len(d.names); n > 0 {
		title += fmt.Sprintf(" and %s", count(n, "other", "others"))
	}
	if d.count > 1 {
		title = fmt.Sprintf("%d variables: %s", d.count, title)
	}
	if d.state == measure.Moved {
		title += " · moved"
	}
	d.rects(d.small, classOf[d.state]+" edge", title)
	first, last := d.small[0], d.small[len(d.small)-1]
	if label := fmt.Sprintf("%d variables", d.count); d.count > 2 && last.x+last.w-first.x > float64(len(label))*letter+8 {
		d.label(first.x+3, first.y+textAt, "", "", label)
	}
	d.small, d.names, d.count = d.small[:0], d.names[:0], 0
}

// ticks draws the cache lines, or the pages if these are too narrow to see.
func (d *drawing) ticks(lines bool, rows int) {
	step := uint64(line)
	if !lines {
		step = page
	}
	if step >= d.per {
		return
	}
	var path strings.Builder
	for off := step; off < d.per; off += step {
		fmt.Fprintf(&path, "M%s 0v%s", num(d.x(off)), num(float64(rows)*(mapRow+mapGap)))
	}
	d.path(path.String(), "tick")
}

// variableTitle is what a browser shows for a variable.
func variableTitle(v *measure.Variable) string {
	t := fmt.Sprintf("%s · %s at %s", name(v.Name), count(int(v.Size), "byte", "bytes"), hex(v.Offset))
	if s := stateText(v); s != "" {
		t += " · " + s
	}
	return t
}

// stateText says how a variable compares with the golden, or why it is left out.
func stateText(v *measure.Variable) string {
	switch v.State {
	case measure.Added:
		return "added"
	case measure.Removed:
		return "removed: only the golden has it"
	case measure.Moved:
		return "moved " + delta(v.Distance()) + ", from " + hex(v.Old)
	case measure.Changed:
		if v.Distance() != 0 {
			return "changed, and moved " + delta(v.Distance())
		}
		return "changed"
	case measure.LeftOut:
		return "left out by rule " + name(v.Rule) + ": " + name(v.Reason)
	}
	return ""
}
