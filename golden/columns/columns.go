// Package columns measures and shortens text by the columns that it takes on a terminal.
//
// Input: text without control characters. Output: a number of columns, or text that fits one. Never: the package does not escape.
package columns

import (
	"strings"

	"github.com/rivo/uniseg"
)

// dots stands for what was left out.
const dots = "…"

// Of returns the number of columns that a text takes. East Asian characters take two, combining characters none.
func Of(s string) int {
	for i := range len(s) {
		if s[i]-' ' > '~'-' ' {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// fits reports whether a text takes at most n columns. No character takes more than four columns for its three bytes, as the three-em dash does.
func fits(s string, n int) bool { return len(s) <= n/4*3 || Of(s) <= n }

// Fit returns a text that takes at most n columns. If it is too long, dots stand for its middle, because names differ at their ends.
func Fit(s string, n int) string {
	if fits(s, n) {
		return s
	}
	if n < 1 {
		return ""
	}
	tail := (n - 1) / 2
	return First(s, n-1-tail) + dots + last(s, tail)
}

// Cut returns a text that takes at most n columns. If it is too long, dots stand for its end.
func Cut(s string, n int) string {
	if fits(s, n) {
		return s
	}
	if n < 1 {
		return ""
	}
	return First(s, n-1) + dots
}

// Pad returns a text that takes at least n columns, with blanks at its end.
func Pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Of(s))) }

// First returns the longest start of a text that takes at most n columns.
func First(s string, n int) string {
	end, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if n -= width; n < 0 {
			break
		}
		end += len(cluster)
	}
	return s[:end]
}

// last returns the longest end of a text that takes at most n columns. It looks only at the bytes that may be there.
func last(s string, n int) string {
	const most = 64 // bytes of a cluster, unless somebody plays
	if from := len(s) - (n+1)*most; from > 0 {
		for from < len(s) && s[from]&0xc0 == 0x80 {
			from++
		}
		s = s[from:]
	}
	var starts []int
	var widths []int
	at, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		starts, widths = append(starts, at), append(widths, width)
		at += len(cluster)
	}
	from := len(s)
	for i := len(starts) - 1; i >= 0; i-- {
		if n -= widths[i]; n < 0 {
			break
		}
		from = starts[i]
	}
	return s[from:]
}
