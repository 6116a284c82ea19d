package html

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
)

// A picture is an SVG in the making. It has a title, which is its name for people who do not see it, and marks with titles of their own,
// which browsers show when the pointer is over them. All text is escaped here.
type picture struct {
	b      strings.Builder
	height float64
}

// finish returns the element. width is the width of its coordinate system.
func (p *picture) finish(width float64, title, class string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="pic%s" role="img" viewBox="0 0 %s %s"%s><title>%s</title>%s</svg>`, //nolint:gosec // made of numbers and escaped text
		class, num(width), num(p.height), stretch(class), text(title), p.b.String()))
}

// stretch lets a picture that is only a bar fill its box.
func stretch(class string) string {
	if class == " bar1" {
		return ` preserveAspectRatio="none"`
	}
	return ""
}

// num writes a coordinate with one decimal, which is a tenth of a pixel.
func num(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// text escapes text for HTML.
func text(s string) string { return html.EscapeString(s) }

// rect adds a rectangle; title may be empty.
func (p *picture) rect(x, y, w, h float64, class, title string) {
	fmt.Fprintf(&p.b, `<rect x="%s" y="%s" width="%s" height="%s" class="%s"`, num(x), num(y), num(w), num(h), class)
	if title == "" {
		p.b.WriteString("/>")
		return
	}
	fmt.Fprintf(&p.b, "><title>%s</title></rect>", text(title))
}

// rects adds many rectangles as one path.
func (p *picture) rects(boxes []box, class, title string) {
	p.b.WriteString(`<path d="`)
	for _, x := range boxes {
		fmt.Fprintf(&p.b, "M%s %sh%sv%sh-%sz", num(x.x), num(x.y), num(x.w), num(x.h), num(x.w))
	}
	fmt.Fprintf(&p.b, `" class="%s"><title>%s</title></path>`, class, text(title))
}

type box struct{ x, y, w, h float64 }

// path adds a line that is not filled.
func (p *picture) path(d, class string) {
	if d != "" {
		fmt.Fprintf(&p.b, `<path d="%s" class="%s"/>`, d, class)
	}
}

// label adds text. anchor is "", "middle" or "end".
func (p *picture) label(x, y float64, class, anchor, s string) {
	fmt.Fprintf(&p.b, `<text x="%s" y="%s"`, num(x), num(y))
	if class != "" {
		fmt.Fprintf(&p.b, ` class="%s"`, class)
	}
	if anchor != "" {
		fmt.Fprintf(&p.b, ` text-anchor="%s"`, anchor)
	}
	fmt.Fprintf(&p.b, `>%s</text>`, text(s))
}

// letter is the width of a letter of a label.
const letter = 6.1

// fit returns as much of a text as a width has room for, or "" if that is too little to be of use.
func fit(s string, width float64) string {
	n := int((width - 4) / letter)
	r := []rune(s)
	switch {
	case len(r) <= n:
		return s
	case n < 4:
		return ""
	}
	return string(r[:n-1]) + "…"
}
