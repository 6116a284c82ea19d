package columns

import "strings"

// gap is the number of columns between two columns of a table.
const gap = 2

// leastCell is the width down to which the cells of a column may be shortened.
const leastCell = 8

// Table lays out rows under a head, whose cells are one line of text each. The first column has the names of the rows.
//
// width is that of the terminal, or 0 if nothing bounds the lines. If the table is wider, a column with the same text in every row becomes a line above
// the table, and if that is not enough, the longest cells are shortened in the middle.
func Table(head []string, rows [][]string, width int) string {
	var b strings.Builder
	widths := widthsOf(head, rows)
	if width > 0 && sum(widths) > width {
		var common string
		head, rows, common = fold(head, rows, width)
		b.WriteString(common)
		widths = widthsOf(head, rows)
		narrow(widths, head, width)
	}
	line := func(cells []string) {
		for i, cell := range cells {
			if cell = Fit(cell, widths[i]); i < len(cells)-1 {
				cell = Pad(cell, widths[i]+gap)
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	line(head)
	for _, r := range rows {
		line(r)
	}
	return b.String()
}

func widthsOf(head []string, rows [][]string) []int {
	widths := make([]int, len(head))
	for i := range head {
		widths[i] = Of(head[i])
		for _, r := range rows {
			widths[i] = max(widths[i], Of(r[i]))
		}
	}
	return widths
}

// sum returns the width of a table.
func sum(widths []int) (n int) {
	for _, w := range widths {
		n += w + gap
	}
	return n - gap
}

// fold takes the columns with the same text in every row out of a table, but not the first one. common has them in lines of this width.
func fold(head []string, rows [][]string, width int) (left []string, cells [][]string, common string) {
	if len(rows) < 2 {
		return head, rows, ""
	}
	cells = make([][]string, len(rows))
	var words []string
	for i := range head {
		same := i > 0
		for _, r := range rows {
			same = same && r[i] == rows[0][i]
		}
		if same {
			words = append(words, head[i]+" "+rows[0][i])
			continue
		}
		left = append(left, head[i])
		for j, r := range rows {
			cells[j] = append(cells[j], r[i])
		}
	}
	if words == nil {
		return left, cells, ""
	}
	at := 0
	for i, word := range words {
		switch n := Of(word); {
		case i == 0:
			common, at = "all: "+word, n+5
		case at+2+n > width:
			common, at = common+"\n     "+word, n+5
		default:
			common, at = common+", "+word, at+2+n
		}
	}
	return left, cells, common + "\n\n"
}

// narrow reduces widths until the table has the width, or nothing can be shortened any more. The widest column is shortened first, and the names of
// the rows last, because shortened names may be equal.
func narrow(widths []int, head []string, width int) {
	for over := sum(widths) - width; over > 0; over-- {
		widest := 0
		for i, w := range widths {
			if i > 0 && w > max(leastCell, Of(head[i])) && (widest == 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest == 0 && widths[0] <= max(leastCell, Of(head[0])) {
			return
		}
		widths[widest]--
	}
}
