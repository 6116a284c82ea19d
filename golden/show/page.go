package show

import (
	"strings"
	"unicode/utf8"
)

// A page is text for a terminal: lines of a width, some of them in colour.
type page struct {
	b     strings.Builder
	width int
	color bool
}

// Colours: what SGR asks a terminal for.
const (
	plain  = ""
	green  = "32"
	red    = "31"
	yellow = "33"
	bold   = "1"
	dim    = "2"
)

var signColor = map[string]string{"+": green, "-": red, "~": yellow}

// paint is text in a colour.
func (p *page) paint(color, text string) string {
	if !p.color || color == plain || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// line writes a line. What is too long goes on below, deeper by two columns.
func (p *page) line(indent int, color, text string) {
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

// sides writes a line with something at its right end, which goes below if there is no room.
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
func (p *page) head(text string) { p.b.WriteString("\n" + p.paint(bold, text) + "\n") }

// breakAt divides a text that is wider than some columns at its last blank there, if it has one in the second half.
func breakAt(text string, width int) (head, rest string) {
	width = max(width, 20)
	if utf8.RuneCountInString(text) <= width {
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
