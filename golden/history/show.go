package history

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// JSON writes the history as one JSON object.
func (h *History) JSON(w io.Writer) error {
	return escape.WriteJSON(w, h, "  ")
}

// Text writes the history as a table for people: a row for each stretch, with the files on the left and what the name stands for on the
// right.
func (h *History) Text(w io.Writer) error {
	head := []string{"since", "until", "files"}
	rows := make([][]string, len(h.Stretches))
	width := []int{len(head[0]), len(head[1]), len(head[2])}
	for i, s := range h.Stretches {
		rows[i] = []string{escape.Line(s.Since), escape.Line(s.Until), fmt.Sprint(s.Files)}
		if s.Files == 1 {
			rows[i][1] = "-"
		}
		for j, text := range rows[i] {
			width[j] = max(width[j], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	left := func(cells []string) {
		for j, text := range cells {
			pad := strings.Repeat(" ", width[j]-utf8.RuneCountInString(text))
			if j == 2 { // a number
				text, pad = pad+text, ""
			}
			b.WriteString(text + pad + "  ")
		}
	}
	kind := cause.Kind("")
	for _, s := range h.Stretches {
		for _, f := range s.Found {
			kind = f.Kind
		}
	}
	b.WriteString(fmt.Sprintf("%s %s\n", kind, escape.Line(h.Name)))
	left(head)
	b.WriteString("what\n")
	for i, s := range h.Stretches {
		for j, line := range s.lines() {
			if j == 0 {
				left(rows[i])
			} else {
				left([]string{"", "", ""})
			}
			b.WriteString(line + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lines says what the name stands for in a stretch, a line for each thing.
func (s *Stretch) lines() []string {
	if !s.There {
		return []string{"not there"}
	}
	lines := make([]string, len(s.Found))
	for i := range s.Found {
		lines[i] = describe(&s.Found[i])
		if s.LayoutOnly {
			lines[i] += " (only sizes or offsets differ)"
		}
	}
	return lines
}

// describe is a thing in one line.
func describe(f *cause.Found) string {
	parts := []string{escape.Line(f.Declaration)}
	if f.Kind == cause.EnumeratorOf {
		parts[0] = "= " + f.Value + " in " + parts[0]
	}
	if f.Declared {
		parts = append(parts, "only declared")
	}
	if f.At != nil {
		at := fmt.Sprintf("at byte %d", f.At.Bit/8)
		if f.At.Bits != 0 || f.At.Bit%8 != 0 {
			at = fmt.Sprintf("at bit %d", f.At.Bit)
		}
		parts = append(parts, at)
	}
	if f.Size != nil && (f.At == nil || f.At.Bits == 0) {
		parts = append(parts, count(*f.Size, "byte"))
	}
	if f.Members > 0 {
		unit := map[cause.Kind]string{cause.Enum: "enumerator", cause.Section: "variable"}[f.Kind]
		if unit == "" {
			unit = "member"
		}
		parts = append(parts, count(uint64(f.Members), unit))
	}
	if f.At != nil && f.At.Nest != "" {
		parts = append(parts, "in anonymous "+f.At.Nest)
	}
	if f.Section != "" {
		parts = append(parts, "in "+escape.Line(f.Section))
	}
	if usual := map[cause.Kind]string{cause.Func: "static", cause.Var: "global"}[f.Kind]; f.Linkage != usual { // encoders call every function static
		parts = append(parts, f.Linkage)
	}
	if f.Tags != "" {
		parts = append(parts, "tags "+escape.Line(f.Tags))
	}
	return strings.Join(parts, ", ")
}

func count(n uint64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
