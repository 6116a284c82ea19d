package html

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// Limits of text from outside.
const (
	maxName = 160 // runes of a name
	maxText = 600 // runes of a message
)

// name makes a name from outside safe to show: nothing in it can be invisible or turn the text around, and it is not longer than people
// read. The medium escapes it once more.
func name(s string) string { return shorten(s, maxName) }

// message is name for an error or another sentence.
func message(s string) string { return shorten(s, maxText) }

func shorten(s string, most int) string {
	if len(s) > 4*most { // before anything that takes time
		s = cutBytes(s, 4*most) + strings.Repeat("…", 2)
	}
	s = escape.Visible(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// cutBytes returns the first bytes of a text, without a part of a rune at the end.
func cutBytes(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// count writes a number of things: "1 image", "1,234 images".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 0 {
		return "−" + thousands(-n)
	}
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return count(n, "byte", "bytes")
}

// delta writes a distance with its sign.
func delta(n int64) string {
	if n < 0 {
		return "−" + thousands(int(-n))
	}
	return "+" + thousands(int(n))
}

// seconds writes a time.
func seconds(s float64) string {
	switch {
	case s >= 100:
		return fmt.Sprintf("%d:%02d min", int(s)/60, int(s)%60)
	case s >= 1:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}

// percent writes a share.
func percent(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// hex writes an offset.
func hex(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }
