package show

import (
	"strings"
	"unicode/utf8"
)

// A page is text for a terminal: lines up to a width, some of them in colour.
type page struct {
	b     strings.Builder
	width int
	color bool
	clip  bool // cut long lines instead of continuing them
}

// Colours, as parameters of SGR escape sequences.
const (
	plain  = ""
	green  = "32"
	red    = "31"
	yellow = "33"
	bold   = "1"
	dim    = "2"
)

var signColor = map[string]string{"+": green, "-": red, "~": yellow}

// paint returns text in a colour.
func (p *page) paint(color, text string) string {
	if !p.color || color == plain || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// line writes a line. A long line continues on the next one, with two more columns of indent.
func (p *page) line(indent int, color, text string) {
	if p.clip {
		text = cut(text, max(p.width-indent, 20))
	}
	for first := true; first || text != ""; first = false {
		pad := indent
		if !first {
			pad += 2
		}
		var head string
		head, text = breakAt(text, p.width-pad)
		p.b.WriteString(strings.Repeat(" ", pad) + p.paint(color, head) + "\n")
	}
}

// sides writes a line with a text at its right end, or on the next line if there is no space.
func (p *page) sides(indent int, color, left, right string) {
	gap := p.width - indent - utf8.RuneCountInString(left) - utf8.RuneCountInString(right)
	if right == "" || gap < 2 {
		p.line(indent, color, left)
		if right != "" {
			p.line(indent+4, dim, right)
		}
		return
	}
	p.b.WriteString(strings.Repeat(" ", indent) + p.paint(color, left) + strings.Repeat(" ", gap) + p.paint(dim, right) + "\n")
}

// head writes a heading.
func (p *page) head(text string) {
	if p.clip {
		text = cut(text, p.width)
	}
	p.b.WriteString("\n" + p.paint(bold, text) + "\n")
}

// breakAt splits a text that is wider than some columns. It splits at the last blank that fits, if that is in the second half.
func breakAt(text string, width int) (head, rest string) {
	width = max(width, 20)
	if len(text) <= utf8.UTFMax*width && utf8.RuneCountInString(text) <= width { // a text of megabytes is not counted for each line
		return text, ""
	}
	end := 0
	for range width {
		_, n := utf8.DecodeRuneInString(text[end:])
		end += n
	}
	if i := strings.LastIndexByte(text[:end], ' '); i > end/2 {
		return strings.TrimRight(text[:i], " "), strings.TrimLeft(text[i:], " ")
	}
	return text[:end], text[end:]
}
