package golden

import (
	"bytes"
	"fmt"
)

// A unified diff of two raw dumps has a difficulty: one type more shifts the ids of all after it, and nearly every line
// of 250,000 differs. An exact diff then takes quadratic time to find out what nobody wants to read. So this one is
// anchored: lines that occur once on either side, in a longest common order, are taken as equal; equal lines around
// them join in; all between is replaced. That takes O(n log n) time whatever the texts, and is exact where few lines
// differ. What is printed is bounded, and what is left out is counted.

// A run says that n lines from line old of one text equal n lines from line new of the other.
type run struct{ old, new, n int }

// appendUnified appends a unified diff of two texts with some lines of context, at most about maxLines lines long.
func appendUnified(dst, old, new []byte, oldName, newName string, context, maxLines int) []byte {
	dst = fmt.Appendf(dst, "--- %s\n+++ %s\n", oldName, newName)
	d := differ{old: splitLines(old), new: splitLines(new), dst: dst, left: maxLines}
	hunks := hunksOf(d.runs(), context)
	for i, h := range hunks {
		if d.left <= 0 {
			lines := 0
			for _, h := range hunks[i:] {
				lines += h.changed()
			}
			d.dst = fmt.Appendf(d.dst, "… left out: %d more hunks with %d changed lines\n", len(hunks)-i, lines)
			break
		}
		d.print(h)
	}
	return d.dst
}

// splitLines cuts a text into lines without their ends.
func splitLines(text []byte) [][]byte {
	list := make([][]byte, 0, bytes.Count(text, []byte("\n"))+1)
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !ended {
			line = append(bytes.Clone(line), "\n\\ no newline at the end"...)
		}
		list, text = append(list, line), rest
	}
	return list
}

// A differ compares two texts and prints how they differ.
type differ struct {
	old, new [][]byte
	dst      []byte
	left     int // lines that may still be printed
}

// runs finds the equal parts, in order; the last, which may be empty, ends both texts.
func (d *differ) runs() []run {
	var list []run
	at := run{} // everything before is in the list or differs
	add := func(m run) {
		// An anchor brings the equal lines around it; a later anchor may lie in what an earlier one brought.
		if m.old < at.old || m.new < at.new {
			return
		}
		for m.old > at.old && m.new > at.new && d.equal(m.old-1, m.new-1) {
			m.old, m.new, m.n = m.old-1, m.new-1, m.n+1
		}
		for m.old+m.n < len(d.old) && m.new+m.n < len(d.new) && d.equal(m.old+m.n, m.new+m.n) {
			m.n++
		}
		if m.n > 0 || m.old == len(d.old) && m.new == len(d.new) {
			list = append(list, m)
			at = run{m.old + m.n, m.new + m.n, 0}
		}
	}
	add(run{})
	for _, m := range d.anchors(at.old, at.new) {
		add(m)
	}
	if end := (run{len(d.old), len(d.new), 0}); at != end || len(list) == 0 {
		add(end)
	}
	return list
}

func (d *differ) equal(old, new int) bool { return bytes.Equal(d.old[old], d.new[new]) }

// anchors pairs lines that occur once on either side, from the given lines on, in a longest common order.
func (d *differ) anchors(fromOld, fromNew int) []run {
	type count struct{ old, new, at int32 }
	counts := make(map[string]*count, len(d.old)-fromOld)
	slab := make([]count, 0, len(d.old)-fromOld)
	for i, text := range d.old[fromOld:] {
		if c := counts[string(text)]; c != nil {
			c.old++
			continue
		}
		slab = append(slab, count{old: 1, at: int32(fromOld + i)})
		counts[string(text)] = &slab[len(slab)-1]
	}
	for _, text := range d.new[fromNew:] {
		if c := counts[string(text)]; c != nil {
			c.new++
		}
	}
	var pairs []run
	var olds []int
	for i, text := range d.new[fromNew:] {
		if c := counts[string(text)]; c != nil && c.old == 1 && c.new == 1 {
			pairs = append(pairs, run{int(c.at), fromNew + i, 1})
			olds = append(olds, int(c.at))
		}
	}
	list := pairs[:0]
	for i, keep := range increasing(olds) {
		if keep {
			list = append(list, pairs[i])
		}
	}
	return list
}

// A hunk is a part to print: runs of equal lines with differences between them. The first and last are cut to context.
type hunk []run

// changed is the number of lines of both texts that differ in the hunk.
func (h hunk) changed() int {
	n := 0
	for i, m := range h[1:] {
		n += m.old - h[i].old - h[i].n + m.new - h[i].new - h[i].n
	}
	return n
}

// hunksOf gathers differences that are closer than twice the context.
func hunksOf(runs []run, context int) []hunk {
	if runs[0].old+runs[0].new > 0 {
		runs = append([]run{{}}, runs...) // the texts differ from the first line on
	}
	// open starts a hunk after the equal lines m.
	open := func(m run) hunk {
		n := min(m.n, context)
		return hunk{{m.old + m.n - n, m.new + m.n - n, n}}
	}
	var list []hunk
	h := open(runs[0])
	for i, m := range runs[1:] {
		if end := i+2 == len(runs); !end && m.n <= 2*context {
			h = append(h, m)
			continue
		}
		list = append(list, append(h, run{m.old, m.new, min(m.n, context)}))
		h = open(m)
	}
	return list
}

// print writes a hunk; of a difference that is longer than what may still be printed, the start of either side.
func (d *differ) print(h hunk) {
	first, last := h[0], h[len(h)-1]
	oldLen, newLen := last.old+last.n-first.old, last.new+last.n-first.new
	d.dst = fmt.Appendf(d.dst, "@@ -%s +%s @@\n", span(first.old, oldLen), span(first.new, newLen))
	d.lines(' ', d.old[first.old:first.old+first.n], first.n)
	for i, m := range h[1:] {
		before := h[i]
		gone, come := d.old[before.old+before.n:m.old], d.new[before.new+before.n:m.new]
		room := max(d.left, 2)
		d.lines('-', gone, max(room/2, room-len(come)))
		d.lines('+', come, max(room/2, room-len(gone)))
		d.lines(' ', d.old[m.old:m.old+m.n], m.n)
		if rest := h[i+1:]; d.left <= 0 && len(rest) > 1 {
			d.dst = fmt.Appendf(d.dst, "… left out: %d more changed lines of this hunk\n", rest.changed())
			return
		}
	}
}

// lines prints at most so many lines with a mark before each, and says how many more there are.
func (d *differ) lines(mark byte, list [][]byte, most int) {
	n := min(len(list), most)
	for _, text := range list[:n] {
		d.dst = append(append(append(d.dst, mark), text...), '\n')
	}
	d.left -= n
	if n < len(list) {
		d.dst = fmt.Appendf(d.dst, "… left out: %d more lines with %c\n", len(list)-n, mark)
	}
}

// span is a range of lines as a hunk's head has it.
func span(start, n int) string {
	if n == 0 {
		return fmt.Sprintf("%d,0", start)
	}
	if n == 1 {
		return fmt.Sprint(start + 1)
	}
	return fmt.Sprintf("%d,%d", start+1, n)
}
