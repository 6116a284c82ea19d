package report

import (
	"encoding/json"
	"slices"
	"unique"
)

// The rows of a large batch have much in common: the features that were asked for, the verdicts of kernels, the reasons why symbols were left out. One
// copy of each serves all rows. Nobody changes a list of a row that was added.

// mostShared is the number of different lists of a kind that are remembered.
const mostShared = 4096

// shared has one copy of each list that several rows have.
type shared struct {
	features map[string][]string
	dropped  map[string][]Drop
	verify   map[string][]Verification
	warnings map[string][]Warning
}

func newShared() shared {
	return shared{map[string][]string{}, map[string][]Drop{}, map[string][]Verification{}, map[string][]Warning{}}
}

// share replaces what the row has in common with earlier ones.
func (s *shared) share(row *Row) {
	row.Features, row.Dropped = one(s.features, row.Features), one(s.dropped, row.Dropped)
	row.Verify, row.Warnings = one(s.verify, row.Verify), one(s.warnings, row.Warnings)
	for _, text := range []*string{&row.Arch, &row.Profile, &row.Kind, &row.Release, &row.Compiler, &row.Manifest, &row.Base, &row.BaseSHA256} {
		*text = unique.Make(*text).Value()
	}
}

// one returns the copy of a list that the map has, or the list, which it then has. JSON has everything that is in the list.
func one[T any](known map[string][]T, list []T) []T {
	if len(list) == 0 {
		return list
	}
	key, err := json.Marshal(list)
	if err != nil {
		return list
	}
	if other, ok := known[string(key)]; ok {
		return other
	}
	list = slices.Clip(list) // whoever appends gets a copy
	if len(known) < mostShared {
		known[string(key)] = list
	}
	return list
}
