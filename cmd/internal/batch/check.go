package batch

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// A Problem is the reason why an image would fail, on one line.
type Problem struct{ Image, Problem string }

// Check finds the images that would fail before they are encoded, for example because of a pinned digest.
func Check(ctx context.Context, items []corpus.Item) []Problem {
	corpus.Inspect(ctx, items, new(corpus.Hasher))
	var bad []Problem
	for i := range items {
		if it := &items[i]; it.Err != nil {
			bad = append(bad, Problem{it.Image.Label(), oneLine(it.Err)})
		}
	}
	return bad
}

// Doubts lists the images that may be the wrong ones, one line each.
func Doubts(items []corpus.Item) (lines []string) {
	const most = 5
	doubted := 0
	for i := range items {
		if it := &items[i]; len(it.Doubts) > 0 {
			if doubted++; doubted <= most {
				lines = append(lines, it.Image.Label()+": "+strings.Join(it.Doubts, "; "))
			}
		}
	}
	if n := doubted - most; n > 0 {
		lines = append(lines, fmt.Sprintf("%d more images have such warnings", n))
	}
	return lines
}

// Notes lists settings of a manifest that Run does not use or interprets in a particular way.
func Notes(items []corpus.Item, profile config.Profile) []string {
	var notes []string
	if names := unusedSections(items, profile); len(names) > 0 {
		notes = append(notes, "sections are not used under profile pahole, which has its own rules: "+some(names))
	}
	return append(notes, kernelNotes(items)...)
}

// unusedSections returns the names of the images whose section rules are not used.
func unusedSections(items []corpus.Item, profile config.Profile) (names []string) {
	for i := range items {
		if im := &items[i].Image; im.SectionsGiven && cmp.Or(profile, im.Profile) == config.Pahole {
			names = append(names, im.Label())
		}
	}
	return names
}

// kernelNotes returns sentences that say which generations the kernels of a manifest are judged as.
func kernelNotes(items []corpus.Item) []string {
	const most = 10
	var notes []string
	seen := map[string]bool{}
	for i := range items {
		for _, name := range items[i].Image.Verify {
			if n := settings.Note(name); n != "" && !seen[name] {
				notes = append(notes, n)
			}
			seen[name] = true
		}
	}
	if n := len(notes) - most; n > 0 {
		notes = append(notes[:most], fmt.Sprintf("%d more kernels are judged as the generation that they belong to", n))
	}
	return notes
}

// some returns the first names of a list, and how many more there are.
func some(names []string) string {
	const shown = 5
	more := ""
	if n := len(names) - shown; n > 0 {
		names, more = names[:shown], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ") + more
}
