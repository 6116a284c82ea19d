package console

import (
	"io"
	"math"
	"os"
	"strconv"

	"golang.org/x/term"
)

// leastColumns is the minimum width of a terminal on which progress is drawn.
const leastColumns = 40

// draws reports whether a writer is a terminal that can erase lines and is wide enough for progress.
func draws(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !IsTerminal(w) || os.Getenv("TERM") == "dumb" {
		return false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return err == nil && (columns == 0 || columns >= leastColumns) // 0 means unknown
}

// IsTerminal reports whether a writer is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && f.Fd() != math.MaxUint && term.IsTerminal(int(f.Fd()))
}

// Columns is the width of a line: that of a terminal, unless the environment variable COLUMNS says otherwise. It is 0 where it is unknown.
func Columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || f.Fd() == math.MaxUint {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
