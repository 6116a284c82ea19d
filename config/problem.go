package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// A Problem is one error in a manifest.
type Problem struct {
	File         string
	Line, Column int    // from 1; columns count characters
	Path         string // "images[2].sections[0].exclude", empty for the whole text
	Message      string
	Suggestion   string // a similar valid word, or empty

	order int // of the file, among those that the manifest consists of
}

// String returns the line that Problems prints for p. A problem of the command line has no position.
func (p Problem) String() string {
	s := ""
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	}
	if p.Path != "" {
		s += p.Path + ": "
	}
	s += p.Message
	if p.Suggestion != "" {
		s += fmt.Sprintf(" (did you mean %s?)", p.Suggestion)
	}
	return s
}

// Problems lists all errors in a manifest, in the order of the text.
type Problems struct {
	List []Problem // the first maxProblems
	More int       // the number of further ones
}

// maxProblems limits a list of problems. One mistake in the defaults can cause one in every image.
const maxProblems = 100

// maxKept limits the problems that are kept to be sorted.
const maxKept = 50_000

// NewProblems sorts problems by position and removes duplicates, which occur if a matrix or an anchor brings one value to many
// images.
func NewProblems(all []Problem) *Problems {
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	type key struct {
		file, line, col int
		message         string
	}
	seen := map[key]bool{}
	list = slices.DeleteFunc(list, func(p Problem) bool {
		k := key{p.order, p.Line, p.Column, p.Message}
		again := seen[k]
		seen[k] = true
		return again
	})
	n := min(len(list), maxProblems)
	return &Problems{List: list[:n:n], More: len(list) - n}
}

// Error prints one problem per line.
func (ps *Problems) Error() string {
	lines := make([]string, len(ps.List))
	for i, p := range ps.List {
		lines[i] = p.String()
	}
	if ps.More > 0 {
		lines = append(lines, ps.Rest())
	}
	return strings.Join(lines, "\n")
}

// Rest returns a line about the problems that are not listed.
func (ps *Problems) Rest() string { return fmt.Sprintf("and %d more", ps.More) }

// A position is a place in a text and the path of the value there.
type position struct {
	src       *source // nil stands for the text that is being read
	line, col int
	path      string
}

// A report collects the problems of a manifest, and of those that it includes. Its budget limits the work that the texts can cause.
type report struct {
	*source            // that is being read
	sources  []*source // all, in the order of reading
	problems []Problem
	more     int      // problems beyond maxKept, which are only counted
	budget   int      // values left, see maxValues
	about    position // of the image that is being read
}

func newReport(file string, data []byte) *report {
	r := &report{budget: maxValues}
	r.open(file, data)
	return r
}

// open starts a text.
func (r *report) open(file string, data []byte) {
	r.source = newSource(file, data, len(r.sources))
	r.sources = append(r.sources, r.source)
}

// at is a position in the text that is being read.
func (r *report) at(line, col int, path string) position { return position{r.source, line, col, path} }

// spend subtracts n values from the budget. It reports a problem, once, when the budget is used up.
func (r *report) spend(n int, at position) bool {
	if r.budget < 0 {
		return false
	}
	if r.budget -= n; r.budget < 0 {
		r.add(at, "", "manifest has more than %d values when the matrix is expanded", maxValues)
		return false
	}
	return true
}

func (r *report) add(at position, suggestion, format string, args ...any) {
	if at.src == nil {
		at.src = r.source
	}
	message := fmt.Sprintf(format, args...)
	if about := r.about; about.src != nil && about.src != at.src { // such as a default of the manifest that includes this one
		message += fmt.Sprintf(", for the image at %s", about)
	}
	if len(r.problems) >= maxKept {
		r.more++
		return
	}
	r.problems = append(r.problems, Problem{
		// A problem at the end of the text can be on a line after the last.
		File: at.src.file, Line: max(1, min(at.line, at.src.count)), Column: max(1, at.col), Path: at.path,
		Message: message, Suggestion: suggestion, order: at.src.order,
	})
}

// String is the place, as messages refer to it.
func (at position) String() string { return fmt.Sprintf("%s:%d:%d", at.src.file, at.line, at.col) }

func (r *report) found() bool { return len(r.problems) > 0 }

func (r *report) err() error {
	if !r.found() {
		return nil
	}
	list := NewProblems(r.problems)
	list.More += r.more
	return list
}

// find returns the position of text inside the value that starts at at, or at itself if the value has several lines.
func (r *report) find(at position, text string) position {
	src := at.src
	if src == nil {
		src = r.source
	}
	whole, ok := src.line(at.line)
	if !ok || len(whole) > maxText {
		return at // a manifest on a single line is generated, and searching it repeatedly is slow
	}
	line := []rune(whole)
	if at.col < 1 || at.col > len(line) {
		return at
	}
	rest := string(line[at.col-1:])
	if before, _, ok := strings.Cut(rest, text); ok {
		at.col += utf8.RuneCountInString(before)
	}
	return at
}

// nearest returns the suggestion for a word. A text with very many problems gets none.
func (r *report) nearest(word string, known []string) string {
	if len(r.problems) > 1000 {
		return ""
	}
	return nearest(word, known)
}

// nearest returns the known name that is most similar to word, quoted, or "" if none is similar.
func nearest(word string, known []string) string {
	best, dist := "", 3 // at most two typing errors
	if n := utf8.RuneCountInString(word); n < 6 {
		dist = max(1, n/2) + 1 // one error in a short word, two from four letters on
	}
	word = strings.ToLower(word)
	if len(word) > 64 {
		return ""
	}
	for _, k := range known {
		if len(k) > 64 {
			continue
		}
		d := levenshtein.ComputeDistance(word, strings.ToLower(k))
		if d == 2 && sorted(word) == sorted(k) {
			d = 1 // two letters are swapped
		}
		if d < dist {
			best, dist = fmt.Sprintf("%q", k), d
		}
	}
	return best
}

func sorted(word string) string {
	b := []byte(word)
	slices.Sort(b)
	return string(b)
}
