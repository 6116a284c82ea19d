package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// A place is an element of one alternative of a pattern: the element that the next name has to match.
type place struct{ alternative, element int }

// A matcher walks a tree once, whatever the pattern is: in each folder it knows every place in the pattern that may come next. For the
// element ** it enters folders, but does not follow links to folders, which could lead in circles. It follows a link that any other
// element matches.
type matcher struct {
	patterns [][]string // the elements of each alternative
	seen     [][]int    // by alternative and element: the last entry that the place was added for
	entry    int
	found    []string
}

// Match lists the files below root that a pattern matches, sorted by name. A link to a file counts as a file, even if it is broken.
func Match(root, pattern string) ([]string, error) {
	list, err := Alternatives(pattern)
	if err != nil {
		return nil, err
	}
	m := matcher{entry: 1}
	var start []place
	slices.Sort(list)
	for _, p := range slices.Compact(list) {
		elements := strings.Split(p, "/")
		if slices.Contains(elements, "") { // no name is empty
			continue
		}
		m.patterns = append(m.patterns, elements)
		m.seen = append(m.seen, make([]int, len(elements)))
		start = m.add(start, place{len(m.patterns) - 1, 0})
	}
	err = m.walk(root, start)
	slices.Sort(m.found)
	return slices.Compact(m.found), err
}

// add adds a place to those that may come next. Because ** also stands for no folder at all, the element after it may come next too.
func (m *matcher) add(places []place, p place) []place {
	elements, seen := m.patterns[p.alternative], m.seen[p.alternative]
	for ; p.element < len(elements) && seen[p.element] != m.entry; p.element++ {
		seen[p.element] = m.entry
		places = append(places, p)
		if elements[p.element] != "**" {
			break
		}
	}
	return places
}

// walk matches the entries of a folder.
func (m *matcher) walk(dir string, places []place) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have been removed meanwhile
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		isLink := e.Type()&fs.ModeSymlink != 0
		isFolder := e.IsDir()
		if isLink {
			st, err := os.Stat(path)
			isFolder = err == nil && st.IsDir()
		}
		if !isFolder {
			if m.matches(places, e.Name()) {
				m.found = append(m.found, path)
			}
		} else if next := m.into(places, e.Name(), isLink); len(next) > 0 {
			if err := m.walk(path, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// matches reports whether a file of that name completes the pattern at one of the places.
func (m *matcher) matches(places []place, name string) bool {
	return slices.ContainsFunc(places, func(p place) bool {
		elements := m.patterns[p.alternative]
		return p.element == len(elements)-1 && doublestar.MatchUnvalidated(elements[p.element], name)
	})
}

// into returns the places that may come next inside a folder of that name.
func (m *matcher) into(places []place, name string, isLink bool) (next []place) {
	m.entry++
	for _, p := range places {
		switch element := m.patterns[p.alternative][p.element]; {
		case element == "**":
			if !isLink {
				next = m.add(next, p)
			}
		case doublestar.MatchUnvalidated(element, name):
			next = m.add(next, place{p.alternative, p.element + 1})
		}
	}
	return next
}
