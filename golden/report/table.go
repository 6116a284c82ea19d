package report

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/golden/columns"
)

// A column of the table of images. Columns are left out by rank, the highest first, where the line is too narrow for all of them.
type column struct {
	title string
	rank  int
	cell  func(row *Row) string
	sum   func(r *Report, t *Totals) string // in the last line
}

var tableColumns = []column{
	{"IMAGE", 0, func(row *Row) string { return row.Name }, func(_ *Report, t *Totals) string { return images(t.Images) }},
	{"STATUS", 0, func(row *Row) string { return string(row.Status) }, func(r *Report, _ *Totals) string { return string(r.Status()) }},
	{"TYPES", 2, func(row *Row) string { return fmt.Sprint(row.Types) }, func(_ *Report, t *Totals) string { return fmt.Sprint(t.Types) }},
	{"FUNCS", 4, func(row *Row) string { return fmt.Sprint(row.Funcs) }, func(_ *Report, t *Totals) string { return fmt.Sprint(t.Funcs) }},
	{"VARS", 5, func(row *Row) string { return fmt.Sprint(row.Vars) }, func(_ *Report, t *Totals) string { return fmt.Sprint(t.Vars) }},
	{"DROPPED", 6, func(row *Row) string { return fmt.Sprint(row.LeftOut()) }, func(_ *Report, t *Totals) string { return fmt.Sprint(t.Dropped) }},
	{"SIZE", 3, func(row *Row) string { return size(row.Bytes) }, func(_ *Report, t *Totals) string { return size(t.Bytes) }},
	{"KERNELS", 2, (*Row).kernels, func(*Report, *Totals) string { return "" }},
	{"GOLDEN", 1, (*Row).goldenVerdict, func(*Report, *Totals) string { return "" }},
	{"TIME", 3, (*Row).took, func(r *Report, _ *Totals) string { return seconds(r.Seconds) }},
}

// took says how long an image took, or that its BTF was known.
func (row *Row) took() string {
	if row.Cached {
		return "cached"
	}
	return seconds(row.Seconds)
}

// Widths of the table.
const (
	gap       = 2  // between columns
	leastName = 16 // columns of a name that is shortened
	mostName  = 60 // columns of a name, where the width of the line is not bounded
)

// tableLines returns the table: a heading, a line for each image, and their sum. width bounds the lines; 0 stands for no bound.
func (r *Report) tableLines(rows []Row, width int) []string {
	t := r.Totals()
	var lines [][]string // by column: its cells
	for _, c := range tableColumns {
		cells := make([]string, 0, len(rows)+2)
		cells = append(cells, c.title)
		for i := range rows {
			cells = append(cells, c.cell(&rows[i]))
		}
		lines = append(lines, append(cells, c.sum(r, &t)))
	}
	wide := make([]int, len(tableColumns))
	for i, cells := range lines {
		for _, c := range cells {
			wide[i] = max(wide[i], columns.Of(c))
		}
	}
	shown := fitColumns(wide, width)
	out := make([]string, len(rows)+2)
	for at := range out {
		var b strings.Builder
		for i := range tableColumns {
			if !shown[i] {
				continue
			}
			b.WriteString(columns.Pad(columns.Fit(lines[i][at], wide[i]), wide[i]+gap))
		}
		out[at] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// fitColumns chooses the columns that a line has room for, and shortens the first one. Other columns are left out only if the first one
// would have less than leastName.
func fitColumns(wide []int, width int) (shown []bool) {
	shown = make([]bool, len(wide))
	total := 0
	for i, w := range wide {
		shown[i] = true
		total += w + gap
	}
	total -= gap
	if width <= 0 {
		wide[0] = min(wide[0], mostName)
		return shown
	}
	least := min(wide[0], leastName)
	for rank := 6; rank > 0; rank-- {
		for i := len(wide) - 1; i > 0 && total-wide[0]+least > width; i-- {
			if tableColumns[i].rank == rank {
				shown[i] = false
				total -= wide[i] + gap
			}
		}
	}
	wide[0] = max(1, min(wide[0], width-(total-wide[0])))
	return shown
}
