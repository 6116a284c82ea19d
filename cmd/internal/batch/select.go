package batch

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/btfbatch/btfbatch/corpus"
)

// Select returns the items that the patterns match, and their bases. A pattern without a match is an error.
func Select(items []corpus.Item, patterns []string) ([]corpus.Item, error) {
	keep := make([]bool, len(items))
	for _, p := range patterns {
		found := false
		for i := range items {
			ok, err := matches(p, items[i].Image.Label())
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", p, err)
			}
			found, keep[i] = found || ok, keep[i] || ok
		}
		if !found {
			return nil, fmt.Errorf("no image is named %q; %s", p, alternatives(p, names(Jobs(items, ""))))
		}
	}
	return withBases(items, keep), nil
}

// SelectNames returns the items with the given names, and their bases. A name that no item has is an error.
func SelectNames(items []corpus.Item, wanted []string) ([]corpus.Item, error) {
	keep, at := make([]bool, len(items)), make(map[string]int, len(items))
	for i := range items {
		at[items[i].Image.Label()] = i
	}
	for _, name := range wanted {
		i, ok := at[name]
		if !ok {
			return nil, fmt.Errorf("no image is named %q; %s", name, alternatives(name, names(Jobs(items, ""))))
		}
		keep[i] = true
	}
	return withBases(items, keep), nil
}

// SelectAt returns the items at the given indexes, and their bases.
func SelectAt(items []corpus.Item, wanted []int) []corpus.Item {
	keep := make([]bool, len(items))
	for _, i := range wanted {
		keep[i] = true
	}
	return withBases(items, keep)
}

// CheckPatterns returns an error for patterns that are not valid.
func CheckPatterns(patterns []string) error {
	for _, p := range patterns {
		if _, err := matches(p, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
	}
	return nil
}

// Matches reports whether one of several valid patterns matches the name of an image.
func Matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := matches(p, name)
		return ok && err == nil
	})
}

// CheckNames returns an error for a pattern that matches none of the names of images.
func CheckNames(patterns, names []string) error {
	for _, p := range patterns {
		if !slices.ContainsFunc(names, func(name string) bool { return Matches([]string{p}, name) }) {
			return fmt.Errorf("no image is named %q; %s", p, alternatives(p, slices.Compact(slices.Sorted(slices.Values(names)))))
		}
	}
	return nil
}

// withBases returns the items to keep, and their bases.
func withBases(items []corpus.Item, keep []bool) []corpus.Item {
	for i := range slices.Backward(items) { // a base comes before the items that need it
		if base := items[i].Base; keep[i] && base >= 0 {
			keep[base] = true
		}
	}
	var list []corpus.Item
	place := make([]int, len(items))
	for i, it := range items {
		if !keep[i] {
			continue
		}
		if it.Base >= 0 {
			it.Base = place[it.Base]
		}
		place[i] = len(list)
		list = append(list, it)
	}
	return list
}

// matches reports whether a pattern matches a name. A name is not a path: * and ? match a slash too. A pattern that is equal to the name
// always matches, whatever characters it contains.
func matches(pattern, name string) (bool, error) {
	const sign = "\x00" // no name has one
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", sign), strings.ReplaceAll(name, "/", sign))
	return ok || pattern == name, err
}

// alternatives lists the names that are similar to a pattern without a match, or else some of all names.
func alternatives(pattern string, names []string) string {
	const most, long = 3, 128
	wanted := strings.ToLower(strings.NewReplacer("*", "", "?", "").Replace(pattern))
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, name := range names {
		if len(name) > long || len(wanted) > long {
			continue
		}
		lower := strings.ToLower(name)
		d := levenshtein.ComputeDistance(wanted, lower)
		if strings.Contains(lower, wanted) { // the user probably forgot the *
			d = min(d, 1)
		}
		if d <= 1+len(wanted)/4 {
			near = append(near, candidate{name, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var list []string
	for _, c := range near[:min(most, len(near))] {
		list = append(list, fmt.Sprintf("%q", c.name))
	}
	if len(list) > 0 {
		return "did you mean " + strings.Join(list, " or ") + "?"
	}
	for _, name := range names[:min(most, len(names))] {
		list = append(list, fmt.Sprintf("%q", name))
	}
	if n := len(names) - len(list); n > 0 {
		list = append(list, fmt.Sprintf("%d more", n))
	}
	return "the images are " + strings.Join(list, ", ")
}
